import Packing

/// Turns a batch of rows into the bytes of the table's files: the work that runs side by side.
final class BatchEncoder {
    private let seed: UInt64
    private let packing: FilePacking
    private let compressor: ZstdCompressor
    private let keyReader: KeyReader?
    private var index: RowIndexBlock

    /// Encodes batches of one part of a table.
    ///
    /// `keyPositions`: Of the key's columns in the record; empty for a table without key.
    /// `part`: The number of the part of the table that the batches are of.
    init(seed: UInt64, packing: FilePacking, keyPositions: [Int], part: Int = 0) throws {
        index = RowIndexBlock(part: part)
        self.seed = seed
        self.packing = packing
        keyReader = keyPositions.isEmpty ? nil : KeyReader(positions: keyPositions)
        compressor = try ZstdCompressor()
    }

    /// - Throws: `BackupError.storageFailed` for a row that no reader would take.
    func encode(_ batch: RowBatch) throws -> EncodedBatch {
        guard batch.bytes.count <= TableFileReader.mostRecordBytes else {
            throw BackupError(
                .storageFailed,
                "a row of \(ByteText(batch.bytes.count)) as CSV could not be read again",
                hint: "Leave the table's rows out with --exclude-tablename.")
        }
        var frames: [UInt8] = []
        let fingerprint = try hashRows(of: batch, indexing: &frames)
        if index.rowCount > 0 { frames += try compressor.frame(index.takeBytes()) }
        return EncodedBatch(
            fingerprint: fingerprint,
            csvBytes: batch.bytes.count,
            data: try packing == .zstd ? compressor.frame(batch.bytes) : batch.bytes,
            index: frames)
    }

    /// HOT PATH: hashes every row, and collects keys and hashes for the row index.
    private func hashRows(
        of batch: RowBatch, indexing frames: inout [UInt8]
    ) throws -> Fingerprint {
        // Here while it runs: a class's property is guarded at every use.
        var index = RowIndexBlock(part: self.index.part)
        swap(&index, &self.index)
        defer { swap(&index, &self.index) }
        var keyReader = keyReader
        return try batch.bytes.withUnsafeBytes { bytes in
            var fingerprint = Fingerprint()
            var start = 0
            for end in batch.ends {
                let record = UnsafeRawBufferPointer(rebasing: bytes[start..<(end - 1)])
                let hash = RowHash.hash(record, seed: seed)
                fingerprint.add(rowHash: hash)
                if keyReader != nil {
                    index.append(hash: hash) { keyReader?.appendKey(of: record, to: &$0) }
                    if index.rowCount == RowIndexBlock.mostRows {
                        frames += try compressor.frame(index.takeBytes())
                    }
                }
                start = end
            }
            return fingerprint
        }
    }
}

/// A batch as the table's files take it.
struct EncodedBatch: Sendable {
    let fingerprint: Fingerprint
    let csvBytes: Int
    let data: [UInt8]
    let index: [UInt8]
}
