import BackupTesting
import Foundation
import Testing

/// `check` tells where each setting came from, and how the connection and the folder are.
@Suite struct CheckSettingsTests {
    @Test(arguments: TestServer.all)
    func `each setting is told with where it came from, and never a password`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            try bench.write(
                "DB_HOST=\(server.host)\nDB_PASSWORD=hunter2\n", to: ".env", mode: 0o644)
            let variables = [
                "DB_USER": server.superuser, "PGPORT": server.port, "PGSSLMODE": "allow",
                "PGPASSWORD": "hunter3",
            ]
            let end = try await bench.dbtool(
                ["check", "--json", "--database", source.name], environment: variables)
            let check = Checked(end: end, report: try JSON(parsing: end.output))
            check.expect(code: 0)
            #expect(check.text("host") == "\(server.host) (DB_HOST in .env)")
            #expect(check.text("port") == "\(server.port) (PGPORT)")
            #expect(check.text("user") == "\(server.superuser) (DB_USER)")
            #expect(check.text("database") == "\(source.name) (flag)")
            #expect(check.text("sslmode") == "allow (PGSSLMODE)")
            #expect(check.text("password") == "from DB_PASSWORD in .env")
            #expect(check.severities("env file") == ["warning"])
            #expect(check.fixes().contains("chmod 600 .env"))
            #expect(check.severities("repository") == ["note"])
            #expect(!end.output.contains("hunter"), "\(end)")

            try FileManager.default.removeItem(atPath: "\(bench.folder)/.env")
            try bench.write("*:*:*:*:hunter4", to: "home/.pgpass", mode: 0o644)
            let url = try await bench.dbtool(
                ["check", "--url", server.url(database: source.name, password: "hunter5")])
            #expect(url.code == 0, "\(url)")
            #expect(url.output.contains("--url, where other users of this machine can see it"))
            #expect(url.output.contains("\(server.port) (--url)"), "\(url)")
            #expect(url.output.contains("prefer (default)"), "\(url)")
            #expect(url.output.contains("libpq ignores \(bench.folder)/home/.pgpass"), "\(url)")
            #expect(!url.output.contains("hunter"), "\(url)")
        }
    }

    @Test(arguments: TestServer.all)
    func `names of the env file that mean nothing are told, with what may be meant`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            try bench.write(
                "DB_PASSWROD=x\nDB_DATABASE=x\nDB_VERY_OWN=1\nAPP_KEY=1\n", to: ".env", mode: 0o600)
            let check = try await bench.check(source)
            check.expect(code: 0)
            #expect(check.severities("env file") == ["note"])
            let text = check.text("env file")
            #expect(
                text.contains("DB_DATABASE (DB_NAME?), DB_PASSWROD (DB_PASSWORD?), DB_VERY_OWN"))
            #expect(!text.contains("APP_KEY"))
            try bench.write("DB_NAME=x\nAPP_KEY=1\n", to: ".env", mode: 0o600)
            #expect(try await bench.check(source).severities("env file").isEmpty)
        }
    }

    @Test(arguments: TestServer.all)
    func `lines of the env file that are left out are told once, by their numbers`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            try bench.write("DB_NAME=x\nDB_PASSWORD hunter2\n", to: ".env", mode: 0o600)
            let full = try await bench.full(source)
            full.expect(code: 0, saying: "warning: .env: left out", "line 2")
            let console = try await bench.dbtool(
                ["backup", "-c", "list", "-c", "list", "-path", bench.repository])
            #expect(console.errors.components(separatedBy: "left out").count == 2, "\(console)")
            let check = try await bench.check(source)
            #expect(check.severities("env file") == ["note"])
            #expect(check.text("env file").contains("line 2"))
            for end in [full, console, check.end] {
                #expect(!(end.output + end.errors).contains("hunter2"), "\(end)")
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `a server that does not answer leaves the settings told`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let words = ["check", "--host", "127.0.0.1", "--port", "1", "-path", "backups"]
            let end = try await bench.dbtool(words)
            #expect(end.code == 5, "\(end)")
            #expect(end.output.contains("127.0.0.1 (flag)"), "\(end)")
            #expect(end.output.contains("PROBLEM  connection"), "\(end)")
            #expect(end.output.contains("the source could not be checked"), "\(end)")
            let json = try await bench.dbtool(words + ["--json"])
            let check = Checked(end: json, report: try JSON(parsing: json.output))
            check.expect(code: 5)
            #expect(check.report["error"]["code"].string == "connection_failed")
            #expect(check.text("repository").contains("\(bench.folder)/backups"))
            try await bench.dbtool(["check", "--nonsense"]).expect(code: 2, saying: "--nonsense")
        }
    }

    @Test(arguments: TestServer.all)
    func `a folder that cannot be written to is a problem`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let file = try bench.write("a file", to: "file")
            let check = try await bench.check(source, ["-path", "\(file)/repository"])
            check.expect(code: 1)
            #expect(
                check.report["findings"].items.contains { finding in
                    finding["area"].string == "repository"
                        && finding["severity"].string == "problem"
                        && finding["text"].string?.contains(file) == true
                }, "\(check.end)")
        }
    }

    @Test(arguments: TestServer.all)
    func `a disk that is too small is a problem`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE large (id integer PRIMARY KEY, value text);
                INSERT INTO large SELECT i, repeat(md5(i::text), 50) FROM generate_series(1, 10000) i;
                """)
            let words =
                ["check", "-path", "disk/repository"] + bench.connection()
                + ["--database", source.name]
            try bench.write(
                """
                mkdir disk && mount -t tmpfs -o size=$1 none disk || exit 90
                '\(try DBToolBinary.path())' \(words.joined(separator: " "))
                echo "exit code $?"
                """, to: "mount.sh")
            for (size, code) in [("64k", 1), ("900m", 0)] {
                let end = try await bench.shell(
                    "unshare --mount --propagation unchanged $([ $(id -u) = 0 ] || echo --map-root-user) sh -c 'sh mount.sh \(size)'; rmdir disk"
                )
                #expect(end.output.contains("exit code \(code)"), "\(end)")
                #expect(end.output.contains("PROBLEM  space") == (code == 1), "\(end)")
            }
        }
    }
}
