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
}

extension Workbench {
    /// A database with settings of its own.
    fileprivate func createSet(_ settings: [String]) async throws -> TestDatabase {
        let database = try await createDatabase("computing")
        for setting in settings {
            try await database.query("ALTER DATABASE \(Self.quoted(database.name)) SET \(setting)")
        }
        return database
    }
}
