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

    @Test(arguments: MySQLTestServer.all)
    func `a table that was flushed while somebody alters it is not waited for without end`(
        server: MySQLTestServer
    ) async throws {
        guard !server.isMariaDB else { return }
        try await Self.withAlteredTable(on: server) { database in
            let other = try await database.connection()
            try await MySQLSession.limitLockWaits(of: other, to: .seconds(1))
            await #expect(throws: MySQLError.self) {
                try await other.execute("FLUSH NO_WRITE_TO_BINLOG TABLES a")
            }
            var request = SnapshotRequest(scope: .database)
            request.lockTimeout = .seconds(2)
            let (asked, begin) = (request, ContinuousClock.now)
            let error = await #expect(throws: BackupError.self) {
                try await MySQLEngine(database.settings()).withSnapshot(of: asked) { _ in }
            }
            #expect(error?.code == .locked, "\(String(describing: error))")
            #expect(error?.message.contains("table \(database.name).a") == true)
            #expect(error?.underlying?.contains("ALTER TABLE a ADD COLUMN b int") == true)
            #expect(begin.duration(to: .now) < .seconds(60))
        }
    }
}
