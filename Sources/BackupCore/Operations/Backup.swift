import Foundation
import Packing

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
                let plan = try await plan(
                    snapshot, asked, start: start, fullBecause: reason, progress)
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

    // MARK: The plan

    /// A backup that rests on another has its scope.
    private func snapshotRequest(_ progress: OperationProgress) async throws -> SnapshotRequest {
        var asked = request.snapshot
        warnings.withValue { $0 = [] }
        asked.notes = { [warnings] note in
            progress.note(note)
            if let words = note.trimmingPrefix("warning: ") as Substring?, words != note {
                warnings.withValue { $0.append(String(words)) }
            }
        }
        guard request.kind != .full, let database = request.database else { return asked }
        let contents = try await repository.contents()
        let lineage = Lineage(
            request: request, engine: engine.name, contents: contents, database: database)
        if let base = try lineage.base()?.metadata { try Self.scope(&asked, like: base) }
        return asked
    }

    private static func scope(_ asked: inout SnapshotRequest, like base: Metadata) throws {
        if base.scope != Scope.database.word {
            let patterns = base.scopePatterns ?? base.tables.map { "\($0.tableName)" }
            asked.scope = .tables(try patterns.map { try TablePattern($0) })
        }
        // Nobody names these tables now, and some may be gone.
        asked.allowsMissing = true
        asked.excluded = try (base.excludedPatterns ?? base.excludedTables.map { "\($0)" })
            .map { try TablePattern($0) }
    }

    private func plan(
        _ snapshot: any Snapshot, _ asked: SnapshotRequest, start: Timestamp,
        fullBecause reason: String?, _ progress: OperationProgress
    ) async throws -> BackupPlan {
        let moment = snapshot.moment
        let lineage = Lineage(
            request: request, engine: engine.name, contents: try await repository.contents(),
            database: moment.database)
        var (parent, fullReason, number): (Chain?, String?, Int) = (nil, reason, 0)
        if reason == nil {
            switch try await choice(by: lineage, asked, progress) {
            case .full(let reason): fullReason = reason
            case .layer(let chain, let count): (parent, number) = (chain, count)
            }
        }
        if let base = parent?.base.metadata {
            try require(base, asked)
            if base.encoding != moment.encoding {
                let words = "the database has another encoding than its full"
                (parent, fullReason) = (nil, try lineage.reason(forFull: words))
            }
        }
        if let base = parent?.base, let whole = lineage.wholeFull(before: base) {
            asked.notes(
                "warning: \(base.id), on which this rests, left rows out, which \(whole.id) has: "
                    + "a new full backup without --exclude-tablename ends that")
        }
        // Nothing else tells two servers apart that have a database of one name.
        if let last = parent?.base ?? lineage.newestFull,
            snapshot.isOfOther(than: last.metadata.sourceIdentity)
        {
            asked.notes(
                "warning: \(last.id), the full backup of \(moment.database) before this, is of another server, "
                    + "or of a database that was made anew")
        }
        let earlier = [parent?.base, parent?.point, lineage.newestFull].compactMap(\.self)
        let lacksUnseen = await lacksUnseen(of: earlier, snapshot, asked)
        return BackupPlan(
            id: try await repository.freeID(
                parent == nil ? .full : request.kind, database: moment.database, start: start),
            start: start,
            hashSeed: try await hashSeed(parent),
            packing: try packing(parent, lineage),
            tables: snapshot.schema.tables.sorted {
                ($1.estimatedBytes, $0.name) < ($0.estimatedBytes, $1.name)
            },
            fileNames: FileNaming.names(
                for: snapshot.schema.tables, defaultSchema: moment.defaultSchema),
            layer: try parent.map { try layer(on: $0, number: number, snapshot, progress) },
            fullReason: fullReason, lacksUnseen: lacksUnseen)
    }

    /// Whether earlier backups hold things that the account may not see: with a privilege that was lost nobody would know.
    ///
    /// The backup counts all the same, lest the last that saw them stay the latest for ever; a full of today settles it.
    private func lacksUnseen(
        of earlier: [Point], _ snapshot: any Snapshot, _ asked: SnapshotRequest
    ) async -> Bool {
        let product = snapshot.moment.databaseProperties["product"]
        guard snapshot.isBlind else { return false }
        var (known, lacks): (Set<BackupID>, Bool) = ([], false)
        for point in earlier where known.insert(point.id).inserted {
            // What another product had is told by nothing of this one; and what is damaged there is for `verify` to tell.
            guard point.metadata.databaseProperties["product"] == product,
                let checksums = try? await Checksums(of: point, in: repository.storage),
                let sql = try? await checksums.provenBytes(
                    of: RepositoryLayout.schemaSQL, of: point, in: repository.storage),
                let unseen = try? snapshot.unseen(of: sql), !unseen.isEmpty
            else { continue }
            // The others would say the same.
            if !lacks {
                asked.notes(
                    "warning: the backup is incomplete: \(point.id) has what the account may not see now: "
                        + unseen.joined(separator: " "))
            }
            lacks = true
        }
        return lacks
    }

    /// What the backup rests on, where nothing speaks against that.
    private func choice(
        by lineage: Lineage, _ asked: SnapshotRequest, _ progress: OperationProgress
    ) async throws -> Lineage.Choice {
        let choice = try lineage.choice(now: .now)
        guard case .layer(let chain, _) = choice else { return choice }
        var states: [BackupID: BackupState] = [:]
        let base = ExactText(chain.base.id.text)
        let family = lineage.contents.points.filter {
            ExactText($0.metadata.baseID ?? $0.id.text) == base
        }
        for point in family { states[point.id] = try await repository.stateIfKnown(of: point) }
        if let flaw = try await flaw(of: chain, ChainProofs(of: family, states), states) {
            let reason = try lineage.reason(forFull: flaw)
            progress.note("warning: \(reason)")
            return .full(reason)
        }
        for link in chain.links where states[link.id]?.drilled?.passed == false {
            asked.notes("warning: the last drill of \(link.id) failed, on which this rests")
        }
        return choice
    }

    /// Why what would rest on a chain could not be restored; nil when nothing tells so.
    ///
    /// Changes are found by metadata and row indexes: without this, rows that are gone would be missed at a restore, and
    /// not before. A drill may fail for reasons of its server or of the definition, which another full would have too.
    private func flaw(
        of chain: Chain, _ proofs: ChainProofs, _ states: [BackupID: BackupState]
    ) async throws -> String? {
        let point = chain.point
        do {
            // A wrong moment or a wrong list of files there would end in rows that are missed.
            try await Checksums(of: point, in: repository.storage).proveMetadata(of: point)
            try await PointReader(chain, in: repository).checkFiles()
        } catch let error as BackupError where error.code == .damaged {
            return "\(point.id) cannot be restored: \(error.message)"
        }
        let failure = proofs.failure(against: point, states[point.id] ?? BackupState())
        return failure.map { failed in
            let since = failed == point.id ? "" : ", and \(point.id) was not proven since"
            return "the last verification of \(failed) found damage\(since)"
        }
    }

    /// - Throws: `BackupError.usage` when changes cannot be found as was asked for.
    private func layer(
        on parent: Chain, number: Int, _ snapshot: any Snapshot, _ progress: OperationProgress
    ) throws -> LayerPlan {
        // Times in a column prove nothing about row versions: those count from the last point that
        // is exact. Points above it may have come from a clone, whose changes are nothing new by
        // the versions of this server.
        let since = parent.links.firstIndex(where: \.metadata.exact).map { parent.links[...$0] }
        let identity = since?.last?.metadata.sourceIdentity ?? [:]
        let losses = (since ?? []).lazy.compactMap {
            snapshot.loss(ofIdentity: $0.metadata.sourceIdentity)
        }
        let every = request.chainRule.measuresEvery
        return LayerPlan(
            parent: parent, number: number, basis: request.basis, identity: identity,
            loss: since == nil ? "no point of its chain is exact" : losses.first,
            otherSource: snapshot.isOtherSource(than: parent.point.metadata.sourceIdentity),
            columns: try columns(snapshot, progress),
            isMeasured: every > 0 && number % every == 0, joinBytes: request.joinBytes)
    }

    private func columns(
        _ snapshot: any Snapshot, _ progress: OperationProgress
    ) throws -> [TableName: ChangeColumn] {
        guard case .column(let asked) = request.basis else { return [:] }
        return try asked.columns(
            of: snapshot.schema.tables, kind: { snapshot.kind(of: $0) },
            note: { progress.note($0) })
    }

    /// What is read was decided before the database was known, or before somebody made another full of it.
    private func require(_ base: Metadata, _ asked: SnapshotRequest) throws {
        var wanted = request.snapshot
        try Self.scope(&wanted, like: base)
        guard wanted.scope != asked.scope || wanted.excluded != asked.excluded else { return }
        throw BackupError(
            .usage, "the scope of \(base.id) is not known before its database is",
            hint: "Name the database with --database.")
    }

    private func hashSeed(_ parent: Chain?) async throws -> UInt64 {
        guard let parent else { return try await repository.hashSeed() }
        guard let seed = UInt64(parent.point.metadata.hashSeed, radix: 16) else {
            throw BackupError(.damaged, "metadata of \(parent.point.id) has no usable hash seed")
        }
        return seed
    }

    /// As the full is packed that it rests on, or would have rested on.
    private func packing(_ parent: Chain?, _ lineage: Lineage) throws -> FilePacking {
        if let packing = request.packing { return packing }
        guard request.kind != .full else { return .none }
        let base = try parent?.base ?? lineage.base() ?? lineage.newestFull
        let file = base?.metadata.tables.lazy.compactMap(\.file).first
        return file.map { FilePacking(fileName: $0) } ?? .none
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
