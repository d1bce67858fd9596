public import BackupCore

/// PostgreSQL 14 and newer, through libpq, pg_dump and pg_restore.
public struct PostgresEngine: InteractiveEngine {
    /// The oldest major version that is supported.
    static let oldestMajor = 14

    private let settings: PostgresSettings

    /// An engine that speaks to one server.
    public init(_ settings: PostgresSettings) {
        self.settings = settings
    }

    /// `postgres`.
    public var name: String { "postgres" }

    /// The server's own programs, line by line.
    public func restoreGuide(for metadata: Metadata) -> String {
        PostgresRestoreGuide.text(for: metadata)
    }

    /// The schema of names without one.
    public var defaultSchema: String { PostgresScope.defaultSchema }

    /// A session for SQL that a person writes; it connects when it is used.
    public func sqlSession(
        notice: @escaping @Sendable (String) -> Void
    ) -> any SQLSession {
        PostgresSQLSession(settings, notice: notice)
    }

    /// The names of all tables now, for people who are typing one: it gives up after a second.
    ///
    /// - Throws: `BackupError` without a connection; the server's error.
    public func tableNames() async throws -> [TableName] {
        let connection = try await PostgresConnection(settings)
        try await connection.execute("SET statement_timeout = 1000")
        return try await PostgresCatalog(connection: connection).relations().map(\.name)
    }

    /// Locks the tables, then takes a snapshot that several connections share.
    public func withSnapshot<Result: Sendable>(
        of request: SnapshotRequest, _ body: (any Snapshot) async throws -> Result
    ) async throws -> Result {
        let source = try await PostgresSource(settings, for: request)
        // Ends with this scope, whatever way it is left.
        async let _: Void = source.watch.run()
        return try await body(source.takeSnapshot(of: request))
    }

    /// Asks the catalogs, and reads a little of the largest table.
    public func check(_ request: SnapshotRequest) async throws -> SourceCheck {
        try await PostgresCheck(settings, request).run()
    }

    /// Looks at the target, asks, and makes it ready.
    public func withTarget<Result: Sendable>(
        of request: TargetRequest, approves: (TargetPlan) async throws -> Bool,
        _ body: (any Target) async throws -> Result
    ) async throws -> Result? {
        let opening = PostgresTargetOpening(request, settings: settings)
        guard let target = try await opening.target(approves: approves) else { return nil }
        return try await body(target)
    }

    /// The database is dropped even when the task is cancelled.
    public func withScratchDatabase<Result: Sendable>(
        notes: @escaping @Sendable (String) -> Void,
        _ body: (String) async throws -> Result
    ) async throws -> Result {
        let settings = settings.exposed(to: notes)
        try await PostgresPooler.refuse(
            settings, databases: PostgresTargetPreparation.lastingDatabases(settings))
        let administration = try await PostgresTargetPreparation.administrativeConnection(settings)
        let scratch = PostgresScratch(settings, administration: administration)
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
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot manage the scratch database")
        }
    }
}
