import ArgumentParser
import BackupCore

/// The command `dbtool list`.
struct ListCommand: BackupCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the backups of a repository.")

    @OptionGroup(title: "Repository") var repository: RepositoryOptions
    @OptionGroup(title: "Connection (only to find the repository)")
    var connection: ConnectionOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run(output: CommandOutput, progress: OperationProgress) async throws -> ExitCode {
        let wiring = try await Wiring(connection)
        let repository = try wiring.existingRepository(repository)
        let contents = try await repository.contents()
        let failures = try await repository.knownFailures()
        output.show(
            ListRendering(contents, failures: failures, location: repository.storage.location))
        return .done
    }
}
