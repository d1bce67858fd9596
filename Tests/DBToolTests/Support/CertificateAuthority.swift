import BackupTesting
import Foundation

/// An authority that one test has, and what it signs: files in a folder, made by `openssl`.
struct CertificateAuthority {
    /// What somebody shows who they are with.
    struct Identity {
        let certificate: String
        let key: String
    }

    private let folder: String
    private let name: String

    /// The file that whoever trusts it is given.
    var certificate: String { "\(folder)/\(name).pem" }
    private var key: String { "\(folder)/\(name).key" }

    init(_ name: String, in folder: String) async throws {
        (self.folder, self.name) = (folder, name)
        try await openssl([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=\(name)",
            "-addext", "basicConstraints=critical,CA:TRUE", "-keyout", key, "-out", certificate,
        ])
    }

    /// Signs a new certificate.
    ///
    /// `purpose`: What is said in it, as `subjectAltName=DNS:localhost`.
    func issue(_ name: String, _ purpose: String) async throws -> Identity {
        let (request, more) = ("\(folder)/\(name).csr", "\(folder)/\(name).ext")
        let identity = Identity(
            certificate: "\(folder)/\(name).pem", key: "\(folder)/\(name).key")
        try Data("\(purpose)\n".utf8).write(to: URL(fileURLWithPath: more))
        try await openssl([
            "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=\(name)",
            "-keyout", identity.key, "-out", request,
        ])
        try await openssl([
            "x509", "-req", "-in", request, "-CA", certificate, "-CAkey", key,
            "-CAcreateserial", "-days", "2", "-extfile", more, "-out", identity.certificate,
        ])
        // A server that root starts reads it as a user of its own.
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o644], ofItemAtPath: identity.key)
        return identity
    }

    private func openssl(_ words: [String]) async throws {
        let end = try await Program.run(
            "/usr/bin/env", ["openssl"] + words,
            environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"], folder: folder)
        guard end.code == 0 else { throw ProgramFailure("\(end)") }
    }
}
