import BackupCore

/// Whether a statement runs what somebody else has written: stored functions, loadable ones, and views that
/// call them.
///
/// A transaction that only reads keeps a function from changing rows, and from nothing else: it may write files
/// of the server, set what is global and take locks.
enum MySQLCallees {
    private static let deepest = 20
    private static let ofServer = "('sys', 'mysql', 'information_schema', 'performance_schema')"

    /// Also true where the account may not see what a view is made of.
    ///
    /// A view may call what its reader may not
    /// even see: in its definition the server quotes the names of everything but its own functions.
    ///
    /// - Throws: `MySQLError`.
    static func mayRun(_ statement: String, on connection: MySQLConnection) async throws -> Bool {
        var (open, seen) = (names(in: statement), Set<ExactText>())
        for _ in 0..<deepest {
            open = open.filter { !seen.contains(ExactText($0)) }
            guard !open.isEmpty else { return false }
            seen.formUnion(open.map(ExactText.init))
            let list = open.map(MySQLText.literal).joined(separator: ", ")
            let routine = try await connection.value(
                """
                SELECT 1 FROM information_schema.ROUTINES
                WHERE ROUTINE_NAME IN (\(list)) AND ROUTINE_SCHEMA NOT IN \(ofServer) LIMIT 1
                """)
            // Those that are loaded from libraries; whoever may not ask finds none.
            let loaded = try? await connection.value(
                "SELECT 1 FROM mysql.func WHERE name IN (\(list)) LIMIT 1")
            if routine != nil || loaded ?? nil != nil { return true }
            let views = try await connection.rows(
                """
                SELECT VIEW_DEFINITION FROM information_schema.VIEWS
                WHERE TABLE_NAME IN (\(list)) AND TABLE_SCHEMA NOT IN \(ofServer)
                """
            ).map { $0[0] ?? "" }
            if views.contains(where: { $0.isEmpty || callsQuoted($0) }) { return true }
            open = views.flatMap(names)
        }
        return true
    }

    private static func callsQuoted(_ text: String) -> Bool {
        let words = MySQLTokens(text).tokens.filter(\.isCode)
        return zip(words, words.dropFirst()).contains {
            $0.kind == .quotedIdentifier && $1.isSign("(")
        }
    }

    private static func names(in text: String) -> [String] {
        let all = MySQLTokens(text).tokens.compactMap(\.identifier).filter { !$0.isEmpty }
        return Array(Dictionary(all.map { (ExactText($0), $0) }) { one, _ in one }.values)
    }
}
