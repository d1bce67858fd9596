import BackupTesting
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
