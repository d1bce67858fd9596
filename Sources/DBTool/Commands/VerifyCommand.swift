import ArgumentParser
import BackupCore

/// The command `dbtool verify POINT`.
struct VerifyCommand: BackupCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Prove a backup's files: checksums, rows and fingerprints.")

    @Argument(
        help: "An id, a unique prefix, its four hex digits, latest, or a time.",
        completion: .points)
    var point: String
    @OptionGroup(title: "Repository") var repository: RepositoryOptions
    @OptionGroup var jobs: JobsOptions
    @OptionGroup(title: "Connection (only to find the repository)")
    var connection: ConnectionOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run(output: CommandOutput, progress: OperationProgress) async throws -> ExitCode {
        let wiring = try await Wiring(connection)
        let repository = try wiring.existingRepository(repository)
        let point = try await repository.contents().point(named: point, database: wiring.database)
        let report = try await Verify(repository: repository, jobs: jobs.jobs)
            .run(point, progress: progress)
        output.show(VerifyRendering(report))
        return report.passed ? .done : .verificationFailed
    }
}
