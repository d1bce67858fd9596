import CMariaDB

/// A kind of number that a server takes as the number that it is: it has no text to read then.
///
/// With a key, two whole numbers and a floating point number in thirteen columns that spares MariaDB a tenth of its work.
enum MySQLNumber: Sendable {
    case integer, unsigned, double

    /// The kind of a column, given by its type in the server's words; nil for another one, or where a text says more.
    init?(ofType type: String) {
        let isUnsigned = type.contains("unsigned") || type.contains("zerofill")
        switch type.prefix(while: \.isLetter) {
        case "tinyint", "smallint", "mediumint", "int", "bigint":
            self = isUnsigned ? .unsigned : .integer
        case "double": self = .double
        default: return nil
        }
    }

    var parameterType: enum_field_types {
        self == .double ? MYSQL_TYPE_DOUBLE : MYSQL_TYPE_LONGLONG
    }

    /// The number that a text is, as the client library takes its bits; nil for any other text.
    @inline(__always)
    func bits(of text: UnsafeRawBufferPointer) -> UInt64? {
        switch self {
        case .integer:
            let isNegative = text.first == UInt8(ascii: "-")
            guard let size = Self.digits(text.dropFirst(isNegative ? 1 : 0)) else { return nil }
            // The least number has one more than the greatest.
            guard size <= UInt64(Int64.max) + (isNegative ? 1 : 0) else { return nil }
            return isNegative ? 0 &- size : size
        case .unsigned: return Self.digits(text[...])
        case .double:
            return Double(String(decoding: text, as: UTF8.self))
                .flatMap { $0.isFinite ? $0.bitPattern : nil }
        }
    }

    @inline(__always)
    private static func digits(_ text: Slice<UnsafeRawBufferPointer>) -> UInt64? {
        guard !text.isEmpty else { return nil }
        var number: UInt64 = 0
        for byte in text {
            let digit = UInt64(byte &- 0x30)
            guard digit < 10 else { return nil }
            let (tens, isOver) = number.multipliedReportingOverflow(by: 10)
            let (sum, isTooMuch) = tens.addingReportingOverflow(digit)
            guard !isOver, !isTooMuch else { return nil }
            number = sum
        }
        return number
    }
}
