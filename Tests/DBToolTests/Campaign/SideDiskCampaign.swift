import BackupTesting
import Testing

/// A disk of temporary files, or of what is remembered between runs, that is full costs the run at most that needs it.
@Suite struct SideDiskCampaign {
    /// What writes backups, and what writes rows elsewhere.
    private enum Work: CustomStringConvertible {
        case verb(CampaignVerb), extract

        static let all: [Work] =
            [.extract]
            + [CampaignVerb.full, .spilling, .merge, .zipped, .incremental].map {
                .verb($0)
            }

        var description: String {
            switch self {
            case .verb(let verb): "\(verb)"
            case .extract: "extract"
            }
        }
    }

    private static let disks: [(CampaignShop.Product, CampaignSideDisk.Purpose)] =
        CampaignShop.Product.asTimeAllows.flatMap { product in
            CampaignSideDisk.Purpose.allCases.map { (product, $0) }
        }

    @Test(arguments: disks)
    func `a full disk beside the repository costs no backup, and at most the run itself`(
        product: CampaignShop.Product, purpose: CampaignSideDisk.Purpose
    ) async throws {
        // Of a small table nothing is compared in files.
        let isLarge = purpose == .temporaryFiles
        try await CampaignShop.open(on: product, size: isLarge ? .large : .small) { shop in
            let attack = Attack("full disk of \(purpose): \(product)")
            let works = attack.shuffled(Work.all)
            try await attack.run { number, random in
                try shop.layOut()
                let work = works[number % works.count]
                let disk = CampaignSideDisk(for: purpose, upTo: isLarge ? 30_000 : 40, &random)
                let before = try disk.words(in: shop)
                guard case .verb(let verb) = work else {
                    let end = try await Self.extract(from: shop, before: before)
                    guard disk.isShort(for: end) else { return nil }
                    // It has its file and its row elsewhere.
                    return end.code == 0 ? [] : ["\(disk), \(work): \(end)"]
                }
                let end = try await shop.run(verb.words, before: before)
                guard disk.isShort(for: end) else { return nil }
                var broken = Self.faults(of: end, on: disk)
                broken += try await shop.unfinished()
                broken += try await shop.aftermath(of: verb, inTry: number)
                return broken.map { "\(disk), \(verb): \($0)" }
            }
        }
    }

    @Test(arguments: disks)
    func `a full disk beside the repository costs no restore more than another run`(
        product: CampaignShop.Product, purpose: CampaignSideDisk.Purpose
    ) async throws {
        try await CampaignShop.open(on: product, size: .small) { shop in
            try shop.layOut()
            let restores = AttackedRestores(of: shop, on: product)
            let attack = Attack("full disk of \(purpose): \(product), restore")
            try await attack.run { _, random in
                let mode = restores.mode(by: &random)
                let disk = CampaignSideDisk(for: purpose, upTo: 40, &random)
                return try await restores.attempt(mode) { _, words in
                    try await shop.run(words, before: disk.words(in: shop))
                } isHit: {
                    disk.isShort(for: $0) ? Self.faults(of: $0, on: disk).isEmpty : nil
                }.map { $0.map { "\(disk): \($0)" } }
            }
        }
    }

    /// What is wrong about the end of a run: nothing that it does depends on what it would remember.
    private static func faults(of end: ProgramEnd, on disk: CampaignSideDisk) -> [String] {
        disk.purpose == .state && end.code != 0 ? ["\(end)"] : end.faults
    }

    private static func extract(
        from shop: CampaignShop, before: [String]
    ) async throws -> ProgramEnd {
        try await shop.run(
            ["sql", "SELECT * FROM people", "--extract"], before: before,
            in: "\(shop.server.folder)/extracts")
    }
}
