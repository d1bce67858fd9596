import ArgumentParser
import BackupCore

/// The command `dbtool list`.
struct ListCommand: BackupCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the backups of a repository.",
        discussion: "With --database those of that database alone.")

    @OptionGroup(title: "Repository") var repository: RepositoryOptions
    @OptionGroup(title: "Connection (only to find the repository)")
    var connection: ConnectionOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run(output: CommandOutput, progress: OperationProgress) async throws -> ExitCode {
        let wiring = try Wiring(connection)
        let repository = try wiring.existingRepository(repository)
        var contents = try await repository.contents()
        var failures = try await repository.knownFailures()
        // A name in .env says what is backed up here, and not what somebody wants to see.
        if let database = connection.database {
            failures.removeAll { !$0.isRun(of: database) }
            contents = contents.only(of: database)
        }
        var states: [BackupID: BackupState] = [:]
        for point in contents.points {
            states[point.id] = try await repository.stateIfKnown(of: point)
        }
        output.show(
            ListRendering(
                contents, states: states, failures: failures,
                isOfOneDatabase: connection.database != nil,
                location: repository.storage.location, now: .now))
        return .done
    }
}
