import Foundation
import Packing

/// Makes a full backup: one consistent moment of a source becomes a folder of readable files.
///
/// The walk of a row: the server sends it as a CSV record (`Snapshot.read`), many of them fill a
/// `RowBatch`, `BatchEncoder` hashes each and packs them, `TableFileWriter` appends them to the
/// table's file. The backup exists when `metadata.json` has been written, which comes last.
public struct Backup: Sendable {
    private let engine: any Engine
    private let repository: Repository
    private let request: BackupRequest

    /// A backup of what `engine` reads into `repository`.
    public init(engine: any Engine, repository: Repository, request: BackupRequest) {
        self.engine = engine
        self.repository = repository
        self.request = request
    }

    /// Makes the backup.
    ///
    /// - Throws: `BackupError`; nothing is left in the repository then but a line in its catalog.
    public func run(progress: OperationProgress) async throws -> BackupReport {
        let start = Timestamp.now
        progress.begin("taking a snapshot")
        var asked = request.snapshot
        asked.notes = { progress.note($0) }
        return try await engine.withSnapshot(of: asked) { snapshot in
            let database = snapshot.moment.database
            return try await repository.withLock(database: database, holder: request.holder) {
                try await removeUnfinished(of: database, progress)
                let plan = try await plan(snapshot, start: start)
                let metadata = try await committing(plan) { folder in
                    try await checkSpace(for: plan, progress)
                    return try await write(snapshot, as: plan, into: folder, progress)
                }
                return await complete(metadata, plan.id, progress)
            }
        }
    }

    // MARK: The plan

    private func plan(_ snapshot: any Snapshot, start: Timestamp) async throws -> BackupPlan {
        BackupPlan(
            id: try await freeID(database: snapshot.moment.database, start: start),
            start: start,
            hashSeed: try await repository.hashSeed(),
            packing: request.packing,
            tables: snapshot.schema.tables.sorted {
                ($1.estimatedBytes, $0.name) < ($0.estimatedBytes, $1.name)
            },
            fileNames: FileNaming.names(
                for: snapshot.schema.tables, defaultSchema: snapshot.moment.defaultSchema))
    }

    /// A name that nothing in the repository has, whatever was unzipped or copied there.
    private func freeID(database: String, start: Timestamp) async throws -> BackupID {
        while true {
            let id = BackupID(
                kind: .full, database: database, at: start.date,
                random: UInt16.random(in: 0...UInt16.max))
            let folder = try await repository.storage.entry(RepositoryLayout.folder(of: id))
            let archive = try await repository.storage.entry(RepositoryLayout.archive(of: id))
            if folder == nil && archive == nil { return id }
        }
    }

    private func removeUnfinished(of database: String, _ progress: OperationProgress) async throws {
        let encoded = FileNaming.encoded(database)
        for id in try await repository.contents().unfinished where id.encodedDatabase == encoded {
            progress.note("removing \(id), which an interrupted run has left")
            try await repository.removeUnfinished(id)
        }
        try await repository.removeUnfinishedArchives(ofEncoded: encoded)
    }

    /// Refuses when the disk surely cannot hold the backup, and warns when it may not.
    private func checkSpace(for plan: BackupPlan, _ progress: OperationProgress) async throws {
        guard let available = try await repository.storage.availableBytes() else { return }
        let needed = plan.estimatedFileBytes
        let place = repository.storage.location
        let words =
            "\(place) has \(ByteText(available)) free; the backup needs about \(ByteText(needed))"
        // Tables hold dead rows and free space, so that half of the estimate may be enough.
        guard available >= needed / 2 else {
            throw BackupError(
                .storageFailed, words,
                hint: "Free some space, name another folder with -path, or use -compress zstd.")
        }
        if available < needed { progress.note("warning: \(words)") }
    }

    // MARK: The files

    /// Runs `body` with the backup's folder; what it returns is the commit, throwing undoes all.
    private func committing(
        _ plan: BackupPlan, _ body: (BackupFolder) async throws -> Metadata
    ) async throws -> Metadata {
        let folder = try BackupFolder(storage: repository.storage, id: plan.id)
        do {
            let metadata = try await body(folder)
            try Task.checkCancellation()
            try await folder.commit(metadata)
            return metadata
        } catch {
            await undo(folder, plan, because: error)
            throw error
        }
    }

    private func write(
        _ snapshot: any Snapshot, as plan: BackupPlan, into folder: BackupFolder,
        _ progress: OperationProgress
    ) async throws -> Metadata {
        try await folder.write(RepositoryLayout.schemaSQL, bytes: snapshot.definition.sql)
        if let dump = snapshot.definition.dump {
            try await folder.write(RepositoryLayout.schemaDump, bytes: dump)
        }
        if let list = snapshot.definition.list {
            try await folder.write(RepositoryLayout.schemaList, bytes: list)
        }
        progress.begin("reading rows", totalBytes: plan.estimatedBytes)
        let tables = try await writeTables(snapshot, as: plan, into: folder, progress)
        progress.begin("checking the snapshot")
        let sequences = try await snapshot.sequences()
        try await snapshot.confirm()
        let metadata = plan.metadata(
            snapshot: snapshot, tables: tables, sequences: sequences, scope: request.snapshot.scope,
            engine: engine.name, toolVersion: request.toolVersion)
        try await folder.write(
            RepositoryLayout.restoreGuide, bytes: Array(engine.restoreGuide(for: metadata).utf8))
        return metadata
    }

    /// Largest tables first; one more table is begun than there are connections, so that finishing
    /// a file never keeps a connection waiting.
    private func writeTables(
        _ snapshot: any Snapshot, as plan: BackupPlan, into folder: BackupFolder,
        _ progress: OperationProgress
    ) async throws -> [TableRecord] {
        try await withThrowingTaskGroup(of: TableRecord.self) { group in
            var records: [TableRecord] = []
            for (index, table) in plan.tables.enumerated() {
                if index > request.snapshot.connections, let record = try await group.next() {
                    records.append(record)
                }
                group.addTask {
                    try await write(table, of: snapshot, as: plan, into: folder, progress)
                }
            }
            for try await record in group { records.append(record) }
            return records.sorted { $0.tableName < $1.tableName }
        }
    }

    private func write(
        _ table: Table, of snapshot: any Snapshot, as plan: BackupPlan, into folder: BackupFolder,
        _ progress: OperationProgress
    ) async throws -> TableRecord {
        let parts = snapshot.parts(of: table)
        let estimate = table.estimatedBytes / max(1, parts.count)
        return try await folder.writeTable(
            table, fileName: plan.fileNames[table.name] ?? "", packing: plan.packing
        ) { file in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, part) in parts.enumerated() {
                    // Bounded: a table can have more parts than tasks should wait for a connection.
                    if index > request.snapshot.connections { try await group.next() }
                    group.addTask {
                        let encoder = Exclusive(
                            try BatchEncoder(
                                seed: plan.hashSeed, packing: plan.packing,
                                keyPositions: table.keyPositions))
                        let read = Exclusive(0)
                        try await snapshot.read(part) { batch in
                            let encoded = try encoder.withValue { try $0.encode(batch) }
                            try await file.append(encoded)
                            progress.add(rows: batch.count, bytes: encoded.csvBytes)
                            read.withValue { $0 += encoded.csvBytes }
                        }
                        // What the server stores is rarely as large as its text.
                        progress.correctTotal(by: read.withValue { $0 } - estimate)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    // MARK: What comes after

    /// The backup stands; what fails from here on, or is cancelled, is reported and takes nothing
    /// away.
    private func complete(
        _ metadata: Metadata, _ id: BackupID, _ progress: OperationProgress
    ) async -> BackupReport {
        var report = BackupReport(
            metadata: metadata, location: "\(repository.storage.location)/\(id)")
        if request.makesArchive {
            do {
                report.archive = try await repository.archive(id, progress)
            } catch {
                report.archiveFailure =
                    error as? BackupError
                    ?? BackupError(.interrupted, "interrupted while the zip archive was made")
            }
        }
        do {
            try await repository.rebuildCatalog()
        } catch {
            let reason = (error as? BackupError)?.message ?? "interrupted"
            progress.note("warning: the catalog could not be written: \(reason)")
        }
        return report
    }

    private func undo(_ folder: BackupFolder, _ plan: BackupPlan, because error: any Error) async {
        // A task that was cancelled must still be able to clean up.
        await Task {
            do {
                try await folder.discard()
                try await repository.rebuildCatalog(adding: plan.failure(because: error))
            } catch {
                // The disk may be full or gone: the next run removes what is left.
            }
        }.value
    }
}
