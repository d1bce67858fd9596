import BackupTesting
import Testing

@testable import BackupCore

/// Which points cannot be read is the same whether all are asked at once or each alone.
@Suite struct BrokenPointTests {
    @Test(arguments: 0..<50)
    func `the broken points are those that have no chain`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let contents = try Self.contents(&random)
        let alone = contents.points.filter { (try? contents.chain(of: $0)) == nil }.map(\.id)
        #expect(contents.brokenPoints() == Set(alone))
    }

    /// Seeds that make only whole points, or only broken ones, would prove nothing.
    @Test func `there are whole points and broken ones`() throws {
        var (whole, broken) = (0, 0)
        for seed in UInt64(0)..<50 {
            var random = SeededGenerator(seed: seed)
            let contents = try Self.contents(&random)
            broken += contents.brokenPoints().count
            whole += contents.points.count - contents.brokenPoints().count
        }
        #expect(whole > 50 && broken > 50, "\(whole) whole, \(broken) broken")
    }

    @Test func `a chain of thousands is looked at once`() throws {
        var points: [Point] = []
        for number in 0..<20_000 {
            points.append(try Self.point(number, on: points.last, base: points.first))
        }
        var contents = RepositoryContents()
        contents.points = points
        #expect(contents.brokenPoints().isEmpty)
        contents.points.remove(at: 10_000)
        #expect(contents.brokenPoints().count == 9_999)
    }

    private static func contents(
        _ random: inout SeededGenerator
    ) throws -> RepositoryContents {
        let count = Int.random(in: 1...12, using: &random)
        var points: [Point] = []
        for number in 0..<count {
            // Sometimes on itself, or on one that comes later or never.
            let parents = Int.random(in: 0..<4, using: &random) == 0 ? 0..<(count + 1) : 0..<number
            let parent = number == 0 ? nil : parents.randomElement(using: &random)
            let isWhole = Int.random(in: 0..<8, using: &random) > 0
            let base = Int.random(in: 0..<8, using: &random) > 0 ? points.first : points.last
            points.append(
                try point(
                    number, on: parent.map { ($0, isWhole ? "digest of \($0)" : "another") },
                    base: base, isFull: Int.random(in: 0..<5, using: &random) == 0))
        }
        var contents = RepositoryContents()
        contents.points = points
        return contents
    }

    private static func point(_ number: Int, on parent: Point?, base: Point?) throws -> Point {
        try point(
            number, on: parent.map { _ in (number - 1, "digest of \(number - 1)") }, base: base,
            isFull: false)
    }

    private static func point(
        _ number: Int, on parent: (number: Int, digest: String)?, base: Point?, isFull: Bool
    ) throws -> Point {
        let name = name(number)
        var metadata = RepositoryTests.metadata(name, at: "2025-01-01T00:00:00Z")
        if let parent, !isFull {
            metadata.type = .differential
            (metadata.parentID, metadata.parentSHA256) = (Self.name(parent.number), parent.digest)
            metadata.baseID = base?.id.text
        }
        return Point(
            id: try #require(BackupID(name)), folder: try StorageName(path: name),
            metadata: metadata, digest: "digest of \(number)")
    }

    private static func name(_ number: Int) -> String {
        let digits = String(number)
        let clock = String(repeating: "0", count: 6 - digits.count) + digits
        return "full_a_20250101_\(clock)_0000"
    }
}
