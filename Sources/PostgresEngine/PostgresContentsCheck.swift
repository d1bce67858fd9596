import BackupCore

/// What is in scope of a backup: whether it can be read, and what of it may surprise.
struct PostgresContentsCheck {
    let scope: PostgresScope
    let isWhole: Bool
    let server: PostgresServer
    let connection: PostgresConnection

    private var inScope: [PostgresCatalog.Relation] { scope.inScope + scope.unreadable }

    // MARK: Privileges

    /// Everything that is missing, at once.
    func privileges() async throws -> [Finding] {
        let sequences = try await sequences().filter { !$0.isUnknown }
        let closed = sequences.filter { !$0.isReadable }
        let objects = isWhole ? try await PostgresLargeObjects.unreadable(connection) : []
        var findings = [hiddenRows()].compactMap(\.self)
        let statements =
            PostgresPrivileges.statements(tables: scope.unreadable, for: server.user)
            + PostgresPrivileges.statements(sequences: closed, for: server.user)
            + PostgresPrivileges.statements(largeObjects: objects, for: server.user)
        if statements.isEmpty {
            findings.insert(
                Finding(
                    .contents, "privileges", .ok,
                    "role \(server.user) may read everything: \(Self.count(inScope.count)) and "
                        + "\(sequences.count) \(sequences.count == 1 ? "sequence" : "sequences")"),
                at: 0)
        } else {
            let things =
                scope.unreadable.map { "\($0.name)" } + closed.map { "\($0.name)" }
                + objects.map { "large object \($0)" }
            findings.insert(
                Finding(
                    .contents, "privileges", .problem,
                    "role \(server.user) may not read \(PostgresPrivileges.list(things))",
                    fix: PostgresPrivileges.unique(statements) + [shortWay]), at: 0)
        }
        return findings + [try await futureTables()].compactMap(\.self)
    }

    private func sequences() async throws -> [PostgresSequences.Sequence] {
        try await PostgresSequences.names(
            tables: isWhole ? nil : inScope.map(\.oid), on: connection)
    }

    /// A comment, so that running what is printed does no more than it must.
    private var shortWay: String {
        "-- or for everything, now and later: GRANT pg_read_all_data TO "
            + "\(SQLText.identifier(server.user));"
    }

    private func hiddenRows() -> Finding? {
        let hidden = scope.stored.filter(\.hidesRows).map { "\($0.name)" }
        guard !hidden.isEmpty else { return nil }
        return Finding(
            .contents, "row security", .problem,
            "policies hide rows from role \(server.user) in \(PostgresPrivileges.list(hidden))",
            fix: [PostgresPrivileges.bypass(for: server.user)])
    }

    /// What the owners of tables make later, the role may not read unless that is granted before.
    private func futureTables() async throws -> Finding? {
        guard isWhole, !server.isSuperuser else { return nil }
        let rows = try await connection.rows(
            """
            WITH makers AS (
              SELECT DISTINCT c.relowner, c.relnamespace FROM pg_catalog.pg_class c
              WHERE c.oid = ANY ($1::oid[])),
            missing AS (
              SELECT m.*, k.kind FROM makers m, (VALUES ('r'), ('S')) k(kind)
              WHERE NOT pg_catalog.pg_has_role(m.relowner, 'USAGE')
                AND NOT EXISTS (
                  SELECT 1 FROM pg_catalog.pg_default_acl d
                  CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) a
                  WHERE d.defaclrole = m.relowner AND d.defaclobjtype = k.kind
                    AND d.defaclnamespace IN (0, m.relnamespace) AND a.privilege_type = 'SELECT'
                    AND (a.grantee = 0 OR pg_catalog.pg_has_role(a.grantee, 'USAGE'))))
            SELECT pg_catalog.pg_get_userbyid(m.relowner), n.nspname, m.kind
            FROM missing m JOIN pg_catalog.pg_namespace n ON n.oid = m.relnamespace
            WHERE NOT pg_catalog.pg_has_role('pg_read_all_data', 'USAGE')
            ORDER BY 1, n.nspname COLLATE "C", m.kind DESC
            """, [PostgresCatalog.array(inScope.map(\.oid))])
        guard !rows.isEmpty else { return nil }
        let statements = rows.map { row in
            PostgresPrivileges.future(
                row[2] == "r" ? "TABLES" : "SEQUENCES", of: row[0] ?? "", in: row[1] ?? "",
                for: server.user)
        }
        return Finding(
            .contents, "future tables", .warning,
            "role \(server.user) may not read what will be made later: a backup fails then",
            fix: statements + [shortWay])
    }

    // MARK: Surprises

    /// What a backup holds otherwise than somebody may expect.
    func surprises() async throws -> [Finding] {
        let catalog = PostgresCatalog(connection: connection)
        let keys = try await catalog.keys(of: scope.stored.map(\.oid))
        let withoutKey = scope.stored.filter { keys[$0.oid] == nil }
        let unlogged = inScope.filter { $0.isUnlogged && !$0.isPartitioned }
        return [
            note(
                "keys", withoutKey.map(\.name), "has no key: a differential must take it whole",
                "have no key: differentials must take them whole"),
            server.isStandby
                ? note(
                    "unlogged", unlogged.map(\.name), "is unlogged: a standby has no rows of it",
                    "are unlogged: a standby has no rows of them")
                : note(
                    "unlogged", unlogged.map(\.name),
                    "is unlogged: after a crash of the server it is empty, and so is its backup",
                    "are unlogged: after a crash of the server they are empty, and so is the backup"
                ),
            note(
                "unlogged sequences", try await sequences().filter(\.isUnknown).map(\.name),
                "is unlogged: a standby knows nothing of it, and it begins anew in a restore",
                "are unlogged: a standby knows nothing of them, and they begin anew in a restore"),
            try await foreignTables(), try await lockTable(),
        ].compactMap(\.self)
    }

    private func note(
        _ subject: String, _ tables: [TableName], _ one: String, _ many: String
    ) -> Finding? {
        guard !tables.isEmpty else { return nil }
        let names = PostgresPrivileges.list(tables.map { "\($0)" })
        return Finding(.contents, subject, .note, "\(names) \(tables.count == 1 ? one : many)")
    }

    private func foreignTables() async throws -> Finding? {
        guard isWhole else { return nil }
        let rows = try await connection.rows(
            """
            SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'f' ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
            """)
        return note(
            "foreign tables", rows.map { TableName(schema: $0[0] ?? "", name: $0[1] ?? "") },
            "is foreign: its rows live elsewhere and are not stored",
            "are foreign: their rows live elsewhere and are not stored")
    }

    /// Each table takes a place in the server's table of locks, for us and for pg_dump together, and each sequence.
    ///
    /// - SeeAlso: <https://www.postgresql.org/docs/current/runtime-config-locks.html>
    private func lockTable() async throws -> Finding? {
        let row =
            try await connection.rows(
                """
                SELECT pg_catalog.current_setting('max_locks_per_transaction')::bigint
                  * (SELECT pg_catalog.sum(setting::bigint) FROM pg_catalog.pg_settings
                     WHERE name IN ('max_connections', 'max_prepared_transactions',
                                    'max_worker_processes', 'max_wal_senders')
                       OR name IN (SELECT pg_catalog.max(name) FROM pg_catalog.pg_settings
                                   WHERE name IN ('autovacuum_max_workers',
                                                  'autovacuum_worker_slots'))),
                  pg_catalog.current_setting('max_locks_per_transaction')
                """
            ).first ?? []
        let (tables, sequences) = (inScope.count, try await sequences().count)
        let count = tables + sequences
        guard let places = row[0].flatMap({ Int($0) }), count > places / 2 else { return nil }
        // The server has some more than it promises, for safety.
        let fails = count > places * 2
        let wanted = (Int(row[1] ?? "") ?? 64) * (count * 2 / places + 1)
        return Finding(
            .contents, "locks", fails ? .problem : .warning,
            "\(tables) tables and \(sequences) sequences must be locked, "
                + "and the server has \(places) places for locks",
            fix: [
                "ALTER SYSTEM SET max_locks_per_transaction = \(wanted);",
                "-- then restart the server",
            ])
    }

    // MARK: Size and time

    /// About how much there is, and how long it takes to read.
    ///
    /// `locked`: Tables whose size cannot be asked without waiting.
    func size(without locked: Set<String>) async throws -> (bytes: Int, findings: [Finding]) {
        let tables = scope.stored + scope.unreadable.filter { !$0.isPartitioned }
        guard !tables.isEmpty else {
            let words = "there are no tables with rows: a backup would hold structure only"
            return (0, [Finding(.contents, "size", .note, words)])
        }
        let free = tables.filter { !locked.contains($0.oid) }
        let catalog = PostgresCatalog(connection: connection)
        let sizes = try await sizes(of: free.map(\.oid), catalog)
        let bytes = sizes.values.reduce(0) { $0 + $1.total } + (try await largeObjectBytes())
        let words = "\(Self.count(tables.count)), about \(ByteText(bytes))"
        let largest = free.filter { $0.isReadable && !$0.hidesRows }
            .max { (sizes[$0.oid]?.total ?? 0) < (sizes[$1.oid]?.total ?? 0) }
        guard let largest, let stored = sizes[largest.oid]?.total,
            let sample = try await sample(of: largest, stored, catalog)
        else { return (bytes, [Finding(.contents, "size", .ok, words)]) }
        let seconds = Double(bytes) / sample.bytesPerSecond
        return (
            bytes,
            [Finding(.contents, "size", .ok, "\(words), read in about \(Self.time(seconds))")]
        )
    }

    /// Somebody may have locked one of them in between.
    private func sizes(
        of oids: [String], _ catalog: PostgresCatalog
    ) async throws -> [String: (heap: Int, total: Int)] {
        do {
            return try await catalog.sizes(of: oids)
        } catch let error as PostgresError where error.sqlState == "55P03" {
            return [:]
        }
    }

    private func largeObjectBytes() async throws -> Int {
        guard isWhole else { return 0 }
        let size = try await connection.value(
            "SELECT pg_catalog.pg_relation_size('pg_catalog.pg_largeobject')")
        return size.flatMap { Int($0) } ?? 0
    }

    private func sample(
        of relation: PostgresCatalog.Relation, _ storedBytes: Int, _ catalog: PostgresCatalog
    ) async throws -> PostgresSample? {
        let columns = try await catalog.columns(of: [relation.oid])[relation.oid] ?? []
        return try await PostgresSample.of(
            relation, columns: columns.filter { !$0.isGenerated }.map(\.name),
            storedBytes: storedBytes, on: connection)
    }

    private static func count(_ tables: Int) -> String {
        tables == 1 ? "1 table" : "\(tables) tables"
    }

    private static func time(_ seconds: Double) -> String {
        switch seconds {
        case ..<1: "a second"
        case ..<100: "\(Int(seconds.rounded(.up))) s"
        case ..<6000: "\(Int((seconds / 60).rounded(.up))) min"
        default: "\(Int((seconds / 3600).rounded(.up))) h"
        }
    }
}
