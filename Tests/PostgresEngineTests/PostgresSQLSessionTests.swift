import BackupCore
import BackupTesting
import PostgresEngine
import Testing

/// What a person's statements share is lost with its own connection only.
@Suite struct PostgresSQLSessionTests {
    private actor NoRows: SQLSink {
        func begin(_ columns: [SQLColumn]) {}
        func take(_ rows: SQLRows) {}
    }

    /// Ends whoever looks for columns, until there is a table `enough`.
    private static let endsWhoLooks = """
        DO $$ DECLARE deadline timestamptz := clock_timestamp() + interval '10 minutes'; BEGIN
          WHILE to_regclass('enough') IS NULL LOOP
            PERFORM pg_stat_clear_snapshot();
            PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE datname = current_database() AND application_name = 'dbtool' AND state = 'active'
                AND query LIKE '%pg_catalog.pg_attribute a%';
            PERFORM pg_sleep(0.001);
            -- A transaction does not see that a name has been given meanwhile.
            COMMIT;
            IF clock_timestamp() > deadline THEN RAISE 'nobody looked'; END IF;
          END LOOP;
        END $$
        """

    @Test(arguments: TestServer.all)
    func `a transaction outlives a connection that only looked for names`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.createDatabase("aside")
            // So many columns that somebody can come in between.
            try await database.query(
                """
                CREATE TABLE kept (id integer);
                SELECT format('CREATE TABLE wide_%s (%s)', t, string_agg(format('c%s integer', c), ','))
                FROM generate_series(1, 30) t, generate_series(1, 1500) c GROUP BY t \\gexec
                """)
            var settings = PostgresSettings()
            settings.url = Secret(database.url)
            let session = PostgresEngine(settings).sqlSession { _ in }
            _ = try await session.write("BEGIN", into: NoRows())
            _ = try await session.write("INSERT INTO kept VALUES (1)", into: NoRows())
            let end = try await database.query(Self.endsWhoLooks) { _ in
                try await eventually("a look for names is ended") {
                    (try? await session.names()) == nil
                }
                try await database.query("CREATE TABLE enough ()")
            }
            #expect(end.code == 0, "\(end)")
            #expect(await session.hasOpenTransaction)
            _ = try await session.write("COMMIT", into: NoRows())
            #expect(try await database.query("SELECT count(*) FROM kept") == "1")
        }
    }
}
