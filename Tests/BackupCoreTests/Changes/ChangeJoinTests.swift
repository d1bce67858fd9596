import BackupTesting
import Packing
import Synchronization
import Testing

@testable import BackupCore

/// The streaming join against a trivial model, in any order and with any budget.
@Suite struct ChangeJoinTests {
    private static let seed: UInt64 = 7
    private static let table = TableName(schema: "public", name: "t")

    /// Rows of a parent, block by block.
    private actor Blocks: KeySource {
        nonisolated let hasParts = true
        private var blocks: [KeyBlock]
        init(_ blocks: [KeyBlock]) { self.blocks = blocks }
        func next() async throws -> KeyBlock? { blocks.isEmpty ? nil : blocks.removeFirst() }
    }

    /// How the live side is given.
    enum Way: CaseIterable { case rows, marked, markedShowingAll }

    /// How large the memory is: none at all goes to files at once.
    @Test(
        arguments: SeededGenerator.seeds(count: 30),
        [
            (Way.rows, 1 << 20), (.rows, 0), (.marked, 1 << 20),
            (.marked, 4096), (.markedShowingAll, 1 << 20), (.markedShowingAll, 2048),
        ])
    func `finds exactly what differs`(seed: UInt64, how: (way: Way, budget: Int)) async throws {
        var random = SeededGenerator(seed: seed)
        let workload = Workload(&random)
        let outcome = try await run(workload, how.way, budget: how.budget, &random)
        let words = "seed \(seed), \(how)"
        #expect(Set(outcome.emitted) == Set(workload.changed), "\(words)")
        #expect(outcome.emitted.count == workload.changed.count, "\(words)")
        #expect(outcome.found.inserted.count == workload.insertedCount, "\(words)")
        #expect(outcome.found.updated.count == workload.updatedCount, "\(words)")
        #expect(outcome.found.deleted.count == workload.deleted.count, "\(words)")
        for key in workload.deleted {
            #expect(outcome.found.deleted[Self.digest(key)] != nil, "\(words): \(key)")
        }
        #expect(outcome.found.fingerprint == workload.fingerprint(Self.seed), "\(words)")
        #expect(outcome.found.unknown.count == 0 && outcome.found.unmarkedChanges == 0, "\(words)")
    }

    @Test func `a changed row that is not marked is counted when all are shown`() async throws {
        var random = SeededGenerator(seed: 1)
        var workload = Workload(&random)
        workload.old = ["1": "a", "2": "b"]
        workload.new = ["1": "x", "2": "b", "3": "c"]
        workload.unmarked = ["1", "3"]
        let outcome = try await run(workload, .markedShowingAll, budget: 1 << 20, &random)
        #expect(outcome.found.unmarkedChanges == 2)
    }

    @Test func `a live key that nobody knows and nobody shows is told`() async throws {
        var random = SeededGenerator(seed: 1)
        var workload = Workload(&random)
        workload.old = ["1": "a"]
        workload.new = ["1": "a", "9": "late"]
        workload.unmarked = ["9"]
        for budget in [0, 1 << 20] {
            let outcome = try await run(workload, .marked, budget: budget, &random)
            #expect(outcome.found.unknown.keys.map { String(decoding: $0, as: UTF8.self) } == ["9"])
        }
    }

    @Test(arguments: [0, 1 << 20])
    func `two live rows with one key are an error`(budget: Int) async throws {
        var random = SeededGenerator(seed: 1)
        var workload = Workload(&random)
        workload.old = ["1": "a"]
        workload.new = ["1": "a"]
        for twice in [["5,x", "5,y"], ["1,x", "1,y"]] {
            workload.extra = twice
            let error = await #expect(throws: BackupError.self) {
                var random = random
                _ = try await run(workload, .rows, budget: budget, &random)
            }
            #expect(error?.code == .sourceChanged)
        }
    }

    /// One of them unchanged, one unchanged and one changed, one changed and one gone, both gone.
    @Test(arguments: [["1,a"], ["1,a", "1,x"], ["1,x"], []], [0, 1 << 20])
    func `what became of one of two rows with one key is not said of both`(
        live: [String], budget: Int
    ) async throws {
        let old = Self.blocks(["1,a", "2,b", "1,c", "3,d"])
        await #expect(throws: ChangeJoin.KeyTwiceInParent.self, "\(live), budget \(budget)") {
            let join = ChangeJoin(
                Blocks(old), table: Self.table, byParts: false, budget: budget
            ) { _ in }
            var reader = LiveReader(.rows(keyPositions: [0]), seed: Self.seed)
            let rows = reader.rows(of: Self.batch(live + ["2,b", "3,d"]), from: 0)
            try await join.take(rows, part: 0)
            var changed = ChangedKeys(try await join.finish(), of: Self.table)
            for block in old {
                for digest in block.digests { _ = try changed.isGone(digest) }
            }
            try changed.finish()
        }
    }

    // MARK: The model

    private static func batch(_ records: [String]) -> RowBatch {
        RowBatch(rows: records.map { $0.split(separator: ",").map { String($0) as String? } })
    }

    /// Each record in a block of its own.
    private static func blocks(_ records: [String]) -> [KeyBlock] {
        var reader = RowKeys(positions: [0], seed: seed)
        return records.map { reader.block(of: batch([$0])) }
    }

    private struct Workload {
        var old: [String: String] = [:]
        var new: [String: String] = [:]
        /// Live keys that the source does not mark.
        var unmarked: Set<String> = []
        /// More live records.
        var extra: [String] = []

        init(_ random: inout SeededGenerator) {
            let count = Int.random(in: 0...600, using: &random)
            for _ in 0..<count {
                let key = "\(Int.random(in: 0...900, using: &random))"
                old[key] = "v\(Int.random(in: 0...3, using: &random))"
            }
            let changes = Int.random(in: 0...4, using: &random)
            for (key, value) in old.sorted(by: { $0.key < $1.key }) {
                switch Int.random(in: 0..<20, using: &random) {
                case ..<changes: continue
                case 19: new[key] = value + "u"
                case 18: new[key] = value
                default:
                    new[key] = value
                    unmarked.insert(key)
                }
            }
            for _ in 0..<Int.random(in: 0...60, using: &random) {
                let key = "\(Int.random(in: 0...2000, using: &random))"
                guard old[key] == nil else { continue }
                new[key] = "new"
            }
        }

        var changed: [String] {
            new.filter { old[$0.key] != $0.value }.map { "\($0.key),\($0.value)" }
        }
        var insertedCount: Int { new.keys.count { old[$0] == nil } }
        var updatedCount: Int { new.count { old[$0.key] != nil && old[$0.key] != $0.value } }
        var deleted: [String] { old.keys.filter { new[$0] == nil } }

        func fingerprint(_ seed: UInt64) -> Fingerprint {
            new.reduce(into: Fingerprint()) {
                $0.add(rowHash: ChangeJoinTests.hash("\($1.key),\($1.value)"))
            }
        }
    }

    private static func digest(_ key: String) -> KeyDigest {
        Array(key.utf8).withUnsafeBytes { KeyDigest($0, seed: seed) }
    }

    private static func hash(_ record: String) -> UInt64 {
        Array(record.utf8).withUnsafeBytes { RowHash.hash($0, seed: seed) }
    }

    private func run(
        _ workload: Workload, _ way: Way, budget: Int, _ random: inout SeededGenerator
    ) async throws -> (found: ChangeJoin.Outcome, emitted: [String]) {
        // Nearly in order, in order, or in none at all.
        let disorder = [0, 5, 1000].randomElement(using: &random) ?? 0
        func mixed(_ keys: [String]) -> [String] {
            keys.enumerated().map { index, key in
                (index + Int.random(in: 0...disorder, using: &random), key)
            }.sorted { $0 < $1 }.map(\.1)
        }
        let oldKeys = mixed(workload.old.keys.sorted())
        // Parts that are those of the keys, more or less, and blocks of them in any order.
        let partSize = [30, 200, 5000].randomElement(using: &random) ?? 200
        func parts(_ keys: [String]) -> [(part: Int, keys: [String])] {
            Dictionary(grouping: keys) { (Int($0) ?? 0) / partSize }
                .sorted { $0.key < $1.key }
                .flatMap { part, keys in Self.chunks(keys, of: 20).map { (part, $0) } }
        }
        func interleaved(
            _ chunks: [(part: Int, keys: [String])]
        ) -> [(part: Int, keys: [String])] {
            var rest = chunks
            var result: [(part: Int, keys: [String])] = []
            while !rest.isEmpty {
                let part = rest[Int.random(in: 0..<min(4, rest.count), using: &random)].part
                result.append(rest.remove(at: rest.firstIndex { $0.part == part } ?? 0))
            }
            return result
        }
        let byParts = Bool.random(using: &random)
        let overlay = Set(oldKeys.filter { _ in Int.random(in: 0..<9, using: &random) == 0 })
        func block(_ keys: [String], _ part: Int) -> KeyBlock {
            var reader = RowKeys(positions: [0], seed: Self.seed)
            var block = reader.block(of: RowBatch(rows: keys.map { [$0, workload.old[$0]] }))
            block.part = part
            return block
        }
        var above = block(oldKeys.filter(overlay.contains), 0)
        above.isOverlay = true
        let blocks =
            [above]
            + interleaved(parts(oldKeys.filter { !overlay.contains($0) })).map {
                block($0.keys, $0.part)
            }
        let emitted = Mutex<[String]>([])
        let join = ChangeJoin(
            Blocks(blocks), table: Self.table, byParts: byParts, budget: budget
        ) { record in
            emitted.withLock { $0.append(String(decoding: record.dropLast(), as: UTF8.self)) }
        }
        let isShowingAll = way == .markedShowingAll
        var reader = LiveReader(
            isShowingAll ? .marked(keyFields: 1) : .rows(keyPositions: [0]), seed: Self.seed)
        var keyReader = LiveReader(.keys, seed: Self.seed)
        func record(_ key: String) -> [String?] {
            let row: [String?] = [key, workload.new[key]]
            return isShowingAll ? [key, workload.unmarked.contains(key) ? "f" : "t"] + row : row
        }
        let live = interleaved(parts(mixed(workload.new.keys.sorted())))
        for (index, chunk) in live.enumerated() {
            let isUnmarked = { way == .marked && workload.unmarked.contains($0) }
            let rows = chunk.keys.filter { !isUnmarked($0) }.map(record)
            let keys = way == .marked ? chunk.keys.map { [isUnmarked($0) ? $0 : nil] } : []
            try await join.take(
                keyReader.rows(of: RowBatch(rows: keys), from: 0), part: chunk.part)
            #expect(way != .marked || keyReader.passedMarked > 0 || rows.isEmpty)
            try await join.take(reader.rows(of: RowBatch(rows: rows), from: 0), part: chunk.part)
            let isLast = !live[(index + 1)...].contains { $0.part == chunk.part }
            if isLast { try await join.end(part: chunk.part) }
        }
        let extra = workload.extra.map { $0.split(separator: ",").map { String($0) } }
        try await join.take(reader.rows(of: RowBatch(rows: extra), from: 0), part: 0)
        return (try await join.finish(), emitted.withLock { $0 })
    }

    private static func chunks<Element>(_ all: [Element], of size: Int) -> [[Element]] {
        stride(from: 0, to: all.count, by: size).map { Array(all[$0..<min($0 + size, all.count)]) }
    }
}
