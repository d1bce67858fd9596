import ArgumentParser
import BackupCore

/// The command `dbtool show POINT`.
struct ShowCommand: BackupCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything about one backup.")

    @Argument(
        help: "An id, a unique prefix, its four hex digits, latest, or a time.",
        completion: .points)
    var point: String
    @OptionGroup(title: "Repository") var repository: RepositoryOptions
    @OptionGroup(title: "Connection (only to find the repository)")
    var connection: ConnectionOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run(output: CommandOutput, progress: OperationProgress) async throws -> ExitCode {
        let wiring = try Wiring(connection)
        let repository = try wiring.existingRepository(repository)
        let point = try await repository.contents()
            .point(named: point, database: wiring.database, engine: wiring.namedProduct)
        output.show(
            ShowRendering(
                point, details: try await repository.details(of: point),
                location: repository.storage.location, now: .now))
        return .done
    }
}
