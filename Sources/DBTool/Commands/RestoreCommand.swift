import ArgumentParser
import BackupCore

/// The command `dbtool restore POINT --into NAME`.
struct RestoreCommand: BackupCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Restore a backup into a new or empty database.")

    @Argument(
        help: "An id, a unique prefix, its four hex digits, latest, or a time.",
        completion: .points)
    var point: String
    @OptionGroup(title: "Repository") var repository: RepositoryOptions
    @Option(name: .word("into"), help: "The database to restore into.")
    var into: String
    @Flag(
        name: .word("create"), help: "Create the database, with the source's encoding and locale.")
    var create = false
    @Flag(name: .word("no-owner"), help: "Everything belongs to the restoring role.")
    var noOwner = false
    @Flag(name: .word("no-privileges"), help: "Leave out grants.")
    var noPrivileges = false
    @OptionGroup var jobs: JobsOptions
    @OptionGroup(title: "Connection") var connection: ConnectionOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    var interruptionLeaves: String { "database \(into) may be partly filled" }

    func run(output: CommandOutput, progress: OperationProgress) async throws -> ExitCode {
        let wiring = try await Wiring(connection)
        let repository = try wiring.existingRepository(repository)
        var request = RestoreRequest(point: point, database: into)
        request.sourceDatabase = wiring.database
        request.creates = create
        request.omitsOwners = noOwner
        request.omitsPrivileges = noPrivileges
        request.connections = jobs.jobs
        let finished = request
        let report = try await wiring.withEngine { engine in
            try await Restore(engine: engine, repository: repository, request: finished)
                .run(progress: progress)
        }
        output.show(RestoreRendering(report))
        return report.problems.isEmpty ? .done : .incomplete
    }
}
