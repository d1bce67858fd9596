import BackupTesting
import Foundation
import Testing

/// However a run on MySQL or MariaDB ends, there is a whole backup or none, and the next run works.
@Suite struct MySQLInterruptionTests {
    private static let doublings = (0..<20).map { power in
        """
        INSERT INTO large SELECT id + \(1 << power), CONCAT(SHA2(id + \(1 << power), 256), SHA2(id, 256), SHA2(-id, 256))
        FROM large;
        """
    }.joined()

    /// A database that takes a while to read.
    private func withLarge(
        _ server: MySQLTestServer, _ body: (MySQLBench) async throws -> Void
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                """
                CREATE TABLE large (id int PRIMARY KEY, filler varchar(200)) ENGINE = InnoDB;
                INSERT INTO large VALUES (1, 'x'); \(Self.doublings) ANALYZE TABLE large
                """)
            try await body(bench)
        }
    }

    private func full(
        _ bench: MySQLBench, _ words: [String] = [],
        while body: (RunningProgram) async throws -> Void = { _ in }
    ) async throws -> ProgramEnd {
        try await bench.dbtool(
            [
                "full", "database", "-path", bench.repository, "--database", bench.source.name,
                "--jobs", "1", "-compress", "zstd",
            ] + words, while: body)
    }

    private func sessions(_ bench: MySQLBench, _ condition: String) async throws -> [String] {
        try await bench.server.query(
            """
            SELECT ID FROM information_schema.PROCESSLIST
            WHERE DB = '\(bench.source.name)' AND \(condition)
            """
        ).split(separator: "\n").map(String.init)
    }

    private func untilReading(_ bench: MySQLBench) async throws {
        try await eventually("rows are read") {
            try await !sessions(bench, "INFO LIKE 'SELECT `id`%large%'").isEmpty
        }
    }

    private func untilGone(_ bench: MySQLBench) async throws {
        try await eventually("no session of the backup is left") {
            try await sessions(bench, "TRUE").isEmpty
        }
    }

    private func stored(_ bench: MySQLBench) throws -> [String] {
        guard FileManager.default.fileExists(atPath: bench.repository) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: bench.repository)
            .filter { $0.hasPrefix("full_") }
    }

    @Test(arguments: MySQLTestServer.all)
    func `an interrupted backup leaves nothing behind, a killed one until the next run`(
        server: MySQLTestServer
    ) async throws {
        try await withLarge(server) { bench in
            let interrupted = try await full(bench) { running in
                try await untilReading(bench)
                try running.send(SIGINT)
            }
            interrupted.expect(code: 130, saying: "interrupted")
            #expect(try stored(bench) == [])
            try await untilGone(bench)

            let killed = try await full(bench) { running in
                try await untilReading(bench)
                try running.send(SIGKILL)
            }
            #expect(killed.code == 128 + SIGKILL, "\(killed)")
            let left = try #require(try stored(bench).first)
            try await bench.dbtool(["verify", "latest", "-path", bench.repository])
                .expect(code: 1, saying: "no completed backup")
            let backup = try await bench.backUp()
            #expect(try stored(bench).contains(left) == false)
            try await bench.expectEqual(bench.source, try await bench.restored(backup.id))
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a backup whose session an administrator ends fails, and keeps nothing`(
        server: MySQLTestServer
    ) async throws {
        try await withLarge(server) { bench in
            for kill in ["KILL", "KILL QUERY"] {
                let end = try await killed(kill, bench)
                #expect([1, 5].contains(end.code), "\(end)")
                #expect(end.errors.contains("cannot read \(bench.source.name).large"), "\(end)")
                #expect(try stored(bench) == [])
            }
            try await untilGone(bench)
        }
    }

    /// A statement that has just ended is not hit, and then the backup goes on: it is made again.
    private func killed(_ kill: String, _ bench: MySQLBench) async throws -> ProgramEnd {
        for _ in 0..<10 {
            let end = try await full(bench) { running in
                try await untilReading(bench)
                // Nobody takes its rows: it waits in the middle of them.
                try running.send(SIGSTOP)
                for session in try await sessions(bench, "INFO LIKE 'SELECT `id`%large%'") {
                    _ = try await bench.server.attempt("\(kill) \(session)")
                }
                try running.send(SIGCONT)
            }
            guard end.code == 0 else { return end }
            try FileManager.default.removeItem(atPath: bench.repository)
        }
        throw ProgramFailure("no statement could be hit")
    }

    @Test(arguments: MySQLTestServer.all)
    func `a backup waits for a lock as long as it is told, and can be interrupted`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query("CREATE TABLE held (id int PRIMARY KEY)")
            let holder = Task {
                try await bench.source.query("LOCK TABLES held WRITE; DO SLEEP(600)")
            }
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await waitInVain(bench))
            } catch {
                outcome = .failure(error)
            }
            for session in try await sessions(bench, "INFO LIKE 'DO SLEEP%'") {
                try await bench.server.query("KILL \(session)")
            }
            _ = try? await holder.value
            try outcome.get()
            try await untilGone(bench)
            try await full(bench).requireCode(0)
        }
    }

    private func waitInVain(_ bench: MySQLBench) async throws {
        try await eventually("the table is locked") {
            try await !sessions(bench, "INFO LIKE 'DO SLEEP%'").isEmpty
        }
        try await full(bench, ["--lock-timeout", "1"])
            .expect(code: 6, saying: "holds a lock on table", "held")
        let check = try await bench.check()
        check.expect(code: 0)
        #expect(check.text("locks").contains("holds a lock on held"), "\(check.end)")
        let end = try await full(bench, ["--lock-timeout", "3600"]) { running in
            try await eventually("the backup waits") {
                try await !sessions(bench, "STATE LIKE '%metadata lock%'").isEmpty
            }
            try running.send(SIGINT)
        }
        end.expect(code: 130, saying: "interrupted")
        #expect(try stored(bench) == [])
    }

    /// Nobody may even ask what a table is while it is made anew.
    @Test(arguments: MySQLTestServer.all)
    func `a table that is being renamed is waited for as long as is told, and check says so`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                """
                CREATE TABLE a_held (id int PRIMARY KEY) ENGINE = InnoDB; CREATE TABLE b_busy (id int PRIMARY KEY) ENGINE = InnoDB;
                CREATE TABLE keyless (id int) ENGINE = InnoDB
                """)
            let reader = Task {
                try await bench.source.query("LOCK TABLES b_busy READ; DO SLEEP(600)")
            }
            try await eventually("a table is read") {
                try await !sessions(bench, "INFO LIKE 'DO SLEEP%'").isEmpty
            }
            // It has the first table, and waits for the second.
            let holder = Task {
                try await bench.source.query(
                    "SET lock_wait_timeout = 3600; RENAME TABLE a_held TO a_moved, b_busy TO b_moved"
                )
            }
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await waitForTheRename(bench))
            } catch {
                outcome = .failure(error)
            }
            for statement in ["RENAME", "DO SLEEP"] {
                for session in try await sessions(bench, "INFO LIKE '\(statement)%'") {
                    try await bench.server.query("KILL \(session)")
                }
            }
            _ = try? await holder.value
            _ = try? await reader.value
            try outcome.get()
            try await untilGone(bench)
            try await full(bench).requireCode(0)
        }
    }

    private func waitForTheRename(_ bench: MySQLBench) async throws {
        try await eventually("a table is renamed") {
            try await !sessions(bench, "INFO LIKE 'RENAME%' AND STATE LIKE '%metadata lock%'")
                .isEmpty
        }
        let start = ContinuousClock.now
        try await full(bench, ["--lock-timeout", "2"])
            .expect(code: 6, saying: "holds a lock on table", "a_held")
        let check = try await bench.check()
        #expect(check.text("locks").contains("a_held"), "\(check.end)")
        #expect(check.text("keys").contains("keyless"), "\(check.end)")
        #expect(!check.text("keys").contains("a_held"), "\(check.end)")
        #expect(check.severities("snapshot") == [], "\(check.end)")
        #expect(ContinuousClock.now - start < .seconds(300))
        let end = try await full(bench, ["--lock-timeout", "3600"]) { running in
            try await eventually("the backup waits") {
                try await !sessions(
                    bench, "INFO NOT LIKE 'RENAME%' AND STATE LIKE '%metadata lock%'"
                ).isEmpty
            }
            try running.send(SIGINT)
        }
        end.expect(code: 130, saying: "interrupted")
        #expect(try stored(bench) == [])
    }

    /// It was listed and described before, and is read after.
    @Test(arguments: MySQLTestServer.all, ["ADD COLUMN later int DEFAULT 7", "RENAME TO other"])
    func `a table that is altered while its backup begins is backed up as it is then`(
        server: MySQLTestServer, change: String
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                "CREATE TABLE held (id int PRIMARY KEY); INSERT INTO held VALUES (1), (2)")
            let holder = Task {
                try await bench.source.query(
                    "LOCK TABLES held WRITE; SELECT SLEEP(5); ALTER TABLE held \(change); UNLOCK TABLES"
                )
            }
            try await eventually("the table is locked") {
                try await !sessions(bench, "INFO LIKE 'SELECT SLEEP%'").isEmpty
            }
            // It lists and describes the table at once, and then waits for it.
            let backup = try await bench.backUp()
            _ = try await holder.value
            let copy = try await bench.restored(backup.id)
            try await bench.expectEqual(bench.source, copy)
            let word = change.hasPrefix("ADD") ? "later" : "other"
            #expect(try await bench.contents(of: copy).contains(word))
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a second run on the same database is refused and harms neither`(
        server: MySQLTestServer
    ) async throws {
        try await withLarge(server) { bench in
            let end = try await full(bench) { running in
                try await untilReading(bench)
                try running.send(SIGSTOP)
                try await full(bench).expect(code: 6, saying: "held by another run")
                try running.send(SIGCONT)
            }
            try end.requireCode(0)
            #expect(try stored(bench).count == 1)
        }
    }
}
