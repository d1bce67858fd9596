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
            mysql: "optimistic", mariaDB: "one connection"),
        Ability(
            name: "select", grants: ["SELECT ON {}.*"],
            mysql: "optimistic", mariaDB: "one connection"),
        Ability(
            name: "monitor", grants: ["{monitor} ON *.*", "SELECT ON {}.*"],
            mysql: "optimistic", mariaDB: "one position"),
        Ability(
            name: "both", grants: ["RELOAD ON *.*", "LOCK TABLES, SELECT ON {}.*"],
            mysql: "FLUSH TABLES WITH READ LOCK", mariaDB: "BACKUP STAGE"),
    ]

    // A server of its own: what others do to the whole of it would decide which way is taken.
    @Test(.timeLimit(.minutes(5)), arguments: MySQLTestServer.all)
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
        #expect(wait < .seconds(60), "\(ability.name): \(during.way)")
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
}
