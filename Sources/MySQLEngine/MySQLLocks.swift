import BackupCore

/// Who waits for whom on a server.
///
/// MySQL tells who holds a lock on a table and who wants one (`performance_schema.metadata_locks`), where the account may
/// read it and the server keeps that list. MariaDB tells of each session that it waits, and not for whom: there the words of
/// statements must do, and what they do not tell is not said.
///
/// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/performance-schema-metadata-locks-table.html>
struct MySQLLocks {
    let connection: MySQLConnection

    /// A session that waits for a backup.
    struct Waiter: Sendable {
        let peer: MySQLPeer
        /// How many sessions wait behind this one.
        let behind: Int

        var key: String { "waiter \(peer.process)" }

        func note(after seconds: Double) -> String {
            let others = behind == 0 ? "" : " (\(behind) more behind it)"
            return "\(peer.words) has waited \(Int(seconds)) s for this backup\(others): "
                + (peer.statement ?? "")
        }
    }

    // MARK: Who waits for us

    /// Those that want a table for themselves that these sessions, which hold `tables`, have read: the one of each table
    /// that waits longest.
    static func waiting(
        among sessions: [MySQLPeer], for own: Set<String>, holding tables: Set<TableName>
    ) -> [Waiter] {
        let waiting = sessions.filter { $0.isWaiting && !own.contains($0.process) }.map { peer in
            let demand = MySQLTableDemand(peer.query ?? "", in: peer.database)
            return (peer: peer, demand: demand, tables: demand.tables(among: tables))
        }
        var known: Set<TableName> = []
        return waiting.filter { $0.demand.isExclusive && !$0.tables.isEmpty }.compactMap {
            first -> Waiter? in
            guard known.isDisjoint(with: first.tables) else { return nil }
            known.formUnion(first.tables)
            let behind = waiting.filter {
                $0.peer.process != first.peer.process && !$0.tables.isDisjoint(with: first.tables)
            }
            return Waiter(peer: first.peer, behind: behind.count)
        }
    }

    // MARK: Whom we wait for

    /// Whom one of these sessions waits for, as the words of statements tell; nil where they do not.
    static func blocking(
        _ own: Set<String>, among sessions: [MySQLPeer], tables: Set<TableName>
    ) -> MySQLBlocked? {
        for mine in sessions where mine.lacksTable && own.contains(mine.process) {
            let named = MySQLTableDemand(mine.query ?? "", in: mine.database).tables(among: tables)
            // Who asks a catalog names none, and may wait for any.
            let wanted = named.isEmpty && mine.isWaiting ? tables : named
            let others = sessions.compactMap { peer -> MySQLBlocked? in
                guard !own.contains(peer.process), !peer.isIdle,
                    !peer.isWaiting || peer.seconds >= mine.seconds
                else { return nil }
                let demand = MySQLTableDemand(peer.query ?? "", in: peer.database)
                guard demand.isExclusive, let table = demand.tables(among: wanted).min()
                else { return nil }
                return MySQLBlocked(table: table, blocker: peer, root: nil)
            }
            // One that is at work has its lock; of those that wait the first is before us.
            let first = others.first { !$0.blocker.isWaiting } ?? others.first
            if let first { return first }
        }
        return nil
    }

    /// The same as the server's list of locks tells.
    ///
    /// - Throws: `MySQLError`, also where the account may not read it.
    func blocking(_ own: Set<String>) async throws -> MySQLBlocked? {
        let list = own.sorted().joined(separator: ", ")
        let rows = try await connection.rows(
            """
            SELECT p.OBJECT_SCHEMA, p.OBJECT_NAME, g.LOCK_STATUS = 'GRANTED',
                   g.LOCK_TYPE IN ('EXCLUSIVE', 'SHARED_NO_READ_WRITE'), \(MySQLPeer.columnsOfThreads)
            FROM performance_schema.metadata_locks p
            JOIN performance_schema.threads o ON o.THREAD_ID = p.OWNER_THREAD_ID
            JOIN performance_schema.metadata_locks g ON g.OBJECT_TYPE = p.OBJECT_TYPE
              AND g.OBJECT_SCHEMA = p.OBJECT_SCHEMA AND g.OBJECT_NAME = p.OBJECT_NAME
            JOIN performance_schema.threads t ON t.THREAD_ID = g.OWNER_THREAD_ID
            LEFT JOIN performance_schema.events_statements_current s
              ON s.THREAD_ID = t.THREAD_ID AND s.NESTING_EVENT_LEVEL = 0
            WHERE p.OBJECT_TYPE = 'TABLE' AND p.LOCK_STATUS = 'PENDING' AND o.PROCESSLIST_ID IN (\(list))
              AND t.PROCESSLIST_ID NOT IN (\(list))
            ORDER BY p.OBJECT_SCHEMA, p.OBJECT_NAME, t.PROCESSLIST_TIME DESC, t.PROCESSLIST_ID
            """)
        return MySQLBlocked(rows: rows)
    }
}

/// What a backup waits for: a table, the session in its way, and the one that it waits for.
struct MySQLBlocked: Sendable {
    let table: TableName
    /// The first in the way.
    let blocker: MySQLPeer
    /// The one whom it waits for, where that is known.
    let root: MySQLPeer?

    init(table: TableName, blocker: MySQLPeer, root: MySQLPeer?) {
        (self.table, self.blocker, self.root) = (table, blocker, root)
    }

    /// Rows of `MySQLLocks.blocking`: those of one table, the longest first.
    init?(rows: [[String?]]) {
        let locks = rows.filter { $0[0] == rows.first?[0] && $0[1] == rows.first?[1] }.map { row in
            (isGranted: row[2] == "1", isExclusive: row[3] == "1", peer: MySQLPeer(row: row[4...]))
        }
        guard let schema = rows.first?[0], let name = rows.first?[1],
            let first = locks.first(where: { $0.isGranted && $0.isExclusive })
                ?? locks.first(where: { !$0.isGranted && $0.isExclusive })
        else { return nil }
        let behind =
            first.isGranted
            ? nil
            : locks.first { lock in
                lock.isGranted && lock.peer.process != first.peer.process
            }
        self.init(
            table: TableName(schema: schema, name: name), blocker: first.peer, root: behind?.peer)
    }

    var key: String { "blocker \(blocker.process)" }

    /// For people: `table shop.pets is locked by process 47 of account app: LOCK TABLES pets WRITE`.
    var words: String {
        let way = blocker.isWaiting ? "is wanted before us by" : "is locked by"
        let rest = root.map { ", which waits for \($0.description)" } ?? ""
        return "table \(table) \(way) \(blocker.description)\(rest)"
    }

    func note(after seconds: Double) -> String { "waiting for \(Int(seconds)) s: \(words)" }

    /// What to do about it where more time may help.
    var remedy: String { (root ?? blocker).remedy }
}
