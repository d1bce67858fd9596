/// A database product: it opens snapshots to read and targets to restore into.
///
/// Every implementation passes the same contract suite (`EngineContract`).
public protocol Engine: Sendable {
    /// The product's name in `metadata.json`: `postgres`.
    var name: String { get }

    /// `RESTORE.md` of a backup: how to restore it with nothing but the server's own programs.
    func restoreGuide(for metadata: Metadata) -> String

    /// Runs `body` with one consistent moment of the source.
    ///
    /// Everything that can be refused is refused before `body` runs: missing programs, privileges
    /// (all of them in one error, with the statements that grant them), unknown tables.
    ///
    /// - Throws: `BackupError`; whatever `body` throws.
    func withSnapshot<Result: Sendable>(
        of request: SnapshotRequest, _ body: (any Snapshot) async throws -> Result
    ) async throws -> Result

    /// Finds out what a snapshot would meet, and what would make it fail, all at once.
    ///
    /// Writes nothing, waits for no lock, and returns what it finds; what would be refused is a
    /// finding.
    /// - Throws: `BackupError.connectionFailed`, `BackupError.passwordRequired`,
    ///   `BackupError.usage` for a pattern that means nothing.
    func check(_ request: SnapshotRequest) async throws -> SourceCheck

    /// Runs `body` with a database to restore into, once the plan for it has been approved.
    ///
    /// Nothing is changed before `approves` returns true: no database is created, nothing dropped.
    ///
    /// - Returns: Nil when the plan was not approved.
    /// - Throws: `BackupError.targetUnsuitable` when the database is missing, holds what would be in
    ///   the way or lacks roles or extensions, with all that is missing in one error; whatever
    ///   `approves` and `body` throw.
    func withTarget<Result: Sendable>(
        of request: TargetRequest, approves: (TargetPlan) async throws -> Bool,
        _ body: (any Target) async throws -> Result
    ) async throws -> Result?

    /// Runs `body` with the name of a database that may be created, and drops it afterwards.
    ///
    /// Scratch databases that killed runs have left behind are dropped first; nothing else ever is.
    /// `notes`: Told what a person should know of the server.
    func withScratchDatabase<Result: Sendable>(
        notes: @escaping @Sendable (String) -> Void,
        _ body: (String) async throws -> Result
    ) async throws -> Result
}

/// What to take a snapshot of, and how.
public struct SnapshotRequest: Sendable {
    /// What to cover.
    public var scope: Scope
    /// Tables whose rows are left out.
    public var excluded: [TablePattern] = []
    /// Whether patterns may mean nothing: what they meant may be gone.
    public var allowsMissing = false
    /// Whether a restart of the server since the parent was a harmless one.
    public var trustsRestart = false
    /// Leave out what cannot be read instead of failing.
    public var skipsUnreadable = false
    /// Whether whoever asks can ask for that: a backup that rests on another leaves nothing out of its own.
    public var maySkipUnreadable = true
    /// How many connections read side by side; at least 1.
    public var connections = 2
    /// How long to wait for a table that somebody else has locked.
    public var lockTimeout: Duration = .seconds(60)
    /// Told what a person should know while the snapshot lasts: who waits for it, whom it waits for.
    public var notes: @Sendable (String) -> Void = { _ in }

    /// Asks for everything in `scope`.
    public init(scope: Scope) {
        self.scope = scope
    }
}
