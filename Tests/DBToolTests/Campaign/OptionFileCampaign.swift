import BackupTesting
import Foundation
import Testing

/// The files in which client libraries look for options may hold anything.
@Suite struct OptionFileCampaign {
    @Test(arguments: [
        (CampaignShop.Product.postgres, ".pgpass"), (.mariadb, ".my.cnf"),
    ])
    func `whatever a file of options holds, a run uses it or ends with words`(
        product: CampaignShop.Product, name: String
    ) async throws {
        try await CampaignShop.open(on: product, size: .small) { shop in
            let home = try #require(shop.server.environment["HOME"])
            let url = URL(fileURLWithPath: "\(home)/\(name)")
            try shop.layOut()
            try await Attack("forged \(name)").run(tries: Attack.tries * 3) { _, random in
                var bytes = Array(Self.lines(shop, &random).utf8)
                for _ in 0..<Int.random(in: 0...2, using: &random) {
                    Forgery.random(forText: false, &random).apply(to: &bytes, &random)
                }
                try Data(bytes).write(to: url)
                try FileManager.default.setAttributes(
                    [.posixPermissions: 0o600], ofItemAtPath: url.path)
                let end = try await shop.run(["check"])
                var broken = end.faults
                if end.output.contains("s3cr3t") || end.errors.contains("s3cr3t") {
                    broken.append("a password is shown: \(end)")
                }
                return broken.map { "\(bytes): \($0)" }
            }
        }
    }

    @Test func `a wrong password of an option file is not called a missing one`() async throws {
        try await CampaignShop.open(on: .mariadb, size: .small) { shop in
            try shop.layOut()
            let home = try #require(shop.server.environment["HOME"])
            let url = URL(fileURLWithPath: "\(home)/.my.cnf")
            try Data("[client]\npassword=wrong\n".utf8).write(to: url)
            let end = try await shop.run(["full", "database"])
            #expect(end.code == 5, "\(end)")
            #expect(end.errors.contains("Check the password in ~/.my.cnf"), "\(end)")
        }
    }

    private static func lines(_ shop: CampaignShop, _ random: inout SeededGenerator) -> String {
        let pieces = [
            "127.0.0.1:\(shop.server.port):*:root:s3cr3t", "*:*:*:*:s3cr3t", "\\:", "::::",
            "[client]",
            "[dbtool]", "[", "password=s3cr3t", "password = \"s3cr3t", "port=1", "user=s",
            "socket=/nowhere", "!include /nowhere", "!includedir .", "#", "ssl-verify-server-cert",
            "default-character-set=utf8", "host", "=", "\\", "\t",
            String(repeating: "x", count: 9000),
        ]
        return (0..<Int.random(in: 0...12, using: &random)).map { _ in
            Bool.random(using: &random)
                ? pieces.randomElement(using: &random) ?? "" : random.text(maximumLength: 20)
        }.joined(separator: Bool.random(using: &random) ? "\n" : "\r\n")
    }
}
