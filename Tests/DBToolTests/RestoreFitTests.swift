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
}
