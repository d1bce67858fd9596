import BackupCore

/// Parts that are loaded again with all that went through their whole, because a crash has taken rows of some.
struct PostgresLostParts {
    private let parts: [TableName]
    /// The transactions of the interrupted restore, as `xmin` shows them.
    private let transactions: [String]

    /// Those among tables that are emptied.
    init(among emptied: [TableLoad], transactions: [String]) {
        parts = emptied.filter { $0.loadsThrough != nil }.map(\.table)
        self.transactions = transactions
    }

    /// A load, and which rows of its table would be in the way: all of them where there is no condition.
    struct Look {
        let load: TableLoad
        var condition: String?
    }

    /// What is to be looked at of loads into tables that must hold no rows of others.
    ///
    /// A part that no crash empties holds what was loaded into it before; rows of other transactions were written or changed by
    /// others. What lies in one that a crash has emptied since is theirs, too. Each is looked at by itself, as its whole holds
    /// rows.
    func looks(
        at loads: [TableLoad], on connection: PostgresConnection
    ) async throws -> [Look] {
        guard !parts.isEmpty else { return loads.map { Look(load: $0) } }
        let rows = try await connection.rows(
            """
            SELECT n.nspname, c.relname, c.relpersistence = 'u' FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = ANY ($1::regclass[]::oid[])
            """, [SQLText.array(parts)])
        let unlogged = Dictionary(
            rows.map { (TableName(schema: $0[0] ?? "", name: $0[1] ?? ""), $0[2] == "t") }
        ) { first, _ in first }
        let own = SQLText.literal(SQLText.array(transactions))
        return loads.map { load in
            guard let isUnlogged = unlogged[load.table] else { return Look(load: load) }
            var alone = load
            alone.loadsThrough = nil
            return Look(
                load: alone, condition: isUnlogged ? nil : "WHERE NOT xmin = ANY (\(own)::xid[])")
        }
    }
}
