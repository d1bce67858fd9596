import BackupTesting
import Testing

/// Whoever reads a repository while somebody removes from it, adds to it or notes something reads what is right, or is told that
/// it is gone.
@Suite struct ReaderCampaign {
    @Test(arguments: CampaignShop.Product.asTimeAllows)
    func `reading beside a prune, a merge, a pin or a proof is right, or ends with words`(
        product: CampaignShop.Product
    ) async throws {
        try await CampaignShop.open(on: product, stock: .twoChains) { shop in
            try shop.layOut()
            let truth = try await Truth(of: shop)
            try await Self.readBesideChanges(of: shop, truth, on: product)
            try await Self.readBesideNotes(in: shop, truth, on: product)
        }
    }

    private static func readBesideChanges(
        of shop: CampaignShop, _ truth: Truth, on product: CampaignShop.Product
    ) async throws {
        try await Attack("readers beside prune and merge, \(product)").run { number, random in
            try shop.layOut()
            let verb: CampaignVerb = Bool.random(using: &random) ? .prune : .merge
            let words = verb == .prune ? verb.words : ["merge", truth.incremental]
            let readings = try (0..<3).map { _ in
                try Reading(of: truth, within: 150, &random)
            }
            let wait = Int.random(in: 0...100, using: &random)
            async let writing = shop.run(words)
            try await Task.sleep(for: .milliseconds(wait))
            var broken = try await faults(of: readings, beside: verb, truth, shop)
            let end = try await writing
            if end.code != 0 { broken.append("\(end)") }
            broken += try await shop.aftermath(
                of: verb, inTry: number, restoring: truth.contents[shop.newest])
            return broken.map { "\(verb), \(wait) ms before \(readings): \($0)" }
        }
    }

    /// Beside whoever notes something about a backup, again and again, which removes nothing: nobody may miss anything, and what
    /// was told last is noted.
    private static func readBesideNotes(
        in shop: CampaignShop, _ truth: Truth, on product: CampaignShop.Product
    ) async throws {
        let attack = Attack("readers beside pin, unpin and verify, \(product)")
        try await attack.run { number, random in
            try shop.layOut()
            let noting = try #require(Noting.allCases.randomElement(using: &random))
            let point = try #require(truth.points.randomElement(using: &random))
            let readings = try (0..<3).map { _ in
                try Reading(of: truth, within: 150, &random)
            }
            let ended = Ended()
            async let writing = noting.run(point, in: shop, until: ended)
            var broken = try await faults(of: readings, beside: noting.verb, truth, shop)
            ended.set()
            let ends = try await writing
            broken += ends.filter { $0.code != 0 }.map { "\($0)" }

            let notes = try await shop.notes()
            let isPinned = noting == .pins && Noting.pinsLast(of: ends.count)
            for id in truth.points where notes[id]?.isPinned != (id == point && isPinned) {
                broken.append("\(id) is pinned, and should not be, or should be and is not")
            }
            let proven = readings.filter { $0.verb == .verify }.map(\.point)
            for id in proven + (noting == .proofs ? [point] : [])
            where notes[id]?.passed != true {
                broken.append("\(id) was proven, and that is not noted")
            }
            broken += try await shop.aftermath(
                of: noting.verb, inTry: number, restoring: truth.contents[shop.newest])
            return broken.map {
                "\(noting) of \(point), \(ends.count) runs beside \(readings): \($0)"
            }
        }
    }

    private static func faults(
        of readings: [Reading], beside verb: CampaignVerb, _ truth: Truth, _ shop: CampaignShop
    ) async throws -> [String] {
        try await withThrowingTaskGroup(of: [String].self) { group in
            for (place, reading) in readings.enumerated() {
                let target = shop.server.newName("read\(place)")
                group.addTask {
                    try await Task.sleep(for: .milliseconds(reading.delay))
                    let end = try await shop.run(
                        reading.words(into: target), as: reading.verb == .restore)
                    let faults = try await truth.faults(
                        of: reading, end, into: target, beside: verb, in: shop)
                    if reading.verb == .restore { try await shop.server.drop(target) }
                    return faults
                }
            }
            return try await group.reduce(into: [String]()) { $0 += $1 }
        }
    }
}

/// What somebody notes about a backup, again and again.
private enum Noting: CaseIterable {
    /// That it is kept, and that it is not.
    case pins
    case proofs

    /// What must succeed afterwards.
    var verb: CampaignVerb { self == .pins ? .pin : .verify }

    /// Whether the last of so many runs pins.
    static func pinsLast(of count: Int) -> Bool { count % 2 == 1 }

    /// Does it at least twice, and until something has ended.
    func run(
        _ point: String, in shop: CampaignShop, until ended: Ended
    ) async throws -> [ProgramEnd] {
        var ends: [ProgramEnd] = []
        repeat {
            let pins = Self.pinsLast(of: ends.count + 1) ? "pin" : "unpin"
            ends.append(try await shop.run([self == .pins ? pins : "verify", point]))
        } while ends.count < 2 || !ended.isSo
        return ends
    }
}

/// What somebody reads, and when.
private struct Reading: CustomStringConvertible {
    enum Verb: CaseIterable {
        case restore, verify, rows, diff, list
    }

    let verb: Verb
    let point: String
    /// What a comparison begins with: the point before.
    let earlier: String
    let delay: Int

    init(of truth: Truth, within milliseconds: Int, _ random: inout SeededGenerator) throws {
        verb = try #require(Verb.allCases.randomElement(using: &random))
        let place = Int.random(in: 1..<truth.points.count, using: &random)
        (earlier, point) = (truth.points[place - 1], truth.points[place])
        delay = Int.random(in: 0...milliseconds, using: &random)
    }

    func words(into target: String) -> [String] {
        switch verb {
        case .restore: Truth.restore(of: point, into: target)
        case .verify: ["verify", point]
        case .rows: Truth.rows(of: point)
        case .diff: Truth.difference(from: earlier, to: point)
        case .list: ["list", "--json"]
        }
    }

    /// What must be there for it.
    var needed: [String] {
        switch verb {
        case .list: []
        case .diff: [earlier, point]
        case .restore, .verify, .rows: [point]
        }
    }

    var description: String { "\(verb) of \(point) after \(delay) ms" }
}

/// What reading gives where nobody is in the way.
private struct Truth {
    /// In order of their times.
    let points: [String]
    /// The last one of the chain, which a merge can make a full of.
    let incremental: String
    private(set) var contents: [String: String] = [:]
    private var rows: [String: String] = [:]
    /// By the later one.
    private var differences: [String: String] = [:]

    init(of shop: CampaignShop) async throws {
        // The end of each id is when it began, and four digits.
        points = shop.ids.sorted { $0.suffix(20) < $1.suffix(20) }
        incremental = try #require(points.first { $0.hasPrefix("incremental_") })
        for (place, point) in points.enumerated() {
            let target = shop.server.newName("truth")
            try await shop.run(Self.restore(of: point, into: target)).requireCode(0)
            contents[point] = try await shop.server.contents(of: target)
            try await shop.server.drop(target)
            let found = try await shop.run(Self.rows(of: point), as: false)
            try found.requireCode(0)
            rows[point] = found.output
            guard place > 0 else { continue }
            let difference = try await shop.run(
                Self.difference(from: points[place - 1], to: point), as: false)
            try difference.requireCode(0)
            differences[point] = difference.output
        }
    }

    static func restore(of point: String, into target: String) -> [String] {
        ["restore", point, "--into", target, "--create"]
    }

    static func rows(of point: String) -> [String] { ["rows", point, "people"] }

    static func difference(from earlier: String, to point: String) -> [String] {
        ["diff", earlier, point, "-format", "csv"]
    }

    /// What is wrong about how a reading ended: only what a prune removes may be missed, and that with words.
    func faults(
        of reading: Reading, _ end: ProgramEnd, into target: String, beside verb: CampaignVerb,
        in shop: CampaignShop
    ) async throws -> [String] {
        guard end.code == 0 else {
            let mayBeGone = verb == .prune && reading.needed.contains { $0 != shop.newest }
            return mayBeGone ? end.faults : ["\(reading): \(end)"]
        }
        let isRight =
            switch reading.verb {
            case .restore:
                try await shop.server.contents(of: target) == contents[reading.point]
            case .rows: end.output == rows[reading.point]
            case .diff: Self.lines(end.output) == differences[reading.point].map(Self.lines)
            case .list: try lists(end.output, beside: verb, newest: shop.newest)
            case .verify: true
            }
        return isRight ? [] : ["\(reading) is wrong: \(end)"]
    }

    /// Tables are compared side by side.
    private static func lines(_ text: String) -> [Substring] {
        text.split(separator: "\n").sorted()
    }

    /// Whether a list has what must be there, and nothing that nobody made.
    private func lists(_ output: String, beside verb: CampaignVerb, newest: String) throws -> Bool {
        let listed = try JSON(parsing: output)["backups"].items
            .filter { $0["status"].string == "completed" }.compactMap(\.["id"].string)
        let kept = verb == .prune ? [newest] : points
        // A merge adds one of its own.
        let more = Set(listed).subtracting(points)
        return Set(kept).isSubset(of: listed) && more.count <= (verb == .merge ? 1 : 0)
    }
}
