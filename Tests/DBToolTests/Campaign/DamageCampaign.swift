import BackupTesting
import Foundation
import Testing

/// Damage of any kind to any file is found and named, and nothing wrong is ever restored.
@Suite struct DamageCampaign {
    /// What may happen to a file.
    private enum Damage: String, CaseIterable {
        case flippedBit, truncated, emptied, deleted, lengthened, swapped, replaced, edited

        /// Does it, and gives the files that are others then.
        func apply(to path: String, others: [String], _ random: inout SeededGenerator) throws
            -> [String]
        {
            var damaged = [path]
            let url = URL(fileURLWithPath: path)
            let before = [UInt8](try Data(contentsOf: url))
            var bytes = before
            switch self {
            case .flippedBit:
                guard let place = bytes.indices.randomElement(using: &random) else { return [] }
                bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
            case .truncated: bytes.removeLast(.random(in: 0...bytes.count, using: &random))
            case .emptied: bytes = []
            case .deleted:
                try FileManager.default.removeItem(at: url)
                return damaged
            case .lengthened:
                bytes += (0..<Int.random(in: 1...40, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
            case .swapped:
                guard let other = others.randomElement(using: &random) else { return [] }
                bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: other)))
                try Data(before).write(to: URL(fileURLWithPath: other))
                damaged.append(other)
            case .replaced:
                // Of the right length, and with lines where there were lines.
                for place in bytes.indices where bytes[place] != UInt8(ascii: "\n") {
                    bytes[place] = UInt8.random(in: 0x30...0x39, using: &random)
                }
            case .edited:
                guard let start = bytes.indices.randomElement(using: &random) else { return [] }
                let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) }
                guard
                    let place = bytes[start...].firstIndex(where: isDigit)
                        ?? bytes.firstIndex(where: isDigit)
                else { return [] }
                bytes[place] = bytes[place] == 0x39 ? 0x30 : bytes[place] + 1
            }
            try Data(bytes).write(to: url)
            return bytes == before ? [] : damaged
        }
    }

    /// What is not proven by checksums, because it changes or is made again.
    private static let views = ["state.json", "manifest.json", "backup_catalog.json"]

    private static func files(of shop: CampaignShop) -> (proven: [String], views: [String]) {
        let all =
            (FileManager.default.enumerator(atPath: shop.repository)?.compactMap {
                $0 as? String
            } ?? [])
            // An archive is beside the backup: nothing reads it.
            .filter { !$0.contains(".lock") && !$0.hasSuffix(".zip") }
            .map { "\(shop.repository)/\($0)" }
            .filter {
                var isFolder: ObjCBool = false
                return FileManager.default.fileExists(atPath: $0, isDirectory: &isFolder)
                    && !isFolder.boolValue
            }.sorted()
        let isView = { (path: String) in views.contains { path.hasSuffix("/\($0)") } }
        return (all.filter { !isView($0) }, all.filter(isView))
    }

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
            let names = attack.shuffled(Self.files(of: shop).proven)
            // Which files there are depends on the product; how one is read does not.
            let tries = Attack.tries * (hasMore ? 4 : 1)
            try await attack.run(tries: tries) { number, random in
                try shop.layOut()
                let path = names[number % names.count]
                let damage = Damage.allCases[
                    (number / names.count + number) % Damage.allCases.count]
                // What tells of the other files is alone, as without it nothing is known of them.
                let tells = { (path: String) in
                    path.hasSuffix("/metadata.json") || path.hasSuffix("/SHA256SUMS")
                }
                let others = tells(path) ? [] : names.filter { $0 != path && !tells($0) }
                let damaged = try damage.apply(to: path, others: others, &random)
                guard !damaged.isEmpty else { return nil }
                let files = damaged.map { String($0.dropFirst(shop.repository.count + 1)) }
                var broken: [String] = []
                let verify = try await shop.run(["verify", shop.newest], as: false)
                let words = verify.output + verify.errors
                if ![1, 4].contains(verify.code) { broken.append("not found: \(verify)") }
                for file in files where !Self.isNamed(file, in: words) {
                    broken.append("\(file) is not named: \(verify)")
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
            let (proven, views) = Self.files(of: shop)
            let names = views + proven.filter { $0.contains("/index/") }
            try await Attack("damaged views and row indexes").run { number, random in
                try shop.layOut()
                let path = names[number % names.count]
                let damage = try #require(Damage.allCases.randomElement(using: &random))
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
                let catalog = try JSON(
                    parsing: String(
                        contentsOfFile: "\(shop.repository)/backup_catalog.json", encoding: .utf8))
                if catalog["backups"].items.count != shop.ids.count + 1 {
                    broken.append("\(catalog)")
                }
                try await shop.server.drop(target)
                return broken.map { "\(damage) \(path): \($0)" }
            }
        }
    }
}
