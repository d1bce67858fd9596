import BackupCore

/// Rows that cannot be deleted safely.
extension MySQLExistingTables {
    /// MySQL finds what a key holds of a row by computing it anew, and ends where that is another value by now: the days of
    /// texts that one session takes are none to another.
    ///
    /// Rows that come after this look are not looked at.
    /// - Throws: `BackupError.targetUnsuitable`.
    func checkKeysOfDays() async throws {
        guard !isMariaDB else { return }
        for table in emptied.map({ TableName(schema: request.database, name: $0.name) }) {
            guard let keys = try await connection.computation(of: table)?.keysOfDays,
                !keys.isEmpty, try await dependsOnMode(table, keys)
            else { continue }
            throw BackupError(
                .targetUnsuitable,
                "rows of \(table) cannot be deleted safely: keys of it hold days of texts or numbers that are days to some "
                    + "sessions alone (such as 2021-02-31), for which this server may end",
                hint: "Replace the table with --clean, or restore beside it with --as NAME.")
        }
    }

    /// Whether what some keys hold is another thing in the narrowest mode than in the widest.
    private func dependsOnMode(_ table: TableName, _ keys: Set<ExactText>) async throws -> Bool {
        let rows = try await connection.rows(
            """
            SELECT INDEX_NAME, COLUMN_NAME, EXPRESSION FROM information_schema.STATISTICS
            WHERE TABLE_SCHEMA = \(MySQLText.literal(table.schema))
              AND \(MySQLText.isName("TABLE_NAME", table.name))
            """
        ).filter { keys.contains(ExactText($0[0] ?? "")) }
        let parts = rows.compactMap { row -> String? in
            if let column = row[1] { return MySQLText.identifier(column) }
            // Quotes are doubled by a backslash there. Values of documents are never days that no calendar has.
            let expression = row[2]?.replacing("\\'", with: "'")
            return expression.flatMap { $0.lowercased().hasSuffix(" array)") ? nil : "(\($0))" }
        }
        guard !parts.isEmpty else { return false }
        let values = parts.map { "ISNULL(\($0)), HEX(\($0))" }.joined(separator: ", ")
        let names = Set(rows.compactMap { $0[0] }).sorted().map(MySQLText.identifier)
        let question = """
            SELECT SUM(CRC32(CONCAT_WS(' ', \(values)))) FROM \(MySQLText.qualified(table))
            IGNORE INDEX (\(names.joined(separator: ", ")))
            """
        // Both of one moment: others may be writing.
        try await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        try await connection.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        do {
            var sums: Set<String?> = []
            for mode in [MySQLSession.RowMode.computing, .exact] {
                let sum = try await connection.inMode(mode) {
                    try await connection.rowsInterruptibly(question).first?[0]
                }
                sums.insert(sum)
            }
            try await connection.execute("ROLLBACK")
            return sums.count > 1
        } catch {
            // A connection that cannot roll back is gone, and its transaction with it.
            try? await connection.execute("ROLLBACK")
            throw error
        }
    }
}
