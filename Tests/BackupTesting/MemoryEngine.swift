public import BackupCore

/// An engine whose server is `MemoryServer`; it can fail at any step.
public struct MemoryEngine: Engine {
    /// What is about to happen.
    public enum Step: Sendable, Hashable {
        case takeSnapshot
        /// A part is asked for; it may have to wait for a connection.
        case askForPart(TableName)
        /// A batch that begins with this row, counted from 0, is read.
        case read(TableName, row: Int)
        case readSequences
        case confirm
        case openTarget
        case createStructure
        /// A batch of this many rows is loaded.
        case load(TableName, rows: Int)
        /// The table's rows are about to be seen by others.
        case commit(TableName)
        case createIndexes
        case setSequences
        /// The rows of tables that were there are about to be seen by others.
        case commitExisting
        case finish
        /// A table is about to be read back.
        case readBack(TableName)
    }

    /// The server.
    public let server: MemoryServer
    /// The database that snapshots are taken of.
    public let source: String
    /// The product's name.
    public var name = "memory"
    /// What tells the server apart from others.
    public var identity = ["server": "memory"]
    /// The time by the server's clock; nil is the time of this machine.
    public var time: Timestamp?
    /// The encoding of the source.
    public var encoding = "UTF8"
    /// How many rows one part of a table has.
    public var rowsPerPart = 5
    /// How many rows one batch of a part has.
    public var rowsPerBatch = 2
    /// Added to what the target says about the number of rows that it took.
    public var countError = 0
    /// Tables of a database that exists, whole, as if an interrupted restore had loaded them.
    public var loadedBefore: Set<TableName> = []
    /// Whether a row may have changed, as the first reading of its part and the second see it; nothing is marked without.
    public var marks: (@Sendable (_ row: [String?], _ isSecond: Bool) -> Bool)?
    /// Called before each step; what it throws fails the step.
    public var beforeStep: @Sendable (Step) async throws -> Void = { _ in }

    /// An engine for one source on a server.
    public init(_ server: MemoryServer, source: String = "shop") {
        self.server = server
        self.source = source
    }

    /// A line.
    public func restoreGuide(for metadata: Metadata) -> String {
        "# How to restore \(metadata.id)\n"
    }

    /// Copies the database.
    public func withSnapshot<Result: Sendable>(
        of request: SnapshotRequest, _ body: (any Snapshot) async throws -> Result
    ) async throws -> Result {
        try await beforeStep(.takeSnapshot)
        guard let database = server[source] else {
            throw BackupError(.connectionFailed, "there is no database \(source)")
        }
        return try await body(MemorySnapshot(of: database, request, by: self))
    }

    /// Finds what cannot be read.
    public func check(_ request: SnapshotRequest) async throws -> SourceCheck {
        guard let database = server[source] else {
            throw BackupError(.connectionFailed, "there is no database \(source)")
        }
        let findings = database.unreadable.map {
            Finding(.contents, "privileges", .problem, "cannot read \($0)")
        }
        return SourceCheck(
            database: source, findings: findings,
            estimatedBytes: database.contents.reduce(0) { $0 + $1.table.estimatedBytes })
    }

    /// Opens a database: one to create, an empty one, or one whose tables the request speaks of.
    public func withTarget<Result: Sendable>(
        of request: TargetRequest, approves: (TargetPlan) async throws -> Bool,
        _ body: (any Target) async throws -> Result
    ) async throws -> Result? {
        try await beforeStep(.openTarget)
        var plan = try MemoryPlan(request, on: server).plan
        for name in loadedBefore where plan.tables[name] != nil {
            plan.continues = true
            plan.tables[name]?.isLoaded = true
        }
        guard try await approves(plan) else { return nil }
        if plan.createsDatabase { server[request.database] = MemoryDatabase() }
        try server.change(request.database) { database in
            database.contents.removeAll { content in
                plan.drops.contains { $0.name == "\(content.table.name)" }
            }
        }
        return try await body(MemoryTarget(request, plan, by: self))
    }

    /// Drops the database afterwards.
    public func withScratchDatabase<Result: Sendable>(
        notes: @escaping @Sendable (String) -> Void,
        _ body: (String) async throws -> Result
    ) async throws -> Result {
        defer { server["scratch"] = nil }
        return try await body("scratch")
    }
}
