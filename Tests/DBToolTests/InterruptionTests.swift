import BackupTesting
import Foundation
import Testing

/// However a run ends, there is a whole backup or none, and the next run works.
@Suite struct InterruptionTests {
    @Test(arguments: TestServer.all)
    func `an interrupted backup leaves nothing behind, nor a query on the server`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let slow = try await bench.slow()
            let end = try await bench.full(slow, ["-compress", "zstd"]) { running in
                try await bench.untilReading(slow)
                #expect(try bench.storedBackups().count == 1)
                try running.send(SIGINT)
            }
            end.expect(code: 130, saying: "interrupted")
            #expect(try JSON(parsing: end.output)["error"]["code"].string == "interrupted")
            try bench.expectNothingStored()
            try await bench.untilGone(slow)
            let list = try await bench.dbtool(["list", "-path", bench.repository, "--json"])
            let backups = try JSON(parsing: list.output)["backups"]
            #expect(backups.items.map(\.["status"]) == [.text("failed")], "\(list)")
        }
    }

    @Test(arguments: TestServer.all)
    func `a backup that waits for a lock can be interrupted`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            _ = try await source.query("BEGIN; LOCK TABLE pets; SELECT pg_sleep(600)") { blocker in
                try await bench.untilWaiting(source, ["PgSleep"])
                // An hour: a backup that waits for the lock first fails by the test's own limit.
                let end = try await bench.full(source, ["--lock-timeout", "3600"]) { running in
                    try await bench.untilWaiting(source, ["relation"])
                    try running.send(SIGINT)
                }
                end.expect(code: 130, saying: "interrupted")
                try bench.expectNothingStored()
                try await bench.untilGone(source)
                try blocker.send(SIGINT)
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `a backup can be interrupted while pg_dump works`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let pause = try bench.pausingPgDump()
            let end = try await bench.full(source, ["--pg-dump", pause.program]) { running in
                try await pause.untilReached()
                try running.send(SIGTERM)
            }
            end.expect(code: 130)
            try bench.expectNothingStored()
            try await bench.untilGone(source)
        }
    }

    @Test func `a file that may not grow any more is an error with words`() async throws {
        try await Workbench.with(TestServer.oldestAndNewest.newest) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                "CREATE TABLE t AS SELECT i, repeat('x', 100) AS v FROM generate_series(1, 20000) i"
            )
            let words =
                ["full", "database", "-path", bench.repository] + bench.connection()
                + ["--database", source.name]
            let end = try await bench.shell(
                "ulimit -f 1000; exec '\(try DBToolBinary.path())' \(words.joined(separator: " "))")
            end.expect(code: 1, saying: "File too large")
            try bench.expectNothingStored()
        }
    }

    @Test(arguments: TestServer.all)
    func `a killed backup is shown as unfinished and removed by the next run`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let slow = try await bench.slow()
            let end = try await bench.full(slow, ["-compress", "zstd"]) { running in
                try await bench.untilReading(slow)
                try running.send(SIGKILL)
            }
            #expect(end.code == 128 + SIGKILL, "\(end)")
            let left = try #require(try bench.storedBackups().first)
            let list = try await bench.dbtool(["list", "-path", bench.repository])
            #expect(list.output.contains("unfinished: \(left)"), "\(list)")
            let json = try await bench.dbtool(["list", "-path", bench.repository, "--json"])
            #expect(try JSON(parsing: json.output)["unfinished"] == .array([.text(left)]))
            try await bench.dbtool(["verify", "latest", "-path", bench.repository])
                .expect(code: 1, saying: "no completed backup")

            // Another database's run leaves it alone: its own may still be working.
            _ = try await bench.backUp(try await bench.small())
            #expect(try bench.storedBackups().contains(left))

            try await slow.query("DROP TABLE large")
            let backup = try await bench.backUp(slow)
            #expect(try !bench.storedBackups().contains(left))
            try await bench.dbtool(["verify", backup.id, "-path", bench.repository])
                .requireCode(0)
        }
    }

    @Test(arguments: TestServer.all)
    func `a second run on the same database is refused and harms neither`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let slow = try await bench.slow()
            let end = try await bench.full(slow, ["-compress", "zstd"]) { running in
                try await bench.untilReading(slow)
                try running.send(SIGSTOP)
                let second = try await bench.full(slow)
                second.expect(code: 6, saying: "held by another run")
                #expect(try JSON(parsing: second.output)["error"]["code"].string == "locked")
                // It is told so before it asks the server for anything.
                try await bench.full(slow, ["--port", "1"])
                    .expect(code: 6, saying: "held by another run")
                #expect(try bench.storedBackups().count == 1)
                // Other databases are free, and so is reading.
                try await bench.full(try await bench.small()).requireCode(0)
                try await bench.dbtool(["list", "-path", bench.repository]).requireCode(0)
                try running.send(SIGCONT)
                try running.send(SIGINT)
            }
            #expect(end.code == 130, "\(end)")
            try await slow.query("DROP TABLE large")
            try await bench.full(slow).requireCode(0)
        }
    }

    @Test(arguments: TestServer.all)
    func `a backup whose only connection is terminated fails and keeps nothing`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let slow = try await bench.slow()
            let end = try await bench.full(slow, ["-compress", "zstd", "--jobs", "1"]) { _ in
                try await bench.untilReading(slow)
                try await bench.terminate(slow, "query ~ 'COPY .*STD(IN|OUT)'")
            }
            #expect([1, 5].contains(end.code), "\(end)")
            try bench.expectNothingStored()
            try await bench.untilGone(slow)
        }
    }

    /// The locks are gone with the leader, so that whatever is read afterwards proves nothing.
    @Test(arguments: TestServer.all)
    func `a backup that loses the session with its locks fails and keeps nothing`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let pause = try bench.pausingPgDump()
            let end = try await bench.full(source, ["--pg-dump", pause.program]) { _ in
                try await pause.untilReached()
                try await bench.terminate(source, "true")
                try await source.query("TRUNCATE pets")
                try pause.proceed()
            }
            #expect([1, 5].contains(end.code), "\(end)")
            try bench.expectNothingStored()
        }
    }

    @Test(arguments: TestServer.all)
    func `an interrupted restore ends its sessions and says so`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE wide (id integer, value text);
                INSERT INTO wide SELECT i, repeat(md5(i::text), 300) FROM generate_series(1, 60000) i;
                """)
            _ = try await bench.backUp(source, ["-compress", "zstd"])
            let copy = bench.expectDatabase()
            let end = try await bench.restore(into: copy) { running in
                try await bench.untilReading(copy)
                try running.send(SIGINT)
            }
            #expect(end.code == 130, "\(end)")
            try await bench.untilGone(copy)
            #expect(try await copy.query("SELECT count(*) FROM wide") == "0")
        }
    }

    @Test(arguments: TestServer.all)
    func `a reader of rows that goes away is no error`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                "CREATE TABLE many AS SELECT i FROM generate_series(1, 200000) i")
            _ = try await bench.backUp(source)
            let end = try await bench.shell(
                """
                { '\(DBToolBinary.path())' rows latest many -path repository; echo $? >code; } |
                head -n 3; cat code
                """)
            #expect(end.output == "i\n1\n2\n0\n", "\(end)")
        }
    }
}

extension Workbench {
    func untilWaiting(_ database: TestDatabase, _ events: [String]) async throws {
        let list = events.map { "'\($0)'" }.joined(separator: ", ")
        try await eventually("a session of \(database.name) waits for \(list)") {
            try await administration.query(
                """
                SELECT count(*) FROM pg_stat_activity
                WHERE datname = '\(database.name)' AND wait_event IN (\(list))
                """) != "0"
        }
    }

    fileprivate func terminate(_ database: TestDatabase, _ condition: String) async throws {
        try await administration.query(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = '\(database.name)' AND application_name = 'dbtool' AND \(condition)
            """)
    }
}
