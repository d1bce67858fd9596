/// Whether what somebody typed may hold a password: such lines are neither remembered nor repeated.
enum SecretText {
    private static let signs = [
        "passw", "pwd", "-url", "://", "identified by", "secret", "crypt", "token", "api_key",
        "apikey",
    ]

    static func mayBe(in line: String) -> Bool {
        // However many spaces and line ends are between two words.
        let words = line.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return signs.contains { words.contains($0) }
    }
}
