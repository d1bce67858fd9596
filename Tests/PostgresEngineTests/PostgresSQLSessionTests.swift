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

    /// Locks what names are read from, ends whoever waits for it, and lets it go.
    private static let endsWhoWaits = """
        BEGIN; LOCK TABLE pg_catalog.pg_attribute;
        DO $$ DECLARE hit boolean := false; BEGIN
          FOR i IN 1..3000 LOOP
            PERFORM pg_stat_clear_snapshot();
            PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE datname = current_database() AND application_name = 'dbtool' AND wait_event_type = 'Lock';
            hit := FOUND;
            EXIT WHEN hit;
            PERFORM pg_sleep(0.01);
          END LOOP;
          IF NOT hit THEN RAISE 'nobody waited'; END IF;
        END $$;
        ROLLBACK
        """

    @Test(arguments: TestServer.all)
    func `a transaction outlives a connection that only looked for names`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.createDatabase("aside")
            try await database.query("CREATE TABLE kept (id integer)")
            var settings = PostgresSettings()
            settings.url = Secret(database.url)
            let session = PostgresEngine(settings).sqlSession { _ in }
            _ = try await session.write("BEGIN", into: NoRows())
            _ = try await session.write("INSERT INTO kept VALUES (1)", into: NoRows())
            let end = try await database.query(Self.endsWhoWaits) { _ in
                try await eventually("the catalog is locked") {
                    try await bench.administration.query(
                        """
                        SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                        WHERE d.datname = '\(database.name)' AND l.relation = 'pg_attribute'::regclass
                          AND l.mode = 'AccessExclusiveLock' AND l.granted
                        """) == "1"
                }
                await #expect(throws: (any Error).self) { _ = try await session.names() }
            }
            #expect(end.code == 0, "\(end)")
            #expect(await session.hasOpenTransaction)
            _ = try await session.write("COMMIT", into: NoRows())
            #expect(try await database.query("SELECT count(*) FROM kept") == "1")
        }
    }
}
