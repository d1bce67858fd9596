import Foundation

/// Restores a point: everything or some tables, into a new, an empty or an existing database.
///
/// The structure first, then rows, then everything that would slow rows down or refuse them in the
/// wrong order. Every row is fingerprinted on its way, and a table is committed only when its
/// fingerprint and the server's own count agree with the backup. Tables that were there before
/// change together: all of them or none.
public struct Restore: Sendable {
    private let engine: any Engine
    private let repository: Repository
    private let request: RestoreRequest

    /// A restore of what `request` names in `repository`, through `engine`.
    public init(engine: any Engine, repository: Repository, request: RestoreRequest) {
        self.engine = engine
        self.repository = repository
        self.request = request
    }

    /// Restores, once `approves` has said yes to the plan.
    ///
    /// - Returns: Nil when the plan was not approved; nothing has been changed then.
    /// - Throws: `BackupError`; before the target is touched when the request, the backup or the
    ///   target is not as it must be.
    public func run(
        progress: OperationProgress,
        approves: (RestorePlan) async throws -> Bool = { _ in true }
    ) async throws -> RestoreReport? {
        let start = ContinuousClock.now
        try request.validate()
        progress.begin("checking the backup")
        let chain = try await repository.contents()
            .chain(named: request.point, database: request.sourceDatabase, engine: engine.name)
        let point = chain.point
        guard point.metadata.engine == engine.name else {
            throw BackupError(
                .usage, "\(point.id) is a backup of \(point.metadata.engine), not \(engine.name)",
                hint: "Name the server's product: --db \(point.metadata.engine).")
        }
        let reader = try PointReader(chain, in: repository)
        try await reader.checkFiles()
        var target = try await targetRequest(for: point)
        target.steps = { progress.show($0) }
        target.notes = { progress.note($0) }
        let unmade = Exclusive<[String]>([])
        target.unmade = { words in unmade.withValue { $0.append(words) } }
        progress.begin("checking the target")
        return try await engine.withTarget(of: target) { found in
            let plan = RestorePlan(point, in: request.database, found)
            guard try await approves(plan) else { return false }
            try await proveFiles(of: plan, reader, progress)
            return true
        } _: { target in
            var problems = point.metadata.unreadableTables.map { "table \($0): not in the backup" }
            problems += unmade.withValue { $0 }
            if !target.plan.creates.isEmpty {
                progress.begin("creating the structure")
                problems += try await target.createStructure()
            }
            let plan = RestorePlan(
                point, in: request.database, target.plan,
                inFront: try await target.tablesInFront())
            try await loadRows(plan, from: reader, into: target, progress)
            if !plan.target.creates.isEmpty {
                progress.begin("creating indexes and constraints")
                problems += try await target.createIndexesAndConstraints()
            }
            try await complete(plan, target, progress)
            let beforeReading = ContinuousClock.now
            let found = try await readBack(plan, target, reader, progress)
            let reading = beforeReading.duration(to: .now).seconds
            progress.begin("finishing")
            problems += try await target.switchOn()
            problems += try await refresh(plan, target, progress)
            try await target.finish()
            return RestoreReport(
                plan: plan, content: request.content, check: request.check,
                keepsRows: request.existing == .append
                    && plan.target.tables.values.contains { $0.treatment == .append },
                problems: problems, differences: found.differences, unread: found.unread,
                seconds: start.duration(to: .now).seconds, readingSeconds: reading)
        }
    }

    /// Reads all files once before anything is changed.
    ///
    /// Damage that is found while rows are loaded leaves
    /// a target that has been emptied, or half of one. Whoever drills has just verified.
    private func proveFiles(
        of plan: RestorePlan, _ reader: PointReader, _ progress: OperationProgress
    ) async throws {
        guard request.content != .structure, !request.isScratch else { return }
        let tables = plan.created + plan.existing
        progress.begin("checking files", totalBytes: tables.reduce(0) { $0 + $1.bytes })
        try await reader.proveFiles(
            of: tables, sideBySide: request.connections, progress: progress)
    }

    // MARK: What is asked of the engine

    /// Proves the definition before it is used.
    private func targetRequest(for point: Point) async throws -> TargetRequest {
        let metadata = point.metadata
        let checksums = try await Checksums(of: point, in: repository.storage)
        func proven(_ file: String) async throws -> [UInt8] {
            try await checksums.provenBytes(of: file, of: point, in: repository.storage)
        }
        try checksums.proveMetadata(of: point)
        let hasDump = checksums[RepositoryLayout.schemaDump] != nil
        var definition = SchemaDefinition(
            sql: try await proven(RepositoryLayout.schemaSQL),
            dump: hasDump ? try await proven(RepositoryLayout.schemaDump) : nil,
            roles: metadata.roles, owners: metadata.owners, extensions: metadata.extensions)
        definition.dumpVersion = metadata.schemaDumpVersion
        return target(metadata, definition)
    }

    private func target(_ metadata: Metadata, _ definition: SchemaDefinition) -> TargetRequest {
        var target = TargetRequest(
            database: request.database, definition: definition,
            sourceVersion: metadata.serverVersion, encoding: metadata.encoding,
            databaseProperties: metadata.databaseProperties)
        target.creates = request.creates
        target.omitsOwners = request.omitsOwners
        target.definer = request.definer
        target.omitsPrivileges = request.omitsPrivileges
        target.omitsTablespaces = request.omitsTablespaces
        target.connections = request.connections
        target.content = request.content
        target.patterns = request.tables
        target.newName = request.newName
        target.existing = request.existing
        target.drops = request.drops
        target.isScratch = request.isScratch
        target.forbiddenSource = request.refusesSource ? metadata.sourceIdentity : nil
        target.defaultSchema = metadata.defaultSchema
        let isWhole = metadata.scope == Scope.database.word
        target.scopeObjects = isWhole ? nil : Set(metadata.scopeObjects)
        target.storedTables = metadata.currentTables.map { record in
            var stored = StoredTable(
                object: record.identity.object, load: record.load,
                rowCount: record.fingerprint.rows)
            stored.columns = record.columns
            return stored
        }
        target.sequences = metadata.sequences
        target.backup = metadata.id
        target.lacksRows = !metadata.excludedTables.isEmpty
        target.lacksTables = !metadata.unreadableTables.isEmpty
        return target
    }

    // MARK: Rows

    private func loadRows(
        _ plan: RestorePlan, from reader: PointReader, into target: any Target,
        _ progress: OperationProgress
    ) async throws {
        guard request.content != .structure else { return }
        try await loadCreatedTables(plan, reader, target, progress)
        guard !plan.existing.isEmpty else { return }
        try await changeExistingTables(plan, reader, target, progress)
    }

    private typealias Refusal = (table: TableName, error: BackupError)

    /// Loads the largest first; what may be refused for what others hold is tried again after these, as long as that helps.
    private func loadCreatedTables(
        _ plan: RestorePlan, _ reader: PointReader, _ target: any Target,
        _ progress: OperationProgress
    ) async throws {
        guard !plan.created.isEmpty else { return }
        progress.begin("loading rows", totalBytes: plan.created.csvBytes)
        var (large, small) = (plan.first + plan.large, plan.small)
        while true {
            let refusals = try await load(large, small, of: plan, reader, target, progress)
            guard let first = refusals.first else { return }
            guard refusals.count < large.count + small.count else { throw first.error }
            let refused = Set(refusals.map(\.table))
            large = large.filter { refused.contains($0.tableName) }
            small = small.filter { refused.contains($0.tableName) }
            progress.begin(
                "loading rows again that were refused",
                totalBytes: large.csvBytes + small.csvBytes)
        }
    }

    /// - Returns: What was refused, perhaps for what other tables do not hold yet.
    private func load(
        _ large: [TableRecord], _ small: [TableRecord], of plan: RestorePlan,
        _ reader: PointReader, _ target: any Target, _ progress: OperationProgress
    ) async throws -> [Refusal] {
        let refusals = Exclusive<[Refusal]>([])
        @Sendable func attempt(_ record: TableRecord, _ connections: Int) async throws {
            do {
                try await create(record, plan, reader, target, connections, progress)
            } catch let error as BackupError where error.mayDependOnOtherTables {
                refusals.withValue { $0.append((record.tableName, error)) }
            }
        }
        for record in large { try await attempt(record, request.connections) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, record) in small.enumerated() {
                if index >= request.connections { try await group.next() }
                group.addTask { try await attempt(record, 1) }
            }
            try await group.waitForAll()
        }
        return refusals.withValue { $0 }
    }

    private func changeExistingTables(
        _ plan: RestorePlan, _ reader: PointReader, _ target: any Target,
        _ progress: OperationProgress
    ) async throws {
        progress.begin("locking and emptying existing tables")
        try await target.changeExistingTables { load in
            progress.begin(
                "loading rows into existing tables", totalBytes: plan.existing.csvBytes)
            for record in plan.existing {
                try await reader.withRows(of: record, proving: .rows) { rows in
                    let count = try await load(plan.load(of: record)) {
                        try await next(rows, progress)
                    }
                    try require(count, of: record)
                }
            }
            progress.begin("checking and committing existing tables")
        }
    }

    private func create(
        _ record: TableRecord, _ plan: RestorePlan, _ reader: PointReader, _ target: any Target,
        _ connections: Int, _ progress: OperationProgress
    ) async throws {
        try await reader.withRows(of: record, proving: .rows) { rows in
            try await target.load(plan.load(of: record), connections: connections) {
                try await next(rows, progress)
            } agrees: { count in
                try require(count, of: record)
            }
        }
    }

    private func next(
        _ rows: PointRows, _ progress: OperationProgress
    ) async throws -> RowBatch? {
        try Task.checkCancellation()
        guard let batch = try await rows.next() else { return nil }
        progress.add(rows: batch.count, bytes: batch.bytes.count)
        return batch
    }

    /// The reader has proven that it read every row; the server must have taken as many.
    private func require(_ count: Int, of record: TableRecord) throws {
        guard count == record.fingerprint.rows else {
            throw BackupError(
                .serverRefused,
                "\(record.tableName) took \(count) rows of \(record.fingerprint.rows)")
        }
    }

    // MARK: What follows rows

    private func complete(
        _ plan: RestorePlan, _ target: any Target, _ progress: OperationProgress
    ) async throws {
        guard request.content != .structure else { return }
        progress.begin("setting sequences")
        try await target.set(plan.point.metadata.sequences)
        progress.begin("gathering statistics")
        for failure in try await target.analyze() { progress.note("warning: \(failure)") }
    }

    /// Not before policies hold: a view shows what its owner may see.
    private func refresh(
        _ plan: RestorePlan, _ target: any Target, _ progress: OperationProgress
    ) async throws -> [String] {
        let views = plan.point.metadata.materializedViews
        guard request.content != .structure, !views.isEmpty else { return [] }
        progress.begin("computing materialized views")
        return try await target.refresh(views)
    }

    /// What an interrupted run had loaded is read back whatever was asked for: nobody has looked at it since.
    private func readBack(
        _ plan: RestorePlan, _ target: any Target, _ reader: PointReader,
        _ progress: OperationProgress
    ) async throws -> ReadBack.Result {
        guard request.content != .structure else { return ReadBack.Result() }
        let reading = ReadBack(
            plan: plan, reader: reader, target: target, connections: request.connections,
            keepsRows: request.existing == .append,
            scope: request.check == .rows ? .everything : .loadedBefore)
        let tables = reading.tables
        guard request.check == .rows || !tables.isEmpty else { return ReadBack.Result() }
        progress.begin("reading rows back", totalBytes: tables.csvBytes)
        return try await reading.run(progress)
    }
}

extension TableRecord {
    /// How its rows go into a table.
    var load: TableLoad {
        var load = TableLoad(
            table: tableName, loadsThrough: loadsThrough, columns: storedColumns, filter: filter)
        load.types = columns.filter { !$0.isGenerated }.map(\.type)
        load.computed = columns.filter(\.isGenerated).map(\.name)
        return load
    }
}

extension Duration {
    /// As a number of seconds, to the millisecond.
    public var seconds: Double {
        let parts = components
        return Double(parts.seconds) + (Double(parts.attoseconds) / 1e15).rounded() / 1000
    }
}
