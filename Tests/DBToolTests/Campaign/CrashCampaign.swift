import BackupTesting
import Foundation
import Testing

/// A run that is killed at any of its calls of the system leaves whole backups or none.
@Suite struct CrashCampaign {
    /// What is killed. Where no server is asked, the product makes no difference.
    private static let runs: [(CampaignShop.Product, CampaignVerb)] =
        CampaignVerb.allCases.map { (.postgres, $0) }
        + CampaignVerb.backups.filter { Attack.isLong || $0 != .spilling }.map { (.mariadb, $0) }
        + (Attack.isLong ? CampaignVerb.backups : [.differential]).map { (.mysql, $0) }

    @Test(arguments: runs)
    func `a killed run leaves every earlier backup, and the next one succeeds`(
        product: CampaignShop.Product, verb: CampaignVerb
    ) async throws {
        // One of them is large in short runs too.
        let isLarge = product == .postgres && verb == .spilling
        try await CampaignShop.open(
            on: product, stock: verb == .prune ? .twoChains : .chain,
            size: isLarge ? .large : .drawn(for: "\(product), \(verb)")
        ) { shop in
            let attack = Attack("kill -9: \(product), \(verb)")
            let kills = try await KillingCalls(of: attack, in: shop) {
                try shop.layOut()
                return try await shop.run(verb.words, before: $0)
            }
            var hit: Set<KillingCalls.Step> = []
            try await attack.run { number, _ in
                try shop.layOut()
                let step = kills.step(ofTry: number)
                let end = try await shop.run(verb.words, before: kills.words(at: step))
                // Threads that took turns in another order may need fewer.
                guard end.code != 0 else { return nil }
                guard end.code == 128 + SIGKILL else { return ["\(step): \(end)"] }
                hit.insert(step)
                return try await shop.aftermath(of: verb, inTry: number).map {
                    "killed at \(step): \($0)"
                }
            }
            try attack.note(stepsHit: hit.count, of: kills.count)
        }
    }
}
