import BackupCore

/// Labels in character sets of two or four bytes a sign.
///
/// MySQL keeps the bytes of the labels of an `ENUM` or a `SET` where the column is converted to such a set: from then on it
/// prints other labels than its rows have, and whatever is made from what it prints has those.
struct MySQLWideLabels {
    let connection: MySQLConnection
    let database: String

    /// The columns of tables, as `table.column`, with a row whose labels are none of those that the server prints.
    func unlike(in tables: [TableName]) async throws -> [String] {
        let columns = try await connection.rows(
            """
            SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, CHARACTER_SET_NAME, DATA_TYPE FROM information_schema.COLUMNS
            WHERE TABLE_SCHEMA = \(MySQLText.literal(database)) AND DATA_TYPE IN ('enum', 'set')
              AND CHARACTER_SET_NAME IN ('ucs2', 'utf16', 'utf16le', 'utf32')
            ORDER BY TABLE_NAME, ORDINAL_POSITION
            """)
        var found: [String] = []
        for column in columns {
            let table = TableName(schema: database, name: column[0] ?? "")
            let labels = MySQLTokens(column[2] ?? "").tokens.compactMap(\.literal)
            guard tables.contains(table), !labels.isEmpty else { continue }
            let condition = Self.isUnlike(
                MySQLText.identifier(column[1] ?? ""), labels, characterSet: column[3] ?? "utf16",
                isSet: column[4]?.lowercased() == "set")
            let stranger = try await connection.rowsInterruptibly(
                "SELECT 1 FROM \(MySQLText.qualified(table)) WHERE \(condition) LIMIT 1")
            if !stranger.isEmpty { found.append("\(table.name).\(column[1] ?? "")") }
        }
        return found
    }

    /// The condition on rows whose bytes are not those that their number names.
    ///
    /// Compared as texts, half a sign at the end would not count.
    private static func isUnlike(
        _ name: String, _ labels: [String], characterSet: String, isSet: Bool
    ) -> String {
        func hex(_ label: String) -> String {
            "HEX(CONVERT(\(MySQLText.literal(label)) USING \(characterSet)))"
        }
        let all = labels.map(hex).joined(separator: ", ")
        // An empty label that is the first of a value has no comma behind it.
        return isSet
            ? "HEX(\(name)) <> REPLACE(TRIM(LEADING ',' FROM MAKE_SET(CAST(\(name) AS UNSIGNED), \(all))), ',', \(hex(",")))"
            : "\(name) + 0 > 0 AND HEX(\(name)) NOT IN (\(all))"
    }
}
