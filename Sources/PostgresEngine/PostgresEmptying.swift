import BackupCore

/// Takes the rows out of a table that a backup has rows for.
enum PostgresEmptying {
    /// Of a table that an extension fills, only rows that the extension's condition selects are in a backup: the others
    /// stay.
    ///
    /// - Throws: `BackupError.targetUnsuitable` where no extension fills the table here: nobody knows which of its rows are meant.
    static func statement(
        for load: TableLoad, on connection: PostgresConnection
    ) async throws -> String {
        let table = SQLText.qualified(load.table)
        guard load.filter != nil else { return "TRUNCATE ONLY \(table)" }
        guard let condition = try await condition(of: load, on: connection) else {
            throw areOfNoExtension([load.place])
        }
        return deletion(from: table, filter: condition)
    }

    /// Refuses to empty tables that are an extension's in the backup alone.
    static func areOfNoExtension(_ tables: [TableName]) -> BackupError {
        BackupError(
            .targetUnsuitable,
            "tables that an extension fills in the backup are no extension's here: "
                + tables.map { "\($0)" }.joined(separator: ", "),
            hint: """
                All of their rows would go, and the backup has only some. Rename these tables, or create the \
                extension as the source has it; --existing append adds to their rows.
                """)
    }

    /// What a filter selects, which need not be a condition: `WHERE own ORDER BY id`.
    static func deletion(from table: String, filter: String) -> String {
        "DELETE FROM ONLY \(table) WHERE ctid IN (SELECT ctid FROM ONLY \(table) \(filter)\n)"
    }

    /// The target's own condition, which may be empty; nil for a table that no extension fills.
    ///
    /// The backup's is text that anybody may have written.
    static func condition(
        of load: TableLoad, on connection: PostgresConnection
    ) async throws -> String? {
        guard load.filter != nil else { return nil }
        return try await connection.value(
            """
            SELECT e.extcondition[pg_catalog.array_position(e.extconfig, $1::regclass::oid)]
            FROM pg_catalog.pg_extension e WHERE $1::regclass::oid = ANY (e.extconfig) LIMIT 1
            """, [SQLText.qualified(load.place)])
    }
}
