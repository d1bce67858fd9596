import Packing

/// The folder of one backup while it is written. It becomes a backup with `commit`.
actor BackupFolder {
    private let storage: any Storage
    private let folder: StorageName
    /// In whose names this folder's is found, and what it rests on.
    private let foundation: [StorageName]
    private var checksums: [String: String] = [:]

    /// `parent`: What the backup was compared with; nil for a full.
    init(storage: any Storage, id: BackupID, parent: Chain?) throws {
        self.storage = storage
        guard let parent else {
            folder = try RepositoryLayout.folder(of: id)
            foundation = []
            return
        }
        let base = parent.base
        folder = try RepositoryLayout.folder(of: id, restingOn: base.id)
        foundation =
            try [base.folder.appending(RepositoryLayout.layers), base.folder]
            + (parent.links.count > 1 ? [parent.point.folder] : [])
    }

    /// Writes a small file.
    func write(_ file: String, bytes: [UInt8]) async throws {
        try checkSize(of: bytes, file)
        try await storage.write(folder.appending(file), survival: .whenSealed, bytes: bytes)
        checksums[file] = SHA256Stream.hexDigest(of: bytes)
    }

    /// Writes every row of a table into a data file, and its row index where that has a name.
    ///
    /// `keeps`: Whether the files stay, once all rows are known; nil is returned when not.
    /// - Returns: What `metadata.json` says about the table.
    nonisolated func writeTable(
        _ table: Table, to dataFile: String, index indexFile: String?, packing: FilePacking,
        keeps: (Fingerprint) -> Bool = { _ in true },
        _ body: @Sendable (TableFileWriter) async throws -> Void
    ) async throws -> TableRecord? {
        let columns = table.storedColumns.map(\.name)
        let writer: TableFileWriter
        do {
            writer = try await withWriters(dataFile, indexFile) { data, index in
                let writer = TableFileWriter(data: data, index: index)
                try await writer.begin(columns: columns, packing: packing)
                try await body(writer)
                guard keeps(await writer.fingerprint) else { throw NotKept() }
                return writer
            }
        } catch is NotKept {
            return nil
        }
        let digests = await writer.digests()
        await record(dataFile, digests.data)
        if let indexFile { await record(indexFile, digests.index) }
        let fingerprint = await writer.fingerprint
        var record = TableRecord(table, mode: .whole, fingerprint: StoredFingerprint(fingerprint))
        record.file = dataFile
        record.indexFile = indexFile
        record.rows = fingerprint.rows
        record.bytes = await writer.byteCount
        record.csvBytes = await writer.csvBytes
        record.sha256 = digests.data
        return record
    }

    private struct NotKept: Error {}

    /// Makes it a backup: everything else survives a crash before `metadata.json` has its name.
    func commit(_ metadata: Metadata) async throws {
        let bytes = try JSONFile.bytes(of: metadata)
        try checkSize(of: bytes, RepositoryLayout.metadata)
        let largest =
            bytes.count > RepositoryLayout.mostBytesDecoded
            ? DividedMetadata(bytes)?.largestPieceBytes : bytes.count
        guard metadata.hasPossibleNumbers,
            largest ?? bytes.count <= RepositoryLayout.mostBytesDecoded
        else {
            throw Self.unreadable("a backup of \(metadata.tables.count) tables")
        }
        checksums[RepositoryLayout.metadata] = SHA256Stream.hexDigest(of: bytes)
        try await storage.write(
            folder.appending(RepositoryLayout.checksums), survival: .whenSealed,
            bytes: Checksums.bytes(of: checksums))
        try await storage.write(
            folder.appending(RepositoryLayout.state), survival: .whenSealed,
            bytes: JSONFile.bytes(of: BackupState()))
        try await storage.seal(folder)
        // Whatever is a backup has flushed all else before. Only these names may be new: that of this folder, that of the
        // one in which layers lie, and the commit of a parent whose run was killed before it had flushed it.
        for place in foundation { try await storage.sealNames(in: place) }
        try await storage.write(folder.appending(RepositoryLayout.metadata), bytes: bytes)
        try await storage.sealNames(in: folder)
        try await storage.seal(nil)
    }

    /// Removes files that were written in vain, where there are any.
    func remove(_ files: [String]) async throws {
        for file in files where checksums.removeValue(forKey: file) != nil {
            try await storage.remove(folder.appending(file))
        }
    }

    /// What no reader takes must not become a backup.
    private func checkSize(of bytes: [UInt8], _ file: String) throws {
        guard bytes.count > RepositoryLayout.mostBytesAtOnce else { return }
        throw Self.unreadable("\(file) of \(ByteText(bytes.count))")
    }

    private static func unreadable(_ what: String) -> BackupError {
        BackupError(
            .storageFailed, "\(what) could not be read again",
            hint: "Divide it: back up some tables at a time, with \"dbtool full tables\".")
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

    /// Writes a file of a table; who does so records its digest.
    nonisolated func write(
        _ file: String, _ body: (any StorageWriter) async throws -> Void
    ) async throws {
        try await storage.write(folder.appending(file), survival: .whenSealed, body)
    }

    /// Lists a file in the checksums.
    func record(_ file: String, _ digest: String) {
        checksums[file] = digest
    }

    private nonisolated func withWriters(
        _ dataFile: String, _ indexFile: String?,
        _ body: (any StorageWriter, (any StorageWriter)?) async throws -> TableFileWriter
    ) async throws -> TableFileWriter {
        var result: TableFileWriter?
        try await storage.write(folder.appending(dataFile), survival: .whenSealed) { data in
            guard let indexFile else {
                result = try await body(data, nil)
                return
            }
            try await storage.write(folder.appending(indexFile), survival: .whenSealed) { index in
                result = try await body(data, index)
            }
        }
        guard let result else { preconditionFailure("a storage did not run its body") }
        return result
    }
}
