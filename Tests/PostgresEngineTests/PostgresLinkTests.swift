import BackupCore
import BackupTesting
import Testing

@testable import PostgresEngine

/// What `check` says of a connection that others could read or take over.
@Suite struct PostgresLinkTests {
    @Test(
        arguments: [
            ("/var/run/postgresql", true, nil, "prefer", .ok, "local"),
            ("127.0.0.1", true, nil, "prefer", .ok, "local"),
            (
                "db.example.com", false, nil, "prefer", .warning,
                "password and rows cross the network"
            ),
            // With hostaddr=10.1.2.3 beside it.
            ("localhost", false, nil, "prefer", .warning, "password and rows cross the network"),
            ("127.example.com", false, nil, "prefer", .warning, "password and rows cross"),
            (
                "10.0.0.1", false, "TLSv1.3 with X", "require", .note,
                "does not check who the server is"
            ),
            ("10.0.0.1", false, "TLSv1.3 with X", "verify-full", .ok, "TLSv1.3 with X"),
            ("127.0.0.1", true, "TLSv1.3 with X", "prefer", .ok, "TLSv1.3 with X"),
        ] as [(String, Bool, String?, String, Finding.Severity, String)])
    func `an unprotected way over a network is warned of`(
        host: String, isLocal: Bool, encryption: String?, mode: String,
        severity: Finding.Severity, words: String
    ) {
        let link = PostgresLink(
            host: host, port: "5432", user: "u", database: "d", usedPassword: true,
            encryption: encryption, sslMode: mode, isLocal: isLocal)
        let finding = PostgresCheck.encryption(link)
        #expect(finding.severity == severity)
        #expect(finding.text.contains(words), "\(finding.text)")
        #expect(finding.fix.isEmpty == (severity == .ok))
        #expect((link.exposure == nil) == (isLocal || encryption != nil))
    }

    /// A server that has refused a login has hung up, and its socket may know nothing any more.
    @Test(
        arguments: [
            ("", "/var/run/postgresql", true), ("", "@abstract", true),
            ("", "db.example.com", false),
            ("127.0.0.1", "db.example.com", true), ("::1", "db.example.com", true),
            ("192.0.2.7", "localhost", false), ("192.0.2.7", "/var/run/postgresql", false),
        ] as [(String, String, Bool)])
    func `where a lost connection went its address tells`(
        address: String, host: String, isLocal: Bool
    ) {
        #expect(PostgresLink.isLocal(address: address, host: host) == isLocal)
    }

    @Test(arguments: TestServer.all)
    func `it is the address that was connected to that is local, whatever the name`(
        server: TestServer
    ) async throws {
        try server.require()
        var settings = PostgresSettings()
        settings.url = Secret(
            "postgresql://\(server.superuser)@db.invalid:\(server.port)/postgres?hostaddr=127.0.0.1"
        )
        let link = try await PostgresConnection(settings).link
        #expect(link.host == "db.invalid" && link.isLocal)
    }
}
