import BackupTesting
import Foundation
import Testing

/// What fails around a run makes it fail with words, or not at all; never a wrong backup, and never a crash.
@Suite struct FaultCampaign {
    /// What may fail in a run: of these calls it makes some.
    private static func faults(of verb: CampaignVerb) -> [Fault] {
        let everywhere = [
            Fault("write", "EIO"), Fault("write", "ENOSPC"), Fault("write", "EDQUOT"),
            Fault("write", "EROFS"), Fault("read", "EIO"), Fault("fsync", "EIO"),
            Fault("fsync", "EROFS"), Fault("close", "EIO"), Fault("close", "ENOSPC"),
            Fault("close", "EDQUOT"), Fault("rename", "EIO"), Fault("rename", "ENOSPC"),
            Fault("unlink", "EROFS"),
            Fault("open", "EIO"), Fault("open", "EMFILE"), Fault("open", "ENOSPC"),
            Fault("readdir", "EIO"),
        ]
        let making = [Fault("mkdir", "EROFS"), Fault("mkdir", "ENOSPC")]
        let removing = [Fault("rmdir", "EIO")]
        let connecting = [Fault("connect", "ETIMEDOUT"), Fault("recvfrom", "ECONNRESET")]
        return everywhere + (CampaignVerb.backups.contains(verb) ? making : [])
            + (verb == .prune ? removing : [])
            + (verb.readsSource ? connecting : [])
    }

    private static let runs: [(CampaignShop.Product, CampaignVerb)] =
        CampaignVerb.allCases.map { (.postgres, $0) }
        + (Attack.isLong ? onOthers : [(.mariadb, .full)])

    private static let onOthers: [(CampaignShop.Product, CampaignVerb)] =
        [CampaignVerb.full, .zipped, .incremental, .merge, .prune, .pin, .verify]
        .map { (.mariadb, $0) } + [(.mysql, .differential), (.mysql, .incremental)]

    @Test(arguments: runs)
    func `a call that fails, once or from then on, costs no backup`(
        product: CampaignShop.Product, verb: CampaignVerb
    ) async throws {
        try await CampaignShop.open(on: product, stock: verb == .prune ? .twoChains : .chain) {
            shop in
            let attack = Attack("failing calls: \(product), \(verb)")
            let calls = try await FailingCalls(Self.faults(of: verb), of: attack, in: shop) {
                try shop.layOut()
                return try await shop.run(verb.words, before: $0)
            }
            try await attack.run { number, random in
                try shop.layOut()
                let moment = try calls.moment(number, &random)
                let end = try await shop.run(verb.words, before: moment.before)
                guard calls.wasHit else { return nil }
                return try await (end.faults + shop.aftermath(of: verb, inTry: number)).map {
                    "\(moment): \($0)"
                }
            }
        }
    }

    /// What writes: of a proof or a pin only a few bytes. A prune removes something where there is a full behind it, and makes
    /// itself room, so that it is seldom in need of any.
    private static func writing(to stock: CampaignShop.Stock) -> [CampaignVerb] {
        stock == .twoChains
            ? [.prune, .full, .zipped] : CampaignVerb.backups + [.pin, .verify]
    }

    private static let disks: [(CampaignShop.Product, CampaignShop.Stock)] =
        CampaignShop.Product.asTimeAllows.flatMap { [($0, .chain), ($0, .twoChains)] }

    private static func name(
        _ product: CampaignShop.Product, _ stock: CampaignShop.Stock
    ) -> String {
        stock == .twoChains ? "\(product), prune" : "\(product)"
    }

    @Test(arguments: disks)
    func `a disk that is full at any moment costs no backup`(
        product: CampaignShop.Product, stock: CampaignShop.Stock
    ) async throws {
        try await CampaignShop.open(on: product, stock: stock) { shop in
            try await Attack("full disk, \(Self.name(product, stock))").run { number, random in
                try shop.layOut()
                let verb = try #require(Self.writing(to: stock).randomElement(using: &random))
                let most = CampaignVerb.backups.contains(verb) ? 200 : 8
                let disk = CampaignDisk(
                    shop: shop, spareKilobytes: Int.random(in: 0...most, using: &random))
                let end = try await shop.run(verb.words, before: disk.words())
                guard end.code != CampaignDisk.tooSmall else { return nil }
                // It was large enough: what is removed makes room by itself.
                guard end.code != 0 || end.errors.contains("No space left") else { return nil }
                return try await (end.faults + shop.aftermath(of: verb, inTry: number)).map {
                    "\(disk.spareKilobytes) kB to spare, \(verb): \($0)"
                }
            }
        }
    }

    @Test(arguments: disks)
    func `a disk that becomes read-only at any moment costs no backup`(
        product: CampaignShop.Product, stock: CampaignShop.Stock
    ) async throws {
        try await CampaignShop.open(on: product, stock: stock) { shop in
            try await Attack("read-only disk, \(Self.name(product, stock))").run { number, random in
                try shop.layOut()
                let verb = try #require(Self.writing(to: stock).randomElement(using: &random))
                // A prune asks no server, and is soon done.
                let longest = verb == .prune ? 100 : 300
                let wait = Duration.milliseconds(Int.random(in: 0...longest, using: &random))
                let disk = CampaignDisk(shop: shop, spareKilobytes: 100_000, readOnlyAfter: wait)
                let end = try await shop.run(verb.words, before: disk.words())
                // It was done before. What cannot be remembered of a proof is told, and is no failure.
                guard end.code != 0 || end.errors.contains("Read-only file system") else {
                    return nil
                }
                return try await (end.faults + shop.aftermath(of: verb, inTry: number)).map {
                    "after \(wait), \(verb): \($0)"
                }
            }
        }
    }
}
