import BackupTesting
import Foundation
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

    /// `INSERT` locks the table that has the key, and then what it refers to.
    @Test(arguments: TestServer.all)
    func `whoever inserts what refers to a replaced table is not ended as a deadlock`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await bench.restore(
                into: target, tables: ["people"], ["--existing", "truncate"],
                whileWaitingFor: "pets", others: "INSERT INTO pets VALUES ('late')",
                then: "INSERT INTO pets VALUES ('later', 1)"
            ).requireCode(0)
            #expect(try await target.query("SELECT count(*) FROM pets") == "502")
        }
    }

    /// `DELETE` locks what is referred to, and then the table that has the key.
    @Test(arguments: TestServer.all)
    func `whoever deletes from a replaced table is not ended as a deadlock`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await bench.restore(
                into: target, tables: ["people"], ["--existing", "truncate"],
                whileWaitingFor: "people", others: "UPDATE people SET name = 'x' WHERE id = 999",
                then: "DELETE FROM people WHERE id = 1000"
            ).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    /// No order of locks suits both.
    @Test(arguments: TestServer.all)
    func `those who insert and those who delete at once are not ended either`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await bench.hold(
                "people", in: target, others: "UPDATE people SET name = 'x' WHERE id = 999",
                then: "DELETE FROM people WHERE id = 1000"
            ) {
                try await bench.restore(
                    into: target, tables: ["people"], ["--existing", "truncate"],
                    whileWaitingFor: "pets", others: "INSERT INTO pets VALUES ('late')",
                    then: "INSERT INTO pets VALUES ('later', 1)"
                ).requireCode(0)
            }
            #expect(
                try await target.query(
                    "SELECT (SELECT count(*) FROM pets), (SELECT count(*) FROM people)")
                    == "502|1000")
        }
    }

    /// Whoever gives up a place in the queue lets the next readers in.
    @Test(arguments: TestServer.all)
    func `tables that somebody always reads are had in the end`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query("UPDATE pets SET name = 'x'; UPDATE people SET name = 'x'")
            _ = try await target.query(Self.reading("pets")) { reader in
                _ = try await target.query(Self.reading("people")) { other in
                    try await eventually("both are read") {
                        try await target.query(
                            """
                            SELECT count(DISTINCT relation) FROM pg_locks
                            WHERE relation IN ('pets'::regclass, 'people'::regclass) AND granted
                            """) == "2"
                    }
                    let end = try await bench.restore(
                        tables: ["pets", "people"], into: target, ["--existing", "truncate"])
                    #expect(end.code == 0, "\(end)")
                    try other.send(SIGINT)
                }
                try reader.send(SIGINT)
            }
            try await bench.expectEqual(source, target)
        }
    }

    /// Reads a table for as long as nobody has waited for it for a second, and again then.
    private static func reading(_ table: String) -> String {
        """
        DO $$ BEGIN
          LOOP
            PERFORM FROM \(table) LIMIT 1;
            WHILE NOT EXISTS (
              SELECT FROM pg_locks WHERE relation = '\(table)'::regclass AND NOT granted
                AND clock_timestamp() - waitstart > '1 second') LOOP
              PERFORM pg_sleep(0.05);
            END LOOP;
            COMMIT;
          END LOOP;
        END $$;
        """
    }
}

extension Workbench {
    /// Restores while somebody else changes something, and commits it when the restore waits for the lock.
    fileprivate func restore(
        into database: TestDatabase, tables: [String], _ words: [String],
        whileWaitingFor table: String, others sql: String, then: String = ""
    ) async throws -> ProgramEnd {
        var restored: ProgramEnd?
        try await hold(table, in: database, others: sql, then: then) {
            restored = try await restore(tables: tables, into: database, words)
        }
        guard let restored else { throw ProgramFailure("nothing was restored") }
        return restored
    }

    /// Runs `body` while somebody else changes something, does something more when anybody waits for the lock, and commits
    /// both.
    fileprivate func hold(
        _ table: String, in database: TestDatabase, others sql: String, then: String = "",
        while body: () async throws -> Void
    ) async throws {
        let locks = "SELECT FROM pg_locks WHERE relation = '\(table)'::regclass AND"
        let other = try await database.query(
            """
            BEGIN; \(sql);
            DO $$ BEGIN
              FOR i IN 1..12000 LOOP
                EXIT WHEN EXISTS (\(locks) NOT granted);
                PERFORM pg_sleep(0.05);
              END LOOP;
            END $$;
            \(then);
            COMMIT;
            """
        ) { _ in
            try await eventually("somebody has changed \(table)") {
                try await database.query(
                    "SELECT count(*) FROM (\(locks) granted AND mode LIKE '%Exclusive%') l") != "0"
            }
            try await body()
        }
        guard other.code == 0 else { throw ProgramFailure("\(other)") }
    }
}
