import BackupTesting
import Foundation
import Testing

@Suite struct MySQLPasswordTests {
    /// MariaDB's own way to log in; a server has its plugin only where somebody loads it.
    @Test func `an account of ed25519 backs up with its password alone`() async throws {
        let mariadb = try #require(MySQLTestServer.all.first { $0.isMariaDB })
        let plugins = try await MySQLOwnServer.plugins(of: mariadb)
        let settings = ["plugin_dir=\(plugins)", "plugin_load_add=auth_ed25519"]
        try await MySQLBench.withOwnServer(like: mariadb, settings) { bench, own in
            try await bench.source.load(
                "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2);")
            let account = try await bench.source.createAccount(
                "ed", ["SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON {}.*"])
            try await own.server.query(
                "ALTER USER '\(account)'@'%' IDENTIFIED VIA ed25519 USING PASSWORD('right')")
            for (words, message) in [
                ([], "password"), (["--password", "wrong"], "using password: YES"),
            ] {
                let refused = try await bench.dbtool(
                    [
                        "full", "database", "-path", bench.repository, "--database",
                        bench.source.name,
                    ] + words, as: account)
                refused.expect(code: 5, saying: message)
            }
            _ = try await bench.backUp(
                ["full", "database"], ["--password", "right"], as: account)
            let copy = try await bench.restored()
            #expect(try await copy.query("SELECT COUNT(*), SUM(id) FROM t") == "2\t3")
        }
    }

    /// Whoever could act on it must hear it whatever becomes of the login, and not again with each connection.
    @Test(arguments: MySQLTestServer.all)
    func `rows that a network can read are told of once, login refused or not`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.load(
                "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2);")
            let account = try await bench.source.createAccount("far", ["ALL ON *.*"])
            let address = try NetworkAddress.ofThisMachine()
            let proxy = try FailingProxy(to: UInt16(server.port), isOnNetwork: true)
            defer { proxy.stop() }
            let copy = bench.other("copy")
            let runs: [(words: [String], code: Int32)] = [
                (["full", "database", "--json", "--database", bench.source.name], 0),
                (["check", "--json", "--database", bench.source.name], 0),
                (["full", "database", "--database", bench.source.name, "--password", "wrong"], 5),
                (["check", "--json", "--database", bench.source.name, "--password", "wrong"], 5),
                (["restore", "latest", "--into", copy.name, "--create"], 0),
                (["verify", "latest", "--drill", "--same-server"], 0),
                (["sql", "SELECT 1; SELECT 2", "--json", "--database", bench.source.name], 0),
                (["sql", "SELECT 1", "--database", bench.source.name, "--password", "wrong"], 5),
            ]
            let words = "all rows cross the network to"
            func run(_ run: (words: [String], code: Int32), _ place: [String]) async throws -> Int {
                let end = try await bench.dbtool(
                    exactly: run.words + ["--db", "mysql", "--user", account] + place
                        + (run.words.first == "sql" ? [] : ["-path", bench.repository]))
                try end.requireCode(run.code)
                #expect(!end.output.contains(words), "\(end)")
                return end.errors.components(separatedBy: words).count - 1
            }
            let far = ["--host", address, "--port", "\(proxy.port)"]
            for one in runs {
                // What `check` could ask it reports as a finding.
                let isFinding = one.words.first == "check" && one.code == 0
                let count = try await run(one, far + ["--sslmode", "disable"])
                #expect(count == (isFinding ? 0 : 1), "\(one.words)")
            }
            // MySQL's server makes itself a certificate, and is spoken to with encryption; Debian's MariaDB has none.
            for one in runs.suffix(2) {
                #expect(try await run(one, far) == (server.isMariaDB ? 1 : 0), "\(one.words)")
            }
            // The library sends its login before it is known that nothing is encrypted, unless it checks certificates.
            let asking = runs[6].words
            let required = try await run(
                (asking, server.isMariaDB ? 5 : 0), far + ["--sslmode", "require"])
            #expect(required == (server.isMariaDB ? 1 : 0))
            #expect(try await run((asking, 5), far + ["--sslmode", "verify-full"]) == 0)
            let near = ["--host", "127.0.0.1", "--port", "\(server.port)", "--sslmode", "disable"]
            for one in [runs[0], runs[2], runs[6]] {
                #expect(try await run(one, near) == 0, "\(one.words)")
            }
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a password shows nowhere but where it was given`(server: MySQLTestServer) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.load(
                "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2);")
            let account = try await bench.source.createAccount("watched", ["ALL ON *.*"])
            let secret = "s3cr3t-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
            try await server.query("ALTER USER '\(account)'@'%' IDENTIFIED BY '\(secret)'")
            let login = [
                "--db", "mysql", "--host", "127.0.0.1", "--port", "\(server.port)", "--user",
                account,
            ]
            let named = login + ["--database", bench.source.name]
            let url = "mysql://\(account):\(secret)@127.0.0.1:\(server.port)/"
            let restore = ["restore", "latest", "--into", bench.other("copy").name, "--create"]
            let ways: [PasswordWay] = [
                PasswordWay(
                    variables: ["DB_PASSWORD": secret], places: ["DB_PASSWORD of dbtool"],
                    runs: [["full", "database", "-compress", "true"] + named, restore + named]),
                PasswordWay(
                    file: ("\(bench.folder)/.my.cnf", "[client]\npassword=\(secret)\n"),
                    runs: [["check"] + named, ["differential", "backup"] + named]),
                PasswordWay(
                    file: ("\(bench.folder)/.env", "DB_PASSWORD=\(secret)\n"),
                    runs: [["incremental", "backup"] + named]),
                PasswordWay(
                    places: ["words of dbtool"],
                    runs: [
                        ["check"] + named + ["--password", secret],
                        ["check", "--url", url + bench.source.name],
                    ]),
                PasswordWay(
                    variables: ["DB_DRILL_URL": url], places: ["DB_DRILL_URL of dbtool"],
                    runs: [["verify", "latest", "--drill", "--same-server"]]),
            ]
            for way in ways {
                try await way.expectSecrecy(of: [secret], part: secret, in: bench.folder) {
                    words, variables in
                    try await bench.dbtool(
                        exactly: words + ["-path", bench.repository], environment: variables)
                }
            }
        }
    }
}
