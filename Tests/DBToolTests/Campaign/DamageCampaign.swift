import BackupTesting
import Foundation
import Testing

/// Damage of any kind to any file is found and named, and nothing wrong is ever restored.
@Suite struct DamageCampaign {
    /// Whether a report names a file by its path in the repository.
    ///
    /// A list of checksums may be named by what is wrong in its backup, and what tells of a backup by that one's name.
    private static func isNamed(_ file: String, in words: String) -> Bool {
        if words.contains(file) { return true }
        let parts = file.split(separator: "/")
        guard let name = parts.last, let backup = parts.dropLast().last,
            ["metadata.json", "SHA256SUMS"].contains(name)
        else { return false }
        return words.split(separator: "\n").contains { line in
            // The first line says which point was looked at, whatever is wrong.
            let isHead = line.hasSuffix(" is damaged") && !line.hasPrefix(" ")
            return !isHead && line.contains(backup)
                && (name == "metadata.json" || line.contains(name))
        }
    }

    private static let runs: [(CampaignShop.Product, CampaignShop.Stock)] =
        [(.postgres, .chain), (.mariadb, .packed)]
        + (Attack.isLong ? [(.postgres, .packed), (.mariadb, .chain), (.mysql, .packed)] : [])

    @Test(arguments: runs)
    func `every damage is found and named, and no wrong row is restored`(
        product: CampaignShop.Product, stock: CampaignShop.Stock
    ) async throws {
        // Four times as many tries as elsewhere leave no time for a large one.
        let hasMore = product == .postgres && stock == .chain
        try await CampaignShop.open(on: product, stock: stock, size: hasMore ? .small : nil) {
            shop in
            try shop.layOut()
            let whole = shop.server.newName("whole")
            try await shop.run(["restore", shop.newest, "--into", whole, "--create"])
                .requireCode(0)
            let expected = try await shop.server.contents(of: whole)
            let attack = Attack("damaged files, \(product), \(stock)")
            let all = CampaignFiles(of: shop)
            let names = attack.shuffled(all.proven)
            // Which files there are depends on the product; how one is read does not.
            let tries = Attack.tries * (hasMore ? 4 : 1)
            try await attack.run(tries: tries) { number, random in
                try shop.layOut()
                let path = names[number % names.count]
                let damage = CampaignDamage.allCases[
                    (number / names.count + number) % CampaignDamage.allCases.count]
                let damaged = try damage.apply(
                    to: path, others: all.others(than: path), &random)
                guard !damaged.isEmpty else { return nil }
                let files = damaged.map { String($0.dropFirst(shop.repository.count + 1)) }
                var broken: [String] = []
                let verify = try await shop.run(["verify", shop.newest], as: false)
                let words = verify.output + verify.errors
                if ![1, 4].contains(verify.code) { broken.append("not found: \(verify)") }
                let unnamed = files.filter { !Self.isNamed($0, in: words) }
                // Without the metadata of one nobody knows which others there should be.
                let endsAtFirst = files.count > 1 && path.hasSuffix("/metadata.json")
                if unnamed.count > (endsAtFirst ? 1 : 0) {
                    broken.append("\(unnamed) not named: \(verify)")
                }

                let target = shop.server.newName("damaged")
                let end = try await shop.run([
                    "restore", shop.newest, "--into", target, "--create",
                ])
                if end.code == 0 {
                    // Files that a restore does not read, the row index above all.
                    if try await shop.server.contents(of: target) != expected {
                        broken.append("restored something else: \(end)")
                    }
                } else {
                    if ![1, 4].contains(end.code) || !end.errors.contains("error:") {
                        broken.append("not refused with words: \(end)")
                    }
                    if try await shop.server.exists(target) {
                        broken.append("the target was touched: \(end)")
                    }
                }
                try await shop.server.drop(target)
                return broken.map { "\(damage) \(files): \($0)" }
            }
        }
    }

    @Test func `what can be made again is made again`() async throws {
        try await CampaignShop.open(on: .postgres) { shop in
            try shop.layOut()
            let all = CampaignFiles(of: shop)
            let names = all.views + all.proven.filter { $0.contains("/index/") }
            try await Attack("damaged views and row indexes").run { number, random in
                try shop.layOut()
                let path = names[number % names.count]
                let damage = try #require(
                    CampaignDamage.allCases.randomElement(using: &random))
                guard try !damage.apply(to: path, others: [], &random).isEmpty else { return nil }
                let isIndex = path.contains("/index/")
                var broken = isIndex ? [] : try await shop.broken(keeping: shop.ids)
                let end = try await shop.run(["differential", "backup", "--json"])
                guard end.code == 0 else { return ["\(damage) \(path): \(end)"] }
                let target = shop.server.newName("again")
                let restored = try await shop.run([
                    "restore", "latest", "--into", target, "--create",
                ])
                if restored.code != 0 {
                    broken.append("\(restored)")
                } else if try await shop.server.contents(of: target)
                    != shop.server.contents(of: shop.server.source)
                {
                    broken.append("the differential is not the source: \(end)")
                }
                let added = try StoredBackup(end).id
                broken += try Self.faultsOfViews(in: shop, holding: shop.ids.union([added]))
                try await shop.server.drop(target)
                return broken.map { "\(damage) \(path): \($0)" }
            }
        }
    }

    /// What of the catalog and the manifests is not what the backups say of themselves.
    private static func faultsOfViews(
        in shop: CampaignShop, holding ids: Set<String>
    ) throws -> [String] {
        func json(_ path: String) throws -> JSON {
            try JSON(
                parsing: String(contentsOfFile: "\(shop.repository)/\(path)", encoding: .utf8))
        }
        let manager = FileManager.default
        let catalog = try json("backup_catalog.json")["backups"].items
        var broken =
            catalog.count == ids.count && Set(catalog.compactMap(\.["id"].string)) == ids
            ? [] : ["the catalog is not of \(ids.sorted()): \(catalog)"]
        for entry in catalog {
            let path = try #require(entry["path"].string)
            let metadata = try json("\(path)/metadata.json")
            for field in ["id", "type", "status", "statistics", "timestamp_start"]
            where entry[field] != metadata[field] {
                broken.append("the catalog is wrong about \(field) of \(path): \(entry)")
            }
            let layers = "\(path)/.backup_diff"
            guard manager.fileExists(atPath: "\(shop.repository)/\(layers)") else { continue }
            let manifest = try json("\(layers)/manifest.json")
            let folders = try manager.contentsOfDirectory(atPath: "\(shop.repository)/\(layers)")
                .filter { $0 != "manifest.json" }
            let points = manifest["points"].items
            if manifest["base_id"] != metadata["id"]
                || Set(points.compactMap(\.["folder"].string)) != Set(folders)
                || points.count != folders.count
            {
                broken.append("the manifest is not of \(folders): \(manifest)")
            }
            for point in points {
                let folder = try #require(point["folder"].string)
                let metadata = try json("\(layers)/\(folder)/metadata.json")
                for field in ["id", "type", "parent_id", "snapshot_at"]
                where point[field] != metadata[field] {
                    broken.append("the manifest is wrong about \(field) of \(folder): \(point)")
                }
            }
        }
        return broken
    }

    @Test func `a damaged archive is found, and nobody needs it`() async throws {
        try await CampaignShop.open(on: .postgres) { shop in
            try shop.layOut()
            let archive = try #require(CampaignFiles(of: shop).archives.first)
            let name = URL(fileURLWithPath: archive).lastPathComponent
            let full = String(name.dropLast(4))
            let expected = try await shop.contentsOfNewest()
            try await Attack("damaged archive").run { number, random in
                try shop.layOut()
                let damage = CampaignDamage.allCases[number % CampaignDamage.allCases.count]
                let files = CampaignFiles(of: shop).others(than: archive)
                guard try !damage.apply(to: archive, others: files, &random).isEmpty else {
                    return nil
                }
                // What it was exchanged with is a file of the backup, whose damage is another attack's.
                let isAlone = damage != .swapped
                var broken: [String] = []
                let verify = try await shop.run(["verify", full], as: false)
                let words = verify.output + verify.errors
                if verify.code != 0 {
                    if verify.code != 4 || isAlone && !words.contains(name) {
                        broken.append("not named: \(verify)")
                    }
                } else if damage != .deleted,
                    try await !Self.isWhole(archive, of: full, in: shop)
                {
                    broken.append("not found: \(verify)")
                }
                if isAlone {
                    broken += try await shop.differences(ofPoint: shop.newest, from: expected)
                }
                return broken.map { "\(damage): \($0)" }
            }
        }
    }

    /// Whether another program takes the backup out of an archive as it was.
    private static func isWhole(
        _ archive: String, of full: String, in shop: CampaignShop
    ) async throws -> Bool {
        let script = """
            rm -rf unzipped && python3 -m zipfile -e "$1" unzipped && cd "unzipped/$2" && sha256sum --quiet -c SHA256SUMS
            """
        return try await Program.run(
            "/bin/sh", ["-c", script, "sh", archive, full], environment: shop.server.environment,
            folder: shop.server.folder
        ).code == 0
    }
}
