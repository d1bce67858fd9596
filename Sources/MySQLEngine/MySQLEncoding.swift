/// How a value that the server sends becomes a field of CSV.
///
/// Everything is the server's own text but what it sends as bytes: those are `\x` and hexadecimal, bits a
/// number. A moment in UTC gets its offset, for readers that know nothing of the session.
enum MySQLEncoding: Character, Sendable {
    /// Digits, signs, letters: nothing that CSV must quote.
    case plain = "p"
    /// Any text; what is none, and what begins with `\x`, as bytes.
    case text = "t"
    /// Text of a character set that UTF-8 does not hold exactly: the server itself sends values that
    /// would not come back as `\x` and hexadecimal of their own bytes.
    case coded = "c"
    /// Bytes.
    case binary = "b"
    /// `BIT(n)`: bytes, the highest first.
    case bits = "n"
    /// `TIMESTAMP`, in a session in UTC.
    case instant = "i"

    /// A value as it stands in CSV, as a literal.
    func literal(_ text: String) -> String {
        let isBytes = text.utf8.starts(with: "\\x".utf8)
        return switch self {
        case .binary,
            .text where isBytes, .coded where isBytes:
            "x\(MySQLText.literal(String(text.dropFirst(2))))"
        case .bits where text.utf8.allSatisfy { (0x30...0x39).contains($0) }: text
        case .instant where text.hasSuffix("+00:00"): MySQLText.literal(String(text.dropLast(6)))
        default: MySQLText.literal(text)
        }
    }
}
