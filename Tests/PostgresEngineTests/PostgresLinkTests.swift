import BackupCore
import Testing

@testable import PostgresEngine

/// What `check` says of a connection that others could read or take over.
@Suite struct PostgresLinkTests {
    @Test(
        arguments: [
            ("/var/run/postgresql", nil, "prefer", .ok, "local"),
            ("127.0.0.1", nil, "prefer", .ok, "local"), ("localhost", nil, "prefer", .ok, "local"),
            ("db.example.com", nil, "prefer", .warning, "password and rows cross the network"),
            ("10.0.0.1", "TLSv1.3 with X", "require", .note, "does not check who the server is"),
            ("10.0.0.1", "TLSv1.3 with X", "verify-full", .ok, "TLSv1.3 with X"),
            ("127.0.0.1", "TLSv1.3 with X", "prefer", .ok, "TLSv1.3 with X"),
        ] as [(String, String?, String, Finding.Severity, String)])
    func `an unprotected way over a network is warned of`(
        host: String, encryption: String?, mode: String, severity: Finding.Severity, words: String
    ) {
        let link = PostgresLink(
            host: host, port: "5432", user: "u", database: "d", usedPassword: true,
            encryption: encryption, sslMode: mode)
        let finding = PostgresCheck.encryption(link)
        #expect(finding.severity == severity)
        #expect(finding.text.contains(words), "\(finding.text)")
        #expect(finding.fix.isEmpty == (severity == .ok))
    }
}
