import BackupTesting
import Testing

/// Partitions that are restored by name, without their whole or into one that has changed since.
@Suite struct RestorePartitionTests {
    /// What has become of an index or key of the whole since the backup.
    struct Change: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let sql: String
        /// What is named.
        let words: String
        let code: Int32
        /// The indexes of the part, and what they are attached to.
        let attached: String
    }

    private static let changes = [
        Change(
            testDescription: "index renamed", sql: "ALTER INDEX pv RENAME TO pv_now",
            words: "left out: index attach public.a1_v_idx: index pv of public.pt is not there",
            code: 0, attached: "a1_pkey in pt_k, a1_v_idx in pv_now"),
        Change(
            testDescription: "index dropped", sql: "DROP INDEX pv",
            words: "left out: index attach public.a1_v_idx: index pv of public.pt is not there",
            code: 0, attached: "a1_pkey in pt_k"),
        Change(
            testDescription: "key renamed", sql: "ALTER TABLE pt RENAME CONSTRAINT pt_k TO pt_now",
            words:
                "left out: index attach public.a1_pkey: constraint pt_k of public.pt is not there",
            code: 0, attached: "a1_pkey in pt_now, a1_v_idx in pv"),
        Change(
            testDescription: "index replaced", sql: "DROP INDEX pv; CREATE INDEX pv ON pt (v, a)",
            words: "not made: INDEX ATTACH a1_v_idx", code: 3,
            attached: "a1_pkey in pt_k, a1_v_a_idx in pv"),
    ]

    @Test(arguments: TestServer.all, changes)
    func `a part goes back into a whole that has lost an index or key, with all that is its own`(
        server: TestServer, change: Change
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE pt (a int, v int, CONSTRAINT pt_k PRIMARY KEY (a)) PARTITION BY RANGE (a);
                CREATE INDEX pv ON pt (v);
                CREATE TABLE a1 PARTITION OF pt FOR VALUES FROM (1) TO (100);
                CREATE TABLE a2 PARTITION OF pt FOR VALUES FROM (100) TO (200);
                INSERT INTO pt SELECT i, i FROM generate_series(1, 150) i;
                CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
                CREATE TRIGGER quiet BEFORE INSERT ON a1 FOR EACH ROW EXECUTE FUNCTION f();
                ALTER TABLE a1 DISABLE TRIGGER quiet;
                CREATE POLICY own ON a1 USING (v > 0); ALTER TABLE a1 ENABLE ROW LEVEL SECURITY;
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query(change.sql)
            let end = try await bench.restore(tables: ["a1"], into: target, ["--clean", "--yes"])
            try end.requireCode(change.code)
            #expect(end.output.contains(change.words), "\(end)")
            #expect(
                try await target.query(
                    """
                    SELECT string_agg(format('%s in %s', inhrelid::regclass, inhparent::regclass), ', '
                      ORDER BY inhrelid::regclass::text COLLATE "C")
                    FROM pg_inherits JOIN pg_index ON indexrelid = inhrelid
                    WHERE indrelid = 'a1'::regclass
                    """) == change.attached)
            #expect(
                try await target.query(
                    """
                    SELECT (SELECT count(*) FROM pt), (SELECT relrowsecurity FROM pg_class
                      WHERE oid = 'a1'::regclass), (SELECT count(*) FROM pg_policy),
                      (SELECT string_agg(tgenabled::text, '') FROM pg_trigger
                       WHERE tgrelid = 'a1'::regclass)
                    """) == "150|t|1|D")
            try await bench.expectNoMark(target)
        }
    }

    @Test(arguments: TestServer.all)
    func `a copy of a part comes without the whole`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.referred)
            try await source.query(
                "CREATE POLICY own ON p1 USING (EXISTS (SELECT FROM x WHERE x.a = p1.a))")
            _ = try await bench.backUp(source)
            let target = try await bench.createDatabase("target")
            try await target.query("CREATE SCHEMA s")
            for name in ["foo", "s.foo"] {
                let end = try await bench.restore(
                    tables: ["p1"], into: target, ["--as", name, "--check", "rows"])
                try end.requireCode(0)
                #expect(!end.output.contains("which is made only because"), "\(end)")
            }
            let names =
                "SELECT string_agg(relname, ' ' ORDER BY relname COLLATE \"C\") FROM pg_class"
            for schema in ["public", "s"] {
                #expect(
                    try await target.query(
                        "\(names) WHERE relnamespace = '\(schema)'::regnamespace")
                        == "foo foo_b_idx foo_pkey")
            }
            #expect(try await target.query("SELECT count(*) FROM foo, s.foo other") == "4")
            #expect(try await target.query("SELECT count(*) FROM pg_inherits") == "0")
            try await bench.expectNoMark(target)
        }
    }

    private static let referred = """
        CREATE TABLE pt (a int PRIMARY KEY, b int) PARTITION BY RANGE (a);
        CREATE TABLE p1 PARTITION OF pt FOR VALUES FROM (1) TO (100);
        CREATE TABLE p2 PARTITION OF pt FOR VALUES FROM (100) TO (200) PARTITION BY RANGE (a);
        CREATE TABLE p2_low PARTITION OF p2 FOR VALUES FROM (100) TO (150);
        CREATE TABLE p2_high PARTITION OF p2 FOR VALUES FROM (150) TO (200);
        CREATE INDEX pt_b ON pt (b); COMMENT ON INDEX pt_b IS 'of all';
        INSERT INTO pt VALUES (1, 1), (2, 2), (101, 3), (151, 4);
        CREATE TABLE x (a int REFERENCES pt); INSERT INTO x VALUES (2), (151);
        """

    /// The tables of one restore after the other; all parts in the end.
    private static let orders = [
        [["p1", "p2_*"]], [["p1"], ["p2"]], [["p1"], ["p2_high"], ["p2_low"]],
        [["p2_low"], ["p1"], ["p2_high"]],
    ]

    @Test(arguments: TestServer.all, orders)
    func `parts bring their wholes with keys that are valid`(
        server: TestServer, order: [[String]]
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.referred)
            _ = try await bench.backUp(source)
            let target = try await bench.createDatabase("target")
            for (number, tables) in order.enumerated() {
                let end = try await bench.restore(tables: tables, into: target)
                try end.requireCode(0)
                if number == 0 {
                    #expect(
                        end.output.contains(
                            "left out: all but columns, indexes, primary and unique keys of public.pt,"
                        ),
                        "\(end)")
                }
                #expect(
                    try await target.query(
                        "SELECT string_agg(indexrelid::regclass::text, ' ') FROM pg_index WHERE NOT indisvalid"
                    ) == "", "\(tables)")
            }
            try await bench.restore(tables: ["x"], into: target).requireCode(0)
            try await bench.expectEqual(source, target)
            try await target.query("INSERT INTO pt VALUES (1, 1) ON CONFLICT (a) DO NOTHING")
        }
    }

    /// The hash of an enum's label is another one wherever the type is made.
    private static let spread = """
        CREATE TYPE letter AS ENUM ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p');
        CREATE TABLE pt (l letter, n int, PRIMARY KEY (l, n)) PARTITION BY HASH (l);
        CREATE TABLE p0 PARTITION OF pt FOR VALUES WITH (MODULUS 3, REMAINDER 0);
        CREATE TABLE p1 PARTITION OF pt FOR VALUES WITH (MODULUS 3, REMAINDER 1) PARTITION BY HASH (l, n);
        CREATE TABLE p1_0 PARTITION OF p1 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE p1_1 PARTITION OF p1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        CREATE TABLE p2 PARTITION OF pt FOR VALUES WITH (MODULUS 3, REMAINDER 2);
        CREATE INDEX by_number ON pt (n);
        INSERT INTO pt SELECT l, n FROM unnest(enum_range(NULL::letter)) l, generate_series(1, 20) n;
        """

    @Test(
        arguments: TestServer.all,
        [["p0"], ["p1"], ["p1_0"], ["p1_1", "p2"], ["p0", "p1_0", "p1_1"]])
    func `parts come with their rows whatever the server makes of hashes`(
        server: TestServer, parts: [String]
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.spread)
            _ = try await bench.backUp(source)
            let target = try await bench.createDatabase("target")
            let end = try await bench.restore(tables: parts, into: target, ["--check", "rows"])
            for part in parts {
                let rows = """
                    SELECT md5(string_agg(t::text, ' ' ORDER BY l, n)),
                      (SELECT count(*) FROM pg_index WHERE indrelid = '\(part)'::regclass AND indisvalid)
                    FROM \(part) t
                    """
                #expect(try await target.query(rows) == source.query(rows), "\(part): \(end)")
            }
            // All may belong where they were by chance.
            #expect(
                end.code == 0
                    || (end.code == 3 && end.output.contains("not made: TABLE ATTACH")), "\(end)")
            try await bench.expectNoMark(target)
        }
    }

    /// The whole has no place for rows of a part that is not made.
    @Test(arguments: TestServer.all)
    func `all parts but one that the backup holds no rows of come with their rows`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.spread)
            try await bench.full(source, ["--exclude-tablename", "p2"]).requireCode(0)
            let target = try await bench.createDatabase("target")
            let end = try await bench.restore(
                tables: ["p0", "p1"], into: target, ["--check", "rows"])
            #expect([0, 3].contains(end.code), "\(end)")
            let rows = "SELECT (SELECT count(*) FROM p0), (SELECT count(*) FROM p1)"
            #expect(try await target.query(rows) == source.query(rows))
        }
    }

    @Test(arguments: TestServer.all, [["p0", "p1", "p2"], ["p0", "p1_0", "p1_1", "p2"]])
    func `all parts are all of their whole, and their rows go through it`(
        server: TestServer, parts: [String]
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.spread)
            _ = try await bench.backUp(source)
            let target = try await bench.createDatabase("target")
            try await bench.restore(tables: parts, into: target, ["--check", "rows"])
                .requireCode(0)
            let rows = """
                SELECT md5(string_agg(t::text, ' ' ORDER BY l, n)),
                  (SELECT count(*) FROM pg_inherits), (SELECT bool_and(indisvalid) FROM pg_index)
                FROM pt t
                """
            #expect(try await target.query(rows) == source.query(rows))
            try await bench.expectNoMark(target)
        }
    }

    @Test(arguments: TestServer.all)
    func `parts of enums' hashes come one after another`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.spread)
            _ = try await bench.backUp(source)
            let target = try await bench.createDatabase("target")
            for part in ["p0", "p2", "p1"] {
                let end = try await bench.restore(tables: [part], into: target)
                #expect([0, 3].contains(end.code), "\(end)")
                let rows = "SELECT count(*) FROM \(part)"
                #expect(try await target.query(rows) == source.query(rows))
                try await bench.expectNoMark(target)
            }
        }
    }

    /// Rows that the backup has in other parts may lie in it.
    @Test(arguments: TestServer.all)
    func `a part of an enum's hashes is replaced alone only where it was`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.spread)
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            try await bench.restore(backup.id, into: target).requireCode(0)
            let rows = "SELECT md5(string_agg(t::text, ' ' ORDER BY l, n)) FROM pt t"
            let before = try await source.query(rows)
            for words in [["--existing", "truncate"], ["--clean", "--yes"]] {
                let end = try await bench.restore(tables: ["p0"], into: target, words)
                #expect(
                    end.code == 1 && end.errors.contains("public.p0 cannot be replaced alone"),
                    "\(end)")
                #expect(try await target.query(rows) == before)
            }
            try await source.query("DELETE FROM p0; INSERT INTO p2 SELECT l, 21 FROM p2 LIMIT 1")
            try await bench.restore(tables: ["p0"], into: source, ["--existing", "truncate"])
                .requireCode(0)
            try await bench.restore(tables: ["pt"], into: target, ["--existing", "truncate"])
                .requireCode(0)
            #expect(try await target.query(rows) == before)
        }
    }

    /// Of integers, whose hashes are the same on all these servers.
    private static let numbered = """
        CREATE TABLE pt (n int PRIMARY KEY, v text) PARTITION BY HASH (n);
        CREATE TABLE p0 PARTITION OF pt FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE p1 PARTITION OF pt FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        INSERT INTO pt SELECT n, n FROM generate_series(1, 50) n;
        """

    @Test(
        arguments: TestServer.all,
        [
            "ALTER TABLE pt DETACH PARTITION p0",
            "ALTER TABLE pt DETACH PARTITION p0; ALTER TABLE pt DETACH PARTITION p1; DROP TABLE pt",
            """
            ALTER TABLE pt DETACH PARTITION p0; ALTER TABLE pt DETACH PARTITION p1; DROP TABLE pt;
            CREATE TABLE pt (n int PRIMARY KEY, v text)
            """,
        ])
    func `parts that are detached by now keep their own rows`(
        server: TestServer, change: String
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.numbered)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query(change)
            try await target.query("UPDATE p0 SET v = 'changed'; DELETE FROM p1 WHERE n > 20")
            try await bench.restore(
                tables: ["pt"], into: target, ["--existing", "truncate", "--check", "rows"]
            ).requireCode(0)
            for part in ["p0", "p1"] {
                let rows = "SELECT md5(string_agg(t::text, ' ' ORDER BY n)) FROM \(part) t"
                #expect(try await target.query(rows) == source.query(rows))
            }
            // A whole that is made is one of its parts again.
            let isMade = change.hasSuffix("DROP TABLE pt")
            let count = try await target.query("SELECT count(*) FROM pt")
            #expect(count == (isMade ? "50" : change.contains("CREATE") ? "0" : count))
            try await bench.expectNoMark(target)
        }
    }
}
