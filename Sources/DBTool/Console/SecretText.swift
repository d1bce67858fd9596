/// Whether what somebody typed may hold a password: such lines are neither remembered nor repeated.
enum SecretText {
    private static let signs = [
        "passw", "pwd", "-url", "://", "identified by", "secret", "crypt", "token", "api_key",
        "apikey",
    ]

    static func mayBe(in line: String) -> Bool {
        let words = line.lowercased()
        return signs.contains { words.contains($0) }
    }
}
