import BackupTesting
import Testing

/// A partition that a whole of the target does not take is found before any row is replaced.
@Suite struct RestoreAttachmentTests {
    /// A table whose rows are replaced while another one is made as a part of it.
    struct Obstacle: CustomTestStringConvertible, Sendable {
        let testDescription: String
        /// What makes a copy of the source refuse the part that it lacks.
        let change: String
        /// What the server says.
        let words: String
        let mending: String
    }

    private static let obstacles = [
        Obstacle(
            testDescription: "bounds",
            change: """
                DROP TABLE second; ALTER TABLE ranges DETACH PARTITION first;
                ALTER TABLE ranges ATTACH PARTITION first FOR VALUES FROM (0) TO (150);
                """,
            words: "would overlap partition \"first\"",
            mending: """
                ALTER TABLE ranges DETACH PARTITION first;
                ALTER TABLE ranges ATTACH PARTITION first FOR VALUES FROM (0) TO (100);
                """),
        Obstacle(
            testDescription: "modulus",
            change: """
                DROP TABLE part_2; ALTER TABLE hashed DETACH PARTITION part_0;
                ALTER TABLE hashed DETACH PARTITION part_1; TRUNCATE part_0, part_1;
                ALTER TABLE hashed ATTACH PARTITION part_0 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
                ALTER TABLE hashed ATTACH PARTITION part_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
                INSERT INTO hashed SELECT generate_series(1, 50), 'mine';
                """,
            words: "modulus must be a factor",
            mending: """
                TRUNCATE hashed; ALTER TABLE hashed DETACH PARTITION part_0;
                ALTER TABLE hashed DETACH PARTITION part_1;
                ALTER TABLE hashed ATTACH PARTITION part_0 FOR VALUES WITH (MODULUS 3, REMAINDER 0);
                ALTER TABLE hashed ATTACH PARTITION part_1 FOR VALUES WITH (MODULUS 3, REMAINDER 1);
                """),
    ]

    private static let parted = """
        CREATE TABLE ranges (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
        CREATE INDEX ON ranges (v);
        CREATE TABLE first PARTITION OF ranges FOR VALUES FROM (0) TO (100);
        CREATE TABLE second PARTITION OF ranges FOR VALUES FROM (100) TO (200)
            PARTITION BY LIST (id);
        CREATE TABLE second_rest PARTITION OF second DEFAULT;
        CREATE TABLE rest PARTITION OF ranges DEFAULT;
        INSERT INTO ranges SELECT i, 'v' || i FROM generate_series(1, 250) i;
        CREATE TABLE hashed (id int PRIMARY KEY, v text) PARTITION BY HASH (id);
        CREATE TABLE part_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 3, REMAINDER 0);
        CREATE TABLE part_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 3, REMAINDER 1);
        CREATE TABLE part_2 PARTITION OF hashed FOR VALUES WITH (MODULUS 3, REMAINDER 2);
        INSERT INTO hashed SELECT i, 'v' || i FROM generate_series(1, 100) i;
        """

    private static let rows = """
        SELECT (SELECT md5(string_agg(t::text, ';' ORDER BY id)) FROM ranges t),
               (SELECT md5(string_agg(t::text, ';' ORDER BY id)) FROM hashed t)
        """

    @Test(arguments: TestServer.all, obstacles)
    func `what cannot be attached leaves every row, and can be mended`(
        server: TestServer, obstacle: Obstacle
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.parted)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query("\(obstacle.change); UPDATE ranges SET v = 'mine'")
            let before = try await target.query(Self.rows)
            let words = ["--existing", "truncate", "--yes"]
            // The second one finds the parts already, and is refused as well.
            for _ in 1...2 {
                try await bench.restore(tables: ["ranges", "hashed"], into: target, words).expect(
                    code: 1, saying: "as they were: cannot make TABLE ATTACH", obstacle.words,
                    "run the same restore again", "DROP SCHEMA dbtool_restore CASCADE")
                #expect(try await target.query(Self.rows) == before)
            }
            try await target.query(obstacle.mending)
            try await bench.restore(
                tables: ["ranges", "hashed"], into: target, words + ["--check", "rows"]
            ).requireCode(0)
            try await bench.expectEqual(source, target)
            try await bench.expectNoMark(target)
        }
    }

    /// Where its own parts' indexes are yet to be attached to them, the server makes its indexes anew.
    @Test(arguments: TestServer.all)
    func `a part that has parts goes back into its whole with the indexes that it had`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.parted)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query("DROP TABLE second")
            try await bench.restore(tables: ["second"], into: target).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    @Test(arguments: TestServer.all)
    func `rows of a default partition are in the way of a part only where they stay`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.parted)
            _ = try await bench.backUp(source)
            let change =
                "TRUNCATE ranges; DROP TABLE second; INSERT INTO ranges VALUES (150, 'mine')"
            let replaced = try await bench.duplicate(source, "replaced")
            try await replaced.query(change)
            try await bench.restore(
                tables: ["ranges"], into: replaced, ["--existing", "truncate", "--yes"]
            ).requireCode(0)
            try await bench.expectEqual(source, replaced)

            let kept = try await bench.duplicate(source, "kept")
            try await kept.query(change)
            let words = ["--existing", "append", "--yes"]
            try await bench.restore(tables: ["ranges"], into: kept, words).expect(
                code: 1, saying: "TABLE ATTACH public second", "default partition \"rest\"")
            #expect(try await kept.query("TABLE ranges") == "150|mine")
            try await kept.query("DELETE FROM ranges")
            try await bench.restore(tables: ["ranges"], into: kept, words).requireCode(0)
            try await bench.expectEqual(source, kept)
        }
    }

    @Test(arguments: TestServer.all)
    func `parts that overlap each other where text is sorted otherwise are refused together`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase(options: "ENCODING 'UTF8' LOCALE 'C'")
            let whole = """
                CREATE TABLE words (t text) PARTITION BY RANGE (t);
                CREATE TABLE other (id int); INSERT INTO other VALUES (1);
                """
            try await source.query(
                """
                \(whole)
                CREATE TABLE upper PARTITION OF words FOR VALUES FROM ('A') TO ('Z');
                CREATE TABLE lower PARTITION OF words FOR VALUES FROM ('a') TO ('z');
                INSERT INTO words VALUES ('a'), ('B');
                """)
            _ = try await bench.backUp(source)
            let target = bench.expectDatabase()
            let made = try await bench.administration.attempt(
                """
                CREATE DATABASE \(Workbench.quoted(target.name)) TEMPLATE template0 ENCODING 'UTF8'
                LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'en'
                """)
            // Version 14 has no such database, and not every build has ICU.
            guard made.code == 0 else { return }
            try await target.query("\(whole) UPDATE other SET id = 2")
            try await bench.restore(
                tables: ["upper", "lower", "other"], into: target,
                ["--existing", "truncate", "--yes"]
            ).expect(code: 1, saying: "would overlap partition")
            #expect(try await target.query("TABLE other") == "2")
        }
    }
}
