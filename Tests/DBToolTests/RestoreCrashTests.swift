import BackupTesting
import Foundation
import Testing

/// What a crash of the server has emptied of an unfinished restore comes again, once, and takes no rows of others.
@Suite struct RestoreCrashTests {
    /// A backup of a table of the numbers from 1 to 100, and a server that may crash to restore it into.
    private func withHundredRows(
        of table: String, _ server: TestServer,
        _ body:
            @escaping @Sendable (Workbench, StoredBackup, PostgresOwnServer) async throws -> Void
    ) async throws {
        try await Workbench.with(server, limit: .seconds(600)) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                "CREATE TABLE \(table) (id integer); INSERT INTO \(table) SELECT generate_series(1, 100)"
            )
            let backup = try await bench.backUp(source)
            try await bench.withEndingServer { own in try await body(bench, backup, own) }
        }
    }

    @Test(arguments: TestServer.all)
    func `unlogged tables that a crash has emptied are loaded again`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE kept (id integer PRIMARY KEY);
                CREATE UNLOGGED TABLE quick (id integer);
                INSERT INTO kept SELECT generate_series(1, 100);
                INSERT INTO quick TABLE kept;
                """)
            let backup = try await bench.backUp(source)
            let failing = try ["--pg-dump", bench.failingPgRestore()]
            try await bench.withEndingServer { own in
                let target = own.database
                try await bench.restore(backup.id, into: target, failing, creating: false)
                    .expect(code: 1, saying: "meant to fail")
                // Commits that do not wait must have been written.
                try await target.query("CHECKPOINT")
                try await own.crash()
                try await own.restart()
                let counts = "SELECT (SELECT count(*) FROM kept), (SELECT count(*) FROM quick)"
                #expect(try await target.query(counts) == "100|0")
                try await bench.restore(backup.id, into: target, failing, creating: false)
                    .expect(code: 1, saying: "meant to fail")
                #expect(try await target.query(counts) == "100|100")
                let end = try await bench.restore(backup.id, into: target, creating: false)
                try end.requireCode(0)
                #expect(end.output.contains("2 restored before the interruption"), "\(end)")
                #expect(try await target.query(counts) == "100|100")
            }
        }
    }

    /// Enum values hash by their oid, so that rows come to lie in other partitions than they were read from.
    @Test(arguments: TestServer.all)
    func `hash partitions come whole again when a crash has emptied one of them`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server, limit: .seconds(600)) { bench in
            let source = try await bench.createDatabase()
            let labels = (1...40).map { "'label \($0)'" }.joined(separator: ", ")
            try await source.query(
                """
                CREATE TYPE mood AS ENUM (\(labels));
                CREATE TABLE whole (m mood, n integer) PARTITION BY HASH (m);
                CREATE INDEX ON whole (n);
                CREATE TABLE part_0 PARTITION OF whole FOR VALUES WITH (MODULUS 3, REMAINDER 0);
                CREATE UNLOGGED TABLE part_1 PARTITION OF whole FOR VALUES WITH (MODULUS 3, REMAINDER 1);
                CREATE TABLE part_2 PARTITION OF whole FOR VALUES WITH (MODULUS 3, REMAINDER 2);
                INSERT INTO whole SELECT m, n FROM unnest(enum_range(NULL::mood)) m, generate_series(1, 50) n;
                """)
            let backup = try await bench.backUp(source)
            let failing = try ["--pg-dump", bench.failingPgRestore()]
            let rows = "SELECT md5(string_agg(w::text, ';' ORDER BY m, n)) FROM whole w"
            let homes = "SELECT string_agg(DISTINCT m::text, ';') FROM part_0"
            try await bench.withEndingServer { own in
                let target = own.database
                // Without others before it the type could have the numbers that it has in the source.
                try await target.query("CREATE TYPE first AS ENUM ('a'); DROP TYPE first")
                try await bench.restore(backup.id, into: target, failing, creating: false)
                    .expect(code: 1, saying: "meant to fail")
                #expect(try await target.query(homes) != source.query(homes), "no row has moved")
                #expect(try await target.query(rows) == source.query(rows))
                // Commits that do not wait must have been written.
                try await target.query("CHECKPOINT")
                try await own.crash()
                try await own.restart()
                #expect(try await target.query("SELECT count(*) FROM part_1") == "0")
                try await target.query(
                    "INSERT INTO whole SELECT m, 99 FROM unnest(enum_range(NULL::mood)) m")
                try await bench.restore(backup.id, into: target, creating: false)
                    .expect(
                        code: 1,
                        saying: "has not loaded: public.part_0, public.part_1, public.part_2")
                // Those in parts that the crash has left as they were are no less in the way.
                try await target.query("DELETE FROM part_1 WHERE n = 99")
                try await bench.restore(backup.id, into: target, creating: false)
                    .expect(code: 1, saying: "has not loaded: public.part_0, public.part_2")
                try await target.query("DELETE FROM whole WHERE n = 99")
                // Interrupted between the look at what is lost and the rows.
                try await target.query(
                    """
                    ALTER TABLE part_2 ADD CONSTRAINT few CHECK (n < 0) NOT VALID;
                    UPDATE pg_constraint SET convalidated = true WHERE conname = 'few'
                    """)
                try await bench.restore(backup.id, into: target, creating: false)
                    .expect(code: 1, saying: "23514", "which are as they were")
                try await target.query("ALTER TABLE part_2 DROP CONSTRAINT few")
                let end = try await bench.restore(
                    backup.id, into: target, ["--check", "rows"], creating: false)
                try end.requireCode(0)
                #expect(try await target.query(rows) == source.query(rows))
                try await bench.expectNoMark(target)
            }
        }
    }

    /// What goes through a whole lies in its partitions of the target, also in those that the backup does not know.
    @Test(arguments: TestServer.all)
    func `rows that went into partitions of the target alone do not come twice`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server, limit: .seconds(600)) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE whole (id integer) PARTITION BY HASH (id);
                CREATE TABLE part_0 PARTITION OF whole FOR VALUES WITH (MODULUS 2, REMAINDER 0);
                CREATE TABLE part_1 PARTITION OF whole FOR VALUES WITH (MODULUS 2, REMAINDER 1);
                INSERT INTO whole SELECT generate_series(1, 100);
                """)
            let backup = try await bench.backUp(source)
            try await bench.withEndingServer { own in
                let target = own.database
                try await target.query(
                    """
                    CREATE TABLE whole (id integer) PARTITION BY HASH (id);
                    CREATE TABLE part_0 PARTITION OF whole FOR VALUES WITH (MODULUS 4, REMAINDER 0);
                    CREATE UNLOGGED TABLE part_1 PARTITION OF whole FOR VALUES WITH (MODULUS 4, REMAINDER 1);
                    CREATE TABLE part_2 PARTITION OF whole FOR VALUES WITH (MODULUS 4, REMAINDER 2);
                    CREATE TABLE part_3 PARTITION OF whole FOR VALUES WITH (MODULUS 4, REMAINDER 3);
                    """)
                try await bench.crash(
                    own, inRestoreOf: backup.id, ["--data-only"], afterRowsOf: "part_0")
                let count = "SELECT count(*) FROM whole"
                let left = try await target.query(count)
                #expect(left != "100" && left != "0")
                try await bench.restore(
                    backup.id, into: target, ["--data-only"], creating: false
                ).expect(
                    code: 1, saying: "may lie in partition public.part_2, partition public.part_3",
                    "DROP SCHEMA dbtool_restore CASCADE;")
                #expect(try await target.query(count) == left)
                try await target.query("DROP SCHEMA dbtool_restore CASCADE; TRUNCATE whole")
                try await bench.restore(
                    backup.id, into: target, ["--data-only"], creating: false
                ).requireCode(0)
                #expect(try await target.query(count) == "100")
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `what was added to an unlogged table is added again to what was written since`(
        server: TestServer
    ) async throws {
        try await withHundredRows(of: "quick", server) { bench, backup, own in
            let target = own.database
            let words = ["--existing", "append", "-tablename", "quick"]
            try await target.query(
                "CREATE UNLOGGED TABLE quick (id integer); INSERT INTO quick VALUES (0)")
            try await bench.crash(
                own, inRestoreOf: backup.id, words, afterRowsOf: "quick")
            #expect(try await target.query("SELECT count(*) FROM quick") == "0")
            try await target.query("INSERT INTO quick VALUES (1000)")
            try await bench.restore(backup.id, into: target, words, creating: false)
                .requireCode(0)
            #expect(
                try await target.query("SELECT count(*), min(id), max(id) FROM quick")
                    == "101|1|1000")
            try await bench.expectNoMark(target)
        }
    }

    /// PostgreSQL 14 to 17 write down `UNLOGGED` of such a table, which has no rows of its own to lose.
    @Test(arguments: TestServer.all.filter { $0.major < 18 })
    func `rows in logged partitions of a whole that is called unlogged do not come twice`(
        server: TestServer
    ) async throws {
        try await withHundredRows(of: "s", server) { bench, backup, own in
            let target = own.database
            let words = ["--existing", "append", "-tablename", "s"]
            try await target.query(
                """
                CREATE UNLOGGED TABLE s (id integer) PARTITION BY HASH (id);
                CREATE TABLE s_0 PARTITION OF s FOR VALUES WITH (MODULUS 2, REMAINDER 0);
                CREATE TABLE s_1 PARTITION OF s FOR VALUES WITH (MODULUS 2, REMAINDER 1);
                INSERT INTO s VALUES (0);
                """)
            try await bench.crash(own, inRestoreOf: backup.id, words, afterRowsOf: "s_0")
            try await bench.restore(backup.id, into: target, words, creating: false)
                .requireCode(0)
            #expect(try await target.query("SELECT count(*), max(id) FROM s") == "101|100")
            try await bench.expectNoMark(target)
        }
    }

    @Test(arguments: TestServer.all, [["--existing", "append"], ["--data-only"]])
    func `rows of a plain table are missed when an unlogged partition of the target has lost them`(
        server: TestServer, words: [String]
    ) async throws {
        try await withHundredRows(of: "s", server) { bench, backup, own in
            let target = own.database
            let words = words + ["-tablename", "s"]
            try await target.query(
                """
                CREATE TABLE s (id integer) PARTITION BY HASH (id);
                CREATE TABLE s_0 PARTITION OF s FOR VALUES WITH (MODULUS 2, REMAINDER 0);
                CREATE UNLOGGED TABLE s_1 PARTITION OF s FOR VALUES WITH (MODULUS 2, REMAINDER 1);
                """)
            try await bench.crash(own, inRestoreOf: backup.id, words, afterRowsOf: "s_0")
            let left = try await target.query("SELECT count(*) FROM s")
            #expect(left != "0" && left != "100")
            try await bench.restore(backup.id, into: target, words, creating: false)
                .expect(
                    code: 1, saying: "unlogged partitions of table public.s,",
                    "DROP SCHEMA dbtool_restore CASCADE;")
            #expect(try await target.query("SELECT count(*) FROM s") == left)
        }
    }

    /// That a crash empties a table is what the catalog says of it, and the rows are asked before others come beside them.
    @Test(arguments: TestServer.all)
    func `rows that were added and are still there are not added again`(
        server: TestServer
    ) async throws {
        try await withHundredRows(of: "quick", server) { bench, backup, own in
            let target = own.database
            let words = ["--existing", "append", "-tablename", "quick"]
            try await target.query("CREATE TABLE quick (id integer)")
            try await bench.crash(
                own, inRestoreOf: backup.id, words, afterRowsOf: "quick")
            try await target.query(
                "UPDATE pg_class SET relpersistence = 'u' WHERE relname = 'quick'")
            // The second time the mark knows of the loss, and the server has not crashed since.
            for _ in 1...2 {
                try await bench.restore(backup.id, into: target, words, creating: false)
                    .expect(code: 1, saying: "still hold rows that this restore has added")
                #expect(try await target.query("SELECT count(*) FROM quick") == "100")
            }
            try await target.query("TRUNCATE quick")
            try await bench.restore(backup.id, into: target, words, creating: false)
                .requireCode(0)
            #expect(try await target.query("SELECT count(*) FROM quick") == "100")
        }
    }

    /// `--existing` is about tables that were there before.
    @Test(arguments: TestServer.all, ["append", "truncate"])
    func `rows of others in a table that the restore has made are not emptied`(
        server: TestServer, existing: String
    ) async throws {
        try await Workbench.with(server, limit: .seconds(600)) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE kept (id integer PRIMARY KEY);
                CREATE UNLOGGED TABLE quick (id integer);
                INSERT INTO quick SELECT generate_series(1, 100);
                """)
            let backup = try await bench.backUp(source)
            let failing = try ["--pg-dump", bench.failingPgRestore()]
            try await bench.withEndingServer { own in
                let target = own.database
                let words = ["--existing", existing, "--yes"]
                try await bench.restore(
                    backup.id, into: target, words + failing, creating: false
                ).expect(code: 1, saying: "meant to fail")
                // Commits that do not wait must have been written.
                try await target.query("CHECKPOINT")
                try await own.crash()
                try await own.restart()
                try await target.query("INSERT INTO quick VALUES (1000)")
                try await bench.restore(backup.id, into: target, words, creating: false)
                    .expect(code: 1, saying: "has not loaded: public.quick")
                #expect(try await target.query("TABLE quick") == "1000")
                try await target.query("TRUNCATE quick")
                try await bench.restore(backup.id, into: target, words, creating: false)
                    .requireCode(0)
                #expect(try await target.query("SELECT count(*) FROM quick") == "100")
            }
        }
    }
}

extension Workbench {
    /// Restores into tables that are there, and lets the server crash when their rows are committed and the restore has yet
    /// to gather statistics. It runs again then.
    fileprivate func crash(
        _ own: PostgresOwnServer, inRestoreOf backup: String, _ words: [String],
        afterRowsOf table: String
    ) async throws {
        let target = own.database
        // Statistics of an index on an expression are computed by it.
        try await target.query(
            """
            CREATE FUNCTION linger(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$
            BEGIN
              IF current_query() LIKE 'ANALYZE%' THEN PERFORM pg_sleep(3600); END IF;
              RETURN $1;
            END $$;
            CREATE INDEX lingering ON \(table) (linger(id));
            """)
        let killed = try await restore(backup, into: target, words, creating: false) { running in
            try await eventually("the restore gathers statistics") {
                try await target.query(
                    """
                    SELECT count(*) FROM pg_stat_activity
                    WHERE query LIKE 'ANALYZE%' AND wait_event = 'PgSleep'
                    """) != "0"
            }
            try running.send(SIGKILL)
        }
        #expect(killed.code == 128 + SIGKILL, "\(killed)")
        // Commits that do not wait must have been written.
        try await target.query("CHECKPOINT")
        try await own.crash()
        try await own.restart()
        try await target.query("DROP FUNCTION linger CASCADE")
    }
}
