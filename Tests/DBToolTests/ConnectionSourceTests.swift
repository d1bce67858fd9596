import BackupTesting
import Foundation
import Testing

/// Where the connection and the repository come from: flags, `DB_*`, `.env`, `PG*`, the last run.
@Suite struct ConnectionSourceTests {
    @Test(arguments: TestServer.all)
    func `flags win over DB variables, these over the env file, and that over PG variables`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let names = ["flag", "db", "file", "pg"]
            var databases: [String: String] = [:]
            for name in names {
                let database = try await bench.createDatabase(name)
                try await database.query("CREATE TABLE t (id integer)")
                databases[name] = database.name
            }
            func database(_ name: String) -> String { databases[name] ?? "" }
            func backedUp(
                _ words: [String] = [], _ environment: [String: String] = [:]
            ) async throws -> String? {
                let end = try await bench.dbtool(
                    ["full", "database", "-path", bench.repository, "--json"] + words,
                    environment: environment)
                try end.requireCode(0)
                return try JSON(parsing: end.output)["database"].string
            }
            let pg = [
                "PGHOST": server.host, "PGPORT": server.port, "PGUSER": server.superuser,
                "PGDATABASE": database("pg"),
            ]
            #expect(try await backedUp([], pg) == database("pg"))

            try bench.write(
                """
                # a comment
                DB_HOST=\(server.host)
                DB_PORT="\(server.port)"
                DB_USER='\(server.superuser)'
                DB_NAME=\(database("file"))
                """, to: ".env")
            let wrong = ["PGHOST": "203.0.113.1", "PGPORT": "1", "PGDATABASE": "wrong"]
            #expect(try await backedUp([], wrong) == database("file"))
            #expect(try await backedUp(["--config", "file"], wrong) == database("file"))
            #expect(try await backedUp(["--config", "manual"], pg) == database("pg"))

            let db = wrong.merging(["DB_NAME": database("db")]) { $1 }
            #expect(try await backedUp([], db) == database("db"))
            #expect(try await backedUp(["--database", database("flag")], db) == database("flag"))

            // A URL is whole; flags beside it change its parts.
            let url = ["-url", server.url(database: database("pg"))]
            #expect(try await backedUp(url, db) == database("pg"))
            #expect(
                try await backedUp(url + ["--database=\(database("flag"))"], db)
                    == database("flag"))

            try FileManager.default.moveItem(
                atPath: "\(bench.folder)/.env", toPath: "\(bench.folder)/other settings")
            #expect(try await backedUp(["--env-file", "other settings"]) == database("file"))
            try await bench.dbtool(["full", "database", "--config", "file"])
                .expect(code: 2, saying: ".env")
            try await bench.dbtool(["full", "database", "--env-file", "missing"])
                .expect(code: 2, saying: "missing")
        }
    }

    @Test(arguments: TestServer.all)
    func `options take one dash or two and command words any case`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let path = "\(bench.folder)/a path with spaces, \"quotes\" & ümlauts"
            let words = [
                ["FULL", "Database", "-path", path], ["full", "DATABASE", "--path=\(path)"],
                ["Full", "Tables", "--tablename", "people", "--path", path],
            ]
            for some in words {
                try await bench.dbtool(
                    some + [
                        "-host", server.host, "--port", server.port, "-user", server.superuser,
                        "-database", source.name,
                    ]
                ).requireCode(0)
            }
            let list = try await bench.dbtool(["LIST", "-path", path])
            #expect(list.output.split(separator: "\n").count == 4, "\(list)")
            try await bench.dbtool(["Verify", "latest", "--path", path, "--jobs", "1"])
                .requireCode(0)
            // A path that is relative, or ends in a slash, is the same folder.
            let name = try #require(path.split(separator: "/").last)
            try await bench.dbtool(["verify", "latest", "-path", "./\(name)/"]).requireCode(0)
        }
    }

    @Test(arguments: TestServer.all)
    func `without a path the repository last used for this database is meant`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let one = try await bench.small("one")
            let two = try await bench.small("two")
            let flags = { (database: TestDatabase) in
                bench.connection() + ["--database", database.name]
            }
            try await bench.dbtool(["full", "database"] + flags(one))
                .expect(code: 2, saying: "-path")
            // Relative, so that another current folder must not change its meaning.
            for (database, folder) in [(one, "first"), (two, "second")] {
                try await bench.dbtool(["full", "database", "-path", folder] + flags(database))
                    .requireCode(0)
            }
            for database in [one, two] {
                try await bench.dbtool(
                    ["full", "database"] + flags(database), in: "\(bench.folder)/home"
                ).requireCode(0)
                let list = try await bench.dbtool(["list", "--json"] + flags(database), in: "/")
                let backups = try JSON(parsing: list.output)["backups"].items
                #expect(
                    backups.compactMap(\.["database"].string) == [database.name, database.name])
            }
            try await bench.dbtool(
                ["list"] + flags(two), environment: ["DB_BACKUP_PATH": "\(bench.folder)/first"]
            ).requireCode(0)
        }
    }

    @Test(arguments: TestServer.all)
    func `databases named by URL, or by PG variables, have last repositories of their own`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let one = try await bench.small("one")
            let two = try await bench.small("two")
            for database in [one, two] {
                try await bench.dbtool(
                    ["full", "database", "-path", database.name, "--url", database.url]
                ).requireCode(0)
            }
            for database in [one, two] {
                let end = try await bench.dbtool(["list", "--json", "--url", database.url])
                let backups = try JSON(parsing: end.output)["backups"].items
                #expect(backups.compactMap(\.["database"].string) == [database.name])
            }
            let variables = { (database: TestDatabase) in
                [
                    "PGHOST": server.host, "PGPORT": server.port, "PGUSER": server.superuser,
                    "PGDATABASE": database.name,
                ]
            }
            for database in [two, one] {
                try await bench.dbtool(
                    ["full", "database", "-path", "pg_\(database.name)"],
                    environment: variables(database)
                ).requireCode(0)
            }
            for database in [one, two] {
                let end = try await bench.dbtool(
                    ["list", "--json"], environment: variables(database))
                let backups = try JSON(parsing: end.output)["backups"].items
                #expect(backups.compactMap(\.["database"].string) == [database.name])
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `variables weaken nothing that a URL says of TLS`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query("CREATE TABLE t (id integer)")
            let url = server.url(database: source.name)
            let full = ["full", "database", "-path", bench.repository, "--url"]
            let settings = ["DB_SSLMODE": "disable"]
            for name in ["sslmode=verify-full", "application_name=x&sslmode=require"] {
                let end = try await bench.dbtool(full + ["\(url)?\(name)"], environment: settings)
                #expect(end.code == 5 && end.errors.lowercased().contains("ssl"), "\(end)")
            }
            // Where it says nothing the variable holds, and a flag always does.
            let required = try await bench.dbtool(
                full + [url], environment: ["DB_SSLMODE": "require"])
            #expect(required.code == 5, "\(required)")
            let flag = ["\(url)?sslmode=require", "--sslmode", "disable"]
            try await bench.dbtool(full + flag).requireCode(0)
        }
    }

    /// What looks like a URL or a connection string is neither behind a URL.
    @Test(arguments: TestServer.all, ["postgres of", "a=b"])
    func `a database is restored into beside a URL, whatever its name looks like`(
        server: TestServer, beginning: String
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            _ = try await bench.backUp(source)
            let target = bench.expectDatabase(
                named: "\(beginning) \(bench.uniqueName("copy"))")
            try await bench.dbtool(
                [
                    "restore", "latest", "-path", bench.repository, "--into", target.name,
                    "--create", "--url", server.url(database: "postgres"),
                ]
            ).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    /// A password that is cut in the wrong place would be a port and a database.
    @Test(arguments: [
        "postgresql://u:100%sure@127.0.0.1:1/db", "postgresql://u:100/sure@127.0.0.1:1/db",
        "mysql://u:100/sure@127.0.0.1:1/db", "mysql://u:100%sure@127.0.0.1:1/db",
    ])
    func `a password that a URL cannot hold is refused, and shown nowhere`(
        url: String
    ) async throws {
        try await Workbench.with(try #require(TestServer.all.first)) { bench in
            for words in [["full", "database"], ["check"], ["check", "--json"], ["list"]] {
                let end = try await bench.dbtool(words + ["-path", bench.repository, "--url", url])
                #expect(words == ["list"] || [1, 2, 5].contains(end.code), "\(end)")
                #expect(!(end.output + end.errors).contains("sure"), "\(end)")
            }
        }
    }

    /// Beside a URL, which is whole; that of a restore is the target's.
    @Test(arguments: TestServer.all)
    func `a variable does not say whose backups are meant beside a URL`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let (one, other) = (
                try await bench.createDatabase("one"), try await bench.createDatabase("other")
            )
            for database in [one, other] {
                try await database.query("CREATE TABLE t (id integer); INSERT INTO t VALUES (1)")
                _ = try await bench.backUp(database)
            }
            let settings = ["DB_NAME": other.name]
            let url = ["--url", server.url(database: "postgres")]
            let prune = ["prune", "-path", bench.repository, "--keep-last", "1"]
            try await bench.dbtool(prune + url, environment: settings)
                .expect(code: 2, saying: "backups of several databases", "--database")
            try await bench.dbtool(prune + url + ["--database", one.name]).requireCode(0)
            let target = bench.expectDatabase("copy").name
            let restore = [
                "restore", "latest", "-path", bench.repository, "--into", target, "--create",
            ]
            let end = try await bench.dbtool(restore + url, environment: settings)
            #expect(end.code == 0 && end.output.contains("full_\(other.name)_"), "\(end)")
        }
    }
}
