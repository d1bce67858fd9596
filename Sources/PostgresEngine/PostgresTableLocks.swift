import BackupCore

/// The locks of a transaction that changes tables which were there: on these, on what foreign keys tie to them, and on wholes
/// whose constraints go meanwhile.
///
/// All of them are taken before anything is done. Who has what is waited for may want what is held, and no order suits
/// everybody (`PostgresLockOrder`). The server ends a statement as a deadlock once it has waited for `deadlock_timeout` in such
/// a circle. So somebody looks from beside, several times in that time: as soon as one who waits for what is held has something
/// that is yet to be had, everything is let go of, and that comes first from then on. Nobody else makes a wait shorter: who
/// gives up a place in the queue lets all in that wait behind it, and never gets a table that is always in use.
///
/// What a key refers to and the role may not lock, as it has nothing but `REFERENCES`, is locked when the key is taken away.
///
/// - SeeAlso: <https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-DEADLOCKS>
struct PostgresTableLocks {
    let connection: PostgresConnection
    /// Looks from beside; nil where no connection can be spared, so that others may be ended.
    let watch: PostgresLocks?
    /// Those that are changed.
    let tables: [TableName]
    /// Those of them whose rows go, so that keys to them go meanwhile.
    let emptied: [TableName]
    /// Those that get and lose no parts meanwhile, where the role may keep others from that.
    let wholes: [TableName]
    /// Those of these wholes that are had alone: whoever writes through one has a number before it waits for a part.
    let numberedWholes: Set<TableName>

    enum Mode: String {
        /// Others read and write the table, and attach and detach nothing.
        case keepsParts = "SHARE UPDATE EXCLUSIVE"
        case alone = "ACCESS EXCLUSIVE"
    }

    struct Lock: Hashable {
        let table: TableName
        let mode: Mode
    }

    private enum Outcome {
        case had
        /// Somebody waits for what is held and has this, where it is known what.
        case circle(TableName?)
        /// Nobody looks any more.
        case blind
    }

    /// How long it goes on beginning anew, however many locks there are: others wait behind it meanwhile.
    ///
    /// What it has waited for a lock before is no part of that.
    struct Circles {
        private var first: ContinuousClock.Instant?

        /// Counts one.
        mutating func allowAnother(at now: ContinuousClock.Instant) -> Bool {
            let start = first ?? now
            first = start
            return start.duration(to: now) < .seconds(PostgresPatience.seconds)
        }
    }

    /// Takes them in the transaction that is open, whose `lock_timeout` holds for each.
    ///
    /// - Returns: The constraints that go meanwhile, as they are under the locks.
    /// - Throws: `PostgresError` with the SQLSTATE 55P03 when that is over; `BackupError.locked` when others are in a
    ///   circle with it once more after as long as it would wait for one lock.
    func take() async throws -> PostgresLenientConstraints {
        var circles = Circles()
        var wanted: TableName?
        try await connection.execute("SAVEPOINT before_locks")
        while true {
            let locks = try await locks().wanted
            // While nothing else is held nobody waits for it in vain.
            let first = try await wanted == nil ? inUse(locks) : wanted
            let outcome = try await take(locks, first: first)
            // Keys and parts may have come meanwhile.
            if case .had = outcome {
                let now = try await self.locks()
                if now.wanted == locks {
                    try await connection.execute("RELEASE SAVEPOINT before_locks")
                    return now.lenient
                }
            }
            try await connection.execute("ROLLBACK TO SAVEPOINT before_locks")
            if case .circle(let table?) = outcome { wanted = table }
            guard circles.allowAnother(at: .now) else {
                throw BackupError(
                    .locked,
                    "others wait for these tables again and again while they use some of them")
            }
        }
    }

    private func take(_ locks: [Lock], first: TableName?) async throws -> Outcome {
        let statements = Self.statements(for: locks, first: first)
        do {
            guard let watch else {
                for statement in statements { try await connection.executeInterruptibly(statement) }
                return .had
            }
            return try await take(locks, by: statements, seenBy: watch)
        } catch let error as PostgresError where error.sqlState == "40P01" {
            // The server was the first to see it.
            return .circle(nil)
        }
    }

    private func take(
        _ locks: [Lock], by statements: [String], seenBy watch: PostgresLocks
    ) async throws -> Outcome {
        let process = try await connection.process()
        let interval = Self.interval(
            deadlockTimeout: try await connection.value(
                "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'"))
        let tables = locks.map(\.table)
        return try await withThrowingTaskGroup(of: Outcome.self) { [connection] group in
            group.addTask {
                for statement in statements { try await connection.executeInterruptibly(statement) }
                return .had
            }
            group.addTask {
                let table = try await Self.found(every: interval) {
                    try await watch.circle(closedBy: process, wanting: tables)
                }
                return table.map { Outcome.circle($0) } ?? .blind
            }
            // Ends the other one as well.
            defer { group.cancelAll() }
            while let outcome = try await group.next() {
                // The statements end by themselves, as without anybody who looks.
                if case .blind = outcome { continue }
                return outcome
            }
            return .had
        }
    }

    /// The first that is seen; nil as soon as a look fails, which is no reason to end what is only looked at.
    ///
    /// - Throws: `CancellationError`.
    static func found<Found: Sendable>(
        every interval: Duration, _ look: () async throws -> Found?
    ) async throws -> Found? {
        while true {
            try await Task.sleep(for: interval)
            do {
                if let found = try await look() { return found }
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                return nil
            }
        }
    }

    /// Several such times are still shorter than what makes a deadlock of a wait.
    ///
    /// `deadlockTimeout`: In milliseconds, as the server says it. One that is long is no reason to leave others waiting.
    static func interval(deadlockTimeout: String?) -> Duration {
        let milliseconds = deadlockTimeout.flatMap { Int($0) } ?? 1000
        return .milliseconds(max(10, min(milliseconds, 1000) / 8))
    }

    /// Those that keep parts are in the way of nobody who reads or writes; then what comes first, and all others in their
    /// order.
    static func statements(for locks: [Lock], first: TableName?) -> [String] {
        let alone = locks.filter { $0.mode == .alone }
        return [
            locks.filter { $0.mode == .keepsParts }, alone.filter { $0.table == first },
            alone.filter { $0.table != first },
        ].compactMap { group in
            guard let mode = group.first?.mode else { return nil }
            let names = group.map { "ONLY \(SQLText.qualified($0.table))" }
            return "LOCK TABLE \(names.joined(separator: ", ")) IN \(mode.rawValue) MODE"
        }
    }

    // MARK: What there is to lock

    private func locks() async throws -> (wanted: [Lock], lenient: PostgresLenientConstraints) {
        let (keys, tied) = try await keys()
        let lenient = try await PostgresLenientConstraints(of: tables, on: connection)
        let permitted = try await Self.permitted(among: wholes, on: connection)
        let all = tied.union(tables).union(lenient.tables)
            .union(permitted.intersection(numberedWholes))
        let order = PostgresLockOrder.of(all, try await memberships(among: all) + keys)
        // A whole that a key ties to them as well is had alone.
        let keepsParts = permitted.subtracting(all).sorted()
        return (
            keepsParts.map { Lock(table: $0, mode: .keepsParts) }
                + order.map { Lock(table: $0, mode: .alone) }, lenient
        )
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
    static func isPermitted(_ relation: String, in schema: String) -> String {
        """
        \(relation).relkind IN ('r', 'p')
          AND pg_catalog.has_schema_privilege(\(schema).oid, 'USAGE')
          AND pg_catalog.has_table_privilege(\(relation).oid, 'UPDATE, DELETE, TRUNCATE')
        """
    }

    /// Those of some tables that the role may lock, and find.
    static func permitted(
        among tables: [TableName], on connection: PostgresConnection
    ) async throws -> Set<TableName> {
        guard !tables.isEmpty else { return [] }
        let rows = try await connection.rows(
            """
            SELECT n.nspname, c.relname FROM \(PostgresParts.named)
            WHERE \(isPermitted("c", in: "n"))
            """, PostgresParts.names(of: tables))
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

    /// The first of those that are had alone that somebody else has locked in any way.
    private func inUse(_ locks: [Lock]) async throws -> TableName? {
        let alone = locks.filter { $0.mode == .alone }.map(\.table)
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
            """, [SQLText.array(alone)])
        let used = Set(rows.map { TableName(schema: $0[0] ?? "", name: $0[1] ?? "") })
        return alone.first(where: used.contains)
    }
}
