import BackupTesting
import Foundation
import Testing

/// The role `needs_password` must give its password; there is one of it on a server, so that these
/// tests run one after another.
@Suite(.serialized) struct PasswordTests {
    private static let role = "needs_password"
    private static let password = "s3cr3t:/@ '\"\\%41ü"

    @Test(arguments: TestServer.all)
    func `check tells that a password is missing, and which file it came from`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.guarded()
            let missing = try await bench.check(source, as: Self.role)
            missing.expect(code: 5)
            #expect(missing.report["error"]["code"].string == "password_required", "\(missing.end)")
            #expect(missing.fixes().contains("DB_PASSWORD"))
            let escaped = Self.password.replacing("\\", with: "\\\\").replacing(":", with: "\\:")
            try bench.write("*:*:*:*:\(escaped)\n", to: "home/.pgpass")
            let given = try await bench.check(source, as: Self.role)
            given.expect(code: 0)
            #expect(given.text("password").contains("home/.pgpass"), "\(given.end)")
            #expect(given.text("login").contains("with a password"), "\(given.end)")
            #expect(!given.end.output.contains("s3cr3t"), "\(given.end)")
        }
    }

    @Test(arguments: TestServer.all)
    func `a wrong or missing password is no connection`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.guarded()
            try await bench.full(source, as: Self.role)
                .expect(code: 5, saying: "no password", "DB_PASSWORD")
            try await bench.full(source, ["--password", "wrong"], as: Self.role)
                .expect(code: 5, saying: "password authentication failed", "Check the password")
            try bench.expectNothingStored()
        }
    }

    @Test(arguments: TestServer.all)
    func `a password comes from a flag, the environment, a file or a URL, and is never shown`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.guarded()
            let words =
                ["full", "database", "-path", bench.repository]
                + bench.connection(as: Self.role) + ["--database", source.name]
            let encoded = server.url(
                database: source.name, user: Self.role, password: Self.password)
            let url = ["full", "database", "-path", bench.repository, "--url", encoded]
            var ends: [ProgramEnd] = []

            ends.append(try await bench.dbtool(words + ["--password", Self.password]))
            ends.append(try await bench.dbtool(words + ["--password=\(Self.password)"]))
            ends.append(
                try await bench.dbtool(words, environment: ["DB_PASSWORD": Self.password]))
            ends.append(try await bench.dbtool(words, environment: ["PGPASSWORD": Self.password]))
            ends.append(try await bench.dbtool(url))
            let fields = Self.password.replacing("\\", with: "\\\\").replacing(":", with: "\\:")
            try bench.write("*:*:*:\(Self.role):\(fields)\n", to: "home/.pgpass")
            ends.append(try await bench.dbtool(words))
            for end in ends { try end.requireCode(0) }

            // Failures talk more, and must not say it either.
            ends.append(
                try await bench.dbtool(words + ["--password", Self.password, "--port", "1"]))
            ends.append(try await bench.dbtool(url + ["--pg-dump", "/bin/false"]))
            ends.append(try await bench.dbtool(url + ["--unknown", Self.password]))
            try await expectNothingSaid(ends, url: encoded, in: bench)
        }
    }

    @Test(arguments: TestServer.all)
    func `a restore logs in with a password too`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.guarded()
            try await bench.administration.query("ALTER ROLE \(Self.role) CREATEDB")
            _ = try await bench.backUp(source)
            let copy = bench.expectDatabase()
            try await bench.dbtool(
                ["restore", "latest", "-path", bench.repository, "--into", copy.name, "--create"]
                    + bench.connection(as: Self.role) + ["--no-owner", "--no-privileges"],
                environment: ["DB_PASSWORD": Self.password]
            ).requireCode(0)
            #expect(try await copy.query("SELECT count(*) FROM people") == "1000")
        }
    }

    /// While getpass asked, the terminal sent no signal for Ctrl-C, and SIGTERM waited for the answer.
    @Test func `a password is typed unseen, and the question can be left`() async throws {
        let server = TestServer.oldestAndNewest.newest
        try await Workbench.with(server) { bench in
            let source = try await bench.guarded()
            let words = ["full", "database", "-path", bench.repository, "--database", source.name]
            let command = ([try DBToolBinary.path()] + words + bench.connection(as: Self.role))
                .joined(separator: " ")
            func answer(_ answer: String) async throws -> ProgramEnd {
                try await bench.shell(
                    """
                    : >typescript
                    { until grep -q Password: typescript; do sleep 0.05; done; \(answer); sleep 2; } |
                    TERM=xterm script -qfec '\(command)' typescript
                    """)
            }
            for leaving in ["printf '\\003'", "pkill -TERM -f '^\(command)'"] {
                let left = try await answer(leaving)
                #expect(left.code == 130, "\(leaving): \(left)")
                #expect(left.output.contains("interrupted"), "\(leaving): \(left)")
                try bench.expectNothingStored()
            }
            try bench.write("\(Self.password)\n", to: "answer")
            let typed = try await answer("cat answer")
            try typed.requireCode(0)
            #expect(typed.output.contains("full_"), "\(typed)")
            #expect(!typed.output.contains("s3cr3t"), "\(typed)")
        }
    }

    @Test func `a password shows nowhere but where it was given, and in programs that need it`()
        async throws
    {
        let server = TestServer.oldestAndNewest.newest
        try await Workbench.with(server) { bench in
            let source = try await bench.guarded()
            try await bench.administration.query("ALTER ROLE \(Self.role) CREATEDB")
            let url = server.url(database: source.name, user: Self.role, password: Self.password)
            let encoded = try #require(
                url.split(separator: "@").first?.split(separator: ":").last.map(String.init))
            let login = bench.connection(as: Self.role)
            let named = login + ["--database", source.name]
            let plain = ["--no-owner", "--no-privileges"]
            let drill = ["verify", "latest", "--drill", "--same-server"] + plain
            let copies = [bench.expectDatabase(), bench.expectDatabase()].map {
                ["restore", "latest", "--into", $0.name, "--create"] + plain
            }
            let fields = Self.password.replacing("\\", with: "\\\\").replacing(":", with: "\\:")
            let ways: [PasswordWay] = [
                PasswordWay(
                    variables: ["DB_PASSWORD": Self.password], places: ["DB_PASSWORD of dbtool"],
                    runs: [["full", "database", "-compress", "true"] + named, copies[0] + login]),
                PasswordWay(
                    variables: ["PGPASSWORD": Self.password], places: ["PGPASSWORD of dbtool"],
                    runs: [["differential", "backup"] + named, drill + login]),
                PasswordWay(
                    file: ("\(bench.folder)/home/.pgpass", "*:*:*:\(Self.role):\(fields)\n"),
                    runs: [["check"] + named, ["incremental", "backup"] + named]),
                PasswordWay(
                    places: ["words of dbtool"],
                    runs: [["check"] + named + ["--password", Self.password]]),
                PasswordWay(
                    places: ["words of dbtool"], runs: [copies[1] + ["--url", url]]),
                PasswordWay(
                    variables: ["DB_DRILL_URL": url], places: ["DB_DRILL_URL of dbtool"],
                    runs: [drill]),
            ]
            var seen: Set<String> = []
            for way in ways {
                seen.formUnion(
                    try await way.expectSecrecy(
                        of: [Self.password, encoded], part: "s3cr3t", in: bench.folder
                    ) { words, variables in
                        let words = words + ["-path", bench.repository]
                        guard words.contains("--drill") else {
                            return try await bench.dbtool(words, environment: variables)
                        }
                        return try await bench.drilling {
                            try await bench.dbtool(words, environment: variables)
                        }
                    })
            }
            #expect(seen.contains("PGPASSWORD of pg_dump"), "\(seen)")
        }
    }

    /// Whoever could act on it must hear it whatever becomes of the login, and not again with each connection.
    @Test(arguments: TestServer.all)
    func `a password that a network can read is told of once, login refused or not`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.guarded()
            try await bench.administration.query("ALTER ROLE \(Self.role) CREATEDB")
            let address = try NetworkAddress.ofThisMachine()
            let proxy = try FailingProxy(
                to: try #require(UInt16(server.port)), isOnNetwork: true)
            defer { proxy.stop() }
            let copy = bench.expectDatabase()
            let plain = ["--no-owner", "--no-privileges"]
            let runs: [(words: [String], code: Int32)] = [
                (["full", "database", "--json"], 0), (["check", "--json"], 0),
                (["full", "database", "--password", "wrong"], 5),
                (["check", "--json", "--password", "wrong"], 5),
                (["restore", "latest", "--into", copy.name, "--create"] + plain, 0),
                (["verify", "latest", "--drill", "--same-server"] + plain, 0),
                (["sql", "SELECT 1; SELECT 2", "--json"], 0),
                (["sql", "SELECT 1", "--password", "wrong"], 5),
                (["backup", "--json", "-c", "SQL SELECT 1", "-c", "SQL SELECT 2"], 0),
            ]
            let words = "the password and all rows cross the network to"
            func run(_ run: (words: [String], code: Int32), _ place: [String]) async throws -> Int {
                let isKept = run.words.first != "sql"
                let named = run.words.first != "restore" && run.words.first != "verify"
                let all =
                    run.words + place + ["--user", Self.role]
                    + (isKept ? ["-path", bench.repository] : [])
                    + (named ? ["--database", source.name] : [])
                let end = try await bench.drilling {
                    try await bench.dbtool(all, environment: ["DB_PASSWORD": Self.password])
                }
                try end.requireCode(run.code)
                #expect(!end.output.contains(words), "\(end)")
                return end.errors.components(separatedBy: words).count - 1
            }
            let far = ["--host", address, "--port", "\(proxy.port)"]
            for one in runs {
                // What `check` could ask it reports as a finding.
                let isFinding = one.words.first == "check" && one.code == 0
                #expect(try await run(one, far) == (isFinding ? 0 : 1), "\(one.words)")
            }
            // A password that is missing is asked for, and whoever types one has been told.
            let missing = try await bench.dbtool(
                ["sql", "SELECT 1", "--user", Self.role, "--database", source.name] + far)
            missing.expect(code: 5, saying: "no password", "\(words) \(address)")
            let near = ["--host", server.host, "--port", server.port]
            for one in [runs[0], runs[2], runs[6]] {
                #expect(try await run(one, near) == 0, "\(one.words)")
            }
        }
    }

    private func expectNothingSaid(
        _ ends: [ProgramEnd], url: String, in bench: Workbench
    ) async throws {
        let encoded = try #require(
            url.split(separator: "@").first?.split(separator: ":").last.map(String.init))
        for secret in [Self.password, encoded] {
            for end in ends {
                // The last one's error names the word that it did not understand.
                guard !end.command.contains("--unknown") else { continue }
                #expect(!end.output.contains(secret), "\(end)")
                #expect(!end.errors.contains(secret), "\(end)")
            }
            let search = try await bench.run(
                "/usr/bin/grep",
                ["-rlF", "-e", secret, "--exclude=.pgpass", bench.repository, "state"])
            #expect(search.code == 1, "\(search)")
        }
    }
}

extension Workbench {
    /// A database that the role with a password may read.
    fileprivate func guarded() async throws -> TestDatabase {
        let source = try await small()
        try await administration.query("DROP ROLE IF EXISTS needs_password")
        let role = try await createRole(
            named: "needs_password",
            "PASSWORD E's3cr3t:/@ \\'\"\\\\%41ü'")
        try await source.query(
            """
            GRANT SELECT ON ALL TABLES IN SCHEMA public TO \(role);
            GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO \(role);
            """)
        return source
    }
}
