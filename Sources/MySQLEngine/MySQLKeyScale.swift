/// How values of a key's first column are laid out as whole numbers, so that the table can be read in ranges
/// between its least and its greatest.
///
/// Only of columns whose order everybody agrees on: not of texts, which have collations, nor of labels, whose
/// order changes. Wherever the borders are, each row is in one range; where values are not spread evenly the ranges
/// are not of one size.
enum MySQLKeyScale: Sendable {
    case number
    case days
    case seconds
    /// The first seven bytes.
    case bytes

    init?(kind: String) {
        switch kind {
        case "tinyint", "smallint", "mediumint", "int", "bigint": self = .number
        case "date": self = .days
        case "datetime", "timestamp": self = .seconds
        case "binary", "varbinary": self = .bytes
        default: return nil
        }
    }

    /// The expression that gives the number of a value; NULL for a date that is none.
    func number(of value: String) -> String {
        switch self {
        case .number: value
        case .days: "TO_DAYS(\(value))"
        case .seconds: "TO_SECONDS(\(value))"
        case .bytes: "CONV(HEX(RPAD(LEFT(\(value), 7), 7, x'00')), 16, 10)"
        }
    }

    /// The least number that is turned back into a value: of days before the year 1 the servers make none.
    var least: Int {
        switch self {
        case .number, .bytes: .min
        case .days: 366
        case .seconds: 366 * 86_400
        }
    }

    /// The least value that has a number, as SQL.
    func value(at number: Int) -> String {
        switch self {
        case .number: return "\(number)"
        case .days: return "FROM_DAYS(\(number))"
        case .seconds:
            let (days, seconds) = number.quotientAndRemainder(dividingBy: 86_400)
            return "FROM_DAYS(\(days)) + INTERVAL \(seconds) SECOND"
        case .bytes:
            let digits = String(number, radix: 16)
            return "x'\(String(repeating: "0", count: max(0, 14 - digits.count)))\(digits)'"
        }
    }
}
