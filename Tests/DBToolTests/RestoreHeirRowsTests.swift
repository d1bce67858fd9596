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
            CREATE TABLE late (b integer, a integer, c integer);
            ALTER TABLE late INHERIT parent;
            CREATE TYPE ty AS (q child[], z integer);
            CREATE DOMAIN dd AS child;
            CREATE TABLE u (id integer PRIMARY KEY, c child);
            CREATE TABLE w (id integer PRIMARY KEY, v ty[], d dd, l late);
            INSERT INTO child VALUES (1, 2, 3);
            INSERT INTO u VALUES (1, '(1,2,3)');
            INSERT INTO w VALUES (1, ARRAY['("{""(1,2,3)""}",4)'::ty], '(1,2,3)', '(1,2,3)');
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

    @Test(arguments: TestServer.all)
    func `values are not exchanged in silence where columns come in another order`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await Self.source(bench)
            let (new, live) = (
                bench.expectDatabase("new"), try await bench.duplicate(source, "live")
            )
            let words = [
                "columns of public.child in the order (a, b, c)",
                "first that it inherits, (a, c, b)",
                "values of c of public.u, v of public.w, d of public.w in this order",
                "columns of public.late in the order (b, a, c)",
            ]
            let end = try await bench.restore(into: new, ["--check", "rows"])
            #expect(end.code == 3, "\(end)")
            for word in words {
                #expect(end.output.contains(word) && end.errors.contains(word), "\(end)")
            }
            // What has the order of the source is not dropped for that.
            let cleaning = ["--clean", "--yes"]
            try await bench.expectRefused(
                live, saying: "cannot be made as it was once it is dropped", words[0],
                "--existing truncate"
            ) {
                try await bench.restore(tables: [], into: live, cleaning)
            }
            try await bench.restore(tables: [], into: new, cleaning).requireCode(3)
            // Without rows nothing is exchanged.
            try await bench.restore(tables: [], into: new, cleaning + ["--schema-only"])
                .requireCode(0)
            let mended = try await bench.createDatabase("mended")
            try await mended.query(
                """
                CREATE TABLE parent (a integer, c integer);
                CREATE TABLE child (a integer, b integer, c integer);
                ALTER TABLE child INHERIT parent;
                """)
            try await bench.restore(
                tables: ["parent", "child", "u"], into: mended, ["--existing", "truncate"]
            ).requireCode(0)
            #expect(try await mended.query("SELECT (c).a, (c).b, (c).c FROM u") == "1|2|3")
        }
    }

    /// The server rounds what goes into a column that comes from what is there.
    @Test(arguments: TestServer.all)
    func `rows do not go into columns that are narrower where they are inherited from`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE parent (a numeric(10,4));
                CREATE TABLE child (b integer) INHERITS (parent);
                CREATE TABLE grandchild (d integer) INHERITS (child);
                CREATE TYPE kind AS (a numeric(10,4));
                CREATE TABLE typed OF kind;
                CREATE TABLE heirs (id integer PRIMARY KEY, c child);
                CREATE TABLE kinds (id integer PRIMARY KEY, c typed);
                INSERT INTO child VALUES (1.2345, 1);
                INSERT INTO grandchild VALUES (2.3456, 1, 2);
                INSERT INTO typed VALUES (1.2345);
                INSERT INTO heirs VALUES (1, '(1.2345,1)');
                INSERT INTO kinds VALUES (1, '(1.2345)');
                """)
            _ = try await bench.backUp(source)
            let narrow = try await bench.createDatabase("narrow")
            try await narrow.query(
                """
                CREATE TABLE parent (a numeric(10,2));
                CREATE TYPE kind AS (a numeric(10,2));
                """)
            let was = "is numeric(10,2), and was numeric(10,4)"
            let refusals = [
                "child": "column a of public.child \(was)",
                "grandchild": "column a of public.grandchild \(was)",
                "typed": "column a of public.typed \(was)",
                "heirs": "attribute a of type public.child \(was)",
                "kinds": "attribute a of type public.typed \(was)",
            ]
            for (table, words) in refusals.sorted(by: { $0.key < $1.key }) {
                try await bench.expectRefused(narrow, saying: "the rows do not fit: ", words) {
                    try await bench.restore(tables: [table], into: narrow)
                }
            }
            let copying = ["--as", "copy"]
            try await bench.expectRefused(narrow, saying: "column a of public.copy \(was)") {
                try await bench.restore(tables: ["child"], into: narrow, copying)
            }
            let wide = try await bench.createDatabase("wide")
            try await wide.query(
                """
                CREATE TABLE parent (more integer, a numeric(12,4));
                CREATE TYPE kind AS (a numeric(12,4));
                """)
            for table in ["grandchild", "kinds"] {
                try await bench.restore(tables: [table], into: wide, ["--check", "rows"])
                    .requireCode(0)
            }
            #expect(try await wide.query("SELECT a FROM grandchild") == "2.3456")
            #expect(try await wide.query("SELECT (c).a FROM kinds") == "1.2345")
        }
    }
}
