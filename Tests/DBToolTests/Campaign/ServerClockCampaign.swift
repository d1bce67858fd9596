import BackupCore
import BackupTesting
import Foundation
import Testing

/// A server whose clock is set back and forth between backups, by seconds or years: its clock says which of them is the newest.
@Suite struct ServerClockCampaign {
    /// Each is several backups and restores.
    private static let tries = Attack.isLong ? Attack.tries : 1
    private static let products: [CampaignShop.Product] =
        [.postgres, .mariadb] + (Attack.isLong ? [.mysql] : [])

    @Test(arguments: products)
    func `points are in the order of the server's clock, and each is the database that it saw`(
        product: CampaignShop.Product
    ) async throws {
        try await CampaignShop.openWithClock(on: product) { shop, clock in
            let attack = Attack("clock of the server that is set, \(product)")
            try await attack.run(tries: Self.tries) { number, random in
                try shop.layOut()
                var (story, broken): ([String], [String]) = ([], [])
                // What each point must restore to.
                var contents = [shop.newest: try await shop.contentsOfNewest()]
                for verb in [CampaignVerb.full, .incremental, .differential]
                    .shuffled(using: &random)
                {
                    let offset = clock.offset(&random)
                    try await clock.set(offset)
                    story.append("\(verb) at \(offset)")
                    let row = Int.random(in: 1...900, using: &random)
                    try await shop.server.query(
                        """
                        UPDATE people SET name = 'told in \(number)' WHERE id = \(row);
                        DELETE FROM pets WHERE owner = \(row); INSERT INTO pets VALUES ('pet of \(number), \(row)', \(row))
                        """, in: shop.server.source)
                    let start = Date()
                    let end = try await shop.run(verb.words + ["--json"])
                    guard end.code == 0 else {
                        broken.append("\(end)")
                        continue
                    }
                    let point = try StoredBackup(end)
                    contents[point.id] = try await shop.server.contents(of: shop.server.source)
                    let earliest = start.addingTimeInterval(Double(offset) - 1)
                    let latest = Date().addingTimeInterval(Double(offset) + 1)
                    let taken = point.report["snapshot_at"].string.flatMap { Timestamp($0) }
                    if taken.map({ (earliest...latest).contains($0.date) }) != true {
                        broken.append("\(point.id) is not by the server's clock: \(end)")
                    }
                }
                for (id, expected) in contents {
                    broken += try await shop.differences(ofPoint: id, from: expected)
                }
                let order = try await shop.snapshots()
                broken += try await shop.faultsOfLatest(in: order, contents)

                // dbtool's own clock says what is ahead; that is kept and counts as none.
                let soon = Timestamp(Date().addingTimeInterval(3600))
                let isAhead = { (point: (id: String, taken: Timestamp)) in point.taken > soon }
                let kept = order.filter(isAhead) + order.filter { !isAhead($0) }.suffix(2)
                let end = try await shop.run(["prune", "--keep-last", "2"])
                if end.code != 0 { broken.append("\(end)") }
                broken += try await shop.broken(keeping: Set(kept.map(\.id)))
                let left = try await shop.snapshots()
                broken += try await shop.faultsOfLatest(in: left, contents)
                if left.last?.id != order.last?.id {
                    broken.append("prune has removed the newest of \(order), and left \(left)")
                }
                try await clock.set(0)
                return broken.map { "\(story): \($0)" }
            }
        }
    }

    @Test(arguments: products)
    func `by a column nothing is missed but what has an older time than the overlap`(
        product: CampaignShop.Product
    ) async throws {
        try await CampaignShop.openWithClock(on: product) { shop, clock in
            let (server, source) = (shop.server, shop.server.source)
            let attack = Attack("clock of the server that is set, by column, \(product)")
            try await attack.run(tries: Self.tries) { number, random in
                try shop.layOut()
                var (story, broken): ([String], [String]) = ([], [])
                try await clock.set(0)
                // An index tells the greatest time; without, rows do.
                let isIndexed = Bool.random(using: &random)
                try await server.query(
                    """
                    DROP TABLE IF EXISTS stamps;
                    CREATE TABLE stamps (id integer PRIMARY KEY, v varchar(40) NOT NULL,
                      updated_at \(clock.columnType) NOT NULL DEFAULT CURRENT_TIMESTAMP(6));
                    \(isIndexed ? "CREATE INDEX stamped ON stamps (updated_at);" : "")
                    INSERT INTO stamps (id, v) SELECT id, 'v' FROM people WHERE id <= 500
                    """, in: source)
                let full = try await shop.run(CampaignVerb.full.words + ["--json"])
                try full.requireCode(0)
                var greatest = [
                    try StoredBackup(full).id: try await Stamps(in: source, of: shop, clock)
                        .greatest
                ]
                for step in 1...3 {
                    let offset = clock.offset(&random)
                    let overlap = [0, 60, 7200].randomElement(using: &random) ?? 0
                    story.append("at \(offset), overlap \(overlap)")
                    try await clock.set(offset)
                    let part = Int.random(in: 0...9, using: &random)
                    try await server.query(
                        """
                        \(clock.beginning(at: offset))
                        UPDATE stamps SET v = '\(number).\(step)', updated_at = CURRENT_TIMESTAMP(6) WHERE id % 10 = \(part);
                        DELETE FROM stamps WHERE id % 50 = \(step);
                        INSERT INTO stamps (id, v) SELECT id, 'new in \(number)' FROM people
                        WHERE id <= 500 AND id % 7 = 1 AND id NOT IN (SELECT id FROM stamps)
                        """, in: source)
                    let end = try await shop.run(
                        CampaignVerb.incremental.words
                            + ["--json", "-basis", "column", "--overlap", "\(overlap)"])
                    guard end.code == 0 else { return ["\(story): \(end)"] }
                    let point = try StoredBackup(end)
                    let parent = try #require(point.report["parent_id"].string)
                    let restored = try await shop.stamps(ofPoint: point.id, clock)
                    greatest[point.id] = restored.greatest
                    // What a point rests on is the newest by a clock that was set, not always the one before.
                    let since = try #require(greatest[parent], "\(story): rests on \(parent)")
                    broken += try await Stamps(in: source, of: shop, clock).missed(
                        by: restored, since: since - Double(overlap))
                }
                // The next point that is exact has it all.
                let end = try await shop.run(CampaignVerb.incremental.words + ["--json"])
                guard end.code == 0 else { return ["\(story): \(end)"] }
                let exact = try await shop.stamps(ofPoint: StoredBackup(end).id, clock)
                broken += try await Stamps(in: source, of: shop, clock).missed(
                    by: exact, since: -.infinity)
                try await clock.set(0)
                return broken.map { "\(story): \($0)" }
            }
        }
    }
}

/// The rows of a table whose column says when each was changed.
private struct Stamps {
    private struct Row: Equatable {
        let value: String
        let time: Double
    }

    private let rows: [Int: Row]

    init(
        in database: String, of shop: CampaignShop, _ clock: any ServerClock
    ) async throws {
        let text = try await shop.server.query(
            "SELECT CONCAT(id, '|', v, '|', \(clock.seconds(of: "updated_at"))) FROM stamps",
            in: database)
        rows = try Dictionary(
            uniqueKeysWithValues: text.split(separator: "\n").map { line -> (Int, Row) in
                let fields = line.split(separator: "|")
                return (
                    try #require(Int(fields[0])),
                    Row(value: String(fields[1]), time: try #require(Double(fields[2])))
                )
            })
    }

    /// The last time at which one was changed, in seconds.
    var greatest: Double { rows.values.map(\.time).max() ?? -.infinity }

    /// What a restored point should have of these, which are the source's: every row, and the values of those that were changed
    /// since some time.
    func missed(by restored: Stamps, since: Double) -> [String] {
        let keys = Set(rows.keys).symmetricDifference(restored.rows.keys).sorted()
        let values = rows.filter { id, row in
            // A time is told in whole microseconds.
            row.time >= since + 0.000_001 && restored.rows[id] != nil && restored.rows[id] != row
        }
        return keys.map { "row \($0) is in one of both" }
            + values.keys.sorted().map { "row \($0) was missed, and is not older than \(since)" }
    }
}

extension CampaignShop {
    /// The rows of the table `stamps` at a point.
    fileprivate func stamps(ofPoint id: String, _ clock: any ServerClock) async throws -> Stamps {
        let target = server.newName("stamps")
        try await run(["restore", id, "--into", target, "--create"]).requireCode(0)
        let stamps = try await Stamps(in: target, of: self, clock)
        try await server.drop(target)
        return stamps
    }

    /// What is completed, with the moment that each shows, the oldest first.
    fileprivate func snapshots() async throws -> [(id: String, taken: Timestamp)] {
        let list = try await run(["list", "--json"], as: false)
        try list.requireCode(0)
        return try JSON(parsing: list.output)["backups"].items
            .filter { $0["status"].string == "completed" }
            .map { backup -> (id: String, taken: Timestamp) in
                (
                    id: try #require(backup["id"].string),
                    taken: try #require(backup["snapshot_at"].string.flatMap { Timestamp($0) })
                )
            }.sorted { $0.taken < $1.taken }
    }

    /// What is wrong about `latest`: it must be the last of these, and restore to what that one must.
    fileprivate func faultsOfLatest(
        in order: [(id: String, taken: Timestamp)], _ contents: [String: String]
    ) async throws -> [String] {
        let latest = try await newestPoint()
        guard let last = order.last, latest == last.id else {
            return ["latest is \(latest ?? "none") of \(order)"]
        }
        guard let expected = contents[last.id] else {
            return ["\(last.id) was not to be the newest"]
        }
        return try await differences(ofPoint: "latest", from: expected)
    }
}
