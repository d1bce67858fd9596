import ArgumentParser
import BackupCore

/// The command `dbtool verify POINT`.
struct VerifyCommand: BackupCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Prove a backup: checksums, rows and fingerprints; with --drill by restoring it.")

    @Argument(
        help: "An id, a unique prefix, its four hex digits, latest, or a time.",
        completion: .points)
    var point: String
    @OptionGroup(title: "Repository") var repository: RepositoryOptions
    @OptionGroup(title: "Drill") var drill: DrillOptions
    @OptionGroup var jobs: JobsOptions
    @OptionGroup(title: "Connection (for a drill, and to find the repository)")
    var connection: ConnectionOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    var interruptionLeaves: String { "the scratch database, if there was one, is dropped" }

    func run(output: CommandOutput, progress: OperationProgress) async throws -> ExitCode {
        let wiring = try Wiring(connection)
        let repository = try wiring.existingRepository(repository)
        let chain = try await repository.contents()
            .chain(named: point, database: wiring.database, engine: wiring.namedProduct)
        let verify = Verify(repository: repository, jobs: jobs.jobs)
        guard drill.isWanted else {
            return show(try await verify.run(chain, progress: progress), output)
        }
        return try await wiring.withDrillEngine { engine -> ExitCode in
            let drilling = Drill(
                engine: engine, repository: repository, request: drill.request(jobs.jobs))
            try await drilling.checkServer(for: chain.point, progress: progress)
            let report = try await verify.run(chain, progress: progress)
            guard report.passed else { return show(report, output) }
            let drilled = try await drilling.run(chain.point, progress: progress)
            output.show(DrillRendering(report, drilled))
            guard drilled.restored.differences.isEmpty else { return .verificationFailed }
            return drilled.restored.problems.isEmpty ? .done : .incomplete
        }
    }

    private func show(_ report: VerifyReport, _ output: CommandOutput) -> ExitCode {
        output.show(VerifyRendering(report))
        return report.passed ? .done : .verificationFailed
    }
}

/// What a drill can be told.
struct DrillOptions: ParsableArguments, Sendable {
    @Flag(
        name: .word("drill"),
        help: """
            Restore it into a scratch database, read everything back, compare and drop it. The server \
            is named by flags or DB_DRILL_URL.
            """)
    var isWanted = false
    @Flag(
        name: .word("same-server"),
        help: "Allow the drill on the server that the backup was taken from.")
    var sameServer = false
    @Flag(name: .word("no-owner"), help: "Everything belongs to the restoring role.")
    var noOwner = false
    @Flag(name: .word("no-privileges"), help: "Leave out grants.")
    var noPrivileges = false
    @Flag(
        name: .word("no-tablespaces"),
        help: "PostgreSQL: everything lies in the database's own tablespace.")
    var noTablespaces = false

    func validate() throws {
        guard isWanted || !(sameServer || noOwner || noPrivileges || noTablespaces) else {
            throw ValidationError(
                "--same-server, --no-owner, --no-privileges and --no-tablespaces are for --drill.")
        }
    }

    /// As the operation takes it.
    func request(_ jobs: Int) -> DrillRequest {
        var request = DrillRequest()
        request.allowsSource = sameServer
        request.omitsOwners = noOwner
        request.omitsPrivileges = noPrivileges
        request.omitsTablespaces = noTablespaces
        request.connections = jobs
        return request
    }
}
