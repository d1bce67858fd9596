import BackupTesting
import Testing

/// A backup goes on when one of its connections is lost, and holds what it should.
@Suite struct LostConnectionTests {
    @Test(arguments: [2, 4])
    func `a backup one of whose readers is ended restores to exactly its source`(
        jobs: Int
    ) async throws {
        try await Workbench.with(TestServer.oldestAndNewest.newest) { bench in
            let source = try await bench.wideTables()
            let words = ["--jobs", "\(jobs)", "-compress", "zstd"]
            let end = try await bench.full(source, words) { _ in
                try await eventually("a reader is ended") { try await source.endReader() }
            }
            end.expect(
                code: 0, saying: "a connection was lost and replaced while reading public.wide_")
            let backup = try StoredBackup(end)
            try await bench.dbtool(["verify", backup.id, "-path", bench.repository]).requireCode(0)
            let copy = try await bench.restored(backup.id)
            try await bench.expectEqual(source, copy)
        }
    }
}

extension Workbench {
    /// As many tables as connections, each of 80 MB of rows that the server stores packed.
    fileprivate func wideTables() async throws -> TestDatabase {
        let database = try await createDatabase("wide")
        try await database.query(
            """
            CREATE TABLE wide_1 (id integer, value text);
            INSERT INTO wide_1 SELECT 0, repeat('a, "b" and c; ', 700);
            INSERT INTO wide_1 SELECT i, value FROM wide_1, generate_series(1, 8000) i;
            CREATE TABLE wide_2 AS TABLE wide_1; CREATE TABLE wide_3 AS TABLE wide_1;
            CREATE TABLE wide_4 AS TABLE wide_1;
            """)
        return database
    }
}

extension TestDatabase {
    /// Ends a session that reads rows and is not the leader, which has its locks; false without one.
    fileprivate func endReader() async throws -> Bool {
        try await query(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'dbtool' AND state = 'active'
              AND query LIKE 'SAVEPOINT before_lock%COPY%' LIMIT 1
            """) == "t"
    }
}
