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

    /// What a file must hold.
    enum Expected: Sendable {
        /// All rows of a table.
        case table(TableRecord, Proof)
        /// The rows of a table that are new or changed.
        case changes(TableRecord)
        /// The keys of the rows that are gone.
        case tombstones(TableRecord)
    }

    private let reader: any StorageReader
    private let expected: Expected
    private let file: String
    private let seed: UInt64
    private let proof: Proof
    private let decompressor: ZstdDecompressor?
    private let order = Turnstile(permits: 1)
    private var splitter = RecordSplitter()
    /// The digest of everything read, once the last piece has been taken in: beside the rows of that piece, on another core.
    private var hash = Task.detached { SHA256Stream() }
    private var hasHeader = false
    /// How much CSV has been read.
    private var csvBytes = 0
    /// What has been read and not been handed over; the next one is last.
    private var waiting: [RowBatch] = []
    private var isAtEnd = false
    private var fingerprint = Fingerprint()

    init(
        reader: any StorageReader, expected: Expected, file: String, seed: UInt64
    ) throws {
        self.reader = reader
        self.expected = expected
        self.file = file
        self.seed = seed
        proof = expected.proof
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
        if let batch = waiting.popLast() { return batch }
        while !isAtEnd {
            guard let piece = try await nextPiece() else {
                try await finish()
                return nil
            }
            // Before it is held: a record without end could be as long as memory is large.
            csvBytes += piece.count
            guard csvBytes <= expected.mostCSVBytes else {
                throw damage(
                    "it holds more CSV than the \(expected.mostCSVBytes) bytes of metadata")
            }
            var batch = splitter.records(completedBy: piece)
            if !hasHeader { try takeHeader(from: &batch) }
            // What has no end is not held until it has one.
            guard
                splitter.pendingBytes <= (hasHeader ? Self.mostRecordBytes : expected.header.count)
            else { throw damage("a record of it is longer than any server's") }
            guard !batch.isEmpty else { continue }
            fingerprint += batch.fingerprint(seed: seed)
            guard fingerprint.rows <= expected.rowCount else {
                throw damage("it holds more than \(expected.rowCount) rows")
            }
            waiting = batch.inParts().reversed()
            return waiting.popLast()
        }
        return nil
    }

    /// A field has a gigabyte at most, and no row is much larger.
    static let mostRecordBytes = 5 << 28

    private func nextPiece() async throws -> [UInt8]? {
        if let output = try decompressor?.next() { return output }
        let piece = try await reader.next()
        guard !piece.isEmpty else { return nil }
        if proof == .rowsAndBytes {
            let before = await hash.value
            hash = Task.detached {
                var hash = before
                hash.update(piece)
                return hash
            }
        }
        guard let decompressor else { return piece }
        decompressor.feed(piece)
        return try decompressor.next() ?? []
    }

    private func takeHeader(from batch: inout RowBatch) throws {
        guard let end = batch.ends.first else { return }
        guard Array(batch.bytes[..<end]) == expected.header else {
            throw damage("its header is not the table's columns")
        }
        hasHeader = true
        batch.bytes.removeFirst(end)
        batch.ends = batch.ends.dropFirst().map { $0 - end }
    }

    private func finish() async throws {
        isAtEnd = true
        try decompressor?.finish()
        try splitter.finish()
        guard hasHeader else { throw damage("its header is missing") }
        guard fingerprint.rows == expected.rowCount else {
            throw damage("it holds \(fingerprint.rows) rows, not \(expected.rowCount)")
        }
        if case .table(let record, _) = expected {
            guard StoredFingerprint(fingerprint) == record.fingerprint else {
                throw damage("its rows are not those backed up")
            }
        }
        guard proof == .rowsAndBytes else { return }
        guard await hash.value.hexDigest() == expected.sha256 else {
            throw damage("its checksum differs from metadata")
        }
    }

    private func damage(_ what: String) -> BackupError {
        BackupError(
            .damaged, "\(file) is damaged: \(what)",
            hint: "Run \"dbtool verify\" on this backup to list every damaged file.")
    }
}

extension TableFileReader.Expected {
    /// Files of changes have no fingerprint of their own: their bytes are the proof.
    fileprivate var proof: TableFileReader.Proof {
        if case .table(_, let proof) = self { proof } else { .rowsAndBytes }
    }

    fileprivate var header: [UInt8] {
        switch self {
        case .table(let record, _), .changes(let record): record.header
        case .tombstones(let record): CSVDialect.record(record.key)
        }
    }

    fileprivate var rowCount: Int {
        switch self {
        case .table(let record, _): record.fingerprint.rows
        case .changes(let record): record.rows
        case .tombstones(let record): record.tombstones
        }
    }

    /// A bound for the CSV in the file: of a table all that is read to have it, this file and those that it rests on.
    fileprivate var mostCSVBytes: Int {
        switch self {
        case .table(let record, _), .changes(let record), .tombstones(let record): record.csvBytes
        }
    }

    fileprivate var sha256: String? {
        switch self {
        case .table(let record, _), .changes(let record): record.sha256
        case .tombstones(let record): record.deletedSHA256
        }
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
