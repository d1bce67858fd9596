import BackupTesting
import Packing
import Testing

@testable import BackupCore

@Suite struct DigestTableTests {
    @Test(arguments: SeededGenerator.seeds(count: 20))
    func `does what a dictionary does`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var table = DigestTable<UInt64>()
        var model: [KeyDigest: UInt64] = [:]
        // Few places, the last ones among them, so that many digests want the same and go round.
        let space = UInt64.random(in: 1...5000, using: &random)
        for _ in 0..<6000 {
            let number = UInt64.random(in: 0...space, using: &random)
            let low = ~(number % 40 << (50 + number % 11) | number)
            let digest = KeyDigest(high: number % 2, low: low)
            switch Int.random(in: 0..<3, using: &random) {
            case 0:
                let value = UInt64.random(in: 0...9, using: &random)
                #expect(table.insert(digest, value) == (model[digest] == nil), "seed \(seed)")
                if model[digest] == nil { model[digest] = value }
            case 1:
                #expect(table.remove(digest) == model.removeValue(forKey: digest), "seed \(seed)")
            default: #expect(table[digest] == model[digest], "seed \(seed)")
            }
            #expect(table.count == model.count)
        }
        var all: [KeyDigest: UInt64] = [:]
        table.forEach { all[$0] = $1 }
        #expect(all == model, "seed \(seed)")
    }

    /// A table that grows while it gets its keys in the order of its own slots finds all of them wanting
    /// the same places, and takes hours.
    @Test(.timeLimit(.minutes(10)))
    func `keys come in the order of another table's slots`() {
        var random = SeededGenerator(seed: 1)
        var (table, copy) = (DigestSet(), DigestSet())
        for _ in 0..<2_000_000 {
            table.insert(KeyDigest(high: random.next(), low: random.next()))
        }
        table.forEach { digest in copy.insert(digest) }
        #expect(copy.count == table.count)
    }
}
