import BackupCore

/// Whether tables hold rows that those of a backup would come beside.
struct PostgresEmptiness {
    let connection: PostgresConnection
    let database: String
    /// Those that are loaded, and those that rows go through.
    let tables: [TableName]
    /// Those that must hold no rows of others.
    let loads: [TableLoad]
    /// Those whose tables are emptied first, though they hold rows of the interrupted restore.
    let lost: PostgresLostParts
    /// Whether an interrupted restore is gone on with.
    let continues: Bool

    /// When the tables are looked at.
    enum Moment {
        /// Nothing of the database's owners may run, and somebody may change everything afterwards.
        case beforeApproval
        /// Nobody else can change them any more.
        case underLock
    }

    /// - Throws: `BackupError.targetUnsuitable` that names those which hold some.
    func require(_ moment: Moment) async throws {
        guard !loads.isEmpty else { return }
        let filled = try await filledTables(moment)
        guard filled.isEmpty else {
            if continues { throw PostgresTarget.rowsOfOthers(filled, in: database) }
            throw BackupError(
                .targetUnsuitable,
                "tables of \(database) hold rows: "
                    + filled.map { "\($0)" }.joined(separator: ", "),
                hint: "--existing truncate replaces them, --existing append adds to them.")
        }
    }

    /// Those that hold rows which the backup's would come beside.
    ///
    /// Before the approval a query asks only tables of owners who may act for the restoring role anyway; others are
    /// copied from, which is possible of plain tables alone. The rest waits for the lock, as do those whose policies hold for the
    /// restoring role, which it may switch off by then.
    private func filledTables(_ moment: Moment) async throws -> [TableName] {
        let wholes = try await partitionedTables()
        let trusted = moment == .beforeApproval ? try await trustedTables() : Set(tables)
        let hidden = moment == .beforeApproval ? try await tablesWithPolicies() : []
        func holdsRows(_ table: TableName, _ condition: String? = nil) async throws -> Bool {
            guard !hidden.contains(table) else { return false }
            guard trusted.contains(table) else {
                guard condition == nil, !wholes.contains(table) else { return false }
                return try await PostgresPlainTable.holdsRows(table, on: connection)
            }
            // A whole that was a plain table, or a part, when the backup was taken has none of its own.
            let rows = "\(wholes.contains(table) ? "" : "ONLY ")\(SQLText.qualified(table))"
            return try await connection.value(
                "SELECT 1 FROM \(rows) \(condition ?? "") LIMIT 1") != nil
        }
        let looks = try await lost.looks(at: loads, on: connection)
        var filled: [TableName] = []
        for look in looks {
            let ofExtension = try await PostgresEmptying.condition(of: look.load, on: connection)
            if try await holdsRows(look.load.table, look.condition ?? ofExtension) {
                filled.append(look.load.table)
            }
        }
        guard filled.isEmpty else { return filled }
        // Rows that go through a whole may end in parts that the backup does not know.
        for whole in Set(looks.compactMap(\.load.loadsThrough)).sorted() {
            if try await holdsRows(whole) { filled.append(whole) }
        }
        return filled
    }

    /// Those whose owners, and the owners of their partitions, have the restoring role's rights without any trick.
    private func trustedTables() async throws -> Set<TableName> {
        let rows = try await connection.rows(
            """
            WITH members(whole, part) AS MATERIALIZED (
              SELECT t.oid, t.oid FROM pg_catalog.unnest($1::regclass[]::oid[]) t(oid)
              UNION
              SELECT t.oid, p.relid::oid FROM pg_catalog.unnest($1::regclass[]::oid[]) t(oid)
              CROSS JOIN LATERAL pg_catalog.pg_partition_tree(t.oid) p)
            SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = ANY ($1::regclass[]::oid[]) AND c.oid NOT IN (
              SELECT m.whole FROM members m
              JOIN pg_catalog.pg_class p ON p.oid = m.part
              JOIN pg_catalog.pg_roles u ON u.rolname = current_user
              WHERE NOT pg_catalog.pg_has_role(p.relowner, u.oid, 'USAGE'))
            """, [SQLText.array(tables)])
        return Set(rows.map { TableName(schema: $0[0] ?? "", name: $0[1] ?? "") })
    }

    private func partitionedTables() async throws -> Set<TableName> {
        try await those(where: "c.relkind = 'p'")
    }

    /// Those whose rows the server refuses to show, as policies could hide some.
    private func tablesWithPolicies() async throws -> Set<TableName> {
        try await those(where: "pg_catalog.row_security_active(c.oid)")
    }

    private func those(where condition: String) async throws -> Set<TableName> {
        let rows = try await connection.rows(
            """
            SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = ANY ($1::regclass[]::oid[]) AND \(condition)
            """, [SQLText.array(tables)])
        return Set(rows.map { TableName(schema: $0[0] ?? "", name: $0[1] ?? "") })
    }
}
