import BackupCore

/// The locks of a transaction that changes tables which were there: on these, and on what foreign keys tie to them.
///
/// All of them are taken before anything is done, and while one is held the wait for others is short: who has what is waited
/// for may want what is held, and no order suits everybody (`PostgresLockOrder`). The server ends a statement as a deadlock
/// once it has waited for `deadlock_timeout`. So the wait may be long for one table, while nothing is held; where the rest
/// cannot be had soon after, everything is let go of, and the next long wait is for what was in use.
///
/// What a key refers to and the role may not lock, as it has nothing but `REFERENCES`, is locked when the key is taken away.
///
/// - SeeAlso: <https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-DEADLOCKS>
struct PostgresTableLocks {
    let connection: PostgresConnection
    /// Those that are changed.
    let tables: [TableName]
    /// Those of them whose rows go, so that keys to them go meanwhile.
    let emptied: [TableName]
    /// Those that get and lose no parts meanwhile, where the role may keep others from that.
    let wholes: [TableName]

    /// In the order in which they are taken.
    private enum Mode: String, CaseIterable {
        /// Others read and write the table, and attach and detach nothing.
        case keepsParts = "SHARE UPDATE EXCLUSIVE"
        case alone = "ACCESS EXCLUSIVE"
    }

    private struct Lock: Hashable {
        let table: TableName
        let mode: Mode
    }

    /// Takes them in the transaction that is open.
    ///
    /// - Throws: `PostgresError` with the SQLSTATE 55P03 when `PostgresPatience.limit` is over.
    func take() async throws {
        let brief = try await briefWait()
        let end = ContinuousClock.now + .seconds(PostgresPatience.seconds)
        var last: Lock?
        try await connection.execute("SAVEPOINT before_locks")
        while true {
            let locks = try await locks()
            let first = try await inUse(locks, but: last) ?? locks.first
            let patience = max(1, ContinuousClock.now.duration(to: end).milliseconds)
            try await take(first.map { [$0] } ?? [], waiting: patience)
            // Keys and parts may have come during the long wait.
            if try await takeSoon(locks, waiting: brief, until: end),
                try await self.locks() == locks
            {
                break
            }
            try await connection.execute("ROLLBACK TO SAVEPOINT before_locks")
            last = first
        }
        try await connection.execute(
            """
            RELEASE SAVEPOINT before_locks;
            SET LOCAL lock_timeout = '\(PostgresPatience.limit)'
            """)
    }

    /// In milliseconds: several such waits one after another are still shorter than what makes a deadlock of them.
    private func briefWait() async throws -> Int {
        let setting = try await connection.value(
            "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'")
        return max(1, (setting.flatMap { Int($0) } ?? 1000) / 4)
    }

    /// Whether all of them could be had.
    private func takeSoon(
        _ locks: [Lock], waiting brief: Int, until end: ContinuousClock.Instant
    ) async throws -> Bool {
        do {
            try await take(locks, waiting: brief)
            return true
        } catch let error as PostgresError
            where error.sqlState == "55P03" && ContinuousClock.now < end
        {
            return false
        }
    }

    private func take(_ locks: [Lock], waiting milliseconds: Int) async throws {
        try await connection.execute("SET LOCAL lock_timeout = \(milliseconds)")
        for mode in Mode.allCases {
            let names = locks.filter { $0.mode == mode }
                .map { "ONLY \(SQLText.qualified($0.table))" }
            guard !names.isEmpty else { continue }
            try await connection.executeInterruptibly(
                "LOCK TABLE \(names.joined(separator: ", ")) IN \(mode.rawValue) MODE")
        }
    }

    // MARK: What there is to lock

    private func locks() async throws -> [Lock] {
        let (keys, tied) = try await keys()
        let all = tied.union(tables)
        let order = PostgresLockOrder.of(all, try await memberships(among: all) + keys)
        // A whole that a key ties to them as well is had alone.
        return try await permittedWholes().subtracting(all).sorted()
            .map { Lock(table: $0, mode: .keepsParts) }
            + order.map { Lock(table: $0, mode: .alone) }
    }

    /// The foreign keys that go meanwhile, with what partitions have of them on either side; and which of these tables the
    /// role may lock, and find.
    private func keys() async throws -> (ties: [PostgresLockOrder.Tie], permitted: Set<TableName>) {
        let rows = try await connection.rows(
            """
            WITH RECURSIVE keys(oid) AS (
              SELECT oid FROM pg_catalog.pg_constraint
              WHERE contype = 'f' AND (conrelid = ANY ($1::regclass[]::oid[])
                                       OR confrelid = ANY ($2::regclass[]::oid[]))
              UNION
              SELECT other.oid FROM keys k
              JOIN pg_catalog.pg_constraint own ON own.oid = k.oid
              CROSS JOIN LATERAL (
                SELECT own.conparentid WHERE own.conparentid <> 0
                UNION ALL
                SELECT part.oid FROM pg_catalog.pg_constraint part
                WHERE part.conparentid = own.oid) other(oid))
            SELECT n.nspname, r.relname, \(Self.isPermitted("r", in: "n")),
                   m.nspname, f.relname, \(Self.isPermitted("f", in: "m"))
            FROM keys k
            JOIN pg_catalog.pg_constraint c ON c.oid = k.oid
            JOIN pg_catalog.pg_class r ON r.oid = c.conrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
            JOIN pg_catalog.pg_class f ON f.oid = c.confrelid
            JOIN pg_catalog.pg_namespace m ON m.oid = f.relnamespace
            """, [SQLText.array(tables), SQLText.array(emptied)])
        var (ties, permitted): ([PostgresLockOrder.Tie], Set<TableName>) = ([], [])
        for row in rows {
            let tie = PostgresLockOrder.Tie(
                first: TableName(schema: row[0] ?? "", name: row[1] ?? ""),
                then: TableName(schema: row[3] ?? "", name: row[4] ?? ""))
            ties.append(tie)
            if row[2] == "t" { permitted.insert(tie.first) }
            if row[5] == "t" { permitted.insert(tie.then) }
        }
        return (ties, permitted)
    }

    /// Whether the role may lock what a row of `pg_class` is about.
    private static func isPermitted(_ relation: String, in schema: String) -> String {
        """
        \(relation).relkind IN ('r', 'p')
          AND pg_catalog.has_schema_privilege(\(schema).oid, 'USAGE')
          AND pg_catalog.has_table_privilege(\(relation).oid, 'UPDATE, DELETE, TRUNCATE')
        """
    }

    private func permittedWholes() async throws -> Set<TableName> {
        guard !wholes.isEmpty else { return [] }
        let rows = try await connection.rows(
            """
            SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = ANY ($1::regclass[]::oid[]) AND \(Self.isPermitted("c", in: "n"))
            """, [SQLText.array(wholes)])
        return Set(rows.map { TableName(schema: $0[0] ?? "", name: $0[1] ?? "") })
    }

    /// Which of some tables are parts of which others.
    private func memberships(
        among tables: Set<TableName>
    ) async throws -> [PostgresLockOrder.Tie] {
        try await connection.rows(
            """
            SELECT n.nspname, p.relname, m.nspname, c.relname FROM pg_catalog.pg_inherits i
            JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
            JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
            JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
            JOIN pg_catalog.pg_namespace m ON m.oid = c.relnamespace
            WHERE i.inhparent = ANY ($1::regclass[]::oid[]) AND i.inhrelid = ANY ($1::regclass[]::oid[])
            """, [SQLText.array(tables.sorted())]
        ).map { row in
            PostgresLockOrder.Tie(
                first: TableName(schema: row[0] ?? "", name: row[1] ?? ""),
                then: TableName(schema: row[2] ?? "", name: row[3] ?? ""))
        }
    }

    /// The first that somebody else has locked in any way, other than the one that could be had.
    private func inUse(_ locks: [Lock], but last: Lock?) async throws -> Lock? {
        let rows = try await connection.rows(
            """
            SELECT DISTINCT n.nspname, c.relname FROM pg_catalog.pg_locks l
            JOIN pg_catalog.pg_class c ON c.oid = l.relation
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE l.locktype = 'relation' AND l.granted
              AND l.relation = ANY ($1::regclass[]::oid[])
              AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
              AND l.database = (SELECT oid FROM pg_catalog.pg_database
                                WHERE datname = pg_catalog.current_database())
            """, [SQLText.array(locks.map(\.table))])
        let used = Set(rows.map { TableName(schema: $0[0] ?? "", name: $0[1] ?? "") })
        return locks.first { $0 != last && used.contains($0.table) }
    }
}

extension Duration {
    /// Whole ones.
    fileprivate var milliseconds: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
    }
}
