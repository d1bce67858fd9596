import Foundation

/// Makes a backup: one consistent moment of a source becomes a folder of readable files.
///
/// The walk of a row: the server sends it as a CSV record (`Snapshot.read`), many of them fill a
/// `RowBatch`, `BatchEncoder` hashes each and packs them, `TableFileWriter` appends them to the
/// table's file. Of a backup that rests on another only changes are written: `TableChanges` finds
/// them. The backup exists when `metadata.json` has been written, which comes last.
public struct Backup: Sendable {
    private let engine: any Engine
    private let repository: Repository
    private let request: BackupRequest
    /// What the snapshot lacks, in the engine's words.
    private let warnings = Exclusive<[String]>([])
    /// Whether the catalog knows already that this run has failed.
    private let isTold = Exclusive(false)

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
        do {
            return try await run(start, fullBecause: nil, progress)
        } catch var error as BackupError
            where error.code == .damaged && request.kind == .incremental
        {
            error.hint =
                "\"dbtool differential backup\" rests on the full alone, and goes on without that backup."
            throw error
        } catch let error as TableChanges.ChainIsWrong {
            let words =
                "\(error.rows) rows of \(error.table) changed without a new row version: points of "
                + "this chain since the last that was measured may lack them"
            progress.note("warning: \(words)")
            guard !request.refusesFull else {
                throw BackupError(.sourceChanged, words, hint: "Run \"dbtool full database\".")
            }
            return try await run(start, fullBecause: words, progress)
        }
    }

    private func run(
        _ start: Timestamp, fullBecause reason: String?, _ progress: OperationProgress
    ) async throws -> BackupReport {
        // Whoever comes second is told so before it waits for tables, where that can be known.
        guard let database = request.database, try await repository.isInUse else {
            return try await run(locked: nil, start, fullBecause: reason, progress)
        }
        try await checkBase(of: database)
        return try await repository.withLock(database: database, holder: request.holder) {
            do {
                return try await run(locked: database, start, fullBecause: reason, progress)
            } catch {
                await remember(error, of: database, start)
                throw error
            }
        }
    }

    private func run(
        locked: String?, _ start: Timestamp, fullBecause reason: String?,
        _ progress: OperationProgress
    ) async throws -> BackupReport {
        let asked = try await snapshotRequest(progress)
        progress.begin("taking a snapshot")
        return try await engine.withSnapshot(of: asked) { snapshot in
            let database = snapshot.moment.database
            return try await repository.withLock(
                database: database, unless: locked?.isExactly(database) == true,
                holder: request.holder
            ) {
                try await repository.removeUnfinished(of: database) { progress.note($0) }
                let plan = try await BackupPlanner(
                    engine: engine.name, repository: repository, request: request
                ).plan(snapshot, asked, start: start, fullBecause: reason, progress)
                let metadata = try await committing(plan) { folder in
                    try await repository.checkSpace(for: plan.estimatedFileBytes) {
                        progress.note($0)
                    }
                    return try await write(snapshot, asked, as: plan, into: folder, progress)
                }
                return await complete(metadata, plan, progress)
            }
        }
    }

    // MARK: What is asked of the engine

    /// Whoever names a full that cannot be rested on has called wrongly, which is no run that has failed.
    private func checkBase(of database: String) async throws {
        guard request.kind != .full, request.base != nil else { return }
        _ = try await lineage(of: database).base()
    }

    private func lineage(of database: String) async throws -> Lineage {
        try await Lineage(
            request: request, engine: engine.name, contents: repository.contents(),
            database: database)
    }

    /// A backup that rests on another has its scope.
    private func snapshotRequest(_ progress: OperationProgress) async throws -> SnapshotRequest {
        var asked = request.snapshot
        asked.maySkipUnreadable = request.kind == .full
        warnings.withValue { $0 = [] }
        asked.notes = { [warnings] note in
            progress.note(note)
            if let words = note.trimmingPrefix("warning: ") as Substring?, words != note {
                warnings.withValue { $0.append(String(words)) }
            }
        }
        guard request.kind != .full, let database = request.database else { return asked }
        if let base = try await lineage(of: database).base()?.metadata {
            try asked.takeScope(of: base)
        }
        return asked
    }

    // MARK: The files

    /// Runs `body` with the backup's folder; what it returns is the commit, throwing undoes all.
    private func committing(
        _ plan: BackupPlan, _ body: (BackupFolder) async throws -> Metadata
    ) async throws -> Metadata {
        let folder = try BackupFolder(
            storage: repository.storage, id: plan.id, parent: plan.layer?.parent)
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
        _ snapshot: any Snapshot, _ asked: SnapshotRequest, as plan: BackupPlan,
        into folder: BackupFolder, _ progress: OperationProgress
    ) async throws -> Metadata {
        // What is told later is about others, who wait for this run.
        let warnings = warnings.withValue { $0 }
        try await folder.write(RepositoryLayout.schemaSQL, bytes: snapshot.definition.sql)
        if let dump = snapshot.definition.dump {
            try await folder.write(RepositoryLayout.schemaDump, bytes: dump)
        }
        if let list = snapshot.definition.list {
            try await folder.write(RepositoryLayout.schemaList, bytes: list)
        }
        progress.begin(
            plan.layer == nil ? "reading rows" : "finding changes",
            totalBytes: plan.estimatedBytes)
        let writer = TableWriter(
            snapshot: snapshot, folder: folder, plan: plan, repository: repository,
            connections: request.snapshot.connections, progress: progress)
        let tables = try await writer.writeAll()
        progress.begin("checking the snapshot")
        let sequences = try await snapshot.sequences()
        try await snapshot.confirm()
        await snapshot.release()
        var metadata = plan.metadata(
            snapshot: snapshot, tables: tables, sequences: sequences, request: asked,
            engine: engine.name, toolVersion: request.toolVersion)
        metadata.warnings = warnings.isEmpty ? nil : warnings
        if plan.layer == nil {
            try await folder.write(
                RepositoryLayout.restoreGuide,
                bytes: Array(engine.restoreGuide(for: metadata).utf8))
        }
        return metadata
    }

    // MARK: What comes after

    /// The backup stands; what fails from here on, or is cancelled, is reported and takes nothing
    /// away.
    private func complete(
        _ metadata: Metadata, _ plan: BackupPlan, _ progress: OperationProgress
    ) async -> BackupReport {
        let place = plan.layer.map {
            "\($0.parent.base.id)/\(RepositoryLayout.layers)/\(plan.id.tail)"
        }
        var report = BackupReport(
            metadata: metadata, location: "\(repository.storage.location)/\(place ?? plan.id.text)")
        report.fullReason = plan.fullReason
        report.lacksUnseen = plan.lacksUnseen
        if request.makesArchive, plan.layer == nil {
            do {
                report.archive = try await repository.archive(plan.id, progress)
            } catch {
                report.archiveFailure =
                    error as? BackupError
                    ?? BackupError(.interrupted, "interrupted while the zip archive was made")
            }
        }
        await repository.rebuildCatalog { progress.note($0) }
        return report
    }

    private func undo(_ folder: BackupFolder, _ plan: BackupPlan, because error: any Error) async {
        // A task that was cancelled must still be able to clean up.
        await Task {
            do {
                try await folder.discard()
                // What is made again as a full has not failed.
                let isMadeAgain = error is TableChanges.ChainIsWrong
                try await tell(isMadeAgain ? nil : plan.id, plan.start, because: error)
            } catch {
                // The disk may be full or gone: the next run removes what is left.
            }
        }.value
    }

    /// Who watches the catalog sees too that a run has ended before it had a plan: its server was away, or a table locked.
    ///
    /// A run that was called wrongly, will be tried again with a password or is made again as a full is none that has
    /// failed, and a name that nothing here has may be mistaken.
    private func remember(
        _ error: any Error, of database: String, _ start: Timestamp
    ) async {
        let code = (error as? BackupError)?.code
        let hasFailed =
            code != .usage && code != .passwordRequired && !(error is TableChanges.ChainIsWrong)
        guard hasFailed, !isTold.withValue({ $0 }) else { return }
        await Task {
            guard (try? await repository.hasFolder(of: database)) == true,
                let id = try? await repository.freeID(
                    request.kind, database: database, start: start)
            else { return }
            try? await tell(id, start, because: error)
        }.value
    }

    /// `id`: What the backup would have been called; nil where nothing has failed.
    private func tell(_ id: BackupID?, _ start: Timestamp, because error: any Error) async throws {
        if id != nil { isTold.withValue { $0 = true } }
        try await repository.rebuildCatalog(
            adding: id.map { Catalog.Entry(failed: $0, start, because: error) })
    }
}
