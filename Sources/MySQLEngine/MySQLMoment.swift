import BackupCore

/// One moment that several connections see: how it was had, and where it is in the server's log.
struct MySQLMoment: Sendable {
    /// The connections, each in a transaction with that moment's snapshot.
    let connections: [MySQLConnection]
    /// How it was made sure that they see the same, for people.
    let words: String
    /// The server's names of the place in its binary log, and their values; empty without a log.
    private(set) var position: [String: String]

    /// With what the server's clock said before, where the account may know.
    func known(to clock: String?) -> MySQLMoment {
        var moment = self
        moment.position[MySQLIdentity.oldestTransaction] = clock
        return moment
    }
}

/// Takes snapshots of several connections at one moment.
///
/// InnoDB's snapshots cannot be shared, so there is a ladder of ways to let nobody commit between the
/// first and the last of them, or to notice who did. Each is tried; the last, a single connection, is always
/// possible. There is no way that may be wrong without saying so.
///
/// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/commit.html>, <https://mariadb.com/kb/en/backup-stage/>
struct MySQLMomentTaker {
    private static let tries = 20
    /// How often a single snapshot is taken for the sake of its place in the log.
    private static let positionTries = 3
    /// How long a lock over everything may be waited for: whoever comes after us waits as long.
    private static let lockSeconds = 2
    private static let quiet = Duration.milliseconds(50)

    let server: MySQLServer
    /// Those that will read.
    let connections: [MySQLConnection]
    /// One that is none of them, for locks: they would end a reader's transaction.
    let guardian: MySQLConnection
    /// What will be read; their writers are held where nothing larger may be locked.
    let tables: [TableName]
    /// Until when locks are waited for; a single snapshot needs none.
    var deadline = ContinuousClock.now + .seconds(60)
    /// How long the server lets the guardian say nothing while it holds others up.
    ///
    /// That is as long as the snapshots take, two short statements each. If this process is stopped meanwhile, or its
    /// machine is gone, everybody's writes would wait for it.
    var holdSeconds = 60

    private var log: MySQLBinaryLog { MySQLBinaryLog(server: server, connection: guardian) }

    /// - Throws: `BackupError`; the connections are in no transaction then.
    func take() async throws -> MySQLMoment {
        do {
            if connections.count > 1, let moment = try await together() { return moment }
            return try await alone()
        } catch let error as MySQLError {
            throw error.backupError(while: "cannot take a snapshot")
        }
    }

    private func together() async throws -> MySQLMoment? {
        if let moment = try await byClone() { return moment }
        if server.product != .mysql, let moment = try await byEqualPositions() { return moment }
        // FLUSH makes everybody wait for the longest statement that reads a table, even once it is given up:
        // BACKUP STAGE does not, and elsewhere the tables alone are tried first.
        if server.isMariaDB, let moment = try await underGlobalLock() { return moment }
        if let moment = try await underTableLocks() { return moment }
        // Whoever has written and not committed is in the way of locks on tables alone.
        if !server.isMariaDB, let moment = try await underFlush() { return moment }
        return try await byQuietLog()
    }

    /// With the place in the log, where the server tells it.
    private func alone() async throws -> MySQLMoment {
        guard let leader = connections.first else { preconditionFailure("nobody reads") }
        let position: [String: String]
        if server.product == .mysql {
            position = try await beginBesideLog(leader)
        } else {
            try await begin(leader)
            position = try await log.snapshotPosition(of: leader)
        }
        return MySQLMoment(
            connections: [leader], words: "consistent snapshot on one connection",
            position: position)
    }

    /// MySQL tells no snapshot's place: it is that of a log that stood still, as far as that is one, or where the log was
    /// before.
    private func beginBesideLog(_ leader: MySQLConnection) async throws -> [String: String] {
        if try await log.numbersTransactions() {
            for _ in 0..<Self.positionTries {
                if let position = try await quietPosition({ try await begin(leader) }) {
                    return position
                }
                try await leader.execute("ROLLBACK")
            }
        }
        let before = try await log.position()
        try await begin(leader)
        return MySQLLogPlace.nearby(before)
    }

    private func begin(_ connection: MySQLConnection, _ more: String = "") async throws {
        try await connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        try await connection.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT\(more)")
    }

    private func beginAll() async throws {
        for connection in connections { try await begin(connection) }
    }

    private func endAll() async throws {
        for connection in connections { try await connection.execute("ROLLBACK") }
    }

    // MARK: Ways

    /// Percona Server lets a session have the snapshot of another.
    private func byClone() async throws -> MySQLMoment? {
        guard server.product == .percona, let leader = connections.first else { return nil }
        try await begin(leader)
        do {
            let id = try await leader.value("SELECT CONNECTION_ID()") ?? ""
            for connection in connections.dropFirst() {
                try await begin(connection, " FROM SESSION \(id)")
            }
        } catch is MySQLError {
            try await endAll()
            return nil
        }
        return MySQLMoment(
            connections: connections, words: "cloned consistent snapshot",
            position: try await log.snapshotPosition(of: leader))
    }

    /// MariaDB and Percona Server tell each session the place in the log that its snapshot belongs to: where
    /// all have the same, nobody has committed in between: but for transactions that were prepared before, whose end is in
    /// the log before it can be seen.
    private func byEqualPositions() async throws -> MySQLMoment? {
        guard try await log.testimony() == .moments else { return nil }
        for _ in 0..<Self.tries {
            try Task.checkCancellation()
            let arrivals = try await log.arrivals()
            // What is prepared from here on moves the log.
            try await begin(guardian)
            var positions: Set<[String: String]> = [try await log.snapshotPosition(of: guardian)]
            let isPrepared = try await log.hasPrepared()
            try await guardian.execute("ROLLBACK")
            guard isPrepared == false else { return nil }
            try await beginAll()
            for connection in connections {
                positions.insert(try await log.snapshotPosition(of: connection))
            }
            if positions.count == 1, let position = positions.first, !position.isEmpty,
                let arrivals, try await log.arrivals() == arrivals
            {
                return MySQLMoment(
                    connections: connections,
                    words: "consistent snapshots at one position of the binary log",
                    position: position)
            }
            try await endAll()
        }
        return nil
    }

    /// Nobody can commit on MariaDB for as long as the snapshots take.
    private func underGlobalLock() async throws -> MySQLMoment? {
        try await held(
            by: [
                "BACKUP STAGE START", "BACKUP STAGE FLUSH", "BACKUP STAGE BLOCK_DDL",
                "BACKUP STAGE BLOCK_COMMIT",
            ], until: "BACKUP STAGE END", "consistent snapshots while BACKUP STAGE held commits")
    }

    /// Nobody can write elsewhere for as long as the snapshots take.
    ///
    /// A FLUSH that is given up leaves every table old that it has waited for. Where one of these is about to be altered, MySQL
    /// looks for its new version without end once it is asked what made the table, and no time that the session has set
    /// ends that. So each table is asked for first.
    private func underFlush() async throws -> MySQLMoment? {
        guard ContinuousClock.now < deadline else { return nil }
        return try await held(
            by: tables.map { "SELECT 1 FROM \(MySQLText.qualified($0)) LIMIT 0" } + [
                "FLUSH NO_WRITE_TO_BINLOG TABLES", "FLUSH TABLES WITH READ LOCK",
            ], until: "UNLOCK TABLES",
            "consistent snapshots while FLUSH TABLES WITH READ LOCK held writes")
    }

    /// Nobody can write to the tables that will be read.
    private func underTableLocks() async throws -> MySQLMoment? {
        guard !tables.isEmpty else { return nil }
        let list = tables.map { "\(MySQLText.qualified($0)) READ" }.joined(separator: ", ")
        return try await held(
            by: ["LOCK TABLES \(list)"], until: "UNLOCK TABLES",
            "consistent snapshots while LOCK TABLES held writes")
    }

    /// - Returns: Nil where the locks are refused, or could not be had.
    private func held(
        by locks: [String], until unlock: String, _ words: String
    ) async throws -> MySQLMoment? {
        let wait = "SET SESSION wait_timeout ="
        try await guardian.execute("\(wait) \(holdSeconds)")
        let moment: MySQLMoment?
        do {
            moment = try await locked(by: locks, until: unlock, words)
        } catch {
            // A guardian that is gone needs none.
            try? await guardian.execute("\(wait) \(MySQLSession.longestWait)")
            throw error
        }
        try await guardian.execute("\(wait) \(MySQLSession.longestWait)")
        return moment
    }

    /// A guardian that was silent for too long has lost its locks: ending them is an error then.
    private func locked(
        by locks: [String], until unlock: String, _ words: String
    ) async throws -> MySQLMoment? {
        for attempt in 1...3 {
            let left = ContinuousClock.now.duration(to: deadline).components.seconds
            guard left > 0 || attempt == 1 else { return nil }
            try await guardian.execute(
                "SET SESSION lock_wait_timeout = \(max(1, min(left, Int64(Self.lockSeconds))))")
            do {
                for lock in locks { try await guardian.executeInterruptibly(lock) }
                break
            } catch let error as MySQLError where error.isRefusal || error.isUnknownStatement {
                return nil
            } catch let error as MySQLError where error.isLockTimeout {
                // A statement that takes long is in the way; waiting on would stop everybody else.
                try? await guardian.execute(unlock)
                let isLate = ContinuousClock.now.duration(to: deadline) < .seconds(1)
                guard attempt < 3, !isLate else { return nil }
                try await Task.sleep(for: .seconds(1))
            }
        }
        do {
            try await beginAll()
            let position = try await log.position()
            try await guardian.execute(unlock)
            return MySQLMoment(connections: connections, words: words, position: position)
        } catch {
            // Closing the session would free it as well, but later.
            try? await guardian.execute(unlock)
            throw error
        }
    }

    /// Without any lock: the set of transactions was the same before and after the snapshots were taken.
    ///
    /// MySQL moves the log's file before a transaction's changes can be seen, by as long as a disk or a replica takes that it
    /// waits for, and the set of transactions right after: the file alone tells nothing, and the set needs a
    /// silence on both sides.
    private func byQuietLog() async throws -> MySQLMoment? {
        guard try await log.numbersTransactions(), try await log.testimony() == .moments else {
            return nil
        }
        for _ in 0..<Self.tries {
            guard let position = try await quietPosition(beginAll) else {
                try await endAll()
                continue
            }
            return MySQLMoment(
                connections: connections,
                words: "consistent snapshots while the binary log stood still (optimistic)",
                position: position)
        }
        return nil
    }

    /// Where the log is and was while snapshots were taken; nil when it has moved, or does not number transactions any more.
    ///
    /// Its file may have one that nobody sees yet.
    private func quietPosition(
        _ take: () async throws -> Void
    ) async throws -> [String: String]? {
        try Task.checkCancellation()
        let before = try await log.position()
        try await Task.sleep(for: Self.quiet)
        try await take()
        try await Task.sleep(for: Self.quiet)
        let executed = MySQLBinaryLog.executed
        guard before[executed] != nil, try await log.position() == before else { return nil }
        return MySQLLogPlace.nearby(before, besides: [executed])
    }
}
