import BackupTesting
import Foundation
import Testing

/// A structure that needs more locks than the server has places for is made one by one.
@Suite struct RestoreManyTablesTests {
    @Test(arguments: TestServer.all)
    func `a structure that was being made one by one is gone on with`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server, limit: .seconds(900)) { bench in
            let owner = try await bench.createRole("owner")
            let source = try await bench.createDatabase(owner: owner)
            // The one between the others is waited for below.
            try await source.query(
                """
                SET ROLE \(owner);
                SELECT format('CREATE TABLE t%s (id integer, v text)', to_char(i, 'FM0000'))
                FROM generate_series(1, 1200) i \\gexec
                CREATE TABLE t0900_held (id integer, v text);
                INSERT INTO t0001 VALUES (1, 'first'); INSERT INTO t1200 VALUES (1200, 'last');
                """)
            let backup = try await bench.backUp(source)
            let tables = """
                SELECT string_agg(concat_ws(' ', relname, pg_get_userbyid(relowner)), ';' ORDER BY relname)
                FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
                """
            try await bench.withOwnServer(
                ["max_locks_per_transaction=10", "max_connections=20"]
            ) { target in
                try await target.query("CREATE ROLE \(owner)")
                // Whoever makes a table of that name waits for this one.
                let obstacle = "BEGIN; CREATE TABLE t0900_held (); SELECT pg_sleep(3600)"
                _ = try await target.query(obstacle) { blocker in
                    try await bench.untilSession(in: target, "wait_event = 'PgSleep'")
                    let end = try await bench.restore(backup.id, into: target, creating: false) {
                        _ in try await bench.endPgRestore(in: target)
                    }
                    end.expect(code: 1, saying: "cannot create the structure")
                    try blocker.send(SIGINT)
                }
                try await eventually("the obstacle is gone") {
                    try await target.query(
                        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "0"
                }
                // Not in one transaction, and not all of it.
                #expect(
                    try await target.query(
                        "SELECT has_structure IS NULL, to_regclass('t0899') IS NOT NULL, to_regclass('t0901') FROM dbtool_restore.restore"
                    ) == "t|t|")
                // As if it had ended between this table and its owner.
                try await target.query("ALTER TABLE t0899 OWNER TO CURRENT_USER")
                let words = ["--check", "rows"]
                try await bench.restore(backup.id, into: target, words, creating: false)
                    .requireCode(0)
                #expect(try await target.query(tables) == source.query(tables))
                #expect(try await target.query("SELECT v FROM t1200") == "last")
                try await bench.expectNoMark(target)
            }
        }
    }
}

extension Workbench {
    /// Ends the session of pg_restore when that waits for somebody.
    fileprivate func endPgRestore(in database: TestDatabase) async throws {
        let session = "application_name LIKE 'dbtool pg_restore%'"
        try await untilSession(in: database, session)
        try await untilSession(in: database, "\(session) AND wait_event_type = 'Lock'")
        try await database.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE \(session)")
    }

    fileprivate func untilSession(in database: TestDatabase, _ condition: String) async throws {
        try await eventually("\(database.name) has a session with \(condition)") {
            // While the places for locks are all taken this fails as well.
            let end = try await database.attempt(
                "SELECT count(*) FROM pg_stat_activity WHERE \(condition)")
            return end.code == 0 && !end.output.hasPrefix("0")
        }
    }
}
