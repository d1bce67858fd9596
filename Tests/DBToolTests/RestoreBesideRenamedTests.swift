import BackupTesting
import Testing

/// A table that was renamed keeps the names of its indexes and sequences: they stay its own.
@Suite struct RestoreBesideRenamedTests {
    @Test(arguments: TestServer.all)
    func `a table comes back beside its renamed original only with all of its indexes`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.table)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query("ALTER TABLE t RENAME TO t_old; DELETE FROM t_old WHERE id > 5")

            let clean = ["--clean", "--yes"]
            let ways: [(tables: [String], words: [String])] = [
                (["t"], []), (["t"], clean), ([], clean),
            ]
            for way in ways {
                try await bench.expectRefused(
                    target, saying: "index public.t_pkey of public.t_old",
                    "index public.apart of public.t_old", "index public.plain of public.t_old",
                    "index public.uq of public.t_old", "statistics public.st of public.t_old",
                    "ALTER INDEX \"public\".\"uq\" RENAME TO …;"
                ) {
                    try await bench.restore(tables: way.tables, into: target, way.words)
                }
            }
            // Under another name it takes other names for them.
            try await bench.restore(tables: ["t"], into: target, ["--as", "copy"]).requireCode(0)
            #expect(try await target.query(Self.indexCount("copy")) == "4")
            try await target.query("DROP TABLE copy")

            let names = ["t_pkey", "apart", "plain", "uq"]
            for name in names {
                try await bench.expectRefused(
                    target, saying: "index public.\(name) of public.t_old"
                ) {
                    try await bench.restore(tables: ["t"], into: target)
                }
                try await target.query("ALTER INDEX \(name) RENAME TO \(name)_old")
            }
            try await bench.expectRefused(
                target, saying: "statistics public.st of public.t_old", "ALTER STATISTICS"
            ) {
                try await bench.restore(tables: ["t"], into: target, clean)
            }
            try await target.query("ALTER STATISTICS st RENAME TO st_old")

            try await bench.restore(tables: ["t"], into: target).requireCode(0)
            try await bench.restore(tables: ["t"], into: target, clean).requireCode(0)
            #expect(try await target.query("SELECT count(*) FROM t_old") == "5")
            #expect(try await target.query(Self.indexCount("t_old")) == "4")
            // Version 18 gives a condition another name as long as this one is there.
            try await target.query("DROP TABLE t_old")
            try await bench.restore(tables: [], into: target, clean).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    @Test(arguments: TestServer.all)
    func `a view that has the name of an index is in the way, and stays`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.table)
            _ = try await bench.backUp(source)
            let target = try await bench.createDatabase("target")
            try await target.query("CREATE VIEW uq AS SELECT 1 AS one")
            try await bench.expectRefused(
                target, saying: "view public.uq already",
                "ALTER VIEW \"public\".\"uq\" RENAME TO …;"
            ) {
                try await bench.restore(tables: ["t"], into: target)
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `tables that stay need no name that another one has`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                "\(Self.table); CREATE TABLE u (a int); CREATE INDEX by_a ON u (a)")
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query(
                """
                DROP INDEX plain; CREATE TABLE mine (b int); CREATE INDEX plain ON mine (b);
                DELETE FROM t WHERE id > 5; ALTER TABLE u RENAME TO u_old;
                """)
            let words = ["--existing", "truncate", "--yes"]
            try await bench.expectRefused(target, saying: "index public.by_a of public.u_old") {
                try await bench.restore(tables: [], into: target, words)
            }
            try await target.query("ALTER INDEX by_a RENAME TO by_a_old")
            try await bench.restore(tables: [], into: target, words).requireCode(0)
            #expect(try await target.query("SELECT count(*) FROM t") == "20")
            #expect(try await target.query(Self.indexCount("u")) == "1")
            #expect(try await target.query(Self.indexCount("mine")) == "1")
        }
    }

    @Test(arguments: TestServer.all)
    func `a partition comes back beside its renamed original only with its indexes`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE whole (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
                CREATE INDEX by_v ON whole (v);
                CREATE TABLE part PARTITION OF whole FOR VALUES FROM (0) TO (100);
                CREATE TABLE rest PARTITION OF whole FOR VALUES FROM (100) TO (200);
                INSERT INTO whole SELECT i, 'v' || i FROM generate_series(1, 150) i;
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query(
                "ALTER TABLE whole DETACH PARTITION part; ALTER TABLE part RENAME TO part_old")
            for words in [[], ["--clean", "--yes"]] {
                try await bench.expectRefused(
                    target, saying: "index public.part_pkey of public.part_old",
                    "index public.part_v_idx of public.part_old"
                ) {
                    try await bench.restore(tables: ["part"], into: target, words)
                }
            }
            try await target.query(
                """
                ALTER INDEX part_pkey RENAME TO part_old_pkey;
                ALTER INDEX part_v_idx RENAME TO part_old_v_idx;
                """)
            try await bench.restore(tables: ["part"], into: target).requireCode(0)
            try await target.query("DROP TABLE part_old")
            try await bench.restore(
                tables: ["whole"], into: target, ["--clean", "--yes"]
            ).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    @Test(arguments: TestServer.all)
    func `a table comes back beside its renamed original only with sequences of its own`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE t (id serial, n int GENERATED ALWAYS AS IDENTITY, v text);
                INSERT INTO t (v) SELECT 'v' || i FROM generate_series(1, 20) i
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query("ALTER TABLE t RENAME TO t_old; DELETE FROM t_old WHERE id > 5")

            let clean = ["--clean", "--yes"]
            let ways: [(tables: [String], words: [String])] = [
                (["t"], []), (["t"], clean), ([], clean),
                ([], ["--existing", "truncate", "--yes"]),
            ]
            for way in ways {
                try await bench.expectRefused(
                    target, saying: "sequence public.t_id_seq of public.t_old",
                    "sequence public.t_n_seq of public.t_old",
                    "ALTER SEQUENCE \"public\".\"t_id_seq\" RENAME TO …;"
                ) {
                    try await bench.restore(tables: way.tables, into: target, way.words)
                }
            }
            // Under another name it takes other names for them.
            try await bench.restore(tables: ["t"], into: target, ["--as", "copy"]).requireCode(0)
            #expect(try await target.query(Self.sequences("copy")) == "copy_id_seq|copy_n_seq")
            try await target.query(
                "DROP TABLE copy; ALTER SEQUENCE t_id_seq RENAME TO t_old_id_seq")
            try await bench.expectRefused(
                target, saying: "has sequence public.t_n_seq of public.t_old already"
            ) {
                try await bench.restore(tables: ["t"], into: target)
            }
            try await target.query("ALTER SEQUENCE t_n_seq RENAME TO t_old_n_seq")

            try await bench.restore(tables: ["t"], into: target).requireCode(0)
            try await bench.restore(tables: ["t"], into: target, clean).requireCode(0)
            #expect(try await target.query(Self.sequences("t")) == "t_id_seq|t_n_seq")
            #expect(try await target.query(Self.sequences("t_old")) == "t_old_id_seq|t_old_n_seq")
            for table in ["t", "t_old"] {
                #expect(
                    try await target.query("INSERT INTO \(table) (v) VALUES ('x') RETURNING id, n")
                        == "21|21")
            }

            // One of no table cannot become that of an identity column.
            try await target.query("DROP TABLE t, t_old; CREATE SEQUENCE t_n_seq")
            try await bench.expectRefused(target, saying: "has sequence public.t_n_seq already") {
                try await bench.restore(tables: ["t"], into: target)
            }
            // One that becomes a column's own does.
            try await target.query("DROP SEQUENCE t_n_seq; CREATE SEQUENCE t_id_seq AS integer")
            try await bench.restore(tables: ["t"], into: target).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    private static func sequences(_ table: String) -> String {
        """
        SELECT replace(pg_get_serial_sequence('\(table)', 'id'), 'public.', ''),
          replace(pg_get_serial_sequence('\(table)', 'n'), 'public.', '')
        """
    }

    private static func indexCount(_ table: String) -> String {
        "SELECT count(*) FROM pg_index WHERE indrelid = '\(table)'::regclass"
    }

    private static let table = """
        CREATE TABLE t (id int PRIMARY KEY, a int, b int, CONSTRAINT apart EXCLUDE (b WITH =));
        CREATE UNIQUE INDEX uq ON t (a); CREATE INDEX plain ON t (b);
        CREATE STATISTICS st ON a, b FROM t;
        INSERT INTO t SELECT i, i, i FROM generate_series(1, 20) i
        """
}
