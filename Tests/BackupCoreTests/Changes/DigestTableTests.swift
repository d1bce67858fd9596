import BackupTesting
import Packing
import Testing

@testable import BackupCore

@Suite struct DigestTableTests {
    @Test(arguments: SeededGenerator.seeds(count: 20))
    func `does what a dictionary does`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var table = DigestTable()
        var model: [KeyDigest: UInt64] = [:]
        // Few low bits, so that many digests want the same place.
        let space = UInt64.random(in: 1...5000, using: &random)
        for _ in 0..<6000 {
            let low = UInt64.random(in: 0...space, using: &random) << 3
            let digest = KeyDigest(high: low % 2, low: low)
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
}
