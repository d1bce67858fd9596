import BackupCore

/// Labels that the server cannot print.
///
/// It has them in the character set of their column, and prints them in UTF-8: a sign that this has none for is a question
/// mark, and whatever is made from what it prints has a label with a question mark.
struct MySQLLostLabels {
    let connection: MySQLConnection
    let database: String

    /// Sets of which each byte, or each sign, is one of UTF-8: there a question mark is one.
    private static let whole = """
        'utf8mb4', 'utf8mb3', 'utf8', 'ucs2', 'utf16', 'utf16le', 'utf32', 'latin1', 'latin2', 'latin5', 'latin7', 'cp850', 'cp852', \
        'cp866', 'koi8r', 'koi8u', 'keybcs2', 'macce', 'macroman', 'binary'
        """

    /// The columns of tables, as `table.column`, that have a label with a question mark of which nobody knows what it is.
    func doubtful(in tables: [TableName]) async throws -> [String] {
        let columns = try await connection.rowsInterruptibly(
            """
            SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE FROM information_schema.COLUMNS
            WHERE TABLE_SCHEMA = \(MySQLText.literal(database)) AND DATA_TYPE IN ('enum', 'set')
              AND CHARACTER_SET_NAME NOT IN (\(Self.whole)) AND COLUMN_TYPE LIKE '%?%'
            ORDER BY TABLE_NAME, ORDINAL_POSITION
            """)
        let known = Set(tables)
        return columns.compactMap { column in
            let table = TableName(schema: database, name: column[0] ?? "")
            return known.contains(table) ? "\(table.name).\(column[1] ?? "")" : nil
        }
    }
}
