import ArgumentParser
import BackupCore
import Terminal

/// The command `dbtool rows POINT TABLE`.
struct RowsCommand: BackupCommand {
    static let configuration = CommandConfiguration(
        commandName: "rows", abstract: "Write a table's CSV as of a backup to standard output.")

    @Argument(
        help: "An id, a unique prefix, its four hex digits, latest, or a time.",
        completion: .points)
    var point: String
    @Argument(help: "table or schema.table, as stored.", completion: .tablesOfPoint)
    var table: String
    @OptionGroup(title: "Repository") var repository: RepositoryOptions
    @OptionGroup(title: "Connection (only to find the repository)")
    var connection: ConnectionOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run(output: CommandOutput, progress: OperationProgress) async throws -> ExitCode {
        guard !output.isJSON else {
            throw BackupError(
                .usage, "rows are CSV, and no document", hint: "Leave out --json.")
        }
        let wiring = try Wiring(connection)
        let repository = try wiring.existingRepository(repository)
        let chain = try await repository.contents()
            .chain(named: point, database: wiring.database, engine: wiring.namedProduct)
        let record = try chain.point.metadata.table(matching: TablePattern(table))
        try await PointReader(chain, in: repository)
            .withRows(of: record, proving: .rowsAndBytes) { rows in
                guard TerminalOutput.write(record.header) else { return }
                while let batch = try await rows.next() {
                    try Task.checkCancellation()
                    // Whoever reads may have seen enough: `| head`.
                    guard TerminalOutput.write(batch.bytes) else { return }
                }
            }
        return .done
    }
}
