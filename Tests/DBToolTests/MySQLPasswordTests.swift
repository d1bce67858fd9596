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
}
