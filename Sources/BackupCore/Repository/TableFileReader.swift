import Packing

/// One table's data file while it is read, by several tasks at once; it proves what it reads.
public actor TableFileReader {
    /// How much is proven while reading.
    public enum Proof: Sendable {
        /// That the rows are those of the fingerprint.
        case rows
        /// That, and that the file is byte for byte what was written.
        case rowsAndBytes
    }

    private let reader: any StorageReader
    private let record: TableRecord
    private let file: String
    private let seed: UInt64
    private let proof: Proof
    private let decompressor: ZstdDecompressor?
    private let order = Turnstile(permits: 1)
    private var splitter = RecordSplitter()
    private var hash = SHA256Stream()
    private var byteCount = 0
    private var hasHeader = false
    private var isAtEnd = false
    private var fingerprint = Fingerprint()

    init(
        reader: any StorageReader, record: TableRecord, file: String, seed: UInt64, proof: Proof
    ) throws {
        self.reader = reader
        self.record = record
        self.file = file
        self.seed = seed
        self.proof = proof
        decompressor = FilePacking(fileName: file) == .zstd ? try ZstdDecompressor() : nil
    }

    /// The next rows, without the header; nil after the last, once all of them have been proven.
    ///
    /// - Throws: `BackupError.damaged` naming the file, when it is not what the backup says.
    public func next() async throws -> RowBatch? {
        try await order.pass {
            do {
                return try await nextBatch()
            } catch let error as PackingError {
                throw damage("\(error)")
            } catch let error as BackupError where error.code == .damaged {
                throw error.message.hasPrefix(file) ? error : damage(error.message)
            }
        }
    }

    private func nextBatch() async throws -> RowBatch? {
        while !isAtEnd {
            guard let piece = try await nextPiece() else {
                try finish()
                return nil
            }
            var batch = splitter.records(completedBy: piece)
            if !hasHeader { try takeHeader(from: &batch) }
            guard !batch.isEmpty else { continue }
            fingerprint += batch.fingerprint(seed: seed)
            return batch
        }
        return nil
    }

    private func nextPiece() async throws -> [UInt8]? {
        if let output = try decompressor?.next() { return output }
        let piece = try await reader.next()
        guard !piece.isEmpty else { return nil }
        byteCount += piece.count
        if proof == .rowsAndBytes { hash.update(piece) }
        guard let decompressor else { return piece }
        decompressor.feed(piece)
        return try decompressor.next() ?? []
    }

    private func takeHeader(from batch: inout RowBatch) throws {
        guard let end = batch.ends.first else { return }
        guard Array(batch.bytes[..<end]) == record.header else {
            throw damage("its header is not the table's columns")
        }
        hasHeader = true
        batch.bytes.removeFirst(end)
        batch.ends = batch.ends.dropFirst().map { $0 - end }
    }

    private func finish() throws {
        isAtEnd = true
        try decompressor?.finish()
        try splitter.finish()
        guard hasHeader else { throw damage("its header is missing") }
        let stored = StoredFingerprint(fingerprint)
        guard stored.rows == record.fingerprint.rows else {
            throw damage("it holds \(stored.rows) rows, not \(record.fingerprint.rows)")
        }
        guard stored == record.fingerprint else { throw damage("its rows are not those backed up") }
        guard proof == .rowsAndBytes else { return }
        guard byteCount == record.bytes, hash.hexDigest() == record.sha256 else {
            throw damage("its checksum differs from metadata")
        }
    }

    private func damage(_ what: String) -> BackupError {
        BackupError(
            .damaged, "\(file) is damaged: \(what)",
            hint: "Run \"dbtool verify\" on this backup to list every damaged file.")
    }
}

extension RowBatch {
    /// The fingerprint of these rows.
    func fingerprint(seed: UInt64) -> Fingerprint {
        bytes.withUnsafeBytes { bytes in
            // HOT PATH: every row of a restore or a verification passes here.
            var fingerprint = Fingerprint()
            var start = 0
            for end in ends {
                let record = UnsafeRawBufferPointer(rebasing: bytes[start..<(end - 1)])
                fingerprint.add(rowHash: RowHash.hash(record, seed: seed))
                start = end
            }
            return fingerprint
        }
    }
}
