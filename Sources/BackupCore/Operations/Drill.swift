/// Proves a backup by restoring it: into a scratch database, which is read back, compared and
/// dropped.
public struct Drill: Sendable {
    private let engine: any Engine
    private let repository: Repository
    private let request: DrillRequest

    /// A drill on the server that `engine` reaches.
    public init(engine: any Engine, repository: Repository, request: DrillRequest) {
        self.engine = engine
        self.repository = repository
        self.request = request
    }

    /// Asks the server whether it would take the restore: nobody has to read all files to be refused.
    ///
    /// - Throws: `BackupError` naming what is in the way. What tells something about the backup is none of it: that is
    ///   for `run` to find, and to remember.
    public func checkServer(for point: Point, progress: OperationProgress) async throws {
        progress.begin("checking the server of the drill")
        do {
            try await engine.withScratchDatabase(notes: { progress.note($0) }) { database in
                // What is to be noted the drill itself notes.
                _ = try await restoration(of: point, into: database)
                    .run(progress: OperationProgress()) { _ in false }
            }
        } catch let error as BackupError
            where [.serverRefused, .damaged].contains(error.code) && !error.isCircumstantial
        {
            return
        }
    }

    /// Restores, compares, drops, and remembers the result where it can.
    ///
    /// - Throws: `BackupError`; what shows that the backup cannot be restored is remembered too, and what only tells how
    ///   the server was doing is not.
    public func run(_ point: Point, progress: OperationProgress) async throws -> DrillReport {
        let start = ContinuousClock.now
        do {
            let restored = try await engine.withScratchDatabase(notes: { progress.note($0) }) {
                database in
                try await restoration(of: point, into: database).run(progress: progress)
            }
            guard let restored else { preconditionFailure("every plan is approved") }
            let report = DrillReport(restored)
            await remember(report.passed, report.recoverySeconds, of: point, progress)
            return report
        } catch let error as BackupError
            where [.serverRefused, .damaged].contains(error.code) && !error.isCircumstantial
        {
            await remember(false, start.duration(to: .now).seconds, of: point, progress)
            throw error
        }
    }

    private func restoration(of point: Point, into database: String) -> Restore {
        var restore = RestoreRequest(point: point.id.text, database: database)
        restore.creates = true
        restore.isScratch = true
        restore.check = .rows
        restore.connections = request.connections
        restore.omitsOwners = request.omitsOwners
        restore.omitsPrivileges = request.omitsPrivileges
        restore.omitsTablespaces = request.omitsTablespaces
        restore.refusesSource = !request.allowsSource
        return Restore(engine: engine, repository: repository, request: restore)
    }

    private func remember(
        _ passed: Bool, _ seconds: Double, of point: Point, _ progress: OperationProgress
    ) async {
        await repository.changeState(of: point, orNote: progress.note) {
            $0.drilled = BackupState.Proof(at: .now, passed: passed, seconds: seconds)
        }
    }
}

/// How to drill.
public struct DrillRequest: Sendable {
    /// Whether the server that the backup was taken from may be used.
    public var allowsSource = false
    /// Whether everything belongs to the restoring role.
    public var omitsOwners = false
    /// Whether to leave out grants.
    public var omitsPrivileges = false
    /// Whether everything lies where its database does, for servers that have tablespaces.
    public var omitsTablespaces = false
    /// How many connections work side by side.
    public var connections = 2

    /// A drill that restores everything as it was, on another server.
    public init() {}
}

/// What a drill found.
public struct DrillReport: Sendable {
    /// What was restored, and dropped again.
    public let restored: RestoreReport

    init(_ restored: RestoreReport) { self.restored = restored }

    /// How long a restore takes until the database can be used: reading back is not part of it.
    public var recoverySeconds: Double { restored.seconds - restored.readingSeconds }

    /// Whether everything came back as it was.
    public var passed: Bool { restored.differences.isEmpty && restored.problems.isEmpty }
}
