import BackupCore
import BackupTesting
import Synchronization
import Testing

@testable import PostgresEngine

/// Rows on their way out of the server: past libpq and by libpq the same ones, whatever their sizes,
/// and a connection that can be used again after everything that may happen to a COPY.
@Suite struct PostgresCopyTests {
    /// How rows are read.
    enum Way: CaseIterable { case pastLibpq, byLibpq }

    /// Sizes at which a message's head or a row is divided between two reads, and rows larger than a batch.
    static let selections = [
        "SELECT i FROM generate_series(1, 0) i", "SELECT i FROM generate_series(1, 400000) i",
        "SELECT repeat('x', i) FROM generate_series(0, 3000) i",
        "SELECT repeat('é', (i * 7919) % 9000) FROM generate_series(1, 3000) i",
        "SELECT repeat('y', 262144 - 20 + i) FROM generate_series(1, 40) i",
        "SELECT repeat('z', CASE WHEN i % 5 = 0 THEN 3000000 ELSE i END) FROM generate_series(1, 23) i",
        "SELECT repeat('w', 30000000)", "SELECT FROM generate_series(1, 5)",
    ]

    @Test(arguments: TestServer.all, selections)
    func `both ways give what the server sends`(
        server: TestServer, selection: String
    ) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.createDatabase("copy")
            let sql = "COPY (\(selection)) TO STDOUT (FORMAT csv)"
            let expected = try await database.query(sql)
            let connection = try await PostgresConnection(bench.settings(database))
            for way in Way.allCases {
                let rows = try await connection.records(of: sql, way)
                #expect(rows.allSatisfy { $0.hasSuffix("\n") && $0.utf8.count { $0 == 0x0A } == 1 })
                #expect(rows.joined().dropLast() == expected, "\(way)")
                #expect(try await connection.value("SELECT 1") == "1")
            }
        }
    }

    @Test(arguments: TestServer.all, Way.allCases)
    func `statements before it in one message run, or it does not`(
        server: TestServer, way: Way
    ) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.createDatabase("copy")
            let connection = try await PostgresConnection(bench.settings(database))
            try await connection.execute("BEGIN; CREATE TEMPORARY TABLE t AS SELECT 1 AS i")
            for _ in 1...3 {
                let rows = try await connection.records(
                    of: """
                        SAVEPOINT before; LOCK TABLE pg_temp.t IN ACCESS SHARE MODE NOWAIT;
                        RELEASE SAVEPOINT before; COPY pg_temp.t TO STDOUT
                        """, way)
                #expect(rows == ["1\n"])
                let error = await #expect(throws: PostgresError.self) {
                    _ = try await connection.records(
                        of: """
                            SAVEPOINT before; LOCK TABLE nothing IN ACCESS SHARE MODE NOWAIT;
                            RELEASE SAVEPOINT before; COPY pg_temp.t TO STDOUT
                            """, way)
                }
                #expect(error?.sqlState == "42P01", "\(String(describing: error))")
                try await connection.execute("ROLLBACK TO SAVEPOINT before")
                #expect(try await connection.value("SELECT count(*) FROM pg_temp.t") == "1")
            }
        }
    }

    @Test(arguments: TestServer.all, Way.allCases)
    func `statements behind it in one message run, or are passed over where it fails`(
        server: TestServer, way: Way
    ) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.createDatabase("copy")
            try await database.query(
                """
                CREATE TABLE t AS SELECT i FROM generate_series(1, 20000) i; CREATE INDEX ON t (i)
                """)
            let connection = try await PostgresConnection(bench.settings(database))
            try await connection.execute("BEGIN")
            func message(_ selection: String) -> String {
                """
                SAVEPOINT before; COPY (\(selection)) TO STDOUT;
                ROLLBACK TO SAVEPOINT before; RELEASE SAVEPOINT before
                """
            }
            for _ in 1...3 {
                let rows = try await connection.records(
                    of: message("SELECT i FROM public.t WHERE i <> 7"), way)
                #expect(rows.count == 19999)
                let error = await #expect(throws: PostgresError.self) {
                    _ = try await connection.records(
                        of: message("SELECT 1 / (i - 9000) FROM public.t"), way)
                }
                #expect(error?.sqlState == "22012", "\(String(describing: error))")
                try await connection.execute(
                    "ROLLBACK TO SAVEPOINT before; RELEASE SAVEPOINT before")
                let locks = try await connection.value(
                    """
                    SELECT count(*) FROM pg_catalog.pg_locks l
                    JOIN pg_catalog.pg_class c ON c.oid = l.relation
                    WHERE l.pid = pg_catalog.pg_backend_pid()
                      AND c.relnamespace = 'public'::regnamespace
                    """)
                #expect(locks == "0")
            }
        }
    }

    @Test(arguments: TestServer.all, Way.allCases)
    func `what the server remarks and where it fails is told`(
        server: TestServer, way: Way
    ) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.createDatabase("copy")
            try await database.query(
                """
                CREATE FUNCTION remarks(i integer) RETURNS integer LANGUAGE plpgsql AS $$
                BEGIN IF i % 100 = 0 THEN RAISE NOTICE 'at % %', i, repeat('x', 20000); END IF; RETURN i; END $$
                """)
            let connection = try await PostgresConnection(bench.settings(database))
            let remarks = Mutex<[String]>([])
            await connection.report { text in remarks.withLock { $0.append(text) } }
            let rows = try await connection.records(
                of: "COPY (SELECT public.remarks(i) FROM generate_series(1, 1000) i) TO STDOUT", way
            )
            #expect(rows.map { $0.dropLast() } == (1...1000).map { "\($0)" })
            #expect(remarks.withLock { $0.count } == 10)
            #expect(remarks.withLock { $0.allSatisfy { $0.utf8.count > 20000 } })
            for sql in [
                "COPY (SELECT 1 / (90000 - i) FROM generate_series(1, 100000) i) TO STDOUT",
                "COPY (SELECT 1 / 0) TO STDOUT", "COPY nothing TO STDOUT",
            ] {
                let error = await #expect(throws: PostgresError.self) {
                    _ = try await connection.records(of: sql, way)
                }
                #expect(
                    ["22012", "42P01"].contains(error?.sqlState), "\(String(describing: error))")
                #expect(try await connection.value("SELECT 1") == "1")
            }
        }
    }

    @Test(arguments: TestServer.all, Way.allCases)
    func `a reader that stops or is cancelled ends the statement, and the connection goes on`(
        server: TestServer, way: Way
    ) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.createDatabase("copy")
            let connection = try await PostgresConnection(bench.settings(database))
            let endless =
                "COPY (SELECT repeat('x', 100), pg_catalog.generate_series(1, 2000000000)) TO STDOUT"
            await #expect(throws: DeliberateFailure.self) {
                try await connection.copy(endless, way) { _ in throw DeliberateFailure() }
            }
            #expect(try await connection.value("SELECT 1") == "1")
            for sql in [endless, "COPY (SELECT pg_catalog.pg_sleep(600)) TO STDOUT"] {
                let reading = Task { try await connection.copy(sql, way) { _ in } }
                try await Task.sleep(for: .milliseconds(300))
                reading.cancel()
                await #expect(throws: (any Error).self) { try await reading.value }
                #expect(try await connection.value("SELECT 1") == "1")
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `a request to end a statement does not hit the next one`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.createDatabase("copy")
            try await database.query("CREATE TABLE t (v text)")
            let connection = try await PostgresConnection(bench.settings(database))
            for milliseconds in 0..<30 {
                let waiting = Task {
                    try await connection.executeInterruptibly("SELECT pg_catalog.pg_sleep(0.02)")
                }
                try await Task.sleep(for: .milliseconds(milliseconds))
                waiting.cancel()
                _ = await waiting.result
                try await connection.execute("SELECT pg_catalog.pg_sleep(0.02)")
                let writing = Task {
                    try await connection.copyIn("COPY public.t FROM STDIN") {
                        try await Task.sleep(for: .milliseconds(1))
                        return RowBatch(bytes: Array("row\n".utf8), ends: [4])
                    }
                }
                try await Task.sleep(for: .milliseconds(milliseconds))
                writing.cancel()
                await #expect(throws: (any Error).self) { try await writing.value }
                try await connection.execute("SELECT pg_catalog.pg_sleep(0.02)")
            }
            #expect(try await connection.value("SELECT count(*) FROM public.t") == "0")
        }
    }

    @Test(arguments: TestServer.all, Way.allCases)
    func `a connection that is lost is an error, never an end of the rows`(
        server: TestServer, way: Way
    ) async throws {
        try await Workbench.with(server) { bench in
            let database = try await bench.createDatabase("copy")
            for _ in 1...4 {
                let connection = try await PostgresConnection(bench.settings(database))
                let session = try await connection.value("SELECT pg_catalog.pg_backend_pid()")
                let isKilled = Mutex(false)
                let error = await #expect(throws: PostgresError.self) {
                    let sql =
                        "COPY (SELECT repeat('x', 70000), pg_catalog.generate_series(1, 20000000)) TO STDOUT"
                    try await connection.copy(sql, way) { _ in
                        guard !isKilled.withLock({ $0.exchange(with: true) }) else { return }
                        try await database.query("SELECT pg_terminate_backend(\(session ?? ""))")
                    }
                }
                #expect(error?.isConnectionLoss == true, "\(String(describing: error))")
            }
        }
    }
}

extension Bool {
    fileprivate mutating func exchange(with new: Bool) -> Bool {
        defer { self = new }
        return self
    }
}

extension Workbench {
    fileprivate func settings(_ database: TestDatabase) -> PostgresSettings {
        var settings = PostgresSettings()
        settings.url = Secret(database.url)
        return settings
    }
}

extension PostgresConnection {
    fileprivate nonisolated func copy(
        _ sql: String, _ way: PostgresCopyTests.Way,
        into sink: @escaping @Sendable (RowBatch) async throws -> Void
    ) async throws {
        switch way {
        case .pastLibpq: try await copyOut(sql, into: sink)
        case .byLibpq:
            try await Relay.run(capacity: 1, receive: sink) { relay in
                try await withTaskCancellationHandler {
                    try await self.read(sql, into: relay)
                } onCancel: {
                    canceller.cancel()
                }
            }
        }
    }

    fileprivate nonisolated func records(
        of sql: String, _ way: PostgresCopyTests.Way
    ) async throws -> [String] {
        let records = Mutex<[String]>([])
        try await copy(sql, way) { batch in
            var start = 0
            for end in batch.ends {
                let record = String(decoding: batch.bytes[start..<end], as: UTF8.self)
                records.withLock { $0.append(record) }
                start = end
            }
            #expect(start == batch.bytes.count)
        }
        return records.withLock { $0 }
    }
}
