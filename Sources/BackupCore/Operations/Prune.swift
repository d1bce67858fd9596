/// Removes the points that a rule does not keep.
public struct Prune: Sendable {
    private let repository: Repository
    private let retention: Retention
    private let holder: String

    /// `holder`: Who does it, for those who find the lock taken.
    public init(repository: Repository, retention: Retention, holder: String) {
        self.repository = repository
        self.retention = retention
        self.holder = holder
    }

    /// What becomes of the points of one database.
    ///
    /// `engine`: The product whose backups are meant; nil for those of all.
    /// - Throws: `BackupError.usage` for a rule that keeps nothing; `BackupError.notFound` where all backups are of other
    ///   databases.
    public func plan(database: String, engine: String? = nil) async throws -> PrunePlan {
        try requireRule()
        return try await plan(database: database, engine: engine, repository.contents())
    }

    private func requireRule() throws {
        guard !retention.isEmpty else {
            throw BackupError(
                .usage, "no rule says what to keep",
                hint: "Name one: --keep-last 7, --keep-daily 7, --keep-weekly 4 …")
        }
    }

    private func plan(
        database: String, engine: String?, _ contents: RepositoryContents
    ) async throws -> PrunePlan {
        try contents.requireBackups(of: database)
        let points = contents.points.filter { point in
            point.metadata.database.isExactly(database)
                && engine.map { point.metadata.engine == $0 } ?? true
        }
        // A backup of some tables is no substitute for one of everything, nor one by another product: each has its own.
        var candidates: [ExactText: [Retention.Candidate]] = [:]
        let broken = contents.brokenPoints()
        var states: [BackupID: BackupState] = [:]
        for point in points { states[point.id] = try await repository.state(of: point) }
        let proofs = ChainProofs(of: points, states)
        for point in points {
            let state = states[point.id] ?? BackupState()
            let kind = "\(point.metadata.engine)\n\(point.metadata.scopeWords)"
            candidates[ExactText(kind), default: []].append(
                Retention.Candidate(
                    id: point.id.text, time: point.metadata.snapshotAt,
                    parent: point.metadata.parentID,
                    isVerifiedFull: point.metadata.type == .full && state.verified?.passed == true,
                    isProven: [state.verified, state.drilled].contains { $0?.passed == true },
                    isPinned: state.pinned,
                    isComplete: point.metadata.status == .completed,
                    made: point.metadata.timestampStart,
                    flaw: broken.contains(point.id)
                        ? "what it rests on is missing" : proofs.flaw(of: point, state)))
        }
        var reasons = Dictionary(
            candidates.values.flatMap { retention.decisions(on: $0, now: .now) }
                .filter(\.isKept).map { ($0.id, $0.reasons) }
        ) { one, _ in one }
        // A layer may be of another scope than its full, which goes by the rule of another group then.
        Retention.keepParents(of: points.map { ($0.id.text, $0.metadata.parentID) }, &reasons)
        Retention.keepBehindGaps(
            of: points.map { ($0.id.text, $0.metadata.parentID, $0.metadata.baseID) }, &reasons)
        // Nobody knows what rests on what in there.
        let unclear = Set(contents.unreadable.map(\.folder.base.text))
        var decisions: [Retention.Decision] = []
        var removed: [Point] = []
        for point in points {
            var decision = Retention.Decision(
                id: point.id.text, reasons: reasons[point.id.text] ?? [])
            let base = point.metadata.baseID ?? point.id.text
            if unclear.contains(base), !decision.isKept {
                decision.reasons = ["a backup in its chain cannot be read"]
            }
            decisions.append(decision)
            if !decision.isKept { removed.append(point) }
        }
        return PrunePlan(database: database, decisions: decisions, removed: removed)
    }

    /// Removes what interrupted runs have left, and what the plan removes; what rests on others first.
    ///
    /// - Throws: `BackupError`; what was removed until then is gone, everything else is whole.
    public func run(
        database: String, engine: String? = nil, progress: OperationProgress
    ) async throws -> PrunePlan {
        // A lock is a file in a folder: where nothing is called by this database, nothing is to be made.
        if try await !repository.hasFolder(of: database) {
            try await repository.contents().requireBackups(of: database)
        }
        return try await repository.withLock(database: database, holder: holder) {
            try requireRule()
            let contents = try await repository.contents()
            let plan = try await plan(database: database, engine: engine, contents)
            try await repository.removeUnfinished(of: database, in: contents) { progress.note($0) }
            progress.begin("removing backups")
            for point in Self.childrenFirst(plan.removed) {
                try Task.checkCancellation()
                try await repository.remove(point)
                progress.add(rows: 1, bytes: 0)
            }
            await repository.rebuildCatalog { progress.note($0) }
            return plan
        }
    }

    /// Each point before what it was compared with, whatever their clocks said, and fulls last: whoever is cut off
    /// leaves nothing that rests on nothing.
    private static func childrenFirst(_ points: [Point]) -> [Point] {
        let known = Dictionary(points.map { (ExactText($0.id.text), $0) }) { one, _ in one }
        var depths: [BackupID: Int] = [:]
        for point in points {
            var path: [Point] = []
            var next: Point? = point
            while let link = next, depths[link.id] == nil {
                // Until it is known; what was forged may go round in a circle.
                depths[link.id] = 0
                path.append(link)
                next = link.metadata.parentID.flatMap { known[ExactText($0)] }
            }
            var depth = next.flatMap { depths[$0.id] } ?? 0
            for link in path.reversed() {
                depth += 1
                depths[link.id] = depth
            }
        }
        func rank(_ point: Point) -> (Int, Int) {
            (point.metadata.type == .full ? 1 : 0, -(depths[point.id] ?? 0))
        }
        return points.sorted { rank($0) < rank($1) }
    }
}

/// What a prune does, and why.
public struct PrunePlan: Sendable {
    /// Whose points.
    public let database: String
    /// What becomes of each, the oldest first.
    public let decisions: [Retention.Decision]
    /// Those that are removed.
    public let removed: [Point]
}

extension Repository {
    /// Removes a point: its archive, which nothing would find afterwards, then its commit, so that it is never half there.
    ///
    /// Only for the holder of the database's lock, when nothing rests on it.
    func remove(_ point: Point) async throws {
        if point.metadata.type == .full { try await removeArchive(of: point.id) }
        let metadata = try point.folder.appending(RepositoryLayout.metadata)
        // Not while somebody notes what is known about it, or what rests on it.
        try await withBriefLock(RepositoryLayout.stateLock(), holder: "prune") {
            try await storage.remove(metadata)
        }
        try await storage.sealNames(in: point.folder)
        try await storage.remove(point.folder)
        try await storage.seal(nil)
    }

    /// Marks a point as wanted whatever the retention says, or not.
    ///
    /// - Throws: `BackupError.storageFailed` when that cannot be written.
    public func setPinned(_ isPinned: Bool, of point: Point, holder: String) async throws {
        try await withLock(database: point.metadata.database, holder: holder) {
            try await changeState(of: point) { $0.pinned = isPinned }
        }
    }
}
