import BackupTesting
import Foundation
import Packing
import Testing

@testable import BackupCore

/// Records that are put aside come back, however large they are and in whatever order they are asked for.
@Suite struct RecordSpillTests {
    private static func digest(_ number: Int) -> KeyDigest {
        KeyDigest(high: UInt64(number) &* 0x9E37_79B9_7F4A_7C15, low: UInt64(number))
    }

    /// Of any size, and each once larger than what is read at once.
    private static func record(_ number: Int) -> [UInt8] {
        let size = number % 500 == 7 ? 200_000 : number % 90
        return Array("\(number),".utf8) + Array(repeating: UInt8(ascii: "x"), count: size)
    }

    @Test(arguments: SeededGenerator.seeds(count: 3), [100, 10_000, 1 << 30])
    func `what was put aside comes back`(seed: UInt64, bufferBytes: Int) async throws {
        var random = SeededGenerator(seed: seed)
        let orders = [Array(0..<2000), (0..<2000).shuffled(using: &random)]
        try await withTemporaryFolder { folder in
            let spill = RecordSpill(in: folder, bufferBytes: bufferBytes)
            for number in 0..<2000 {
                try spill.add(Self.digest(number), Self.record(number)[...])
                // Asking does not disturb what is put aside next.
                guard number % 300 == 299 else { continue }
                let found = try spill.record(of: Self.digest(number / 2))
                #expect(found.map { Array($0) } == Self.record(number / 2))
            }
            // Nor does a key that is there twice.
            try spill.add(Self.digest(5), [1, 2, 3])
            for number in orders.joined() {
                let found = try spill.record(of: Self.digest(number))
                #expect(found.map { Array($0) } == Self.record(number), "\(number)")
            }
            #expect(try spill.record(of: Self.digest(2000)) == nil)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        }
    }

    @Test func `a folder for temporary files that is not there is named, and what to do`()
        async throws
    {
        try await withTemporaryFolder { folder in
            let spill = RecordSpill(in: "\(folder)/missing", bufferBytes: 1)
            let error = #expect(throws: BackupError.self) {
                try spill.add(Self.digest(1), [1])
            }
            #expect(error?.code == .storageFailed)
            #expect(error?.hint?.contains("TMPDIR") == true)
        }
    }
}
