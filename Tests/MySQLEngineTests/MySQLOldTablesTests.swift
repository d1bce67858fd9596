import BackupCore
import BackupTesting
import Testing

@testable import MySQLEngine

/// MySQL never answers who asks what makes a table that FLUSH has made old while an ALTER waits for it.
@Suite(.timeLimit(.minutes(10))) struct MySQLOldTablesTests {
    /// Runs `body` while a statement waits for a table that an idle session has read.
    private static func withAlteredTable(
        on server: MySQLTestServer, _ body: (MySQLTestDatabase) async throws -> Void
    ) async throws {
        try await server.withDatabase { database in
            try await database.query("CREATE TABLE a (id int PRIMARY KEY) ENGINE = InnoDB")
            let (idle, writer) = (try await database.connection(), try await database.connection())
            try await idle.execute("START TRANSACTION")
            _ = try await idle.rows("SELECT COUNT(*) FROM a")
            let altering = Task { try await writer.execute("ALTER TABLE a ADD COLUMN b int") }
            try await database.untilWaiting(count: 1)
            try await body(database)
            try await idle.execute("ROLLBACK")
            try await altering.value
        }
    }

    @Test(
        arguments: MySQLTestServer.all,
        [["RELOAD ON *.*", "SELECT ON {}.*"], ["RELOAD ON *.*", "LOCK TABLES, SELECT ON {}.*"]])
    func `whoever has waited for a table in vain flushes none`(
        server: MySQLTestServer, grants: [String]
    ) async throws {
        guard !server.isMariaDB else { return }
        // Others' flushes would be counted.
        try await MySQLOwnServer.with(like: server) { own in
            try await Self.withAlteredTable(on: own.server) { database in
                let account = try await database.createAccount("flush", grants)
                let guardian = try await database.connection(as: account)
                let taker = MySQLMomentTaker(
                    server: try await MySQLServer(guardian),
                    connections: [
                        try await database.connection(as: account),
                        try await database.connection(as: account),
                    ], guardian: guardian, tables: [TableName(schema: database.name, name: "a")],
                    deadline: .now + .seconds(4))
                let flushes = "SHOW GLOBAL STATUS LIKE 'Com_flush'"
                let before = try await own.server.query(flushes)
                let moment = try await taker.take()
                #expect(!moment.words.contains("LOCK"))
                #expect(try await own.server.query(flushes) == before)
            }
        }
    }
}
