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

    /// Restores, compares, drops, and remembers the result where it can.
    ///
    /// - Throws: `BackupError`; what shows that the backup cannot be restored is remembered too, and what only tells how
    ///   the server was doing is not.
    public func run(_ point: Point, progress: OperationProgress) async throws -> DrillReport {
        let start = ContinuousClock.now
        do {
            let restored = try await engine.withScratchDatabase { database in
                try await restore(point, into: database, progress)
            }
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

    private func restore(
        _ point: Point, into database: String, _ progress: OperationProgress
    ) async throws -> RestoreReport {
        var restore = RestoreRequest(point: point.id.text, database: database)
        restore.creates = true
        restore.isScratch = true
        restore.check = .rows
        restore.connections = request.connections
        restore.omitsOwners = request.omitsOwners
        restore.omitsPrivileges = request.omitsPrivileges
        restore.omitsTablespaces = request.omitsTablespaces
        restore.refusesSource = !request.allowsSource
        let report = try await Restore(engine: engine, repository: repository, request: restore)
            .run(progress: progress)
        guard let report else { preconditionFailure("every plan is approved") }
        return report
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
