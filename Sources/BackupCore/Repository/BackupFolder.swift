import Packing

/// The folder of one backup while it is written. It becomes a backup with `commit`.
actor BackupFolder {
    private let storage: any Storage
    private let folder: StorageName
    private var checksums: [String: String] = [:]

    init(storage: any Storage, id: BackupID) throws {
        self.storage = storage
        folder = try RepositoryLayout.folder(of: id)
    }

    /// Writes a small file.
    func write(_ file: String, bytes: [UInt8]) async throws {
        try await storage.write(folder.appending(file), bytes: bytes)
        checksums[file] = SHA256Stream.hexDigest(of: bytes)
    }

    /// Writes a table's data file, and its row index where it has a key.
    ///
    /// - Returns: What `metadata.json` says about the table.
    nonisolated func writeTable(
        _ table: Table, fileName: String, packing: FilePacking,
        _ body: @Sendable (TableFileWriter) async throws -> Void
    ) async throws -> TableRecord {
        let dataFile = RepositoryLayout.dataFile(fileName, packing: packing)
        let indexFile = table.keyPositions.isEmpty ? nil : RepositoryLayout.indexFile(fileName)
        let columns = table.storedColumns.map(\.name)
        let writer = try await withWriters(dataFile, indexFile) { data, index in
            let writer = TableFileWriter(data: data, index: index)
            try await writer.begin(columns: columns, packing: packing)
            try await body(writer)
            return writer
        }
        let digests = await writer.digests()
        await record(dataFile, digests.data)
        if let indexFile { await record(indexFile, digests.index) }
        let fingerprint = await writer.fingerprint
        return TableRecord(
            schema: table.name.schema, name: table.name.name, columns: table.columns,
            key: table.keyPositions.isEmpty ? [] : table.key, file: dataFile,
            indexFile: indexFile, mode: .whole, rows: fingerprint.rows, tombstones: 0,
            bytes: await writer.byteCount, csvBytes: await writer.csvBytes, sha256: digests.data,
            fingerprint: StoredFingerprint(fingerprint), identity: table.identity,
            loadsThrough: table.loadsThrough, filter: table.filter)
    }

    /// Makes it a backup: everything else survives a crash before `metadata.json` has its name.
    func commit(_ metadata: Metadata) async throws {
        let bytes = try JSONFile.bytes(of: metadata)
        checksums[RepositoryLayout.metadata] = SHA256Stream.hexDigest(of: bytes)
        try await storage.write(
            folder.appending(RepositoryLayout.checksums), bytes: Checksums.bytes(of: checksums))
        try await storage.write(
            folder.appending(RepositoryLayout.state), bytes: JSONFile.bytes(of: BackupState()))
        try await storage.seal(folder)
        try await storage.write(folder.appending(RepositoryLayout.metadata), bytes: bytes)
        try await storage.seal(folder)
        try await storage.seal(nil)
    }

    /// Removes everything, as if the run had never been; what made it a backup first.
    func discard() async throws {
        let metadata = try folder.appending(RepositoryLayout.metadata)
        if try await storage.entry(metadata) != nil {
            try await storage.remove(metadata)
            try await storage.seal(folder)
        }
        try await storage.remove(folder)
    }

    private func record(_ file: String, _ digest: String) {
        checksums[file] = digest
    }

    private nonisolated func withWriters(
        _ dataFile: String, _ indexFile: String?,
        _ body: (any StorageWriter, (any StorageWriter)?) async throws -> TableFileWriter
    ) async throws -> TableFileWriter {
        var result: TableFileWriter?
        try await storage.write(folder.appending(dataFile)) { data in
            guard let indexFile else {
                result = try await body(data, nil)
                return
            }
            try await storage.write(folder.appending(indexFile)) { index in
                result = try await body(data, index)
            }
        }
        guard let result else { preconditionFailure("a storage did not run its body") }
        return result
    }
}
