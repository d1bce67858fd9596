import BackupTesting
import Testing

/// Whoever changes the structure of a database while it is backed up costs that backup at most.
@Suite struct StructureCampaign {
    private static let verbs: [CampaignVerb] = [.full, .zipped, .differential, .incremental]

    private static let products: [CampaignShop.Product] =
        [.postgres, .mariadb] + (Attack.isLong ? [.mysql] : [])

    @Test(arguments: products)
    func `structure that changes at any moment is backed up as of one, or not at all`(
        product: CampaignShop.Product
    ) async throws {
        try await CampaignShop.open(on: product) { shop in
            try await Self.attack(
                "changes of structure, \(product)", of: shop,
                by: ChangingTables(of: shop.server, on: product))
        }
    }

    @Test(arguments: products)
    func `views, functions and types that change are backed up as of one moment, or not at all`(
        product: CampaignShop.Product
    ) async throws {
        // Owners belong to a whole server.
        try await CampaignShop.openAlone(on: product) { shop, _ in
            try await Self.attack(
                "changes of views and the like, \(product)", of: shop,
                by: product == .postgres
                    ? ChangingObjects(server: shop.server) : ChangingRoutines(server: shop.server))
        }
    }

    private static func attack(
        _ name: String, of shop: CampaignShop, by things: any ChangingThings
    ) async throws {
        try await things.make()
        let tries = Attack.isLong ? Attack.tries : 2
        try await Attack(name).run(tries: tries) { number, random in
            try shop.layOut()
            let verb = try #require(verbs.randomElement(using: &random))
            // What changes is known to the chain already.
            try await shop.run(CampaignVerb.full.words).requireCode(0)
            let before = try await shop.completed()
            let (seed, pause) = (random.next(), Int.random(in: 20...250, using: &random))
            let wait = Int.random(in: 0...200, using: &random)
            let (ended, count) = (Ended(), ChangeCount())
            async let changes: Void = things.change(
                until: ended, from: number * 10_000, pause: pause, seed: seed, counting: count)
            try await Task.sleep(for: .milliseconds(wait))
            // Whatever waits behind a change that waits for the backup waits no longer than this.
            let done = count.now.done
            let end = try await shop.run(verb.words + ["--json", "--lock-timeout", "1"])
            let begun = count.now.begun
            ended.set()
            try await changes
            // All of them were done before it, or none had begun.
            guard begun > done else { return nil }
            var broken = end.faults
            if [0, 3].contains(end.code) {
                let point = try StoredBackup(end).id
                broken += try await shop.faults(ofPoint: point, things)
            } else {
                let more = try await shop.completed().subtracting(before)
                if !more.isEmpty { broken.append("failed, and \(more) is there: \(end)") }
            }
            broken += try await shop.aftermath(of: verb, inTry: number)
            return broken.map { "\(verb), a change each \(pause) ms: \($0)" }
        }
    }
}

extension CampaignShop {
    /// What of a restored point is not of one moment.
    fileprivate func faults(ofPoint point: String, _ things: any ChangingThings) async throws
        -> [String]
    {
        let target = server.newName("changed")
        let end = try await run(["restore", point, "--into", target, "--create"])
        let faults = try await end.code == 0 ? things.faults(of: target) : ["\(end)"]
        try await server.drop(target)
        return faults.map { "\(point): \($0)" }
    }
}
