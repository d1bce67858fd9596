import BackupCore

/// Parts that are loaded again with all that went through their whole, because a crash has taken rows of some.
enum PostgresLostParts {
    /// The loads into tables that must hold no rows.
    ///
    /// A part that no crash empties holds what was loaded into it before. What lies in one that a crash has emptied since
    /// was written by others: it is looked at by itself, as its whole holds rows.
    static func loadsIntoEmptyTables(
        _ loads: [TableLoad], emptied: [TableLoad], on connection: PostgresConnection
    ) async throws -> [TableLoad] {
        let parts = emptied.filter { $0.loadsThrough != nil }.map(\.table)
        guard !parts.isEmpty else { return loads }
        let rows = try await connection.rows(
            """
            SELECT n.nspname, c.relname, c.relpersistence = 'u' FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = ANY ($1::regclass[]::oid[])
            """, [SQLText.array(parts.map(SQLText.qualified))])
        let unlogged = Dictionary(
            rows.map { (TableName(schema: $0[0] ?? "", name: $0[1] ?? ""), $0[2] == "t") }
        ) { first, _ in first }
        return loads.compactMap { load in
            guard let isUnlogged = unlogged[load.table] else { return load }
            var alone = load
            alone.loadsThrough = nil
            return isUnlogged ? alone : nil
        }
    }
}
