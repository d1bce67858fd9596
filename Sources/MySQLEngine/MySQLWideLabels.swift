import BackupCore

/// Labels in character sets of two or four bytes a sign.
///
/// MySQL keeps the bytes of an `ENUM`'s labels where the column is converted to such a set: from then on it prints other
/// labels than its rows have, and whatever is made from what it prints has those.
struct MySQLWideLabels {
    let connection: MySQLConnection
    let database: String

    /// The columns of tables, as `table.column`, with a row whose label is none of those that the server prints.
    func unlike(in tables: [TableName]) async throws -> [String] {
        let columns = try await connection.rows(
            """
            SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, CHARACTER_SET_NAME FROM information_schema.COLUMNS
            WHERE TABLE_SCHEMA = \(MySQLText.literal(database)) AND DATA_TYPE = 'enum'
              AND CHARACTER_SET_NAME IN ('ucs2', 'utf16', 'utf16le', 'utf32')
            ORDER BY TABLE_NAME, ORDINAL_POSITION
            """)
        var found: [String] = []
        for column in columns {
            let table = TableName(schema: database, name: column[0] ?? "")
            let name = MySQLText.identifier(column[1] ?? "")
            let labels = MySQLTokens(column[2] ?? "").tokens.compactMap(\.literal)
                .map { "HEX(CONVERT(\(MySQLText.literal($0)) USING \(column[3] ?? "utf16")))" }
            guard tables.contains(table), !labels.isEmpty else { continue }
            // Compared as texts, half a sign at the end would not count.
            let stranger = try await connection.rowsInterruptibly(
                """
                SELECT 1 FROM \(MySQLText.qualified(table))
                WHERE \(name) + 0 > 0 AND HEX(\(name)) NOT IN (\(labels.joined(separator: ", "))) LIMIT 1
                """)
            if !stranger.isEmpty { found.append("\(table.name).\(column[1] ?? "")") }
        }
        return found
    }
}
