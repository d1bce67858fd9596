import BackupTesting
import Foundation
import Testing

/// A drill proves a backup on a real server, and leaves nothing there.
@Suite(.serialized) struct DrillTests {
    private static func with(
        _ server: TestServer, _ body: @escaping @Sendable (Workbench) async throws -> Void
    ) async throws {
        try await Workbench.with(server) { bench in
            try await bench.drilling { try await body(bench) }
        }
    }

    @Test(arguments: TestServer.all)
    func `a drill restores, compares, measures, drops and is remembered`(
        server: TestServer
    ) async throws {
        try await Self.with(server) { bench in
            let backup = try await bench.backUp(try await bench.torture())
            let end = try await bench.drill(backup.id)
            try end.requireCode(0)
            let report = try JSON(parsing: end.output)
            #expect(report["passed"].boolean == true)
            #expect(try #require(report["drill"]["recovery_seconds"].seconds) > 0)
            #expect(try await bench.scratchDatabases() == [])
            let list = try await bench.dbtool(["list", "-path", bench.repository, "--json"])
            let entry = try JSON(parsing: list.output)["backups"].items.first
            #expect(entry?["drilled"]["passed"].boolean == true)
            #expect(entry?["verified"]["passed"].boolean == true)
            let log = try String(
                contentsOfFile: "\(bench.folder)/state/dbtool/dbtool.log", encoding: .utf8)
            #expect(log.contains("\(backup.id) verified by a drill"))
        }
    }

    @Test(arguments: TestServer.all)
    func `a drill finds a row that was changed in the scratch database`(
        server: TestServer
    ) async throws {
        try await Self.with(server) { bench in
            let backup = try await bench.backUp(try await bench.waitingToIndex())
            let end = try await bench.drill(backup.id) { _ in
                defer { bench.letIndex() }
                try await eventually("a row of the scratch database can be changed") {
                    for name in try await bench.scratchDatabases() {
                        let scratch = bench.existingDatabase(name)
                        // It may not have the table yet.
                        let changed = try? await scratch.query(
                            "UPDATE pets SET name = 'changed' WHERE owner = 7 RETURNING 1")
                        if changed == "1" { return true }
                    }
                    return false
                }
            }
            end.expect(code: 4)
            let differences = try JSON(parsing: end.output)["drill"]["differences"].items
            #expect(differences.compactMap(\.string).contains { $0.contains("public.pets") })
            #expect(try await bench.scratchDatabases() == [])
            let list = try await bench.dbtool(["list", "-path", bench.repository, "--json"])
            let entry = try JSON(parsing: list.output)["backups"].items.first
            #expect(entry?["drilled"]["passed"].boolean == false)
        }
    }

    @Test(arguments: TestServer.all)
    func `settings that the drilling role may not make do not count against a backup`(
        server: TestServer
    ) async throws {
        try await Self.with(server) { bench in
            let maker = try await bench.createRole("maker", "CREATEDB")
            let source = try await bench.small()
            try await source.query(
                "ALTER DATABASE \(Workbench.quoted(source.name)) SET log_min_duration_statement = 100"
            )
            let backup = try await bench.backUp(source)
            let end = try await bench.dbtool(
                ["verify", backup.id, "-path", bench.repository, "--drill", "--same-server"]
                    + ["--no-owner", "--no-privileges", "--json"] + bench.connection(as: maker))
            end.expect(code: 0, saying: "SET \"log_min_duration_statement\": ")
            #expect(try JSON(parsing: end.output)["passed"].boolean == true)
            let list = try await bench.dbtool(["list", "-path", bench.repository, "--json"])
            let entry = try JSON(parsing: list.output)["backups"].items.first
            #expect(entry?["drilled"]["passed"].boolean == true)
        }
    }

    @Test(arguments: TestServer.all)
    func `what a killed drill leaves behind the next one drops`(server: TestServer) async throws {
        try await Self.with(server) { bench in
            let backup = try await bench.backUp(try await bench.waitingToIndex())
            // Not ours: nobody claims it, but it holds something and has no comment.
            let other = try await bench.createDatabase(named: "dbtool_drill_zzzz")
            let mine = try await bench.createDatabase(named: "dbtool_drill_0f0f")
            try await mine.query("CREATE TABLE precious (id integer)")
            let end = try await bench.drill(backup.id) { running in
                try await eventually("the drill has a database") {
                    try await !bench.scratchDatabases().filter { $0 != mine.name }.isEmpty
                }
                try running.send(SIGKILL)
                bench.letIndex()
            }
            #expect(end.code != 0)
            #expect(try await bench.scratchDatabases().count == 2)
            try await bench.drill(backup.id).requireCode(0)
            #expect(try await bench.scratchDatabases() == [mine.name])
            #expect(try await mine.query("SELECT count(*) FROM precious") == "0")
            #expect(try await other.query("SELECT 1") == "1")
        }
    }

    @Test(arguments: TestServer.all)
    func `a role that is no superuser drops a database that autovacuum is in`(
        server: TestServer
    ) async throws {
        try await Self.with(server) { bench in
            let backup = try await bench.backUp(try await bench.small())
            try await bench.withOwnServer(["autovacuum=on", "autovacuum_naptime=1s"]) { own in
                try await own.query("CREATE ROLE maker LOGIN CREATEDB")
                try await own.query("CREATE DATABASE dbtool_drill_0f0f", as: "maker")
                try await own.query(
                    """
                    COMMENT ON DATABASE dbtool_drill_0f0f
                    IS 'scratch database of dbtool: dropped when its drill ends'
                    """, as: "maker")
                let left = bench.existingDatabase("dbtool_drill_0f0f", on: own.server)
                // At a page in half a second, vacuum is at it for minutes.
                try await left.query(
                    """
                    CREATE TABLE wide (value text) WITH (autovacuum_vacuum_cost_delay = 100,
                      autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_insert_threshold = 1);
                    INSERT INTO wide SELECT repeat('x', 1000) FROM generate_series(1, 20000);
                    """, as: "maker")
                let worker = "backend_type = 'autovacuum worker' AND datname = '\(left.name)'"
                try await eventually("autovacuum is at work") {
                    try await own.query(
                        "SELECT count(*) FROM pg_stat_activity WHERE \(worker)") != "0"
                }
                let end = try await bench.dbtool(
                    ["verify", backup.id, "-path", bench.repository, "--drill", "--json"]
                        + ["--no-owner", "--no-privileges"]
                        + bench.connection(to: own.server, as: "maker"))
                try end.requireCode(0)
                #expect(
                    try await own.query(
                        "SELECT count(*) FROM pg_database WHERE datname ~ '^dbtool_drill_'") == "0")
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `settings of the drilling role keep no database`(server: TestServer) async throws {
        try await Self.with(server) { bench in
            let maker = try await bench.createRole("maker", "CREATEDB")
            try await bench.administration.query(
                """
                ALTER ROLE \(maker) SET idle_session_timeout = '1s';
                ALTER ROLE \(maker) SET default_transaction_read_only = on;
                """)
            let backup = try await bench.backUp(try await bench.slowToIndex(0.003))
            let end = try await bench.dbtool(
                ["verify", backup.id, "-path", bench.repository, "--drill", "--same-server"]
                    + ["--no-owner", "--no-privileges", "--json"] + bench.connection(as: maker))
            try end.requireCode(0)
            #expect(try await bench.scratchDatabases() == [])
        }
    }

    @Test(arguments: TestServer.all)
    func `a database that a drill from another one uses is not dropped`(
        server: TestServer
    ) async throws {
        try await Self.with(server) { bench in
            let backup = try await bench.backUp(try await bench.small())
            let used = try await bench.createDatabase(named: "dbtool_drill_0f0f")
            try await bench.administration.query(
                """
                COMMENT ON DATABASE dbtool_drill_0f0f
                IS 'scratch database of dbtool: dropped when its drill ends'
                """)
            let elsewhere = try await bench.createDatabase("elsewhere")
            let claim = "SELECT pg_advisory_lock(1146242896, 3855); SELECT pg_sleep(600)"
            _ = try await elsewhere.query(claim) { other in
                try await bench.untilSessions(of: elsewhere, "wait_event = 'PgSleep'")
                try await bench.drill(backup.id).requireCode(0)
                #expect(try await bench.scratchDatabases() == [used.name])
                try other.send(SIGINT)
            }
            try await bench.untilGone(elsewhere)
            try await eventually("the claim has ended") {
                try await bench.administration.query(
                    "SELECT count(*) FROM pg_locks WHERE classid = 1146242896") == "0"
            }
            try await bench.drill(backup.id).requireCode(0)
            #expect(try await bench.scratchDatabases() == [])
        }
    }

    @Test(arguments: TestServer.all)
    func `a drill that cannot sit in postgres keeps nobody from creating databases`(
        server: TestServer
    ) async throws {
        try await Self.with(server) { bench in
            let backup = try await bench.backUp(try await bench.waitingToIndex())
            try await bench.withOwnServer { own in
                try await own.query("CREATE DATABASE app")
                let app = bench.existingDatabase("app", on: own.server)
                try await app.query("ALTER DATABASE postgres ALLOW_CONNECTIONS false")
                let end = try await bench.dbtool(
                    ["verify", backup.id, "-path", bench.repository, "--drill", "--json"],
                    environment: ["DB_DRILL_URL": app.url]
                ) { _ in
                    defer { bench.letIndex() }
                    try await eventually("the drill makes its index") {
                        try await app.query(
                            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%'"
                        ) != "0"
                    }
                    try await app.query("CREATE DATABASE meanwhile")
                }
                try end.requireCode(0)
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `Ctrl-C ends a drill and drops its database`(server: TestServer) async throws {
        try await Self.with(server) { bench in
            let backup = try await bench.backUp(try await bench.waitingToIndex())
            let end = try await bench.drill(backup.id) { running in
                try await eventually("the drill makes its index") {
                    try await bench.administration.query(
                        """
                        SELECT count(*) FROM pg_stat_activity
                        WHERE datname ~ '^dbtool_drill_' AND query LIKE 'CREATE INDEX%'
                        """) != "0"
                }
                try running.send(SIGINT)
            }
            end.expect(code: 130)
            #expect(try await bench.scratchDatabases() == [])
        }
    }

    @Test func `the backup's own server needs to be allowed, another one does not`() async throws {
        let (oldest, newest) = TestServer.oldestAndNewest
        try await Self.with(oldest) { bench in
            let backup = try await bench.backUp(try await bench.small())
            try await bench.drill(backup.id, ["--json"], sameServer: false)
                .expect(code: 1, saying: "--same-server")
            let list = try await bench.dbtool(["list", "-path", bench.repository, "--json"])
            let entry = try JSON(parsing: list.output)["backups"].items.first
            #expect(entry?["drilled"] == .null)
            guard oldest != newest else { return }
            let end = try await bench.dbtool(
                ["verify", backup.id, "-path", bench.repository, "--drill", "--json"],
                environment: ["DB_DRILL_URL": newest.url, "DB_HOST": "nowhere.invalid"])
            try end.requireCode(0)
        }
    }

    @Test(arguments: TestServer.all)
    func `a server that cannot be drilled on is told before all files are read`(
        server: TestServer
    ) async throws {
        try await Self.with(server) { bench in
            let guest = try await bench.createRole("guest")
            let backup = try await bench.backUp(try await bench.small())
            let end = try await bench.dbtool(
                ["verify", backup.id, "-path", bench.repository, "--drill", "--same-server"]
                    + ["--no-owner", "--no-privileges"] + bench.connection(as: guest))
            end.expect(code: 1, saying: "role \(guest) may not create database", "CREATEDB;")
            let product = try await bench.dbtool(
                ["verify", backup.id, "-path", bench.repository, "--drill"],
                environment: ["DB_DRILL_URL": "mysql://root@127.0.0.1:1/x"])
            #expect(product.code != 0, "\(product)")
            let list = try await bench.dbtool(["list", "-path", bench.repository, "--json"])
            let entry = try JSON(parsing: list.output)["backups"].items.first
            #expect(entry?["verified"] == .null, "\(list)")
        }
    }

    @Test(arguments: TestServer.all)
    func `a damaged backup is not drilled`(server: TestServer) async throws {
        try await Self.with(server) { bench in
            let backup = try await bench.backUp(try await bench.small())
            let file = try backup.dataFile(of: "people")
            try (String(contentsOfFile: file, encoding: .utf8) + "9999,extra\n")
                .write(toFile: file, atomically: false, encoding: .utf8)
            let end = try await bench.drill(backup.id)
            end.expect(code: 4)
            #expect(try JSON(parsing: end.output)["damage"].items.count > 0)
            #expect(try await bench.scratchDatabases() == [])
        }
    }
}

extension Workbench {
    /// A database whose index takes these seconds for each of 1000 rows when it is made again.
    fileprivate func slowToIndex(_ seconds: Double) async throws -> TestDatabase {
        try await toIndex(waiting: "PERFORM pg_sleep(\(seconds));")
    }

    /// A database whose index waits for `letIndex` when it is made again: time enough to interfere with a restore.
    fileprivate func waitingToIndex() async throws -> TestDatabase {
        try await toIndex(
            waiting: """
                WHILE (pg_stat_file(''\(indexing)'', true)).size IS NULL LOOP
                  PERFORM pg_sleep(0.02);
                END LOOP;
                """)
    }

    fileprivate func letIndex() {
        _ = FileManager.default.createFile(atPath: indexing, contents: nil)
    }

    private var indexing: String { "\(folder)/indexing" }

    /// A database whose index does this for each row when it is made again.
    private func toIndex(waiting: String) async throws -> TestDatabase {
        let source = try await small()
        func makeFunction(_ wait: String) -> String {
            """
            CREATE OR REPLACE FUNCTION slowly(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
              'BEGIN \(wait) RETURN $1; END';
            """
        }
        try await source.query(
            makeFunction("") + "CREATE INDEX ON people (slowly(name));"
                + makeFunction(waiting))
        return source
    }

    fileprivate func drill(
        _ point: String, _ words: [String] = ["--json"], sameServer: Bool = true,
        while body: (RunningProgram) async throws -> Void = { _ in }
    ) async throws -> ProgramEnd {
        try await dbtool(
            ["verify", point, "-path", repository, "--drill"] + connection()
                + (sameServer ? ["--same-server"] : []) + words, while: body)
    }

    fileprivate func scratchDatabases() async throws -> [String] {
        try await administration.query(
            "SELECT datname FROM pg_database WHERE datname ~ '^dbtool_drill_[0-9a-f]{4}$' ORDER BY 1"
        ).split(separator: "\n").map(String.init)
    }
}
