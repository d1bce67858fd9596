import BackupTesting
import Foundation
import Testing

/// The last step of a restore happens or does not: what is left of it can always be gone on with.
@Suite struct RestoreEndTests {
    /// What lies in a schema that is closed to its owner has no name for that role any more.
    @Test(arguments: TestServer.all)
    func `schemas are closed to their owner when nothing is left to go on with`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner", "CREATEDB")
            let source = try await bench.createDatabase(owner: owner)
            try await source.query(
                """
                CREATE SCHEMA closed; CREATE TABLE closed.t (id serial PRIMARY KEY, v text);
                INSERT INTO closed.t (v) SELECT 'v' || i FROM generate_series(1, 100) i;
                CREATE INDEX ON closed.t (v);
                REVOKE ALL ON SCHEMA closed FROM \(owner);
                """, as: owner)
            _ = try await bench.backUp(source)
            let target = bench.expectDatabase()
            let failing = try bench.failingPgRestore()
            try await bench.restore(into: target, ["--pg-dump", failing], as: owner)
                .expect(code: 1, saying: "meant to fail")
            // Nobody can take the mark away meanwhile, and everybody can write on it.
            let obstacle = """
                BEGIN; LOCK TABLE dbtool_restore.tables IN ACCESS SHARE MODE; SELECT pg_sleep(3600)
                """
            _ = try await target.query(obstacle) { blocker in
                try await bench.untilSession(in: target, "wait_event = 'PgSleep'")
                let end = try await bench.restore(into: target, as: owner) { _ in
                    let removal = "wait_event_type = 'Lock' AND query LIKE 'DROP SCHEMA%'"
                    try await bench.untilSession(in: target, removal)
                    let isOpen = "SELECT has_schema_privilege('\(owner)', 'closed', 'USAGE')"
                    #expect(try await target.query(isOpen) == "t")
                    try await bench.administration.query(
                        """
                        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE datname = '\(target.name)' AND \(removal)
                        """)
                }
                #expect(end.code != 0 && end.errors.contains("cannot finish"), "\(end)")
                try blocker.send(SIGINT)
            }
            try await bench.restore(into: target, ["--check", "rows"], as: owner).requireCode(0)
            try await bench.expectEqual(source, target)
            try await bench.expectNoMark(target)
        }
    }
}

extension Workbench {
    fileprivate func untilSession(in database: TestDatabase, _ condition: String) async throws {
        try await eventually("\(database.name) has a session with \(condition)") {
            try await administration.query(
                """
                SELECT count(*) FROM pg_stat_activity
                WHERE datname = '\(database.name)' AND \(condition)
                """) != "0"
        }
    }
}
