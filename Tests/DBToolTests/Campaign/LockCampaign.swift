import BackupTesting
import Testing

/// Whoever is in the way of a table is waited for as long as a run was told to, and no longer.
@Suite struct LockCampaign {
    /// How somebody may be in the way of a table for a while.
    private enum Obstacle: CaseIterable {
        /// By a lock that excludes all others.
        case locked
        /// By a change of structure that is not committed.
        case altered
        /// By a change of structure that waits for somebody who reads.
        case queued

        /// Those that a product knows: where a change of structure ends its transaction, none waits to be committed.
        static func all(on product: CampaignShop.Product) -> [Obstacle] {
            product == .postgres ? allCases : [.locked, .queued]
        }

        /// What sessions run, each of which begins when the one before is in the way.
        func sessions(
            of table: String, milliseconds: Int, on product: CampaignShop.Product
        ) -> [String] {
            let seconds = Double(milliseconds) / 1000
            guard product == .postgres else {
                return switch self {
                case .locked, .altered:
                    ["LOCK TABLES \(table) WRITE; DO SLEEP(\(seconds)); UNLOCK TABLES"]
                case .queued:
                    [
                        "BEGIN; SELECT COUNT(*) FROM \(table); DO SLEEP(\(seconds)); COMMIT",
                        "ALTER TABLE \(table) COMMENT = 'waited for'",
                    ]
                }
            }
            let alter = "ALTER TABLE \(table) ADD COLUMN late integer;"
            let wait = "SELECT pg_sleep(\(seconds));"
            return switch self {
            case .locked: ["BEGIN; LOCK TABLE \(table); \(wait) COMMIT;"]
            case .altered: ["BEGIN; \(alter) \(wait) ROLLBACK;"]
            case .queued:
                [
                    "BEGIN; SELECT count(*) FROM \(table); \(wait) COMMIT;",
                    "BEGIN; \(alter) ROLLBACK;",
                ]
            }
        }
    }

    /// A table of the shop.
    private struct Table {
        let name: String
        /// The same in SQL.
        let sql: String

        static func all(on product: CampaignShop.Product) -> [Table] {
            let odd = product == .postgres ? "\"Odd, \"\"name\"\" x\"" : "`Odd, ``name`` x`"
            return [
                Table(name: "people", sql: "people"), Table(name: "pets", sql: "pets"),
                Table(name: "Odd, ", sql: odd),
            ]
        }
    }

    private static let products: [CampaignShop.Product] =
        [.postgres, .mariadb] + (Attack.isLong ? [.mysql] : [])
    /// The longest that somebody is in the way.
    private static let longest = Attack.isLong ? 5000 : 2000

    /// Lets sessions be in the way, until all of them are done, which `end` says then.
    private static func obstruct(
        by sessions: [String], in database: String, of shop: CampaignShop, until end: Ended
    ) async throws {
        defer { end.set() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for session in sessions {
                group.addTask { try await shop.server.attempt(session, in: database) }
                try await Task.sleep(for: .milliseconds(150))
            }
            try await group.waitForAll()
        }
    }

    /// Whether somebody is in the way still, of a run that has come as far as its tables and has not ended.
    private static func isInTheWay(of running: RunningProgram, _ end: Ended) async throws -> Bool {
        try await Task.sleep(for: .milliseconds(200))
        return running.runsAnother && !end.isSo
    }

    @Test(arguments: products)
    func `a table in use is waited for as long as a backup was told, and named`(
        product: CampaignShop.Product
    ) async throws {
        try await CampaignShop.open(on: product) { shop in
            let tries = Attack.isLong ? Attack.tries : 2
            try await Attack("locked tables: \(product), backups").run(tries: tries) {
                number, random in
                try shop.layOut()
                let verb = try #require(
                    [CampaignVerb.full, .differential, .incremental].randomElement(using: &random))
                let obstacle = try #require(
                    Obstacle.all(on: product).randomElement(using: &random))
                let table = try #require(Table.all(on: product).randomElement(using: &random))
                let held = Int.random(in: 0...Self.longest, using: &random)
                let limit = Int.random(in: 1...2, using: &random)
                let wait = Int.random(in: 0...400, using: &random)
                let before = try await shop.completed()
                let sessions = obstacle.sessions(
                    of: table.sql, milliseconds: held, on: product)

                let start = ContinuousClock.now
                let ended = Ended()
                async let others: Void = Self.obstruct(
                    by: sessions, in: shop.server.source, of: shop, until: ended)
                try await Task.sleep(for: .milliseconds(wait))
                var wasInTheWay = false
                let end = try await shop.run(verb.words + ["--lock-timeout", "\(limit)"]) {
                    wasInTheWay = try await Self.isInTheWay(of: $0, ended)
                }
                let taken = start.duration(to: .now)
                try await others
                guard end.code != 0 || wasInTheWay else { return nil }

                var broken: [String] = []
                if end.code != 0 {
                    if end.code != 6 { broken.append("\(end)") }
                    // Whoever has gone in the last moment may be nobody's name any more.
                    let isThere = taken < .milliseconds(held - 500)
                    // MySQL locks those beyond a foreign key along with a table.
                    let names =
                        product == .mysql ? Table.all(on: product).map(\.name) : [table.name]
                    if isThere, !names.contains(where: end.errors.contains) {
                        broken.append("does not name \(table.name): \(end)")
                    }
                    let more = try await shop.completed().subtracting(before)
                    if !more.isEmpty { broken.append("failed, and \(more) is there: \(end)") }
                }
                // pg_dump waits by itself, and then both begin once more; the rest is a busy machine's.
                if taken > .seconds(3 * limit + 120) { broken.append("took \(taken): \(end)") }
                broken += try await shop.aftermath(of: verb, inTry: number)
                return broken.map {
                    "\(verb), \(table.name) \(obstacle) for \(held) ms, limit \(limit) s: \($0)"
                }
            }
        }
    }

    @Test(arguments: products)
    func `a restore waits for whoever uses its tables, and then replaces their rows`(
        product: CampaignShop.Product
    ) async throws {
        try await CampaignShop.open(on: product) { shop in
            try shop.layOut()
            let target = shop.server.newName("locked")
            try await shop.run(["restore", shop.newest, "--into", target, "--create"])
                .requireCode(0)
            let expected = try await shop.server.contents(of: target)
            let words = [
                "restore", shop.newest, "--into", target, "-tablename", "pets", "--existing",
                "truncate",
            ]
            let tries = Attack.isLong ? Attack.tries : 1
            try await Attack("locked tables: \(product), restore").run(tries: tries) { _, random in
                // What MySQL lets wait there is not undone, and the target would be another.
                let obstacles: [Obstacle] = product == .postgres ? Obstacle.allCases : [.locked]
                let obstacle = try #require(obstacles.randomElement(using: &random))
                let held = Int.random(in: 0...Self.longest, using: &random)
                let wait = Int.random(in: 0...1000, using: &random)
                let sessions = obstacle.sessions(of: "pets", milliseconds: held, on: product)
                let ended = Ended()
                async let others: Void = Self.obstruct(
                    by: sessions, in: target, of: shop, until: ended)
                try await Task.sleep(for: .milliseconds(wait))
                var wasInTheWay = false
                let end = try await shop.run(words) {
                    wasInTheWay = try await Self.isInTheWay(of: $0, ended)
                }
                try await others
                guard end.code != 0 || wasInTheWay else { return nil }
                var broken = end.code == 0 ? [] : ["\(end)"]
                if try await shop.server.contents(of: target) != expected {
                    broken.append("what was restored differs: \(end)")
                }
                return broken.map { "pets \(obstacle) for \(held) ms: \($0)" }
            }
            try await shop.server.drop(target)
        }
    }
}
