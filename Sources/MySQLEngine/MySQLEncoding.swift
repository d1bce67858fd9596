/// How a value that the server sends becomes a field of CSV.
///
/// Everything is the server's own text but what it sends as bytes: those are `\x` and hexadecimal, bits a
/// number. A moment in UTC gets its offset, for readers that know nothing of the session.
enum MySQLEncoding: Character, Sendable {
    /// Digits, signs, letters: nothing that CSV must quote.
    case plain = "p"
    /// Any text.
    case text = "t"
    /// Bytes.
    case binary = "b"
    /// `BIT(n)`: bytes, the highest first.
    case bits = "n"
    /// `TIMESTAMP`, in a session in UTC.
    case instant = "i"
}
