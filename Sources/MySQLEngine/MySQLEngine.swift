public import BackupCore

/// MySQL 8.0 and newer, MariaDB 10.6 and newer, through MariaDB's client library.
public struct MySQLEngine: InteractiveEngine {
    private let settings: MySQLSettings

    /// An engine that speaks to one server.
    public init(_ settings: MySQLSettings) {
        self.settings = settings
    }

    /// `mysql`, which MariaDB is as well.
    public var name: String { "mysql" }

    /// The server's own client, line by line.
    public func restoreGuide(for metadata: Metadata) -> String {
        MySQLRestoreGuide.text(for: metadata)
    }

    /// The database.
    public var defaultSchema: String { settings.database ?? "" }

    /// A session for SQL that a person writes; it connects when it is used.
    public func sqlSession(
        notice: @escaping @Sendable (String) -> Void
    ) -> any SQLSession {
        MySQLSQLSession(settings, notice: notice)
    }

    /// The names of all tables now, for people who are typing one.
    ///
    /// - Throws: `BackupError` without a connection; the server's error.
    public func tableNames() async throws -> [TableName] {
        let connection = try await MySQLConnection(settings)
        guard let database = try await connection.value("SELECT DATABASE()") else { return [] }
        return try await MySQLCatalog(connection: connection, database: database).relations()
            .filter { $0.kind == .table }.map(\.name)
    }

    /// Takes the snapshots of several connections at one moment.
    public func withSnapshot<Result: Sendable>(
        of request: SnapshotRequest, _ body: (any Snapshot) async throws -> Result
    ) async throws -> Result {
        let source = try await MySQLSource(settings, for: request)
        // Ends with this scope, whatever way it is left.
        let watch = source.watch
        async let _: Void = watch.run()
        return try await body(source.takeSnapshot(of: request))
    }

    /// Looks at the target, asks, and makes it ready.
    public func withTarget<Result: Sendable>(
        of request: TargetRequest, approves: (TargetPlan) async throws -> Bool,
        _ body: (any Target) async throws -> Result
    ) async throws -> Result? {
        let opening = MySQLTargetOpening(request, settings: settings)
        guard let target = try await opening.target(approves: approves) else { return nil }
        return try await body(target)
    }

    /// The database is dropped even when the task is cancelled.
    public func withScratchDatabase<Result: Sendable>(
        notes: @escaping @Sendable (String) -> Void,
        _ body: (String) async throws -> Result
    ) async throws -> Result {
        var own = settings.exposed(to: notes)
        own.database = nil
        let administration = try await MySQLConnection(own)
        try await MySQLSession.pin(administration, on: try await MySQLServer(administration))
        let scratch = MySQLScratch(administration: administration)
        do {
            try await scratch.dropLeftovers()
            let name = try await scratch.claimedName()
            do {
                let result = try await body(name)
                try await scratch.drop(name)
                return result
            } catch {
                // The next drill drops it if this cannot.
                await Task { try? await scratch.drop(name) }.value
                throw error
            }
        } catch let error as MySQLError {
            throw error.backupError(while: "cannot manage the scratch database")
        }
    }

    /// Asks the catalogs what a snapshot would meet.
    public func check(_ request: SnapshotRequest) async throws -> SourceCheck {
        try await MySQLCheck(settings, request).run()
    }
}
