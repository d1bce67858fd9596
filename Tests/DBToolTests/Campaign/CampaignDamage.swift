import BackupTesting
import Foundation

/// What may happen to a file.
enum CampaignDamage: String, CaseIterable {
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

/// The files of a repository, whole paths, in order.
struct CampaignFiles {
    /// What checksums prove.
    let proven: [String]
    /// What is not proven by them, because it changes or is made again.
    let views: [String]
    /// Zip archives beside fulls, which no restore needs.
    let archives: [String]

    init(of shop: CampaignShop) {
        let manager = FileManager.default
        let names = manager.enumerator(atPath: shop.repository)?.compactMap { $0 as? String } ?? []
        let all = names.filter { !$0.contains(".lock") }.map { "\(shop.repository)/\($0)" }
            .filter {
                var isFolder: ObjCBool = false
                return manager.fileExists(atPath: $0, isDirectory: &isFolder) && !isFolder.boolValue
            }.sorted()
        let namesOfViews = ["state.json", "manifest.json", "backup_catalog.json"]
        let isView = { (path: String) in namesOfViews.contains { path.hasSuffix("/\($0)") } }
        archives = all.filter { $0.hasSuffix(".zip") }
        views = all.filter(isView)
        proven = all.filter { !$0.hasSuffix(".zip") && !isView($0) }
    }

    /// What a file may be exchanged with: one of another backup by the same name, where it tells of other files, and else any but
    /// those.
    func others(than path: String) -> [String] {
        proven.filter { $0 != path && Self.telling($0) == Self.telling(path) }
    }

    /// The name of a file that tells of others; nil for those.
    private static func telling(_ path: String) -> String? {
        ["/metadata.json", "/SHA256SUMS"].first { path.hasSuffix($0) }
    }
}
