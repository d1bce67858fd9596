import BackupCore

/// Who waits for whom on a server.
///
/// - SeeAlso: <https://www.postgresql.org/docs/current/view-pg-locks.html>
struct PostgresLocks {
    let connection: PostgresConnection

    /// A session that waits for a backup.
    struct Waiter: Sendable {
        let peer: PostgresPeer
        let seconds: Double
        /// How many sessions wait behind this one.
        let behind: Int

        var key: String { "waiter \(peer.process)" }

        var note: String {
            let others = behind == 0 ? "" : " (\(behind) more behind it)"
            return "\(peer.words) has waited \(Int(seconds)) s for this backup\(others): "
                + peer.statement
        }
    }

    /// The sessions of programs that named themselves so.
    func sessions(named names: [String]) async throws -> Set<String> {
        guard !names.isEmpty else { return [] }
        let list = names.map(SQLText.literal).joined(separator: ", ")
        let rows = try await connection.rows(
            "SELECT pid FROM pg_catalog.pg_stat_activity WHERE application_name IN (\(list))")
        return Set(rows.compactMap { $0[0] })
    }

    // MARK: Who waits for us

    /// Those that wait for one of these sessions, the first of them first.
    ///
    /// Locks on tables, and transactions whose end `CREATE INDEX CONCURRENTLY` waits for.
    func waiting(for own: Set<String>) async throws -> [Waiter] {
        let rows = try await connection.rows(
            """
            SELECT extract(epoch FROM pg_catalog.clock_timestamp() - l.waitstart),
                   pg_catalog.array_to_string(pg_catalog.pg_blocking_pids(l.pid), ','),
                   \(PostgresPeer.columns)
            FROM pg_catalog.pg_locks l
            JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
            WHERE NOT l.granted AND l.locktype IN ('relation', 'virtualxid')
            ORDER BY l.waitstart
            """)
        var blockers: [String: [String]] = [:]
        for row in rows {
            blockers[row[2] ?? "", default: []] += (row[1] ?? "").split(separator: ",").map(
                String.init)
        }
        return rows.compactMap { row in
            let process = row[2] ?? ""
            guard !own.contains(process), !own.isDisjoint(with: blockers[process] ?? []) else {
                return nil
            }
            return Waiter(
                peer: PostgresPeer(row: row[2...]), seconds: Double(row[0] ?? "") ?? 0,
                behind: Self.count(behind: process, in: blockers, without: own))
        }
    }

    /// How many wait for a session, or for one that does.
    static func count(
        behind process: String, in blockers: [String: [String]], without own: Set<String>
    ) -> Int {
        var queue: Set = [process]
        while true {
            let next = blockers.filter { waiter, ahead in
                !own.contains(waiter) && !queue.contains(waiter) && !queue.isDisjoint(with: ahead)
            }
            guard !next.isEmpty else { return queue.count - 1 }
            queue.formUnion(next.keys)
        }
    }

    // MARK: Who would be in the way

    /// Those that hold or want an exclusive lock on one of these tables.
    func exclusive(
        on oids: [String]
    ) async throws -> [(oid: String, table: TableName, peer: PostgresPeer)] {
        try await connection.rows(
            """
            SELECT l.relation, n.nspname, c.relname, x.gid, x.owner, \(PostgresPeer.columns)
            FROM pg_catalog.pg_locks l
            JOIN pg_catalog.pg_class c ON c.oid = l.relation
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
            LEFT JOIN pg_catalog.pg_locks t ON l.pid IS NULL AND t.pid IS NULL
              AND t.locktype = 'transactionid' AND t.virtualtransaction = l.virtualtransaction
            LEFT JOIN pg_catalog.pg_prepared_xacts x ON x.transaction = t.transactionid
            WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
              AND l.relation = ANY ($1::oid[])
              AND l.database = (SELECT oid FROM pg_catalog.pg_database
                                WHERE datname = pg_catalog.current_database())
            ORDER BY l.granted DESC, n.nspname COLLATE "C", c.relname COLLATE "C"
            """, [PostgresCatalog.array(oids)]
        ).map { row in
            (
                row[0] ?? "", TableName(schema: row[1] ?? "", name: row[2] ?? ""),
                PostgresPeer(row: row[5...], gid: row[3], owner: row[4])
            )
        }
    }

    // MARK: Who waits for us with what we want

    /// The first of some tables that a session has yet to lock and somebody has who waits for that session, be it behind others.
    func circle(closedBy process: String, wanting tables: [TableName]) async throws -> TableName? {
        let rows = try await connection.rows(
            """
            WITH RECURSIVE locks AS MATERIALIZED (
              SELECT l.relation, l.pid, l.mode, l.granted FROM pg_catalog.pg_locks l
              WHERE l.pid IS NOT NULL AND (NOT l.granted OR l.locktype = 'relation'
                AND l.relation = ANY ($2::regclass[]::oid[])
                AND l.database = (SELECT oid FROM pg_catalog.pg_database
                                  WHERE datname = pg_catalog.current_database()))),
            chain(relation, pid) AS (
              SELECT h.relation, h.pid FROM locks h
              WHERE h.granted AND h.pid <> $1::integer
                AND h.pid IN (SELECT w.pid FROM locks w WHERE NOT w.granted)
                AND h.relation NOT IN (
                  SELECT o.relation FROM locks o WHERE o.granted AND o.pid = $1::integer
                    AND o.mode IN ('ShareUpdateExclusiveLock', 'AccessExclusiveLock'))
              UNION
              SELECT c.relation, b.pid FROM chain c
              CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.pg_blocking_pids(c.pid)) b(pid)
              WHERE c.pid <> 0 AND c.pid <> $1::integer)
            SELECT n.nspname, r.relname FROM chain c
            JOIN pg_catalog.pg_class r ON r.oid = c.relation
            JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
            WHERE c.pid = $1::integer
            ORDER BY 1, 2 LIMIT 1
            """, [process, SQLText.array(tables)])
        return rows.first.map { TableName(schema: $0[0] ?? "", name: $0[1] ?? "") }
    }

    // MARK: Whom we wait for

    /// Whom one of these sessions waits for, and whom those wait for in turn; nil when none waits.
    func blocking(_ own: Set<String>) async throws -> PostgresBlocked? {
        guard !own.isEmpty else { return nil }
        let rows = try await connection.rows(
            """
            WITH RECURSIVE chain(waiter, pid, depth) AS (
              SELECT w.pid, b.pid, 1 FROM pg_catalog.unnest($1::integer[]) w(pid)
              CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.pg_blocking_pids(w.pid)) b(pid)
              UNION
              SELECT c.pid, b.pid, c.depth + 1 FROM chain c
              CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.pg_blocking_pids(c.pid)) b(pid)
              WHERE c.pid <> 0 AND c.depth < 5)
            SELECT c.depth, n.nspname, r.relname,
                   extract(epoch FROM pg_catalog.clock_timestamp() - l.waitstart), w.relation,
                   p.gid, p.owner, \(PostgresPeer.columns)
            FROM chain c
            JOIN pg_catalog.pg_locks l ON l.pid = c.waiter AND NOT l.granted
            LEFT JOIN pg_catalog.pg_class r ON r.oid = l.relation
            LEFT JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
            LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = c.pid
            LEFT JOIN pg_catalog.pg_locks w ON w.pid = c.pid AND NOT w.granted
            LEFT JOIN LATERAL (
              SELECT x.gid, x.owner FROM pg_catalog.pg_prepared_xacts x
              JOIN pg_catalog.pg_locks t ON t.pid IS NULL AND t.transactionid = x.transaction
              JOIN pg_catalog.pg_locks h ON h.pid IS NULL
                AND h.virtualtransaction = t.virtualtransaction
              WHERE c.pid = 0 AND (h.relation = l.relation OR h.transactionid = l.transactionid)
              ORDER BY h.mode = 'AccessExclusiveLock' DESC LIMIT 1) p ON true
            WHERE c.pid <> ALL ($1::integer[])
            ORDER BY c.depth, w.pid IS NOT NULL
            """, [PostgresCatalog.array(Array(own))])
        return PostgresBlocked(rows: rows)
    }
}

/// What a backup waits for: a table, the sessions in its way, and the one that they wait for.
struct PostgresBlocked: Sendable {
    /// What is waited for, where it is a table.
    let table: TableName?
    let seconds: Double
    /// The first in the way.
    let blocker: PostgresPeer
    /// Whether it waits itself, ahead of us.
    let blockerWaits: Bool
    /// The one whom it waits for in the end.
    let root: PostgresPeer?

    /// Rows of `PostgresLocks.blocking`.
    fileprivate init?(rows: [[String?]]) {
        func peer(_ row: [String?]) -> PostgresPeer {
            PostgresPeer(row: row[7...], gid: row[5], owner: row[6])
        }
        guard let first = rows.first, let last = rows.last else { return nil }
        table = first[2].map { TableName(schema: first[1] ?? "", name: $0) }
        seconds = Double(first[3] ?? "") ?? 0
        blocker = peer(first)
        blockerWaits = first[4] != nil
        root = last[0] == first[0] ? nil : peer(last)
    }

    var key: String { "blocker \(blocker.process)" }

    private var thing: String { table.map { "table \($0)" } ?? "a transaction" }

    /// For people: `table public.pets is locked by process 4711 of role app: LOCK TABLE pets`.
    var words: String {
        let way = blockerWaits ? "is wanted before us by" : "is locked by"
        let rest = root.map { ", which waits for \($0.description)" } ?? ""
        return "\(thing) \(way) \(blocker.description)\(rest)"
    }

    var note: String { "waiting for \(Int(seconds)) s: \(words)" }

    /// What to do about it where more time may help.
    var remedy: String { (root ?? blocker).remedy }

    /// How to end what may not end by itself.
    var ending: String? { (root ?? blocker).ending }
}
