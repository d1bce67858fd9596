import BackupTesting
import Foundation
import Testing

/// What an unfinished restore leaves says what it is; only the same restore goes on with it.
@Suite struct RestoreContinuationTests {
    @Test(arguments: TestServer.all)
    func `an unfinished restore is finished by the same command and by no other`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let backup = try await bench.backUp(source)
            let other = try await bench.backUp(source)
            let target = bench.expectDatabase()
            let failing = try bench.failingPgRestore()
            try await bench.restore(backup.id, into: target, ["--pg-dump", failing])
                .expect(code: 1, saying: "run the same restore again")
            #expect(try await target.query("SELECT count(*) FROM people") == "1000")

            for (point, words) in [
                (other.id, []), (backup.id, ["--no-owner"]), (backup.id, ["-tablename", "pets"]),
                (backup.id, ["--schema-only"]),
            ] {
                try await bench.expectRefused(
                    target, saying: "unfinished restore of \(backup.id)",
                    "It was: dbtool restore \(backup.id) --into \(target.name) --create;",
                    "DROP SCHEMA dbtool_restore CASCADE;"
                ) {
                    try await bench.restore(point, into: target, words)
                }
            }
            let plan = try await bench.restore(backup.id, into: target, ["--dry-run"])
            try plan.requireCode(0)
            let made = plan.output.split(separator: "\n").filter {
                $0.hasPrefix("  made    table ")
            }
            #expect(made.count == 1 && made[0].hasSuffix(", before the interruption"), "\(plan)")
            #expect(plan.output.contains("  create  constraint people_pkey"), "\(plan)")
            #expect(!plan.output.contains("  create  table"), "\(plan)")
            let end = try await bench.restore(backup.id, into: target, ["--check", "rows"])
            try end.requireCode(0)
            #expect(end.output.contains("2 restored before the interruption"), "\(end)")
            try await bench.expectEqual(source, target)
            try await bench.expectNoMark(target)
        }
    }

    @Test(arguments: TestServer.all)
    func `the statement of the hint forgets an unfinished restore`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            _ = try await bench.backUp(source)
            let target = bench.expectDatabase()
            let failing = try bench.failingPgRestore()
            try await bench.restore(into: target, ["--pg-dump", failing]).expect(code: 1)
            try await target.query("DROP SCHEMA dbtool_restore CASCADE")
            try await bench.restore(
                tables: [], into: target, ["--clean", "--yes"]
            ).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    @Test(arguments: TestServer.all)
    func `what points to tables that were there is made by whichever run gets that far`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE tree (id int, part int, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
                CREATE TABLE leaf_1 PARTITION OF tree FOR VALUES IN (1);
                CREATE TABLE "leaf 2" PARTITION OF tree FOR VALUES IN (2);
                CREATE INDEX ON tree (part, id);
                CREATE TABLE kinds (id int PRIMARY KEY);
                CREATE TABLE nests (id int PRIMARY KEY, kind int REFERENCES kinds);
                INSERT INTO tree SELECT i, i % 2 + 1 FROM generate_series(1, 100) i;
                INSERT INTO kinds VALUES (1), (2); INSERT INTO nests VALUES (1, 1), (2, 2);
                """)
            _ = try await bench.backUp(source)
            let expected = try await bench.duplicate(source, "expected")
            try await expected.query(
                "ALTER TABLE nests DROP CONSTRAINT nests_kind_fkey; DELETE FROM kinds WHERE id = 2")
            for passed in 0...1 {
                let target = try await bench.duplicate(source, "target_\(passed)")
                try await target.query(
                    """
                    DROP TABLE "leaf 2", nests; DELETE FROM kinds WHERE id = 2;
                    UPDATE tree SET id = -id;
                    """)
                let words = ["--existing", "truncate", "--yes"]
                let failing = try bench.failingPgRestore(passing: passed)
                let first = try await bench.restore(
                    tables: ["tree", "nests"], into: target, words + ["--pg-dump", failing])
                #expect(first.code == 1 && first.errors.contains("meant to fail"), "\(first)")
                let end = try await bench.restore(
                    tables: ["tree", "nests"], into: target, words + ["--check", "rows"])
                #expect(end.code == 3 && end.output.contains("nests_kind_fkey"), "\(end)")
                try await bench.expectEqual(expected, target)
                try await bench.expectNoMark(target)
            }
            // A partition alone, into a whole that has indexes already.
            let alone = try await bench.duplicate(source, "alone")
            try await alone.query("DROP TABLE \"leaf 2\"")
            try await bench.restore(tables: ["\"leaf 2\""], into: alone, ["--yes"]).requireCode(0)
            try await bench.expectEqual(source, alone)
        }
    }

    /// pg_dump makes such a view empty first, and replaces it when the key is there.
    @Test(arguments: TestServer.all)
    func `views that need a key are whole after an interruption`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE base (id int PRIMARY KEY, n text); INSERT INTO base VALUES (1, 'x'), (2, 'y');
                CREATE VIEW grouped AS SELECT id, n, count(*) FROM base GROUP BY id;
                CREATE MATERIALIZED VIEW kept AS SELECT * FROM grouped;
                CREATE RULE twice AS ON INSERT TO base DO ALSO SELECT 1;
                """)
            let backup = try await bench.backUp(source)
            for passed in 0...1 {
                let target = bench.expectDatabase("target_\(passed)")
                let failing = try bench.failingPgRestore(passing: passed)
                _ = try await bench.restore(backup.id, into: target, ["--pg-dump", failing])
                try await bench.restore(backup.id, into: target, ["--check", "rows"]).requireCode(0)
                try await bench.expectEqual(source, target)
                #expect(try await target.query("SELECT count(*) FROM kept, grouped") == "4")
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `a partition's trigger gets its state although the whole's was made before`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
                CREATE TABLE whole (id integer) PARTITION BY LIST (id);
                CREATE TABLE half PARTITION OF whole FOR VALUES IN (1, 2) PARTITION BY LIST (id);
                CREATE TABLE leaf PARTITION OF half FOR VALUES IN (1); INSERT INTO whole VALUES (1);
                CREATE TRIGGER x AFTER INSERT ON whole FOR EACH ROW EXECUTE FUNCTION pass();
                CREATE TRIGGER own AFTER INSERT ON leaf FOR EACH ROW EXECUTE FUNCTION pass();
                ALTER TABLE leaf DISABLE TRIGGER x; CREATE POLICY few ON whole USING (id < 10);
                """)
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            let failing = try bench.failingPgRestore(passing: 1)
            try await bench.restore(backup.id, into: target, ["--pg-dump", failing])
                .expect(code: 1, saying: "meant to fail")
            // As if it had ended right behind the trigger of the whole, where it has not.
            try await target.query("ALTER TABLE leaf ENABLE TRIGGER x")
            try await bench.restore(backup.id, into: target).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    @Test(arguments: TestServer.all)
    func `of two restores into one database the second is refused`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            _ = try await bench.backUp(source)
            let replace = ["--existing", "truncate"]
            _ = try await source.query("BEGIN; LOCK TABLE pets; SELECT pg_sleep(600)") { blocker in
                try await bench.untilSession(of: source, "wait_event = 'PgSleep'")
                let first = try await bench.restore(tables: ["pets"], into: source, replace) { _ in
                    try await bench.untilSession(of: source, "wait_event_type = 'Lock'")
                    let second = try await bench.restore(tables: ["people"], into: source, replace)
                    second.expect(code: 6, saying: "another restore into \(source.name)")
                    try blocker.send(SIGINT)
                }
                #expect(first.code == 0, "\(first)")
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `rows that others wrote since an interruption are not taken away`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            let failing = try bench.failingPgRestore()
            try await bench.restore(backup.id, into: target, ["--pg-dump", failing])
                .expect(code: 1, saying: "meant to fail")
            // As if it had ended before these rows came.
            func forget(_ state: String) -> String {
                "UPDATE dbtool_restore.tables SET is_loaded = \(state) WHERE name = 'pets'"
            }
            try await target.query(
                "\(forget("false")); TRUNCATE pets; INSERT INTO pets VALUES ('new', 1)")
            try await bench.restore(backup.id, into: target)
                .expect(code: 1, saying: "has not loaded: public.pets", "empty these tables")
            #expect(try await target.query("SELECT name FROM pets") == "new")
            // As if it had ended between the commits of several connections: these are its own.
            try await target.query(forget("NULL"))
            try await bench.restore(backup.id, into: target).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    @Test(arguments: TestServer.all)
    func `rows changed since an interruption are told, or replaced where that is asked for`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            try await source.query("CREATE INDEX ON pets (name)")
            let backup = try await bench.backUp(source)
            let failing = try bench.failingPgRestore()
            let changes =
                "DELETE FROM pets WHERE name = (SELECT min(name) FROM pets); "
                + "UPDATE people SET name = 'somebody' WHERE id = 7"
            let target = bench.expectDatabase()
            try await bench.restore(backup.id, into: target, ["--pg-dump", failing])
                .expect(code: 1, saying: "meant to fail")
            try await target.query(changes)
            let end = try await bench.restore(backup.id, into: target)
            #expect(end.code == 4, "\(end)")
            for words in ["public.pets is not as in the backup: it has", "public.people is not as"]
            {
                #expect(end.output.contains(words), "\(end)")
            }
            try await bench.expectNoMark(target)

            // Something has to be made behind the rows.
            let replaced = try await bench.duplicate(source, "replaced")
            try await replaced.query("DROP TABLE pets; UPDATE people SET name = 'x'")
            let words = ["--existing", "truncate", "--yes"]
            try await bench.restore(
                tables: [], into: replaced, words + ["--pg-dump", failing]
            ).expect(code: 1, saying: "meant to fail")
            #expect(try await replaced.query("SELECT count(*) FROM people WHERE name = 'x'") == "0")
            try await replaced.query(
                "UPDATE people SET name = 'y'; DELETE FROM people WHERE id = 9")
            try await bench.restore(tables: [], into: replaced, words).requireCode(0)
            try await bench.expectEqual(source, replaced)
            try await bench.expectNoMark(replaced)
        }
    }

    @Test(arguments: TestServer.all)
    func `what was left out is told again by the run that goes on`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            try await source.query("CREATE INDEX ON pets (name)")
            _ = try await bench.backUp(source)
            let target = try await bench.createDatabase("plain")
            let failing = try bench.failingPgRestore()
            try await bench.restore(tables: ["pets"], into: target, ["--pg-dump", failing])
                .expect(code: 1, saying: "meant to fail")
            let end = try await bench.restore(tables: ["pets"], into: target)
            try end.requireCode(0)
            #expect(end.output.contains("left out: fk constraint pets_owner_fkey"), "\(end)")
        }
    }

    @Test(arguments: TestServer.all)
    func `a table that was dropped since an interruption is missed`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            let failing = try bench.failingPgRestore()
            try await bench.restore(backup.id, into: target, ["--pg-dump", failing])
                .expect(code: 1, saying: "meant to fail")
            try await target.query("DROP TABLE pets")
            try await bench.restore(backup.id, into: target)
                .expect(code: 1, saying: "has no table public.pets any more")
        }
    }

    /// A killed dbtool leaves pg_restore at work, for as long as one statement takes.
    @Test(arguments: TestServer.all)
    func `a restore goes on although the killed one still builds an index`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE FUNCTION slowly(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$
                BEGIN
                  IF current_setting('application_name') <> 'psql' THEN PERFORM pg_sleep(0.2); END IF;
                  RETURN $1;
                END $$;
                CREATE TABLE t (id integer PRIMARY KEY);
                INSERT INTO t SELECT generate_series(1, 60);
                CREATE INDEX slow ON t (slowly(id)); CREATE INDEX quick ON t ((id + 1));
                """)
            _ = try await bench.backUp(source)
            let target = bench.expectDatabase()
            let killed = try await bench.restore(into: target) { running in
                try await bench.untilSession(of: target, "query LIKE 'CREATE INDEX slow%'")
                try running.send(SIGKILL)
            }
            #expect(killed.code == 128 + SIGKILL)
            try await bench.restore(into: target).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    /// Each connection commits its part: what was committed alone must not be there twice.
    @Test(arguments: TestServer.all)
    func `a large table that several connections load comes whole after kills`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server, limit: .seconds(600)) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE large (id integer, value text);
                INSERT INTO large SELECT i, repeat(md5(i::text), 40)
                FROM generate_series(1, 60000) i;
                """)
            _ = try await bench.backUp(source, ["-compress", "zstd"])
            let start = ContinuousClock.now
            let whole = try await bench.restored()
            let time = start.duration(to: .now)
            try await bench.expectEqual(source, whole)
            let target = bench.expectDatabase()
            for part in [2, 3, 4] {
                _ = try await bench.restore(into: target) { running in
                    try await Task.sleep(for: time * part / 5)
                    try? running.send(SIGKILL)
                }
                try await bench.untilGone(target)
            }
            let end = try await bench.restore(into: target)
            // The last of the three may have ended by itself.
            #expect(end.code == 0 || end.errors.contains("exists already"), "\(end)")
            try await bench.expectEqual(source, target)
        }
    }

    /// What stops a restore into tables that exist, and where.
    enum Stop: String, CaseIterable, CustomTestStringConvertible {
        case refusedRow, killedBeforeRows, killedAfterRows
        var testDescription: String { rawValue }

        /// What has to be in the way of a restore that is killed.
        var obstacle: String? {
            switch self {
            case .refusedRow: nil
            case .killedBeforeRows: "SELECT FROM pets LIMIT 1"
            case .killedAfterRows: "ALTER SEQUENCE people_id_seq CACHE 2"
            }
        }
    }

    @Test(arguments: TestServer.all, Stop.allCases)
    func `large objects come once beside tables that exist, wherever a run ends`(
        server: TestServer, stop: Stop
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            try await source.query("SELECT lo_from_bytea(7, 'seven'), lo_from_bytea(8, 'eight')")
            _ = try await bench.backUp(source)
            let target = bench.expectDatabase()
            try await bench.restore(into: target, ["--schema-only"]).requireCode(0)
            let words = ["--data-only", "--check", "rows"]
            if let obstacle = stop.obstacle {
                _ = try await target.query("BEGIN; \(obstacle); SELECT pg_sleep(600)") { blocker in
                    try await bench.untilSession(of: target, "wait_event = 'PgSleep'")
                    let killed = try await bench.restore(tables: [], into: target, words) {
                        running in
                        try await bench.untilSession(of: target, "wait_event_type = 'Lock'")
                        try running.send(SIGKILL)
                    }
                    #expect(killed.code == 128 + SIGKILL)
                    try blocker.send(SIGINT)
                }
                try await bench.untilGone(target)
            } else {
                try await target.query("ALTER TABLE people ADD CONSTRAINT few CHECK (id < 10)")
                try await bench.restore(tables: [], into: target, words)
                    .expect(code: 1, saying: "23514", "which are as they were")
                try await target.query("ALTER TABLE people DROP CONSTRAINT few")
            }
            let objects = "SELECT count(*) FROM pg_largeobject_metadata"
            #expect(try await target.query(objects) == "2")
            try await bench.restore(tables: [], into: target, words).requireCode(0)
            try await bench.expectEqual(source, target)
            try await bench.expectNoMark(target)
        }
    }

    @Test(arguments: TestServer.all)
    func `large objects that a killed run has made are left as they are`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            try await source.query(
                """
                SELECT count(lo_from_bytea(i, convert_to('object ' || i, 'UTF8')))
                FROM generate_series(1, 1200) i;
                COMMENT ON LARGE OBJECT 3 IS 'three'; COMMENT ON LARGE OBJECT 1150 IS 'late';
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.createDatabase("target")
            // Whoever makes the same number waits for this one.
            let obstacle = "BEGIN; SELECT lo_create(1100); SELECT pg_sleep(600)"
            _ = try await target.query(obstacle) { blocker in
                try await bench.untilSession(of: target, "wait_event = 'PgSleep'")
                let killed = try await bench.restore(tables: [], into: target) { running in
                    try await bench.untilSession(of: target, "wait_event_type = 'Lock'")
                    try running.send(SIGKILL)
                }
                #expect(killed.code == 128 + SIGKILL)
                try blocker.send(SIGINT)
            }
            try await bench.untilGone(target)
            let objects = "SELECT count(*) FROM pg_largeobject_metadata"
            #expect(try await target.query(objects) == "1000")
            try await bench.restore(tables: [], into: target, ["--check", "rows"]).requireCode(0)
            try await bench.expectEqual(source, target)
            try await bench.expectNoMark(target)
        }
    }
}

extension Workbench {
    fileprivate func untilSession(of database: TestDatabase, _ condition: String) async throws {
        try await eventually("\(database.name) has a session with \(condition)") {
            try await administration.query(
                """
                SELECT count(*) FROM pg_stat_activity
                WHERE datname = '\(database.name)' AND \(condition)
                """) != "0"
        }
    }

    /// A pg_dump with a pg_restore beside it that fails after the rows, but for its first calls.
    func failingPgRestore(passing: Int = 0) throws -> String {
        try pgRestore(
            passing: passing,
            afterRows: """
                echo 'pg_restore: error: could not execute query: ERROR:  meant to fail' >&2
                exit 1
                """)
    }
}
