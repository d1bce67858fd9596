/// Reads the tables of a point, and proves what it reads.
public struct PointReader: Sendable {
    /// What is read.
    public let point: Point
    /// The seed of the row hashes.
    let seed: UInt64
    private let storage: any Storage

    /// - Throws: `BackupError.damaged` when the point's metadata has no usable hash seed.
    public init(_ point: Point, in repository: Repository) throws {
        guard let seed = UInt64(point.metadata.hashSeed, radix: 16) else {
            throw BackupError(.damaged, "metadata of \(point.id) has no usable hash seed")
        }
        self.point = point
        self.seed = seed
        storage = repository.storage
    }

    /// Runs `body` with a table's rows as of the point.
    ///
    /// - Throws: `BackupError.damaged` naming the file, when it is missing or not what was written;
    ///   whatever `body` throws.
    public func withRows<Result: Sendable>(
        of record: TableRecord, proving proof: TableFileReader.Proof,
        _ body: (TableFileReader) async throws -> Result
    ) async throws -> Result {
        let name = try fileName(of: record)
        guard try await storage.entry(name) != nil else { throw missing(name) }
        return try await storage.read(name) { reader in
            try await body(
                TableFileReader(
                    reader: reader, record: record, file: "\(name)", seed: seed, proof: proof))
        }
    }

    /// Looks for every table's file, without reading it.
    ///
    /// - Throws: `BackupError.damaged` for the first one that is missing or has another size.
    func checkFiles() async throws {
        guard point.metadata.agreesWithItself else {
            throw BackupError(
                .damaged, "metadata of \(point.id) contradicts itself", hint: Self.hint)
        }
        for record in point.metadata.tables {
            let name = try fileName(of: record)
            guard let entry = try await storage.entry(name) else { throw missing(name) }
            guard entry.byteCount == record.bytes else {
                throw BackupError(
                    .damaged, "\(name) has \(entry.byteCount) bytes, not \(record.bytes)",
                    hint: Self.hint)
            }
        }
    }

    private func fileName(of record: TableRecord) throws -> StorageName {
        guard record.mode == .whole, let file = record.file else {
            throw BackupError(
                .unsupportedFormat, "\(point.id) holds only changes of \(record.tableName)",
                hint: "This version restores full backups only.")
        }
        return try point.folder.appending(file)
    }

    private func missing(_ name: StorageName) -> BackupError {
        BackupError(.damaged, "\(name) is missing", hint: Self.hint)
    }

    private static let hint =
        "Run \"dbtool verify\" on this backup to list every damaged file."
}
