import BackupTesting
import Foundation
import Packing
import Testing

@testable import BackupCore

/// What a join puts aside comes back, and stays nowhere.
@Suite struct ChangeSpillTests {
    private static let parts = 4

    /// Keys of few parts, so that each has several buffers of them.
    private static func digest(_ number: Int) -> KeyDigest {
        KeyDigest(high: UInt64(number % parts), low: UInt64(number + 1))
    }

    @Test func `what a run that is killed has put aside has no name to stay behind under`()
        async throws
    {
        try await withTemporaryFolder { folder in
            let spill = ChangeSpill(in: folder)
            for number in 0..<20_000 {
                let (digest, record) = (Self.digest(number), Array("row \(number)\n".utf8))
                try spill.add(old: digest, hash: UInt64(number))
                try spill.add(
                    digest, UInt64(number), isMarked: number % 2 == 0, record[...], [])
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
            for part in 0..<Self.parts {
                #expect(try spill.oldRows(ofPart: part).count == 5000)
                let rows = try spill.liveRows(ofPart: part)
                var count = 0
                while let (row, record, key) = try rows.next() {
                    let words = String(decoding: record, as: UTF8.self)
                    #expect(words == "row \(row.hash)\n" && key.isEmpty)
                    #expect(row.isMarked == (row.hash % 2 == 0))
                    count += 1
                }
                #expect(count == 5000)
            }
        }
    }

    @Test func `two rows with one key do not come back as one`() throws {
        let spill = ChangeSpill()
        for hash in [UInt64(1), 2] { try spill.add(old: Self.digest(0), hash: hash) }
        #expect(throws: ChangeJoin.KeyTwiceInParent.self) {
            _ = try spill.oldRows(ofPart: 0)
        }
    }

    @Test func `a folder for temporary files that is not there is named, and what to do`()
        async throws
    {
        try await withTemporaryFolder { folder in
            let spill = ChangeSpill(in: "\(folder)/missing")
            let error = #expect(throws: BackupError.self) {
                for number in 0..<20_000 { try spill.add(old: Self.digest(number), hash: 0) }
            }
            #expect(error?.code == .storageFailed)
            #expect(error?.message.contains("\(folder)/missing") == true)
            #expect(error?.hint?.contains("TMPDIR") == true)
        }
    }
}
