import Packing

/// Decides what a backup is, once its snapshot is there: what it rests on, how it is packed, what its files are called.
struct BackupPlanner {
    /// The engine's name.
    let engine: String
    let repository: Repository
    let request: BackupRequest

    /// - Throws: `BackupError.usage` when changes cannot be found as was asked for, or nothing is there to rest on.
    func plan(
        _ snapshot: any Snapshot, _ asked: SnapshotRequest, start: Timestamp,
        fullBecause reason: String?, _ progress: OperationProgress
    ) async throws -> BackupPlan {
        let moment = snapshot.moment
        let lineage = Lineage(
            request: request, engine: engine, contents: try await repository.contents(),
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
        let earlier = [parent?.base, parent?.point, lineage.newestFull(of: asked.scope)]
            .compactMap(\.self)
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
        try wanted.takeScope(of: base)
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
}

extension SnapshotRequest {
    /// Reads what another backup read.
    mutating func takeScope(of base: Metadata) throws {
        if base.scope != Scope.database.word {
            let patterns = base.scopePatterns ?? base.tables.map { "\($0.tableName)" }
            scope = .tables(try patterns.map { try TablePattern($0) })
        }
        // Nobody names these tables now, and some may be gone.
        allowsMissing = true
        excluded = try (base.excludedPatterns ?? base.excludedTables.map { "\($0)" })
            .map { try TablePattern($0) }
    }
}
