import BackupTesting
import Testing

/// A restore into a database that is in use changes nothing of it where the backup is damaged.
@Suite struct DamagedRestoreCampaign {
    private static let products: [CampaignShop.Product] =
        [.postgres] + (Attack.isLong ? [.mariadb, .mysql] : [])

    @Test(arguments: products)
    func `a damaged backup replaces nothing of what is there`(
        product: CampaignShop.Product
    ) async throws {
        try await CampaignShop.open(on: product) { shop in
            try shop.layOut()
            let target = shop.server.newName("used")
            try await shop.run(["restore", shop.newest, "--into", target, "--create"])
                .requireCode(0)
            let expected = try await shop.server.contents(of: target)
            let all = CampaignFiles(of: shop)
            let attack = Attack("damaged files before replacing: \(product)")
            let names = attack.shuffled(all.proven)
            var used = expected
            try await attack.run { number, random in
                try shop.layOut()
                if used == expected {
                    try await shop.server.query(
                        "DELETE FROM pets; INSERT INTO pets VALUES ('a pet of today', 1)",
                        in: target)
                    used = try await shop.server.contents(of: target)
                }
                let path = names[number % names.count]
                let damage = try #require(CampaignDamage.allCases.randomElement(using: &random))
                let damaged = try damage.apply(
                    to: path, others: all.others(than: path), &random)
                guard !damaged.isEmpty else { return nil }
                let isClean = Bool.random(using: &random)
                let words =
                    isClean
                    ? ["--clean", "--yes"] : ["-tablename", "pets", "--existing", "truncate"]
                let end = try await shop.run(["restore", shop.newest, "--into", target] + words)
                let found = try await shop.server.contents(of: target)
                var broken: [String] = []
                if end.code == 0 {
                    // Of a table not all files are read.
                    if found != expected { broken.append("restored something else: \(end)") }
                } else {
                    if ![1, 4].contains(end.code) || !end.errors.contains("error:") {
                        broken.append("not refused with words: \(end)")
                    }
                    if found != used { broken.append("the target was touched: \(end)") }
                }
                used = found
                return broken.map { "\(damage) \(damaged), \(words): \($0)" }
            }
            try await shop.server.drop(target)
        }
    }
}
