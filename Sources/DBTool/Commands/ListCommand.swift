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
        let wiring = try Wiring(connection)
        let repository = try wiring.existingRepository(repository)
        let contents = try await repository.contents()
        var states: [String: BackupState] = [:]
        for point in contents.points {
            states[point.id.text] = try await repository.stateIfKnown(of: point)
        }
        output.show(
            ListRendering(
                contents, states: states, failures: try await repository.knownFailures(),
                location: repository.storage.location, now: .now))
        return .done
    }
}
