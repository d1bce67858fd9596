import BackupTesting
import Foundation
import Testing

/// Tables of MySQL and MariaDB that exist, while a restore changes their rows and others are at work.
@Suite struct MySQLExistingTablesTests {
    private static let rows = ["--data-only", "--existing", "truncate", "--yes"]

    /// A session that does this in a transaction and sleeps for as long as it is told.
    private func holding(
        _ statement: String, thenCommittingAfter seconds: Int, in database: MySQLTestDatabase
    ) async throws -> Task<ProgramEnd, any Error> {
        let sleep = "SELECT SLEEP(\(seconds)), '\(database.name)'"
        let work = Task {
            try await database.server.attempt(
                "START TRANSACTION; \(statement); \(sleep); COMMIT", database: database.name)
        }
        try await eventually("the statement is done, and the transaction open") {
            try await !sessions("INFO LIKE 'SELECT SLEEP(%\(database.name)%'", in: database).isEmpty
        }
        return work
    }

    private func sessions(
        _ condition: String, in database: MySQLTestDatabase
    ) async throws -> [String] {
        try await database.server.query(
            """
            SELECT ID FROM information_schema.PROCESSLIST
            WHERE ID <> CONNECTION_ID() AND DB = '\(database.name)' AND \(condition)
            """
        ).split(separator: "\n").map(String.init)
    }

    @Test(arguments: MySQLTestServer.all)
    func `what others write into an emptied table waits, whatever the server's isolation`(
        server: MySQLTestServer
    ) async throws {
        let settings = ["transaction-isolation=READ-COMMITTED"]
        try await MySQLBench.withOwnServer(like: server, settings) { bench, _ in
            let source = bench.source
            try await source.query(
                """
                CREATE TABLE a (id int PRIMARY KEY) ENGINE = InnoDB; INSERT INTO a VALUES (1), (2);
                CREATE TABLE b (id int PRIMARY KEY) ENGINE = InnoDB; INSERT INTO b VALUES (1)
                """)
            _ = try await bench.backUp()
            // The first table is empty then, and the second waited for.
            let holder = try await holding(
                "SELECT * FROM b FOR UPDATE", thenCommittingAfter: 120, in: source)
            let end = try await bench.restore(into: source, Self.rows) { _ in
                try await eventually("the second table is waited for") {
                    try await !sessions("INFO LIKE 'DELETE FROM%`b`'", in: source).isEmpty
                }
                let written = try await source.server.attempt(
                    "SET SESSION innodb_lock_wait_timeout = 1; INSERT INTO a VALUES (99)",
                    database: source.name)
                #expect(written.code != 0, "\(written)")
                for session in try await sessions("INFO LIKE 'SELECT SLEEP(%'", in: source) {
                    _ = try await source.server.attempt("KILL \(session)")
                }
            }
            _ = try await holder.value
            try end.requireCode(0)
            #expect(try await source.query("SELECT id FROM a ORDER BY id") == "1\n2")
        }
    }
}
