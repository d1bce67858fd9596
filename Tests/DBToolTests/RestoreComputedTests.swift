import BackupTesting
import Testing

/// What a database computes for good follows its settings, and so does what a restore computes.
@Suite struct RestoreComputedTests {
    @Test(arguments: TestServer.all)
    func `materialized views are computed by the settings of the database`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createSet([
                "timezone = 'Europe/Berlin'", "default_text_search_config = 'pg_catalog.german'",
                "intervalstyle = 'iso_8601'", "datestyle = 'SQL, DMY'", "my.region = 'eu'",
            ])
            try await source.query(
                """
                CREATE TABLE sales (id integer PRIMARY KEY, at timestamptz, said text, region text);
                INSERT INTO sales VALUES (1, '2025-06-01 00:30+02', 'die Häuser laufen', 'eu'),
                  (2, '2025-06-01 12:00+02', 'Haus', 'us'), (3, '2025-07-01 01:00+02', 'x', 'eu');
                CREATE MATERIALIZED VIEW days AS SELECT at::date AS day, count(*) FROM sales GROUP BY 1;
                CREATE MATERIALIZED VIEW words AS SELECT id, to_tsvector(said) AS words FROM sales;
                CREATE MATERIALIZED VIEW texts AS
                  SELECT (max(at) - min(at))::text AS took, min(at)::text AS first FROM sales;
                CREATE MATERIALIZED VIEW here AS
                  SELECT id FROM sales WHERE region = current_setting('my.region');
                """)
            _ = try await bench.backUp(source)
            let facts = """
                SELECT * FROM days ORDER BY 1; SELECT * FROM words ORDER BY 1; SELECT * FROM texts;
                SELECT * FROM here ORDER BY 1
                """
            let expected = try await source.query(facts)
            let copy = try await bench.restored()
            #expect(try await copy.query(facts) == expected)
            // What is there keeps its settings.
            try await bench.restore(into: copy, ["--clean", "--yes"], creating: false)
                .requireCode(0)
            #expect(try await copy.query(facts) == expected)
        }
    }

    @Test(arguments: TestServer.all)
    func `rows and indexes are computed, and checked, by the settings of the database`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.sales()
            let expected = try await source.query(Self.facts("sales"))
            let backup = try await bench.backUp(source)
            let copy = try await bench.restored(backup.id, ["--check", "rows"])
            #expect(try await copy.query(Self.facts("sales")) == expected)
            try await bench.drilling {
                try await bench.dbtool(
                    ["verify", backup.id, "-path", bench.repository, "--drill", "--same-server"]
                        + bench.connection()
                ).requireCode(0)
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `rows of tables that exist are computed, and checked, by the settings of their database`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.sales()
            let expected = try await source.query(Self.facts("sales"))
            _ = try await bench.backUp(source)
            try await bench.restore(tables: ["sales"], into: source, ["--as", "beside"])
                .requireCode(0)
            #expect(try await source.query(Self.facts("beside")) == expected)
            try await source.query("DROP TABLE beside; DELETE FROM sales WHERE id > 1")
            try await bench.restore(
                tables: ["sales"], into: source, ["--existing", "truncate", "--yes"]
            ).requireCode(0)
            #expect(try await source.query(Self.facts("sales")) == expected)
        }
    }

    @Test(arguments: TestServer.all)
    func `a setting that is unknown to the target keeps no rows out`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.sales()
            try await source.query(
                """
                CREATE TEXT SEARCH CONFIGURATION gone (COPY = simple);
                ALTER DATABASE \(Workbench.quoted(source.name)) SET default_text_search_config = 'public.gone';
                DROP TEXT SEARCH CONFIGURATION gone
                """)
            _ = try await bench.backUp(source)
            let copy = bench.expectDatabase()
            try await bench.restore(into: copy).requireCode(0)
            let days = "SELECT id, d, day FROM sales ORDER BY id"
            #expect(try await copy.query(days) == source.query(days))
        }
    }

    @Test(arguments: TestServer.all)
    func `rows that several connections load are checked by the settings of the database`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createSet(["timezone = 'Europe/Berlin'"])
            try await source.query(
                """
                CREATE TABLE large (id integer PRIMARY KEY, at timestamptz, d date CHECK (d = at::date), pad text);
                INSERT INTO large SELECT i, '2025-06-01 00:30+02', '2025-06-01', repeat('x', 1 << 20)
                FROM generate_series(1, 66) i
                """)
            _ = try await bench.backUp(source)
            let copy = try await bench.restored("latest", ["--jobs", "3"])
            let days = "SELECT count(*), min(d), max(d) FROM large"
            #expect(try await copy.query(days) == source.query(days))
        }
    }

    @Test(arguments: TestServer.all)
    func `the settings of the database count before those of the restoring role`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let role = try await bench.createRole("zoned", "SUPERUSER")
            try await bench.administration.query(
                """
                ALTER ROLE \(role) SET timezone = 'America/New_York';
                ALTER ROLE \(role) SET my.region = 'us';
                ALTER ROLE \(role) SET intervalstyle = 'iso_8601';
                """)
            let source = try await bench.sales()
            let name = Workbench.quoted(source.name)
            try await source.query("ALTER DATABASE \(name) SET intervalstyle = 'sql_standard'")
            try await source.query(
                """
                CREATE MATERIALIZED VIEW days AS
                  SELECT id, at::text AS at, at::date AS day, is_here(region) AS here,
                         (at - timestamptz '2025-01-01 00:00+00')::text AS since FROM sales
                """)
            let facts = Self.facts("sales") + "SELECT * FROM days ORDER BY id"
            let expected = try await source.query(facts)
            _ = try await bench.backUp(source)
            let copy = bench.expectDatabase()
            try await bench.restore(into: copy, as: role).requireCode(0)
            #expect(try await copy.query(facts) == expected)
            // The same of rows that go where the database is.
            try await source.query("DELETE FROM sales WHERE id > 1")
            try await bench.restore(
                tables: ["sales"], into: source, ["--existing", "truncate", "--yes"], as: role
            ).requireCode(0)
            #expect(try await source.query(facts) == expected)
        }
    }

    /// What is computed for good, and what indexes find of it.
    private static func facts(_ table: String) -> String {
        """
        SELECT id, d, day, words FROM \(table) ORDER BY id;
        SET enable_seqscan = off;
        SELECT count(*) FROM \(table) WHERE day(at) = '2025-06-01';
        SELECT count(*) FROM \(table) WHERE is_here(region);
        """
    }
}

extension Workbench {
    /// A table with functions that are called immutable and are not.
    fileprivate func sales() async throws -> TestDatabase {
        let database = try await createSet(["timezone = 'Europe/Berlin'", "my.region = 'eu west'"])
        try await database.query(
            """
            CREATE FUNCTION day(timestamptz) RETURNS date LANGUAGE sql IMMUTABLE AS 'SELECT $1::date';
            CREATE FUNCTION words(text) RETURNS tsvector LANGUAGE sql IMMUTABLE
              AS 'SELECT pg_catalog.to_tsvector($1)';
            CREATE FUNCTION is_here(text) RETURNS boolean LANGUAGE sql IMMUTABLE
              AS 'SELECT $1 = pg_catalog.current_setting(''my.region'')';
            CREATE TEXT SEARCH CONFIGURATION own (COPY = pg_catalog.german);
            CREATE TABLE sales (id integer PRIMARY KEY, at timestamptz NOT NULL,
              d date NOT NULL CHECK (d = at::date),
              region text CHECK (region = current_setting('my.region')), said text,
              day date GENERATED ALWAYS AS (day(at)) STORED,
              words tsvector GENERATED ALWAYS AS (words(said)) STORED);
            CREATE INDEX ON sales (day(at)); CREATE INDEX ON sales (is_here(region));
            ALTER DATABASE \(Self.quoted(database.name)) SET default_text_search_config = 'public.own';
            """)
        // A session that has it.
        try await database.query(
            """
            INSERT INTO sales (id, at, d, region, said) VALUES
              (1, '2025-06-01 00:30', '2025-06-01', 'eu west', 'die Häuser laufen'),
              (2, '2025-06-01 12:00', '2025-06-01', 'eu west', 'Haus');
            """)
        return database
    }

    /// A database with settings of its own.
    fileprivate func createSet(_ settings: [String]) async throws -> TestDatabase {
        let database = try await createDatabase("computing")
        for setting in settings {
            try await database.query("ALTER DATABASE \(Self.quoted(database.name)) SET \(setting)")
        }
        return database
    }
}
