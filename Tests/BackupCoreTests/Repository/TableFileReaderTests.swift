import BackupTesting
import Packing
import Synchronization
import Testing

@testable import BackupCore

/// A file that somebody has forged is refused before it fills the memory, whatever its checksums are.
@Suite(.timeLimit(.minutes(10))) struct TableFileReaderTests {
    /// A file that goes on for ever: its header, and then the same piece again and again.
    private final class EndlessFile: StorageReader {
        private let header: [UInt8]
        private let piece: [UInt8]
        private let read = Mutex(0)

        init(header: [UInt8], piece: [UInt8]) {
            self.header = header
            self.piece = piece
        }

        var pieces: Int { read.withLock { $0 } }

        func next() async throws -> [UInt8] {
            let isFirst = read.withLock { read in
                read += 1
                return read == 1
            }
            return isFirst ? header : piece
        }
    }

    /// Of each piece of a few kilobytes come 64 MB, all of them one record.
    @Test(arguments: [FilePacking.none, .zstd])
    func `a record without end is refused as soon as it is longer than its file was`(
        packing: FilePacking
    ) async throws {
        let record = try #require(
            try await Shop().point().metadata.tables.first { !$0.key.isEmpty })
        let compressor = try ZstdCompressor()
        let letters = [UInt8](repeating: UInt8(ascii: "x"), count: 64 << 20)
        let piece =
            try packing == .zstd ? compressor.frame(letters) : Array(letters.prefix(1 << 20))
        let files: [(TableFileReader.Expected, [UInt8])] = [
            (.table(record, .rows), record.header), (.changes(record), record.header),
            (.tombstones(record), CSVDialect.record(record.key)),
        ]
        for (expected, header) in files {
            let file = EndlessFile(
                header: try packing == .zstd ? compressor.frame(header) : header, piece: piece)
            let reader = try TableFileReader(
                reader: file, expected: expected, file: "data/items.csv\(packing.suffix)", seed: 1)
            let error = await #expect(throws: BackupError.self) { try await reader.next() }
            #expect(error?.code == .damaged)
            #expect(error?.message.contains("more CSV than the \(record.csvBytes) bytes") == true)
            #expect(file.pieces == 2)
        }
    }

    @Test(arguments: [FilePacking.none, .zstd])
    func `a file has as many bytes as its metadata says, in every kind of backup`(
        packing: FilePacking
    ) async throws {
        var shop = Shop()
        shop.request.packing = packing
        try await shop.backUp()
        for kind in [BackupKind.differential, .incremental] {
            try shop.server.change("shop") { database in
                database[rows: Shop.sample.items]?.removeFirst()
                database[rows: Shop.sample.items]?.append([kind.rawValue, "new"])
            }
            try await shop.layer(kind)
        }
        _ = try await shop.merge()
        for point in try await shop.repository.contents().points {
            #expect(try await shop.verify(point).damage == [], "\(point.id)")
        }
    }
}
