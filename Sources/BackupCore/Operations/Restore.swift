import Foundation

/// Restores a point into a new or empty database.
///
/// The structure first, then rows, then everything that would slow rows down or refuse them in the
/// wrong order. Every row is fingerprinted on its way, and a table is committed only when its
/// fingerprint and the server's own count agree with the backup.
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

    /// Restores.
    ///
    /// - Throws: `BackupError`; before the target is touched when the backup or the target is not as
    ///   it must be.
    public func run(progress: OperationProgress) async throws -> RestoreReport {
        let start = ContinuousClock.now
        progress.begin("checking the backup")
        let point = try await repository.contents()
            .point(named: request.point, database: request.sourceDatabase)
        guard point.metadata.engine == engine.name else {
            throw BackupError(
                .usage, "\(point.id) is a backup of \(point.metadata.engine), not \(engine.name)")
        }
        let reader = try PointReader(point, in: repository)
        try await reader.checkFiles()
        let target = try await targetRequest(for: point)
        progress.begin("checking the target")
        return try await engine.withTarget(of: target) { target in
            let plan = RestorePlan(point, mustLoadFirst: target.mustLoadFirst)
            progress.begin("creating the structure")
            var problems = point.metadata.unreadableTables.map { "table \($0): not in the backup" }
            problems += try await target.createStructure()
            progress.begin("loading rows", totalBytes: plan.totalBytes)
            try await load(plan, from: reader, into: target, progress)
            problems += try await complete(point, target, progress)
            return RestoreReport(
                point: point, database: request.database, problems: problems,
                leftOut: target.leftOut,
                seconds: start.duration(to: .now).seconds)
        }
    }

    /// Proves the definition before it is used.
    private func targetRequest(for point: Point) async throws -> TargetRequest {
        let metadata = point.metadata
        let checksums = try await Checksums(of: point, in: repository.storage)
        func proven(_ file: String) async throws -> [UInt8] {
            try await checksums.provenBytes(of: file, of: point, in: repository.storage)
        }
        _ = try await proven(RepositoryLayout.metadata)
        let hasDump = checksums[RepositoryLayout.schemaDump] != nil
        var definition = SchemaDefinition(
            sql: try await proven(RepositoryLayout.schemaSQL),
            dump: hasDump ? try await proven(RepositoryLayout.schemaDump) : nil,
            roles: metadata.roles, owners: metadata.owners, extensions: metadata.extensions)
        definition.dumpVersion = metadata.schemaDumpVersion
        var target = TargetRequest(
            database: request.database, definition: definition,
            sourceVersion: metadata.serverVersion, encoding: metadata.encoding,
            databaseProperties: metadata.databaseProperties)
        target.creates = request.creates
        target.omitsOwners = request.omitsOwners
        target.omitsPrivileges = request.omitsPrivileges
        target.connections = request.connections
        target.tables = metadata.scope == Scope.database.word ? nil : Set(metadata.scopeObjects)
        target.lacksRows = !metadata.excludedTables.isEmpty
        target.lacksTables = !metadata.unreadableTables.isEmpty
        return target
    }

    // MARK: Rows

    private func load(
        _ plan: RestorePlan, from reader: PointReader, into target: any Target,
        _ progress: OperationProgress
    ) async throws {
        for record in plan.first + plan.large {
            try await load(record, from: reader, into: target, request.connections, progress)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, record) in plan.small.enumerated() {
                if index >= request.connections { try await group.next() }
                group.addTask { try await load(record, from: reader, into: target, 1, progress) }
            }
            try await group.waitForAll()
        }
    }

    private func load(
        _ record: TableRecord, from reader: PointReader, into target: any Target,
        _ connections: Int, _ progress: OperationProgress
    ) async throws {
        let load = TableLoad(
            table: record.tableName, loadsThrough: record.loadsThrough,
            columns: record.storedColumns)
        try await reader.withRows(of: record, proving: .rows) { rows in
            try await target.load(load, connections: connections) {
                try Task.checkCancellation()
                guard let batch = try await rows.next() else { return nil }
                progress.add(rows: batch.count, bytes: batch.bytes.count)
                return batch
            } agrees: { count in
                // The reader has proven that it read every row; the server must have taken as many.
                guard count == record.fingerprint.rows else {
                    throw BackupError(
                        .serverRefused,
                        "\(record.tableName) took \(count) rows of \(record.fingerprint.rows)")
                }
            }
        }
    }

    // MARK: What follows rows

    private func complete(
        _ point: Point, _ target: any Target, _ progress: OperationProgress
    ) async throws -> [String] {
        progress.begin("creating indexes and constraints")
        var problems = try await target.createIndexesAndConstraints()
        progress.begin("setting sequences")
        try await target.set(point.metadata.sequences)
        progress.begin("computing materialized views")
        problems += try await target.refresh(point.metadata.materializedViews)
        progress.begin("gathering statistics")
        for failure in try await target.analyze() { progress.note("warning: \(failure)") }
        progress.begin("finishing")
        return problems + (try await target.finish())
    }
}

extension Duration {
    /// As a number of seconds, to the millisecond.
    public var seconds: Double {
        let parts = components
        return Double(parts.seconds) + (Double(parts.attoseconds) / 1e15).rounded() / 1000
    }
}
