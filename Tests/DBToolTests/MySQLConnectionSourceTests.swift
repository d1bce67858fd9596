import BackupTesting
import Foundation
import Testing

/// Where the way to MySQL and MariaDB comes from: flags, `DB_*`, `.env`, a URL, option files; and which way it is.
@Suite struct MySQLConnectionSourceTests {
    @Test(arguments: MySQLTestServer.all)
    func `who names the database by another variable is told the right one`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let words = [
                "--db", "mysql", "--host", "127.0.0.1", "--port", "\(server.port)",
                "--user", "root", "-path", bench.repository,
            ]
            for verb in [["check"], ["full", "database"], ["differential", "backup"]] {
                let end = try await bench.dbtool(
                    exactly: verb + words, environment: ["DB_DATABASE": bench.source.name])
                end.expect(code: 2, saying: "DB_DATABASE is not read", "DB_NAME")
            }
        }
    }

    /// Every sign that means something in a URL.
    private static let password = "p%41:/@?#&=+ ;ü[]"

    /// An account with that password that may back up the test's source.
    private static func guardedAccount(
        _ bench: MySQLBench, _ suffix: String = "u"
    ) async throws -> String {
        let account = try await bench.source.createAccount(suffix, bench.server.backupPrivileges)
        try await bench.server.query(
            "ALTER USER '\(account)'@'%' IDENTIFIED BY '\(Self.password)'")
        try await bench.source.query("CREATE TABLE t (id int PRIMARY KEY)")
        return account
    }

    private static func full(
        _ bench: MySQLBench, _ words: [String], _ variables: [String: String] = [:]
    ) async throws -> ProgramEnd {
        try await bench.dbtool(
            exactly: ["full", "database", "-path", bench.repository, "--json"] + words,
            environment: variables)
    }

    /// The database of a backup that must succeed.
    private static func backedUp(
        _ bench: MySQLBench, _ words: [String] = [], _ variables: [String: String] = [:]
    ) async throws -> String? {
        let end = try await full(bench, words, variables)
        try end.requireCode(0)
        return try JSON(parsing: end.output)["database"].string
    }

    /// What `check` says of the login, once a backup has been made by the same way.
    private static func login(
        _ bench: MySQLBench, _ words: [String], _ variables: [String: String] = [:]
    ) async throws -> String {
        _ = try await backedUp(bench, words, variables)
        let end = try await bench.dbtool(
            exactly: ["check", "--json", "-path", bench.repository] + words,
            environment: variables)
        try end.requireCode(0)
        return Checked(end: end, report: try JSON(parsing: end.output)).text("login")
    }

    private static func writeOptions(_ text: String, _ bench: MySQLBench) throws {
        let file = URL(fileURLWithPath: "\(bench.folder)/.my.cnf")
        try Data(text.utf8).write(to: file)
    }

    private static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text
    }

    // MARK: Sockets

    @Test(arguments: MySQLTestServer.all)
    func `the server's socket is named by a flag, a variable, a URL or an option file`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let account = try await Self.guardedAccount(bench)
            let socket = try await server.query("SELECT @@GLOBAL.socket")
            let database = bench.source.name
            let known = ["--user", account, "--password", Self.password]
            let named = known + ["--database", database]
            let url = "mysql://localhost/\(database)?socket=\(Self.encoded(socket))"
            let ways: [(words: [String], variables: [String: String])] = [
                // What does not leave the machine needs no encryption, whatever the server offers.
                (["--db", "mysql", "--host", socket, "--sslmode", "require"] + named, [:]),
                (named, ["DB_ENGINE": "mariadb", "DB_HOST": socket]),
                (["--url", url] + known, [:]),
            ]
            let expected = "account \(account)@% in \(database) at socket \(socket)"
            for way in ways {
                #expect(try await Self.login(bench, way.words, way.variables) == expected)
            }
            try await server.query("ALTER USER '\(account)'@'%' IDENTIFIED BY 'right'")
            try Self.writeOptions(
                """
                [client]
                socket=\(socket)
                user=\(account)
                password=right
                [dbtool]
                database=\(database)
                """, bench)
            #expect(try await Self.login(bench, ["--db", "mysql"]) == expected)
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `the machine's own name with a port is not the socket of an option file`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query("CREATE TABLE t (id int PRIMARY KEY)")
            try Self.writeOptions("[client]\nsocket=/nowhere/socket\n", bench)
            let local = [
                "--db", "mysql", "--host", "localhost", "--user", "root", "--database",
                bench.source.name,
            ]
            let login = try await Self.login(bench, local + ["--port", "\(server.port)"])
            #expect(login.hasSuffix("at localhost, port \(server.port)"), "\(login)")
            try await Self.full(bench, local).expect(code: 5, saying: "/nowhere/socket")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a socket that is not there is named`(server: MySQLTestServer) async throws {
        try await MySQLBench.with(server) { bench in
            let words = ["--db", "mysql", "--host", "/nowhere/of mine", "--user", "root"]
            try await Self.full(bench, words + ["--database", bench.source.name])
                .expect(code: 5, saying: "cannot connect", "/nowhere/of mine", "--host")
        }
    }

    // MARK: URLs

    @Test(arguments: MySQLTestServer.all, ["mysql", "mariadb"])
    func `a URL is whole, and odd characters of it are written as numbers`(
        server: MySQLTestServer, scheme: String
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let account = try await Self.guardedAccount(bench, "u@:/ ?")
            let odd = bench.other("d/é ?#").name
            try await server.query(
                """
                CREATE DATABASE `\(odd)` CHARACTER SET utf8mb4; CREATE TABLE `\(odd)`.t (id int PRIMARY KEY);
                GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `\(odd)`.* TO '\(account)'@'%'
                """)
            func url(_ password: String, _ database: String) -> [String] {
                let login = "\(Self.encoded(account)):\(Self.encoded(password))"
                let place = "127.0.0.1:\(server.port)/\(Self.encoded(database))"
                return ["--url", "\(scheme)://\(login)@\(place)"]
            }
            let right = url(Self.password, odd)
            #expect(try await Self.backedUp(bench, right) == odd)
            // A flag beside it changes a part, a variable nothing.
            let flag = ["--database", bench.source.name]
            #expect(try await Self.backedUp(bench, right + flag) == bench.source.name)
            let variables = [
                "DB_ENGINE": "postgres", "DB_HOST": "203.0.113.1", "DB_PORT": "1",
                "DB_USER": "nobody", "DB_PASSWORD": "wrong", "DB_NAME": "wrong",
            ]
            #expect(try await Self.backedUp(bench, right, variables) == odd)
            // What fails says more, and must not say the password.
            var ends = [try await Self.full(bench, right + ["--port", "1"])]
            ends.append(try await Self.full(bench, url(Self.password + "!", odd)))
            ends.append(try await Self.full(bench, url(Self.password, "not there")))
            for end in ends {
                #expect(end.code == 5, "\(end)")
                for secret in [Self.password, Self.encoded(Self.password)] {
                    #expect(!(end.output + end.errors).contains(secret), "\(end)")
                }
            }
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `what a URL says besides is used, or refused with its name`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query("CREATE TABLE t (id int PRIMARY KEY)")
            func words(_ parameters: String) -> [String] {
                let place = "root@127.0.0.1:\(server.port)/\(bench.source.name)"
                return ["--url", "mysql://\(place)?\(parameters)"]
            }
            for (parameter, mode) in [
                ("ssl-mode=DISABLED", "disable"), ("sslmode=disable", "disable"),
                ("SSL-MODE=preferred", "prefer"),
            ] {
                let end = try await bench.dbtool(
                    exactly: ["check", "--json", "-path", bench.repository] + words(parameter),
                    environment: ["DB_SSLMODE": "verify-full"])
                let check = Checked(end: end, report: try JSON(parsing: end.output))
                check.expect(code: 0)
                #expect(check.text("sslmode") == "\(mode) (--url)", "\(end)")
                let isEncrypted = mode == "prefer" && !server.isMariaDB
                #expect(check.text("encryption").hasPrefix("none") != isEncrypted, "\(end)")
            }
            // Debian's MariaDB has no certificate; MySQL's is not signed by anybody.
            let required = try await Self.full(bench, words("ssl-mode=REQUIRED"))
            #expect(required.code == (server.isMariaDB ? 5 : 0), "\(required)")
            try await Self.full(bench, words("ssl-mode=VERIFY_IDENTITY"))
                .expect(code: 5, saying: "TLS")
            try await Self.full(bench, words("ssl-mode=sometimes"))
                .expect(code: 2, saying: "sslmode sometimes is not understood")
            try await Self.full(bench, words("charset=latin1"))
                .expect(code: 2, saying: "parameter that is not understood: charset")
            // A password whose rest would be taken for a parameter, or for nothing at all.
            for mark in ["?", "#"] {
                let url = "mysql://root:s3\(mark)cr3t@127.0.0.1:\(server.port)/\(bench.source.name)"
                let end = try await Self.full(bench, ["--url", url])
                end.expect(code: 2, saying: "has an @ behind ? or #")
                #expect(!end.output.contains("cr3t") && !end.errors.contains("cr3t"), "\(end)")
            }
        }
    }

    // MARK: The order

    @Test(arguments: MySQLTestServer.all)
    func `flags win over DB variables, these over the env file, and that over option files`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            for suffix in ["flag", "db", "file", "options"] {
                let name = bench.other(suffix).name
                try await server.query(
                    "CREATE DATABASE \(name); CREATE TABLE \(name).t (id int PRIMARY KEY)")
            }
            func database(_ suffix: String) -> String { bench.other(suffix).name }
            try Self.writeOptions(
                """
                [client]
                host=127.0.0.1
                port=\(server.port)
                user=root
                database=wrong
                [dbtool]
                database=\(database("options"))
                [mysql]
                database=wrong
                """, bench)
            let mysql = ["--db", "mysql"]
            #expect(try await Self.backedUp(bench, mysql) == database("options"))
            let file = URL(fileURLWithPath: "\(bench.folder)/.env")
            try Data("DB_ENGINE=mysql\nDB_NAME='\(database("file"))'\n".utf8).write(to: file)
            #expect(try await Self.backedUp(bench) == database("file"))
            let manual = mysql + ["--config", "manual"]
            #expect(try await Self.backedUp(bench, manual) == database("options"))
            let variable = ["DB_NAME": database("db")]
            #expect(try await Self.backedUp(bench, [], variable) == database("db"))
            let flag = ["--database", database("flag")]
            #expect(try await Self.backedUp(bench, flag, variable) == database("flag"))
        }
    }

    // MARK: Several servers

    /// Each connection would read the rows of another server, or write there.
    @Test(arguments: MySQLTestServer.all)
    func `a name that leads to one server and another is refused`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await MySQLOwnServer.with(like: server) { own in
                let name = bench.source.name
                try await own.server.query("CREATE DATABASE \(name)")
                for place in [server, own.server] {
                    try await place.query(
                        "CREATE TABLE t (id int PRIMARY KEY) ENGINE = InnoDB; INSERT INTO t VALUES (1)",
                        database: name)
                }
                _ = try await bench.backUp()
                let proxy = try FailingProxy(to: UInt16(server.port), UInt16(own.server.port))
                defer { proxy.stop() }
                let either = server.another(on: UInt32(proxy.port))
                for jobs in ["1", "4"] {
                    // No login is tried twice.
                    let words = ["-path", bench.repository, "--jobs", jobs, "--sslmode", "disable"]
                    for verb in [
                        ["full", "database", "--database", name],
                        ["restore", "latest", "--into", name, "--clean", "--yes"],
                    ] {
                        try await bench.dbtool(verb + words, on: either)
                            .expect(code: 5, saying: "several servers", "--host")
                    }
                }
                for place in [server, own.server] {
                    #expect(try await place.query("SELECT COUNT(*) FROM t", database: name) == "1")
                }
            }
        }
    }
}
