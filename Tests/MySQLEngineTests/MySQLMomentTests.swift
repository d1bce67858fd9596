import BackupCore
import BackupTesting
import Testing

@testable import MySQLEngine

/// Several connections see one moment, whatever the account may do, while others write.
@Suite(.serialized) struct MySQLMomentTests {
    /// An account's privileges, and a word of each way that may be taken with them.
    struct Ability: Sendable, CustomTestStringConvertible {
        let name: String
        let grants: [String]
        /// On MySQL, on MariaDB.
        let words: (mysql: [String], mariaDB: [String])

        var testDescription: String { name }
    }

    static let abilities = [
        Ability(
            name: "reload", grants: ["RELOAD ON *.*", "SELECT ON {}.*"],
            words: (["FLUSH TABLES"], ["one position", "BACKUP STAGE"])),
        Ability(
            name: "lock", grants: ["LOCK TABLES, SELECT ON {}.*"],
            words: (["LOCK TABLES"], ["one position", "LOCK TABLES"])),
        Ability(
            name: "select", grants: ["SELECT ON {}.*"],
            words: (["one connection"], ["one connection"])),
    ]

    @Test(.timeLimit(.minutes(10)), arguments: MySQLTestServer.all, abilities)
    func `all connections see the same moment while others write`(
        server: MySQLTestServer, ability: Ability
    ) async throws {
        try await server.withDatabase { database in
            try await database.query(Self.accounts)
            let account = try await database.createAccount(ability.name, ability.grants)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...3 {
                    group.addTask {
                        try await transfer(number, in: database, pause: .milliseconds(1))
                    }
                }
                var ways: [Bool] = []
                // On a busy machine a lock may not be had in time, again and again.
                while ways.count < 8 || !ways.contains(true) && ways.count < 80 {
                    ways.append(try await checkMoment(of: database, as: account, ability))
                }
                #expect(ways.contains(true))
                group.cancelAll()
                while let end = await group.nextResult() {
                    if case .failure(let error) = end, !(error is CancellationError) { throw error }
                }
            }
        }
    }

    /// Two tables that hold 6000 together, whatever is moved between them.
    static let accounts = """
        CREATE TABLE a (id int PRIMARY KEY, amount bigint) ENGINE = InnoDB;
        CREATE TABLE b (id int PRIMARY KEY, amount bigint) ENGINE = InnoDB;
        INSERT INTO a VALUES (1, 1000), (2, 1000), (3, 1000);
        INSERT INTO b VALUES (1, 1000), (2, 1000), (3, 1000)
        """

    /// Moves amounts from one table to the other, again and again, until it is cancelled.
    private func transfer(
        _ number: Int, in database: MySQLTestDatabase, pause: Duration
    ) async throws {
        let connection = try await database.connection()
        while !Task.isCancelled {
            try await connection.execute("START TRANSACTION")
            try await connection.execute("UPDATE a SET amount = amount - 1 WHERE id = \(number)")
            try await connection.execute("UPDATE b SET amount = amount + 1 WHERE id = \(number)")
            try await connection.execute("COMMIT")
            try await Task.sleep(for: pause)
        }
    }

    /// Whether the moment was had in the way that the account's privileges allow; on a machine that is busy a
    /// lock may not be had in time, and one connection remains.
    private func checkMoment(
        of database: MySQLTestDatabase, as account: String, _ ability: Ability
    ) async throws -> Bool {
        let words = try await database.momentTaker(as: account, connections: 3)
            .expectOneMoment()
        let wanted =
            database.server.isMariaDB ? ability.words.mariaDB : ability.words.mysql
        let isWanted = wanted.contains { words.contains($0) }
        #expect(isWanted || words.contains("one connection"), "\(words)")
        return isWanted
    }

    /// What a server's log tells.
    enum Log: String, CustomTestStringConvertible {
        /// The set of transactions, on MySQL.
        case transactions
        /// The same where a commit takes longer than the silence: its place in the file is told before its rows can be seen.
        case slowTransactions
        /// File and position alone.
        case positions

        var testDescription: String { rawValue }

        var settings: [String] {
            let numbers = ["gtid_mode=ON", "enforce_gtid_consistency=ON"]
            let own =
                switch self {
                case .transactions: numbers
                case .slowTransactions: numbers + Self.slowCommits
                case .positions: [String]()
                }
            return ["log_bin=1", "server_id=7"] + own
        }

        /// Microseconds between a transaction's way to the file and the end of its commit.
        static let slowCommits = ["sync_binlog=1", "binlog_group_commit_sync_delay=300000"]
    }

    /// What shows an account of MySQL where the log is, and that it leaves nothing out.
    private static let seesLog = ["SELECT ON {}.*", "REPLICATION CLIENT ON *.*"]

    /// The two silences around the snapshots last longer than they take: transfers with a pause leave room for them, others
    /// do not, and what is seen is of one moment anyway.
    @Test(
        .timeLimit(.minutes(10)), arguments: MySQLTestServer.all.filter { !$0.isMariaDB },
        [Log.transactions, .slowTransactions])
    func `without any lock several connections see one moment while the log stands still`(
        server: MySQLTestServer, log: Log
    ) async throws {
        try await MySQLOwnServer.with(like: server, log.settings) { own in
            try await own.server.withDatabase { database in
                try await database.query(Self.accounts)
                let account = try await database.createAccount("reader", Self.seesLog)
                var calm: [String] = []
                // The pauses that a busy machine needs are longer.
                for pause in [Duration.milliseconds(200), .seconds(2), .seconds(10)]
                where !calm.contains(where: { $0.contains("optimistic") }) {
                    calm += try await ways(
                        of: database, as: account, writers: 1, pause: pause, times: 4)
                }
                #expect(calm.contains { $0.contains("optimistic") }, "\(calm)")
                _ = try await ways(
                    of: database, as: account, writers: 3, pause: .milliseconds(1), times: 1)
            }
        }
    }

    /// A transaction whose commit waits, for a disk or for a replica, is in the file already and to be seen later: it could
    /// come between two snapshots while the file stands still.
    @Test(.timeLimit(.minutes(10)), arguments: MySQLTestServer.all.filter { !$0.isMariaDB })
    func `a log that does not number transactions tells no moment, however still it stands`(
        server: MySQLTestServer
    ) async throws {
        // Newer versions number them unless they are told not to.
        let unnumbered = ["gtid_mode=OFF", "enforce_gtid_consistency=OFF"]
        let settings = Log.positions.settings + Log.slowCommits + unnumbered
        try await MySQLOwnServer.with(like: server, settings) { own in
            try await own.server.withDatabase { database in
                try await database.query(Self.accounts)
                let account = try await database.createAccount("reader", Self.seesLog)
                let taken = try await ways(
                    of: database, as: account, writers: 1, pause: .milliseconds(1), times: 4)
                #expect(taken.allSatisfy { $0.contains("one connection") }, "\(taken)")
            }
        }
    }

    /// What happens in a database that it leaves out does not move it.
    @Test(.timeLimit(.minutes(10)), arguments: MySQLTestServer.all)
    func `who may not see what a log leaves out does not count on it`(
        server: MySQLTestServer
    ) async throws {
        let log: Log = server.isMariaDB ? .positions : .transactions
        // MySQL logs what comes from others without being told.
        let settings =
            log.settings + ["binlog_do_db=elsewhere"]
            + (server.isMariaDB ? ["log_slave_updates=1"] : [])
        try await MySQLOwnServer.with(like: server, settings) { own in
            try await own.server.withDatabase { database in
                try await database.query(Self.accounts)
                let account = try await database.createAccount("reader", ["SELECT ON {}.*"])
                let taken = try await ways(
                    of: database, as: account, writers: 1, pause: .milliseconds(1), times: 4)
                #expect(taken.allSatisfy { $0.contains("one connection") }, "\(taken)")
            }
        }
    }

    /// How two and four connections have come to one moment, again and again, while amounts moved.
    private func ways(
        of database: MySQLTestDatabase, as account: String, writers: Int, pause: Duration,
        times: Int
    ) async throws -> [String] {
        let before = try await database.query("SELECT SUM(amount) FROM a")
        return try await withThrowingTaskGroup(of: Void.self, returning: [String].self) {
            group in
            for number in 1...writers {
                group.addTask { try await transfer(number, in: database, pause: pause) }
            }
            // Nothing would be proven otherwise.
            try await eventually("amounts move") {
                try await database.query("SELECT SUM(amount) FROM a") != before
            }
            var taken: [String] = []
            for _ in 1...times {
                for count in [2, 4] {
                    let taker = try await database.momentTaker(as: account, connections: count)
                    taken.append(try await taker.expectOneMoment())
                }
            }
            group.cancelAll()
            while let end = await group.nextResult() {
                if case .failure(let error) = end, !(error is CancellationError) { throw error }
            }
            return taken
        }
    }

    /// MySQL's catalogs cannot show what others run in characters that take four bytes.
    @Test(arguments: MySQLTestServer.all)
    func `the clock and the sessions are asked whatever others write meanwhile`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            try await database.query(
                "CREATE TABLE a (id int PRIMARY KEY, v varchar(9)) ENGINE = InnoDB")
            let (writer, reader) = (
                try await database.connection(), try await database.connection()
            )
            let writing = Task {
                try await writer.executeInterruptibly(
                    "INSERT INTO a SELECT 1, IF(SLEEP(2) = 0, '😀', '') -- 😀")
            }
            let product = try await MySQLServer(reader)
            var seen: [MySQLPeer] = []
            for _ in 0..<10 {
                try await Task.sleep(for: .milliseconds(100))
                _ = try await MySQLIdentity.clock(reader, product)
                _ = try await MySQLRoom(reader)
                seen += try await MySQLPeer.all(reader)
            }
            try await writing.value
            let peer = try #require(seen.first { $0.query?.hasPrefix("INSERT INTO a") ?? false })
            #expect(peer.database == database.name && peer.hasStatement)
            #expect(seen.contains { $0.process == peer.process && (1...9).contains($0.seconds) })
            #expect(seen.contains { $0.query?.contains("PROCESSLIST") ?? false })
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a lock that cannot be had soon is let go`(server: MySQLTestServer) async throws {
        try await server.withDatabase { database in
            try await database.query("CREATE TABLE a (id int PRIMARY KEY) ENGINE = InnoDB")
            let account = try await database.createAccount("lock", ["LOCK TABLES, SELECT ON {}.*"])
            let writer = try await database.connection()
            try await writer.execute("LOCK TABLES a WRITE")
            let (reader, other) = (
                try await database.connection(as: account),
                try await database.connection(as: account)
            )
            let guardian = try await database.connection(as: account)
            let moment = try await MySQLMomentTaker(
                server: try await MySQLServer(guardian), connections: [reader, other],
                guardian: guardian, tables: [TableName(schema: database.name, name: "a")]
            ).take()
            #expect(!moment.words.contains("LOCK TABLES"))
            try await writer.execute("UNLOCK TABLES")
            // Nothing of ours is left in anybody's way.
            try await writer.execute("INSERT INTO a VALUES (1)")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a lock whose holder is silent is freed, and no moment comes of it`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            try await database.query("CREATE TABLE a (id int PRIMARY KEY) ENGINE = InnoDB")
            let account = try await database.createAccount("lock", ["LOCK TABLES, SELECT ON {}.*"])
            let (reader, guardian, writer) = (
                try await database.connection(as: account),
                try await database.connection(as: account), try await database.connection()
            )
            let product = try await MySQLServer(guardian)
            // Others see one moment without locks, if the server has a binary log.
            guard product.product == .mysql else { return }
            var taker = MySQLMomentTaker(
                server: product, connections: [reader, try await database.connection(as: account)],
                guardian: guardian, tables: [TableName(schema: database.name, name: "a")])
            taker.holdSeconds = 1
            let sessions = (
                guardian: try await guardian.value("SELECT CONNECTION_ID()") ?? "",
                reader: try await reader.value("SELECT CONNECTION_ID()") ?? ""
            )
            async let busy: Void = reader.execute("SELECT SLEEP(600)")
            func session(_ number: String, _ condition: String) async throws -> String {
                try await server.query(
                    """
                    SELECT COUNT(*) FROM information_schema.PROCESSLIST
                    WHERE ID = \(number) AND \(condition)
                    """)
            }
            try await eventually("the reader sleeps") {
                try await session(sessions.reader, "INFO LIKE 'SELECT SLEEP%'") == "1"
            }
            let waiting = taker
            let taking = Task { _ = try await waiting.take() }
            try await eventually("the silent holder is cut off") {
                try await session(sessions.guardian, "TRUE") == "0"
            }
            // While the reader keeps all of it from going on.
            try await writer.execute("INSERT INTO a VALUES (1)")
            #expect(try await session(sessions.reader, "INFO LIKE 'SELECT SLEEP%'") == "1")
            try await server.query("KILL QUERY \(sessions.reader)")
            await #expect(throws: BackupError.self) { try await taking.value }
            try await busy
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `the guardian is waited for again once the locks are gone`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            try await database.query("CREATE TABLE a (id int PRIMARY KEY) ENGINE = InnoDB")
            let guardian = try await database.connection()
            _ = try await MySQLMomentTaker(
                server: try await MySQLServer(guardian),
                connections: [try await database.connection(), try await database.connection()],
                guardian: guardian, tables: [TableName(schema: database.name, name: "a")]
            ).take()
            let wait = try await guardian.value("SELECT @@SESSION.wait_timeout")
            #expect(wait == MySQLSession.longestWait)
        }
    }
}

extension MySQLTestDatabase {
    /// Takes moments of the accounts for so many connections.
    func momentTaker(
        as account: String, connections count: Int
    ) async throws -> MySQLMomentTaker {
        var readers: [MySQLConnection] = []
        for _ in 1...count { readers.append(try await connection(as: account)) }
        let guardian = try await connection(as: account)
        return MySQLMomentTaker(
            server: try await MySQLServer(guardian), connections: readers, guardian: guardian,
            tables: ["a", "b"].map { TableName(schema: name, name: $0) })
    }
}

extension MySQLMomentTaker {
    /// Takes a moment of the accounts, expects that all its connections see the same, and lets it go; how it was had.
    func expectOneMoment(location: SourceLocation = #_sourceLocation) async throws -> String {
        let moment = try await take()
        var seen: Set<[[String?]]> = []
        for reader in moment.connections {
            let rows = try await reader.rows(
                "SELECT id, amount FROM a UNION ALL SELECT id + 10, amount FROM b ORDER BY 1")
            seen.insert(rows)
            let total = rows.reduce(0) { $0 + (Int($1[1] ?? "") ?? 0) }
            #expect(total == 6000, "\(moment.words)", sourceLocation: location)
        }
        #expect(seen.count == 1, "\(moment.words)", sourceLocation: location)
        let expected = moment.words.contains("one connection") ? 1 : connections.count
        #expect(
            moment.connections.count == expected, "\(moment.words)", sourceLocation: location)
        for reader in moment.connections { try await reader.execute("ROLLBACK") }
        return moment.words
    }
}
