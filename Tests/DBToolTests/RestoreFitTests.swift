import BackupTesting
import Testing

/// Rows go into columns that are not those of the backup only where they stay what they were.
@Suite struct RestoreFitTests {
    /// It would be NULL or have its default in every row, and nobody would say so.
    @Test(arguments: TestServer.all)
    func `a column that was computed is refused where the target has a plain one`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE t (id integer PRIMARY KEY, n integer,
                  twice integer GENERATED ALWAYS AS (n * 2) STORED);
                INSERT INTO t (id, n) VALUES (1, 1), (2, 2);
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query("ALTER TABLE t ALTER twice DROP EXPRESSION")
            let replacing = ["--existing", "truncate"]
            for words in [replacing, ["--existing", "append"], ["--data-only"] + replacing] {
                try await bench.expectRefused(
                    target,
                    saying:
                        "the rows do not fit: column twice of public.t is not computed, and was",
                    "--as NAME"
                ) {
                    try await bench.restore(tables: ["t"], into: target, words)
                }
            }
            // One that is missing lacks nothing of the rows, and one may be computed otherwise.
            try await target.query("ALTER TABLE t DROP twice")
            try await bench.restore(tables: ["t"], into: target, replacing).requireCode(0)
            try await target.query(
                "ALTER TABLE t ADD twice integer GENERATED ALWAYS AS (n + n) STORED")
            try await bench.restore(
                tables: ["t"], into: target, replacing + ["--check", "rows"]
            ).requireCode(0)
            #expect(try await target.query("SELECT sum(twice) FROM t") == "6")
        }
    }

    /// What is read back is compared by its text.
    @Test(arguments: TestServer.all)
    func `columns that hold as much take rows that stay what they were`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE t (id smallint PRIMARY KEY, c character(5), d character(5)[], b bit(3), n name,
                  m numeric(8,2), i interval day to second(3), at timestamp(3), r int4range, j jsonb);
                INSERT INTO t VALUES
                  (1, 'ab', '{a,"b c",NULL}', B'101', 'x y', 1.50, '3 days 01:02:03.45', '2024-02-29 01:02:03.4',
                   '[1,5]', '{"b": 1.10, "a": null}'),
                  (2, '', '{}', B'000', '', 'NaN', '-1 day', 'infinity', 'empty', '"é"'),
                  (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.createDatabase("target")
            try await target.query(
                """
                CREATE TABLE t (id numeric(5,0) PRIMARY KEY, c text, d character varying(5)[], b bit varying(3),
                  n character varying, m numeric(10,2), i interval, at timestamp(6), r int8range, j json);
                """)
            try await bench.restore(
                tables: ["t"], into: target, ["--existing", "truncate", "--check", "rows"]
            ).requireCode(0)
            let lengths = "SELECT octet_length(c), octet_length(d[1]) FROM t WHERE id = 1"
            #expect(try await target.query(lengths) == "5|5")
        }
    }
}
