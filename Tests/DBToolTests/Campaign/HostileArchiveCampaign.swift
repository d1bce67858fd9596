import BackupTesting
import Foundation
import Testing

/// Whoever reads the zip archive of a full that an attacker has written finds it wrong, and needs no more for it than for a whole one.
@Suite struct HostileArchiveCampaign {
    @Test func `whatever an archive holds, it is named, nothing is written, and memory suffices`()
        async throws
    {
        try await CampaignShop.open(on: .postgres, size: .small) { shop in
            let outside = try Outside(of: shop)
            let limit = try await shop.limitOfMemory()
            try shop.layOut()
            let full = try #require(shop.ids.first { $0.hasPrefix("full_") })
            let archive = try ForgedArchive(of: full, in: shop, luringTo: outside)
            let attack = Attack("hostile archive")
            let tricks = attack.shuffled(ForgedArchive.Trick.allCases)
            try await attack.run(tries: Attack.tries * 3) { number, random in
                try shop.layOut()
                let trick = tricks[number % tricks.count]
                let played = try archive.play(trick, &random)
                let before = try Self.names(of: shop)
                let limiting = CampaignShop.limiting(to: limit)
                let verify = try await shop.run(["verify", full], before: limiting, as: false)
                let isNamed =
                    verify.code == 4 && (verify.output + verify.errors).contains("\(full).zip")
                var broken =
                    isNamed || trick.isHarmless && verify.code == 0 ? [] : ["not named: \(verify)"]
                // The archive alone is wrong, which nobody else reads.
                for words in [["show", full], ["list"], ["verify", shop.newest]] {
                    let end = try await shop.run(words, before: limiting, as: false)
                    if ![0, 4].contains(end.code) { broken.append("no answer: \(end)") }
                }
                if try !outside.isUntouched { broken.append("touched what is outside") }
                if try Self.names(of: shop) != before { broken.append("something was unpacked") }
                return broken.map { "\(played), \(limit) MB: \($0)" }
            }
        }
    }

    /// What lies in the repository and around it, but for what remembers that somebody has looked.
    private static func names(of shop: CampaignShop) throws -> Set<String> {
        let views = ["state.json", "manifest.json", "backup_catalog.json", ".lock"]
        let names = try FileManager.default.subpathsOfDirectory(atPath: shop.server.folder)
        return Set(names.filter { name in !views.contains { name.hasSuffix("/\($0)") } })
    }
}
