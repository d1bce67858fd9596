import BackupCore
import BackupTesting
import Testing

@testable import MySQLEngine

/// Transactions that others have begun, or prepared, and not committed while a moment is taken.
@Suite(.serialized) struct MySQLOpenTransactionTests {
    /// An account's privileges, and a word of the way that is left to it.
    private struct Ability {
        let name: String
        let grants: [String]
        let mysql: String
        let mariaDB: String

        /// What it has, `{monitor}` standing for what lets an account see where the log is.
        func privileges(on server: MySQLTestServer) -> [String] {
            let word = server.isMariaDB ? "BINLOG MONITOR" : "REPLICATION CLIENT"
            return grants.map { $0.replacing("{monitor}", with: word) }
        }
    }

    /// Who locks the tables themselves cannot have them while somebody has changed them and not committed.
    private static let abilities: [Ability] = [
        Ability(
            name: "reload", grants: ["RELOAD ON *.*", "SELECT ON {}.*"],
            mysql: "FLUSH TABLES WITH READ LOCK", mariaDB: "BACKUP STAGE"),
        Ability(
            name: "lock", grants: ["LOCK TABLES, SELECT ON {}.*"],
            mysql: "one connection", mariaDB: "one connection"),
        Ability(
            name: "select", grants: ["SELECT ON {}.*"],
            mysql: "one connection", mariaDB: "one connection"),
        Ability(
            name: "monitor", grants: ["{monitor} ON *.*", "SELECT ON {}.*"],
            mysql: "optimistic", mariaDB: "one position"),
        Ability(
            name: "both", grants: ["RELOAD ON *.*", "LOCK TABLES, SELECT ON {}.*"],
            mysql: "FLUSH TABLES WITH READ LOCK", mariaDB: "BACKUP STAGE"),
    ]

    // A server of its own: what others do to the whole of it would decide which way is taken.
    @Test(.timeLimit(.minutes(10)), arguments: MySQLTestServer.all)
    func `a transaction that stays open is waited for no longer than a lock, and is not read`(
        server: MySQLTestServer
    ) async throws {
        let log: MySQLMomentTests.Log = server.isMariaDB ? .positions : .transactions
        try await MySQLOwnServer.with(like: server, log.settings) { own in
            try await own.server.withDatabase { database in
                try await database.query(MySQLMomentTests.accounts)
                var moved = 0
                for ability in Self.abilities {
                    let account = try await database.createAccount(
                        ability.name, ability.privileges(on: server))
                    try await expectOneMoment(of: database, as: account, ability, moved)
                    moved += 10
                }
            }
        }
    }

    /// Reads before and after somebody commits, who has changed both tables before.
    ///
    /// `moved`: What has been moved from one table to the other by then.
    private func expectOneMoment(
        of database: MySQLTestDatabase, as account: String, _ ability: Ability, _ moved: Int
    ) async throws {
        let writer = try await database.connection()
        try await writer.execute("START TRANSACTION")
        try await writer.execute("UPDATE a SET amount = amount - 10 WHERE id = 1")
        try await writer.execute("UPDATE b SET amount = amount + 10 WHERE id = 2")
        let start = ContinuousClock.now
        let during = try await sums(of: database, as: account)
        let wait = start.duration(to: .now)
        // A lock is tried three times, for two seconds each.
        #expect(wait < .seconds(300), "\(ability.name): \(during.way)")
        let way = database.server.isMariaDB ? ability.mariaDB : ability.mysql
        #expect(during.way.contains(way), "\(ability.name): \(during.way)")
        #expect(during.a == 3000 - moved, "\(ability.name): \(during.way)")
        #expect(during.b == 3000 + moved, "\(ability.name): \(during.way)")
        // Nothing of ours is left in its way.
        try await writer.execute("COMMIT")
        let after = try await sums(of: database, as: account)
        #expect(after.a == 3000 - moved - 10, "\(ability.name): \(after.way)")
        #expect(after.b == 3000 + moved + 10, "\(ability.name): \(after.way)")
    }

    /// The sums of both tables, and how the moment was had in which three connections have read them.
    private struct Sums {
        let way: String
        let a: Int
        let b: Int
    }

    private func sums(of database: MySQLTestDatabase, as account: String) async throws -> Sums {
        try await database.withSnapshot(as: account) { snapshot in
            var sums: [String: Int] = [:]
            for table in snapshot.schema.tables {
                for record in try await snapshot.records(of: table) {
                    let amount = record.dropLast().split(separator: ",").last.flatMap { Int($0) }
                    sums[table.name.name, default: 0] += try #require(amount)
                }
            }
            return Sums(
                way: snapshot.moment.consistency, a: sums["a"] ?? 0, b: sums["b"] ?? 0)
        }
    }

    // MARK: Prepared ones

    /// Nobody may drop a table with rows of a prepared transaction: a test that fails must not wait for that all day.
    private static let settings = MySQLMomentTests.Log.positions.settings + ["lock_wait_timeout=30"]
    private static let seesLog = ["BINLOG MONITOR ON *.*", "SELECT ON {}.*"]

    /// MariaDB writes the end of a prepared transaction to the log before its rows can be seen: two snapshots may differ by
    /// it and have one position.
    @Test(.timeLimit(.minutes(10)), arguments: MySQLTestServer.all.filter(\.isMariaDB))
    func `while a transaction is prepared no position tells the moment`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLOwnServer.with(like: server, Self.settings) { own in
            try await own.server.withDatabase { database in
                try await database.query(MySQLMomentTests.accounts)
                let abilities = [
                    Ability(
                        name: "monitor", grants: Self.seesLog, mysql: "",
                        mariaDB: "one connection"),
                    Ability(
                        name: "reload", grants: Self.seesLog + ["RELOAD ON *.*"], mysql: "",
                        mariaDB: "BACKUP STAGE"),
                ]
                for (number, ability) in abilities.enumerated() {
                    let account = try await database.createAccount(ability.name, ability.grants)
                    let before = try await sums(of: database, as: account)
                    #expect(before.way.contains("one position"), "\(before.way)")
                    let writer = try await database.connection()
                    try await prepare("x", of: 1, on: writer)
                    let during = try await sums(of: database, as: account)
                    try await writer.execute("XA COMMIT 'x'")
                    #expect(during.way.contains(ability.mariaDB), "\(during.way)")
                    #expect(during.a == 3000 - number && during.b == 3000 + number)
                    let after = try await sums(of: database, as: account)
                    #expect(after.way.contains("one position"), "\(after.way)")
                    #expect(after.a == 2999 - number && after.b == 3001 + number)
                }
            }
        }
    }

    @Test(.timeLimit(.minutes(10)), arguments: MySQLTestServer.all.filter(\.isMariaDB))
    func `transfers that are prepared before they are committed change no sum`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLOwnServer.with(like: server, Self.settings) { own in
            try await own.server.withDatabase { database in
                try await database.query(MySQLMomentTests.accounts)
                let account = try await database.createAccount("monitor", Self.seesLog)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 1...3 {
                        group.addTask { try await transferInTwoSteps(number, in: database) }
                    }
                    let taker = try await database.momentTaker(as: account, connections: 4)
                    // What goes wrong does so within the time that a commit takes: many are taken.
                    for _ in 1...200 { _ = try await taker.expectOneMoment() }
                    group.cancelAll()
                    try await group.waitForAll()
                }
                // Nothing would have been proven otherwise.
                #expect(try await database.query("SELECT SUM(amount) < 3000 FROM a") == "1")
            }
        }
    }

    /// Moves amounts from one table to the other, again and again, until it is cancelled.
    private func transferInTwoSteps(_ number: Int, in database: MySQLTestDatabase) async throws {
        let connection = try await database.connection()
        while !Task.isCancelled {
            try await prepare("x\(number)", of: number, on: connection)
            try await connection.execute("XA COMMIT 'x\(number)'")
            // Without pauses there would be no time for snapshots. A task that is cancelled goes on, to its end.
            try? await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Moves one from an account of the one table to that of the other, but for the commit.
    private func prepare(
        _ transaction: String, of number: Int, on connection: MySQLConnection
    ) async throws {
        for statement in [
            "XA START '\(transaction)'",
            "UPDATE a SET amount = amount - 1 WHERE id = \(number)",
            "UPDATE b SET amount = amount + 1 WHERE id = \(number)",
            "XA END '\(transaction)'", "XA PREPARE '\(transaction)'",
        ] {
            try await connection.execute(statement)
        }
    }
}
