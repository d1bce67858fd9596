import Foundation
import Packing

/// Collapses a chain up to a point into a new full, without the database: a synthetic full.
///
/// Its rows, sequences and definition are those of the point, and so is its moment: differentials
/// go on from it as from the point.
public struct Merge: Sendable {
    private let engine: any Engine
    private let repository: Repository
    private let request: MergeRequest

    /// `engine`: Only asked for how to restore without dbtool.
    public init(engine: any Engine, repository: Repository, request: MergeRequest) {
        self.engine = engine
        self.repository = repository
        self.request = request
    }

    /// Reads the chain, proves it on the way, and writes the full.
    ///
    /// - Throws: `BackupError`; nothing is left in the repository then.
    public func run(_ chain: Chain, progress: OperationProgress) async throws -> BackupReport {
        let start = Timestamp.now
        let point = chain.point
        guard point.metadata.engine == engine.name else {
            throw BackupError(
                .usage, "\(point.id) is a backup of \(point.metadata.engine), not \(engine.name)")
        }
        guard point.metadata.type != .full else {
            throw BackupError(.usage, "\(point.id) is a full backup already")
        }
        let database = point.metadata.database
        return try await repository.withLock(database: database, holder: request.holder) {
            try await repository.removeUnfinished(of: database) { progress.note($0) }
            let id = try await repository.freeID(.full, database: database, start: start)
            let folder = try BackupFolder(storage: repository.storage, id: id, parent: nil)
            let metadata: Metadata
            do {
                let bytes = point.metadata.csvBytes
                try await repository.checkSpace(
                    for: packing(of: chain) == .none ? bytes : bytes / 2
                ) { progress.note($0) }
                metadata = try await write(chain, to: folder, id, start, progress)
                try Task.checkCancellation()
                try await folder.commit(metadata)
            } catch {
                // A task that was cancelled must still be able to clean up; what is left when that
                // fails the next run removes.
                await Task { try? await folder.discard() }.value
                throw error
            }
            await repository.rebuildCatalog { progress.note($0) }
            return BackupReport(
                metadata: metadata, location: "\(repository.storage.location)/\(id)")
        }
    }

    private func write(
        _ chain: Chain, to folder: BackupFolder, _ id: BackupID, _ start: Timestamp,
        _ progress: OperationProgress
    ) async throws -> Metadata {
        let point = chain.point
        let checksums = try await Checksums(of: point, in: repository.storage)
        try checksums.proveMetadata(of: point)
        for file in RepositoryLayout.definition {
            let name = try point.folder.appending(file)
            // One that is there and not listed is damage, and no reason to leave it out.
            let isThere = try await repository.storage.entry(name) != nil
            guard isThere || checksums[file] != nil || file == RepositoryLayout.schemaSQL else {
                continue
            }
            try await folder.write(
                file,
                bytes: checksums.provenBytes(of: file, of: point, in: repository.storage))
        }
        progress.begin("merging rows", totalBytes: point.metadata.csvBytes)
        let tables = try await writeTables(of: chain, to: folder, progress)
        var metadata = point.metadata
        metadata.id = id.text
        metadata.type = .full
        (metadata.baseID, metadata.parentID, metadata.parentSHA256) = (nil, nil, nil)
        metadata.mergedFrom = chain.links.reversed().map(\.id.text)
        metadata.toolVersion = request.toolVersion
        metadata.timestampStart = start
        metadata.timestampEnd = .now
        metadata.durationSeconds = metadata.timestampEnd.seconds(since: start)
        metadata.tables = TableRecords(tables)
        metadata.statistics = Metadata.Statistics(of: tables)
        try await folder.write(
            RepositoryLayout.restoreGuide, bytes: Array(engine.restoreGuide(for: metadata).utf8))
        return metadata
    }

    private func writeTables(
        of chain: Chain, to folder: BackupFolder, _ progress: OperationProgress
    ) async throws -> [TableRecord] {
        let reader = try PointReader(chain, in: repository)
        let metadata = chain.point.metadata
        let records = metadata.currentTables.sorted { $0.csvBytes > $1.csvBytes }
        let names = FileNaming.names(
            for: records.map(\.table), defaultSchema: metadata.defaultSchema)
        let packing = packing(of: chain)
        return try await withThrowingTaskGroup(of: TableRecord.self) { group in
            var written: [TableRecord] = []
            for (index, record) in records.enumerated() {
                if index >= request.jobs, let record = try await group.next() {
                    written.append(record)
                }
                group.addTask {
                    try await write(
                        record, as: names[record.tableName] ?? "", packing, reader, folder, progress
                    )
                }
            }
            for try await record in group { written.append(record) }
            return written.sorted { $0.tableName < $1.tableName }
        }
    }

    private func packing(of chain: Chain) -> FilePacking {
        request.packing
            ?? chain.base.metadata.tables.compactMap(\.file).first.map { .init(fileName: $0) }
            ?? .none
    }

    private func write(
        _ record: TableRecord, as name: String, _ packing: FilePacking, _ reader: PointReader,
        _ folder: BackupFolder, _ progress: OperationProgress
    ) async throws -> TableRecord {
        let written = try await folder.writeTable(
            record.table, to: RepositoryLayout.dataFile(name, packing: packing),
            index: record.key.isEmpty ? nil : RepositoryLayout.indexFile(name), packing: packing
        ) { file in
            // The reader has proven the rows when it ends.
            try await reader.withRows(of: record, proving: .rows) { rows in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<request.jobs {
                        group.addTask {
                            let encoder = Exclusive(
                                try BatchEncoder(
                                    seed: reader.seed, packing: packing,
                                    keyPositions: record.keyPositions))
                            while let batch = try await rows.next() {
                                try Task.checkCancellation()
                                try await file.append(encoder.withValue { try $0.encode(batch) })
                                progress.add(rows: batch.count, bytes: batch.bytes.count)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
        guard let written else { preconditionFailure("every table is kept") }
        return written
    }
}

/// How to merge.
public struct MergeRequest: Sendable {
    /// How the data files are packed; nil packs as the chain's full does.
    public var packing: FilePacking?
    /// How many tasks work side by side; at least 1.
    public var jobs = 2
    /// Who does it, for those who find the lock taken.
    public var holder = ""
    /// The version of this program.
    public var toolVersion: String

    /// A merge into a full that is packed as the chain's.
    public init(toolVersion: String) { self.toolVersion = toolVersion }
}
