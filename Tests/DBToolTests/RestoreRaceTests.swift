import BackupTesting
import Testing

/// What others commit while a restore waits for its lock is seen before anything changes.
@Suite struct RestoreRaceTests {
    @Test(arguments: TestServer.all)
    func `a column that became narrower meanwhile takes no rows`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE accounts (id integer PRIMARY KEY, amount numeric(12, 4));
                INSERT INTO accounts VALUES (1, 1.1234);
                """)
            _ = try await bench.backUp(source)
            try await bench.restore(
                into: source, tables: ["accounts"], ["--existing", "truncate"],
                whileWaitingFor: "accounts",
                others: "ALTER TABLE accounts ALTER amount TYPE numeric(12, 2)"
            ).expect(code: 1, saying: "column amount of public.accounts is numeric(12,2)")
            #expect(try await source.query("TABLE accounts") == "1|1.12")
            try await bench.expectNoMark(source)
        }
    }

    @Test(arguments: TestServer.all)
    func `rows that were written meanwhile are seen by data only`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query("CREATE TABLE t (id integer); INSERT INTO t VALUES (1)")
            _ = try await bench.backUp(source)
            try await source.query("TRUNCATE t")
            try await bench.restore(
                into: source, tables: ["t"], ["--data-only"], whileWaitingFor: "t",
                others: "INSERT INTO t VALUES (2)"
            ).expect(code: 1, saying: "hold rows: public.t")
            #expect(try await source.query("TABLE t") == "2")
        }
    }

    @Test(arguments: TestServer.all)
    func `a partition that was attached meanwhile is named`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE whole (id integer) PARTITION BY RANGE (id);
                CREATE TABLE early PARTITION OF whole FOR VALUES FROM (0) TO (10);
                INSERT INTO whole VALUES (1);
                """)
            _ = try await bench.backUp(source)
            try await source.query("CREATE TABLE late (id integer); INSERT INTO late VALUES (11)")
            let truncating = ["--existing", "truncate"]
            try await bench.restore(
                into: source, tables: ["whole"], truncating, whileWaitingFor: "whole",
                others: "ALTER TABLE whole ATTACH PARTITION late FOR VALUES FROM (10) TO (20)"
            ).expect(code: 1, saying: "attached during the restore: public.late")
            #expect(try await source.query("SELECT count(*) FROM whole") == "2")
            try await source.query("ALTER TABLE whole DETACH PARTITION late")
            try await bench.restore(tables: ["whole"], into: source, truncating).requireCode(0)
        }
    }
}

extension Workbench {
    /// Restores while somebody else changes something, and commits it when the restore waits for the lock.
    fileprivate func restore(
        into database: TestDatabase, tables: [String], _ words: [String],
        whileWaitingFor table: String, others sql: String
    ) async throws -> ProgramEnd {
        let locks = "SELECT FROM pg_locks WHERE relation = '\(table)'::regclass AND"
        var restored: ProgramEnd?
        let other = try await database.query(
            """
            BEGIN; \(sql);
            DO $$ BEGIN
              FOR i IN 1..600 LOOP
                EXIT WHEN EXISTS (\(locks) NOT granted);
                PERFORM pg_sleep(0.05);
              END LOOP;
            END $$;
            COMMIT;
            """
        ) { _ in
            try await eventually("somebody has changed \(table)") {
                try await database.query(
                    "SELECT count(*) FROM (\(locks) granted AND mode LIKE '%Exclusive%') l") != "0"
            }
            restored = try await restore(tables: tables, into: database, words)
        }
        guard other.code == 0, let restored else { throw ProgramFailure("\(other)") }
        return restored
    }
}
