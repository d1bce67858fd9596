import BackupCore

/// How the values of a key's column are written as literals that the server compares with the column exactly as it
/// orders the column itself.
///
/// There is none for labels, which are ordered by their places and compared by their texts, nor for floating point,
/// whose text is not the value. Nor for MariaDB's `CHAR` where spaces at the end count: they are in its index, and
/// not in its values.
enum MySQLKeyOrder: Sendable, Equatable {
    /// Whole numbers, decimals and years.
    case number
    /// A date, with or without a time.
    case moment
    case time
    /// What MariaDB compares with its text: UUIDs and addresses.
    case word(isUUID: Bool)
    case bytes
    /// The bytes of a text, compared in its own character set and collation.
    case text(characterSet: String, collation: String)

    init?(kind: String, characterSet: String?, collation: String?) {
        switch kind {
        case "tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "year": self = .number
        case "date", "datetime", "timestamp": self = .moment
        case "time": self = .time
        case "uuid", "inet4", "inet6": self = .word(isUUID: kind == "uuid")
        case "binary", "varbinary": self = .bytes
        case "char", "varchar":
            guard let characterSet, let collation, Self.isName(characterSet),
                Self.isName(collation), !(kind == "char" && collation.contains("_nopad_"))
            else { return nil }
            self = .text(characterSet: characterSet, collation: collation)
        default: return nil
        }
    }

    /// Whether servers see that the rows of one value are in the order of the rest of the key; where they do not, they
    /// sort them once more.
    var keepsOrder: Bool {
        switch self {
        case .number, .bytes, .text: true
        case .moment, .time, .word: false
        }
    }

    /// What stands for it where borders are recorded: another collation is another order.
    var name: String {
        switch self {
        case .number: "number"
        case .moment: "moment"
        case .time: "time"
        case .word: "word"
        case .bytes: "bytes"
        case .text(_, let collation): collation
        }
    }

    /// The expression that gives a value's text: the hexadecimal digits of texts and bytes.
    func text(of value: String) -> String {
        switch self {
        case .bytes, .text: "HEX(\(value))"
        default: "CAST(\(value) AS CHAR)"
        }
    }

    /// Whether a text may be one that the server gave.
    func isValid(_ text: String) -> Bool {
        switch self {
        case .number: text.wholeMatch(of: /-?[0-9]+(\.[0-9]+)?/) != nil
        case .moment, .time: !text.isEmpty && text.utf8.allSatisfy(" -.:0123456789".utf8.contains)
        case .word:
            !text.isEmpty && text.utf8.allSatisfy("-.:0123456789ABCDEFabcdef".utf8.contains)
        case .bytes, .text:
            text.utf8.count.isMultiple(of: 2)
                && text.utf8.allSatisfy("0123456789ABCDEFabcdef".utf8.contains)
        }
    }

    /// The literal of a value, given its text.
    func literal(_ text: String) -> String {
        switch self {
        case .number: text
        case .moment, .time, .word: MySQLText.literal(text)
        case .bytes: "x'\(text)'"
        case .text(let characterSet, let collation):
            "_\(characterSet) x'\(text)' COLLATE \(collation)"
        }
    }

    /// An expression for a value about in the middle between two, given their texts; nil where nobody knows one.
    ///
    /// A guess: whether it is between them is for the server to say.
    /// `letters`: What the values known so far consist of.
    func middle(_ lower: String, _ upper: String, _ letters: MySQLLetters) -> String? {
        let (low, high) = (literal(lower), literal(upper))
        switch self {
        // Halved first: the sum may have a digit more than there can be.
        case .number where lower.utf8.contains(UInt8(ascii: ".")):
            return "(\(low) / 2 + \(high) / 2)"
        case .number: return "CEILING(\(low) / 2 + \(high) / 2)"
        case .moment:
            return """
                (CAST(\(low) AS DATETIME(6)) \
                + INTERVAL (TIMESTAMPDIFF(MICROSECOND, \(low), \(high)) DIV 2) MICROSECOND)
                """
        case .time: return "SEC_TO_TIME((TIME_TO_SEC(\(low)) + TIME_TO_SEC(\(high))) / 2)"
        case .word(let isUUID):
            return isUUID ? MySQLUUIDMiddle.middle(lower, upper, letters).map(literal) : nil
        case .bytes, .text: return letters.middle(lower, upper).map(literal)
        }
    }

    /// Whether something is a name that needs no quotes.
    private static func isName(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "_")
            }
    }
}
