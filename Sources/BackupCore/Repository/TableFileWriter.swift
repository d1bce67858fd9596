import Packing

/// One table's data file and row index while they are written, by several tasks at once.
actor TableFileWriter {
    private let data: any StorageWriter
    private let index: (any StorageWriter)?
    private let order = Turnstile(permits: 1)
    private var dataHash = SHA256Stream()
    private var indexHash = SHA256Stream()
    private(set) var fingerprint = Fingerprint()
    private(set) var byteCount = 0
    private(set) var csvBytes = 0

    init(data: any StorageWriter, index: (any StorageWriter)?) {
        self.data = data
        self.index = index
    }

    /// Begins both files.
    ///
    /// Must be called once, before any rows.
    func begin(columns: [String], packing: FilePacking) async throws {
        let header = columns.isEmpty ? [CSVDialect.lineEnd] : CSVDialect.record(columns)
        let bytes = try packing == .zstd ? ZstdCompressor().frame(header) : header
        csvBytes += header.count
        try await write(bytes)
        guard let index else { return }
        // A stream of no rows must be a stream all the same.
        let emptyFrame = try ZstdCompressor().frame([])
        indexHash.update(emptyFrame)
        try await index.write(emptyFrame)
    }

    /// Adds rows: to both files at the same place.
    func append(_ batch: EncodedBatch) async throws {
        try await order.pass {
            try await write(batch.data)
            if let index, !batch.index.isEmpty {
                indexHash.update(batch.index)
                try await index.write(batch.index)
            }
            fingerprint += batch.fingerprint
            csvBytes += batch.csvBytes
        }
    }

    /// The digests of both files, once everything is written.
    func digests() -> (data: String, index: String) {
        (dataHash.hexDigest(), indexHash.hexDigest())
    }

    private func write(_ bytes: [UInt8]) async throws {
        dataHash.update(bytes)
        byteCount += bytes.count
        try await data.write(bytes)
    }
}
