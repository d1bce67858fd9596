import BackupTesting
import Testing

/// Rows of tables that inherit, as values of a column: the server puts columns first that a table inherits when it makes
/// it, and where it had them is another matter.
@Suite struct RestoreHeirRowsTests {
    /// `child` has `c` behind its own column, `late` has its own column first, `ty` and `dd` are made of `child`.
    private static func source(_ bench: Workbench) async throws -> TestDatabase {
        let source = try await bench.createDatabase()
        try await source.query(
            """
            CREATE TABLE parent (a integer);
            CREATE TABLE child (b integer) INHERITS (parent);
            ALTER TABLE parent ADD c integer;
            CREATE TABLE late (b numeric(6,2), a integer, c integer);
            ALTER TABLE late INHERIT parent;
            CREATE TYPE ty AS (q child[], z integer);
            CREATE DOMAIN dd AS child;
            CREATE TABLE u (id integer PRIMARY KEY, c child);
            CREATE TABLE w (id integer PRIMARY KEY, v ty[], d dd, l late);
            INSERT INTO child VALUES (1, 2, 3);
            INSERT INTO u VALUES (1, '(1,2,3)');
            INSERT INTO w VALUES (1, ARRAY['("{""(1,2,3)""}",4)'::ty], '(1,2,3)', '(1.50,2,3)');
            """)
        _ = try await bench.backUp(source)
        return source
    }

    @Test(arguments: TestServer.all)
    func `rows of tables with inherited columns go back into their own database`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await Self.source(bench)
            let (whole, more) = (
                try await bench.duplicate(source, "whole"),
                try await bench.duplicate(source, "more")
            )
            try await bench.restore(
                tables: [], into: whole, ["--existing", "truncate", "--yes", "--check", "rows"]
            ).requireCode(0)
            try await bench.expectEqual(source, whole)
            try await more.query("DELETE FROM u; DELETE FROM w; DELETE FROM parent")
            try await bench.restore(tables: [], into: more, ["--existing", "append"])
                .requireCode(0)
            try await bench.expectEqual(source, more)
            // Its own column is where another one was.
            let other = try await bench.createDatabase("other")
            try await other.query(
                """
                CREATE TABLE parent (a integer, c integer);
                CREATE TABLE child (b integer) INHERITS (parent)
                """)
            try await bench.expectRefused(
                other, saying: "type public.child is (a, c, b), and was (a, b, c)"
            ) {
                try await bench.restore(tables: ["u"], into: other)
            }
        }
    }
}
