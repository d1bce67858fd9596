import BackupCore

/// Whether a statement only reads, as far as its words tell: what they do not tell is refused by the server,
/// in a transaction that cannot write.
///
/// The server alone would not do: a transaction that only reads lets settings be changed, files be written,
/// sequences count, and it ends with the first statement that defines something.
enum MySQLReading {
    private static let verbs: Set<String> = [
        "SELECT", "WITH", "TABLE", "VALUES", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "HELP",
    ]
    /// Words that write whatever stands around them, outside of quotes.
    private static let writing: Set<String> = [
        "INTO", "NEXTVAL", "SETVAL", "GET_LOCK", "RELEASE_LOCK", "RELEASE_ALL_LOCKS",
    ]

    static func isAllowed(_ statement: String) -> Bool {
        let scan = MySQLTokens(statement)
        let words = scan.tokens.filter(\.isCode)
        guard !scan.isOpen, !words.contains(where: { $0.kind == .executableComment }),
            let verb = words.first(where: { !$0.isSign("(") })?.keyword, verbs.contains(verb)
        else { return false }
        // Quoted as names they are functions all the same.
        let names = words.compactMap { $0.identifier?.uppercased() }
        guard !names.contains(where: writing.contains) else { return false }
        // NEXT VALUE FOR a sequence.
        guard !zip(names, names.dropFirst()).contains(where: { $0 == ("NEXT", "VALUE") }) else {
            return false
        }
        guard verb != "WITH" || !changes(words) else { return false }
        let explains = ["EXPLAIN", "DESCRIBE", "DESC"].contains(verb)
        return !(explains && names.dropFirst().first == "ANALYZE")
    }

    /// Whether a statement that begins with `WITH` goes on with one that writes: inside a transaction the server would
    /// run it.
    private static func changes(_ words: [MySQLTokens.Token]) -> Bool {
        var depth = 0
        for word in words {
            if word.isSign("(") { depth += 1 }
            if word.isSign(")") { depth -= 1 }
            guard depth == 0, let keyword = word.keyword else { continue }
            if ["SELECT", "TABLE", "VALUES"].contains(keyword) { return false }
            if ["DELETE", "UPDATE", "INSERT", "REPLACE"].contains(keyword) { return true }
        }
        return false
    }
}
