/// Whether a line or a statement may hold a password: it is neither remembered nor repeated then.
package enum SecretText {
    private static let signs = [
        "passw", "pwd", "-url", "://", "identified by", "secret", "crypt", "token", "api_key",
        "apikey",
    ]

    package static func mayBe(in line: String) -> Bool {
        // However many spaces and line ends are between two words.
        let words = line.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return signs.contains { words.contains($0) }
    }
}
