import BackupTesting
import Foundation
import Testing

/// Who the server is, and who the client is, as certificates tell.
@Suite struct MySQLTLSTests {
    /// A server that calls itself `localhost`, and two authorities, of which one has signed that and is known to it.
    private struct Stage {
        let bench: MySQLBench
        let known: CertificateAuthority
        let stranger: CertificateAuthority

        /// Where the server is, without a word about encryption.
        func place(_ host: String = "localhost", as user: String = "root") -> [String] {
            [
                "--db", "mysql", "--host", host, "--port", "\(bench.server.port)", "--user", user,
                "--database", bench.source.name,
            ]
        }

        func url(_ parameters: String, as login: String = "root") -> [String] {
            [
                "--url",
                "mysql://\(login)@localhost:\(bench.server.port)/\(bench.source.name)?\(parameters)",
            ]
        }

        func full(
            _ words: [String], environment: [String: String] = [:]
        ) async throws -> ProgramEnd {
            try await bench.dbtool(
                exactly: ["full", "database", "-path", bench.repository] + words,
                environment: environment)
        }

        /// What `check` says of the connection.
        func encryption(_ words: [String]) async throws -> String {
            let end = try await bench.dbtool(
                exactly: ["check", "--json", "-path", bench.repository] + words)
            return Checked(end: end, report: try JSON(parsing: end.output)).text("encryption")
        }
    }

    private static func withStage(
        like server: MySQLTestServer, _ body: (Stage) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let known = try await CertificateAuthority("known", in: folder)
            let stranger = try await CertificateAuthority("stranger", in: folder)
            let own = try await known.issue("server", "subjectAltName=DNS:localhost")
            let settings = [
                "ssl_ca=\(known.certificate)", "ssl_cert=\(own.certificate)", "ssl_key=\(own.key)",
            ]
            try await MySQLBench.withOwnServer(like: server, settings) { bench, _ in
                try await bench.source.query(
                    "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)")
                try await body(Stage(bench: bench, known: known, stranger: stranger))
            }
        }
    }

    private static func verifying(_ authority: CertificateAuthority) -> [String] {
        ["--sslmode", "verify-full", "--sslrootcert", authority.certificate]
    }

    private static func showing(_ identity: CertificateAuthority.Identity) -> [String] {
        ["--sslcert", identity.certificate, "--sslkey", identity.key]
    }

    @Test(arguments: MySQLTestServer.all)
    func `a server is believed under the name that a trusted authority has signed, and no other`(
        server: MySQLTestServer
    ) async throws {
        try await Self.withStage(like: server) { stage in
            try await stage.full(stage.place("127.0.0.1") + Self.verifying(stage.known))
                .expect(code: 5, saying: "cannot connect: TLS", "--sslrootcert")
            try await stage.full(stage.place() + Self.verifying(stage.stranger))
                .expect(code: 5, saying: "cannot connect: TLS", "--sslrootcert")
            // Nobody whom this machine trusts has signed it.
            try await stage.full(stage.place() + ["--sslmode", "verify-full"])
                .expect(code: 5, saying: "cannot connect: TLS", "--sslrootcert")
            try await stage.full(stage.place() + Self.verifying(stage.known)).requireCode(0)
            let copy = stage.bench.other("copy")
            try await stage.bench.dbtool(
                exactly: [
                    "restore", "latest", "-path", stage.bench.repository, "--into", copy.name,
                    "--create",
                ] + stage.place() + Self.verifying(stage.known)
            ).requireCode(0)
            #expect(try await copy.query("SELECT COUNT(*), SUM(id) FROM t") == "2\t3")
            let cipher = try await stage.encryption(stage.place() + Self.verifying(stage.known))
            #expect(cipher.hasPrefix("TLS_") || cipher.contains("-"), "\(cipher)")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `whom to trust is said by a URL, variables or an option file`(
        server: MySQLTestServer
    ) async throws {
        try await Self.withStage(like: server) { stage in
            for (authority, code) in [(stage.stranger, Int32(5)), (stage.known, 0)] {
                let file = authority.certificate
                let url = stage.url("ssl-mode=VERIFY_IDENTITY&ssl-ca=\(file)")
                try await stage.full(url).expect(code: code)
                let variables = ["DB_SSLMODE": "verify-full", "DB_SSLROOTCERT": file]
                try await stage.full(stage.place(), environment: variables).expect(code: code)
                let options = URL(fileURLWithPath: "\(stage.bench.folder)/.my.cnf")
                try Data("[client]\nssl-ca=\(file)\nssl-verify-server-cert=1\n".utf8)
                    .write(to: options)
                try await stage.full(stage.place()).expect(code: code)
                // The file counts for other names of the server as well.
                try await stage.full(stage.place("127.0.0.1")).expect(code: 5)
                try FileManager.default.removeItem(at: options)
            }
        }
    }

    /// The library has no such check, and one that is less must not be taken for it.
    @Test(arguments: MySQLTestServer.all)
    func `a certificate is checked with the name, or not at all`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let full = ["full", "database", "-path", bench.repository]
            let words = full + ["--database", bench.source.name, "--sslmode", "verify-ca"]
            try await bench.dbtool(words).expect(code: 2, saying: "verify-full")
            let url =
                "mysql://root@127.0.0.1:\(server.port)/\(bench.source.name)?ssl-mode=VERIFY_CA"
            try await bench.dbtool(exactly: full + ["--url", url])
                .expect(code: 2, saying: "verify-full")
        }
    }

    /// Nobody who names an authority expects rows to go to whom it has not signed, in the clear.
    @Test(arguments: MySQLTestServer.all)
    func `a server of another authority is not spoken to without encryption`(
        server: MySQLTestServer
    ) async throws {
        try await Self.withStage(like: server) { stage in
            func encryption(_ authority: CertificateAuthority) async throws -> String {
                try await stage.encryption(
                    stage.place() + ["--sslrootcert", authority.certificate])
            }
            // Other versions of the library take it as it is, and encrypt.
            let doubtful = try await encryption(stage.stranger)
            #expect(!doubtful.hasPrefix("none"), "\(doubtful)")
            let trusted = try await encryption(stage.known)
            #expect(!trusted.isEmpty && !trusted.hasPrefix("none"), "\(trusted)")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `an account that must show a certificate is let in with one of a known authority`(
        server: MySQLTestServer
    ) async throws {
        try await Self.withStage(like: server) { stage in
            let account = try await stage.bench.source.createAccount(
                "shown", server.backupPrivileges)
            try await stage.bench.server.query(
                "ALTER USER '\(account)'@'%' IDENTIFIED BY 'right' REQUIRE X509")
            let own = try await stage.known.issue("client", "extendedKeyUsage=clientAuth")
            let forged = try await stage.stranger.issue("forger", "extendedKeyUsage=clientAuth")
            let mixed = CertificateAuthority.Identity(
                certificate: own.certificate, key: forged.key)
            let login = stage.place(as: account) + ["--password", "right"]
            let encrypted = login + ["--sslmode", "require"]
            let plain = login + ["--sslmode", "disable"]
            for words in [
                encrypted, encrypted + Self.showing(forged), encrypted + Self.showing(mixed),
                plain + Self.showing(own),
            ] {
                try await stage.full(words).expect(code: 5, saying: "cannot connect")
            }
            // Every connection shows it.
            try await stage.full(encrypted + Self.showing(own) + ["--jobs", "3"]).requireCode(0)
            try await stage.full(login + Self.verifying(stage.known) + Self.showing(own))
                .requireCode(0)
            let parameters = "ssl-mode=REQUIRED&ssl-cert=\(own.certificate)&ssl-key=\(own.key)"
            try await stage.full(stage.url(parameters, as: "\(account):right")).requireCode(0)
        }
    }
}
