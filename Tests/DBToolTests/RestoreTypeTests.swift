import BackupTesting
import Testing

/// Types that the target has are used as they are where values stay what they were in these.
@Suite struct RestoreTypeTests {
    private static let types = """
        CREATE DOMAIN price AS numeric(10,4) CHECK (VALUE > 0);
        CREATE DOMAIN prices AS price[];
        CREATE DOMAIN moment AS timestamp(3);
        CREATE TYPE span AS RANGE (subtype = timestamp);
        CREATE TYPE costs AS RANGE (subtype = price);
        CREATE TYPE pair AS (a text, b text, p price);
        """
    private static let tables = """
        CREATE TABLE one (id integer PRIMARY KEY, c price);
        CREATE TABLE list (id integer PRIMARY KEY, c price[]);
        CREATE TABLE nested (id integer PRIMARY KEY, c prices);
        CREATE TABLE times (id integer PRIMARY KEY, c moment);
        CREATE TABLE spans (id integer PRIMARY KEY, c span);
        CREATE TABLE ranges (id integer PRIMARY KEY, c costs);
        CREATE TABLE pairs (id integer PRIMARY KEY, c pair);
        """
    private static let rows = """
        INSERT INTO one VALUES (1, 1.2345);
        INSERT INTO list VALUES (1, '{1.2345,2.0001}');
        INSERT INTO nested VALUES (1, '{1.2345,2.0001}');
        INSERT INTO times VALUES (1, '2024-02-29 01:02:03.456');
        INSERT INTO spans VALUES (1, '[2024-02-29 01:02:03,2024-03-01 04:05:06)');
        INSERT INTO ranges VALUES (1, '[1.2345,2.0001)');
        INSERT INTO pairs VALUES (1, '(x,y,1.2345)');
        """
    private static let all = ["one", "list", "nested", "times", "spans", "ranges", "pairs"]

    /// What a table's rows would become, said of the type that differs.
    private static let refusals = [
        "one": "type public.price is numeric(10,2), and was numeric(10,4)",
        "list": "type public.price is numeric(10,2), and was numeric(10,4)",
        "nested": "type public.price is numeric(10,2), and was numeric(10,4)",
        "times": "type public.moment is date, and was timestamp(3) without time zone",
        "spans": "type public.span is a range of date, and was one of timestamp without time zone",
        "ranges": "type public.price is numeric(10,2), and was numeric(10,4)",
        "pairs": "type public.pair is (b, a, p), and was (a, b, p)",
    ]

    private static let narrower = """
        CREATE DOMAIN price AS numeric(10,2) CHECK (VALUE > 0);
        CREATE DOMAIN prices AS price[];
        CREATE DOMAIN moment AS date;
        CREATE TYPE span AS RANGE (subtype = date);
        CREATE TYPE costs AS RANGE (subtype = price);
        CREATE TYPE pair AS (b text, a text, p price);
        """

    private static func source(_ bench: Workbench) async throws -> TestDatabase {
        let source = try await bench.createDatabase()
        try await source.query(types + tables + rows)
        _ = try await bench.backUp(source)
        return source
    }

    @Test(arguments: TestServer.all)
    func `rows do not go into narrower types of the same name, in new tables and in old ones`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            _ = try await Self.source(bench)
            let (empty, filled) = (
                try await bench.createDatabase("empty"), try await bench.createDatabase("filled")
            )
            try await empty.query(Self.narrower)
            try await filled.query(Self.narrower + Self.tables)
            for (table, words) in Self.refusals.sorted(by: { $0.key < $1.key }) {
                try await bench.expectRefused(
                    empty, saying: "the rows do not fit: ", words, "into another database"
                ) {
                    try await bench.restore(tables: [table], into: empty)
                }
            }
            for words in ["append", "truncate"] {
                try await bench.expectRefused(
                    filled, saying: "type public.price is numeric(10,2)",
                    "type public.moment is date", "type public.span is a range of date",
                    "type public.pair is (b, a, p)"
                ) {
                    try await bench.restore(
                        tables: Self.all, into: filled, ["--existing", words])
                }
            }
            // Without rows nothing can change, and what is made again is not used as it is.
            try await bench.restore(tables: ["one"], into: empty, ["--schema-only"]).requireCode(0)
            try await bench.restore(tables: [], into: filled, ["--clean", "--yes"]).requireCode(0)
            #expect(try await filled.query("SELECT c FROM one") == "1.2345")
        }
    }

    @Test(arguments: TestServer.all)
    func `wider types of the same name take rows that stay what they were`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await Self.source(bench)
            let target = try await bench.createDatabase("target")
            try await target.query(
                """
                CREATE DOMAIN price AS numeric(12,4);
                CREATE DOMAIN prices AS price[];
                CREATE DOMAIN moment AS timestamp(6);
                CREATE TYPE span AS RANGE (subtype = timestamp);
                CREATE TYPE costs AS RANGE (subtype = price);
                CREATE TYPE pair AS (a varchar, b text, p price);
                """)
            try await bench.restore(tables: Self.all, into: target, ["--check", "rows"])
                .requireCode(0)
            try await bench.restore(
                tables: Self.all, into: target, ["--existing", "truncate", "--check", "rows"]
            ).requireCode(0)
            for table in Self.all {
                let rows = "SELECT c::text FROM \(table)"
                let (there, was) = (try await target.query(rows), try await source.query(rows))
                #expect(there == was)
            }
        }
    }

    /// What rows of tables are used as: by themselves, in lists, under conditions, as a part of another type.
    private static let rowTypes = """
        CREATE TYPE spare AS (p part);
        CREATE DOMAIN good AS part CHECK ((VALUE).price > 0);
        CREATE TABLE plain (id integer PRIMARY KEY, c part);
        CREATE TABLE lists (id integer PRIMARY KEY, c part[]);
        CREATE TABLE goods (id integer PRIMARY KEY, c good);
        CREATE TABLE spares (id integer PRIMARY KEY, c spare);
        CREATE TABLE kinds (id integer PRIMARY KEY, c kind);
        """
    private static let allOfRows = ["plain", "lists", "goods", "spares", "kinds"]

    /// A dropped column is no part of a value; the heir has the columns of its table and its own.
    @Test(arguments: TestServer.all)
    func `rows of tables that are the type of a column are compared as well`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE part (name text, gone integer, price numeric(10,4));
                ALTER TABLE part DROP COLUMN gone;
                CREATE TABLE kind (note text) INHERITS (part);
                \(Self.rowTypes)
                INSERT INTO part VALUES ('kept', 1);
                INSERT INTO plain VALUES (1, '(x,1.2345)');
                INSERT INTO lists VALUES (1, '{"(x,1.2345)"}');
                INSERT INTO goods VALUES (1, '(x,1.2345)');
                INSERT INTO spares VALUES (1, '("(x,1.2345)")');
                INSERT INTO kinds VALUES (1, '(x,1.2345,n)');
                """)
            _ = try await bench.backUp(source)
            let others = [
                ("narrow", "name text, price numeric(10,2)", "attribute price of type public.part"),
                ("more", "name text, price numeric(10,4), more text", "type public.part is (name"),
                ("turned", "price numeric(10,4), name text", "type public.part is (price, name"),
            ]
            for (name, columns, words) in others {
                let target = try await bench.createDatabase(name)
                try await target.query(
                    """
                    CREATE TABLE part (\(columns));
                    CREATE TABLE kind (note text) INHERITS (part)
                    """)
                let ofHeir = words.replacing("part", with: "kind")
                try await bench.expectRefused(target, saying: "the rows do not fit: ", ofHeir) {
                    try await bench.restore(tables: ["kinds"], into: target)
                }
                for table in name == "narrow" ? Array(Self.allOfRows.dropLast()) : ["plain"] {
                    try await bench.expectRefused(target, saying: "the rows do not fit: ", words) {
                        try await bench.restore(tables: [table], into: target)
                    }
                }
                // What is made again is not used as it is.
                try await bench.restore(tables: [], into: target, ["--clean", "--yes"])
                    .requireCode(0)
                try await bench.expectEqual(source, target)
            }
            let same = try await bench.createDatabase("same")
            try await same.query(
                """
                CREATE TABLE part (name varchar, price numeric(12,4));
                CREATE TABLE kind (note text) INHERITS (part)
                """)
            try await bench.restore(tables: Self.allOfRows, into: same, ["--check", "rows"])
                .requireCode(0)
            for table in Self.allOfRows {
                let rows = "SELECT c::text FROM \(table)"
                let (there, was) = (try await same.query(rows), try await source.query(rows))
                #expect(there == was)
            }
        }
    }

    /// Nothing of it is in quotes in a script, though these words follow a type elsewhere.
    @Test(arguments: TestServer.all)
    func `types in schemas that are called like words of SQL are compared as well`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE SCHEMA options;
                CREATE SCHEMA generated;
                CREATE TYPE options.options AS (a numeric(10,4));
                CREATE DOMAIN generated.options AS options.options;
                CREATE TABLE rt (x generated.options);
                CREATE TABLE u (id integer PRIMARY KEY, c rt);
                INSERT INTO u VALUES (1, '("(1.2345)")');
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.createDatabase("target")
            try await target.query(
                """
                CREATE SCHEMA options;
                CREATE TYPE options.options AS (a numeric(10,2));
                """)
            try await bench.expectRefused(
                target, saying: "attribute a of type options.options is numeric(10,2)"
            ) {
                try await bench.restore(tables: ["u"], into: target)
            }
        }
    }

    /// Nothing is found by its name in a schema that is closed to a role.
    @Test(arguments: TestServer.all)
    func `a role gets its table back beside tables that it may not find`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner")
            let database = try await bench.createDatabase()
            try await database.query(
                """
                CREATE SCHEMA closed;
                CREATE TABLE closed.part (name text);
                CREATE TABLE closed.kind (note text) INHERITS (closed.part);
                CREATE SCHEMA app AUTHORIZATION \(owner);
                CREATE DOMAIN app.price AS numeric(10,4);
                CREATE TABLE app.one (id integer PRIMARY KEY, c app.price);
                INSERT INTO app.one VALUES (1, 1.2345);
                ALTER TABLE app.one OWNER TO \(owner);
                """)
            _ = try await bench.backUp(database)
            try await database.query("UPDATE app.one SET c = 2")
            try await bench.restore(
                tables: ["app.one"], into: database, ["--existing", "truncate"], as: owner
            ).requireCode(0)
            #expect(try await database.query("SELECT c FROM app.one") == "1.2345")
        }
    }
}
