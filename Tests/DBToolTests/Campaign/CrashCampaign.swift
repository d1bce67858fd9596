import BackupTesting
import Foundation
import Testing

/// A run that is killed at any of its calls of the system leaves whole backups or none.
@Suite struct CrashCampaign {
    /// Everything that reaches the disk or the server.
    private static let calls = [
        "write", "fsync", "sync_file_range", "rename", "renameat", "mkdir", "mkdirat", "unlink",
        "unlinkat", "rmdir", "ftruncate", "chmod", "connect", "sendto", "recvfrom",
    ]

    /// What is killed. Where no server is asked, the product makes no difference.
    private static let runs: [(CampaignShop.Product, CampaignVerb)] =
        CampaignVerb.allCases.map { (.postgres, $0) }
        + [.full, .zipped, .differential, .incremental, .merge].map { (.mariadb, $0) }
        + (Attack.isLong ? CampaignVerb.backups : [.differential]).map { (.mysql, $0) }

    @Test(arguments: runs)
    func `a killed run leaves every earlier backup, and the next one succeeds`(
        product: CampaignShop.Product, verb: CampaignVerb
    ) async throws {
        try await CampaignShop.open(on: product, stock: verb == .prune ? .twoChains : .chain) {
            shop in
            try shop.layOut()
            var order = SeededGenerator(seed: Attack.seed)
            let shuffled = try await Strace.steps(
                of: Self.calls, log: "\(shop.server.folder)/steps"
            ) {
                try await shop.run(verb.words, before: $0)
            }.shuffled(using: &order)
            try await Attack("kill -9: \(product), \(verb)").run { number, _ in
                try shop.layOut()
                let step = shuffled[number % shuffled.count]
                let end = try await shop.run(verb.words, before: Strace.killing(at: step))
                // The other thread took the step that this one would have taken.
                guard end.code != 0 else { return nil }
                guard end.code == 128 + SIGKILL else { return ["\(step): \(end)"] }
                return try await shop.aftermath(of: verb, inTry: number).map {
                    "killed at \(step): \($0)"
                }
            }
        }
    }
}
