import BackupTesting
import Foundation
import Testing

/// What is encrypted may be cut, fall silent or come as something else, and costs a run at most.
///
/// A bit that is another one is noticed there: in the clear nobody promises that.
@Suite struct TLSCampaign {
    private static let products: [CampaignShop.Product] =
        [.postgres, .mariadb] + (Attack.isLong ? [.mysql] : [])

    @Test(arguments: products)
    func `an encrypted connection that fails costs no backup, and brings no wrong one`(
        product: CampaignShop.Product
    ) async throws {
        try await CampaignShop.openEncrypted(on: product) { shop in
            let verbs = CampaignVerb.backups.filter(\.readsSource)
            try await Attack("encrypted connection, \(product)").run { number, random in
                try shop.layOut()
                let verb = try #require(verbs.randomElement(using: &random))
                let failure = try #require(Self.failures.randomElement(using: &random))
                let proxy = try FailingProxy(
                    to: shop.server.port, after: Int.random(in: 100...90_000, using: &random),
                    by: failure)
                defer { proxy.stop() }
                let end = try await shop.run(verb.words, port: proxy.port) { running in
                    if failure.mayHang { try await running.loseItsPatience() }
                }
                // It had no more to say.
                guard proxy.hasFailed else { return nil }
                var broken = end.faults(after: failure)
                if end.code == 0 { broken += try await shop.differences(ofPoint: "latest") }
                broken += try await shop.aftermath(of: verb, inTry: number)
                return broken.map { "\(verb), \(proxy): \($0)" }
            }
        }
    }

    @Test(arguments: products)
    func `an encrypted connection that fails costs a restore no row, and brings no wrong one`(
        product: CampaignShop.Product
    ) async throws {
        try await CampaignShop.openEncrypted(on: product) { shop in
            try shop.layOut()
            let restores = AttackedRestores(of: shop, on: product)
            try await Attack("encrypted connection: \(product), restore").run { _, random in
                let mode = restores.mode(by: &random)
                let failure = try #require(Self.failures.randomElement(using: &random))
                let bytes = Int.random(in: 100...150_000, using: &random)
                var hasFailed = false
                return try await restores.attempt(mode) { _, words in
                    let proxy = try FailingProxy(
                        to: shop.server.port, after: bytes, by: failure)
                    // Then the server has ended its sessions too.
                    defer { proxy.stop() }
                    let end = try await shop.run(words, port: proxy.port) { running in
                        if failure.mayHang { try await running.loseItsPatience() }
                    }
                    hasFailed = proxy.hasFailed
                    return end
                } isHit: {
                    hasFailed ? $0.faults(after: failure).isEmpty : nil
                }.map { $0.map { "\(failure) after \(bytes) bytes: \($0)" } }
            }
        }
    }

    private static let failures = FailingProxy.Failure.allCases
}

extension ProgramEnd {
    /// What is wrong about it, where somebody may have waited in vain and given up.
    fileprivate func faults(after failure: FailingProxy.Failure) -> [String] {
        code == 130 && failure.mayHang ? [] : faults
    }
}

extension CampaignShop {
    /// Opens one on a server with a certificate, to which dbtool speaks in no other way than encrypted.
    fileprivate static func openEncrypted(
        on product: Product, _ body: @escaping @Sendable (CampaignShop) async throws -> Void
    ) async throws {
        let options = ["--sslmode", "require"]
        switch product {
        case .postgres:
            try await Workbench.with(TestServer.oldestAndNewest.newest, limit: .seconds(7200)) {
                bench in
                let own = try await CertificateAuthority("authority", in: bench.folder)
                    .issue("server", "subjectAltName=DNS:localhost")
                try await bench.giveToServer(own.key)
                let settings = [
                    "fsync=off", "ssl=on", "ssl_cert_file=\(own.certificate)",
                    "ssl_key_file=\(own.key)",
                ]
                try await bench.withOwnServer(settings) { source in
                    let server = try await PostgresCampaignServer(bench, source, options: options)
                    try await body(CampaignShop(server))
                }
            }
        case .mariadb, .mysql:
            try await withTemporaryFolder { folder in
                let authority = try await CertificateAuthority("authority", in: folder)
                let own = try await authority.issue("server", "subjectAltName=DNS:localhost")
                let settings = [
                    "ssl_ca=\(authority.certificate)", "ssl_cert=\(own.certificate)",
                    "ssl_key=\(own.key)",
                ]
                try await MySQLBench.withOwnServer(like: testServer(of: product), settings) {
                    bench, _ in
                    let server = try await MySQLCampaignServer(bench, options: options)
                    try await body(CampaignShop(server))
                }
            }
        }
    }
}

extension Workbench {
    /// A PostgreSQL server takes no key that others may read, and has a user of its own where root starts it.
    fileprivate func giveToServer(_ key: String) async throws {
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
        guard getuid() == 0 else { return }
        let end = try await run("/bin/chown", ["postgres", key])
        guard end.code == 0 else { throw ProgramFailure("\(end)") }
    }
}
