import ArgumentParser
import BackupCore

/// The command `dbtool check`.
struct CheckCommand: BackupCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Find out what would make a backup fail or surprise, with the fix.",
        discussion: """
            Writes nothing, and waits a second at most for a lock. Exit code 0: a backup would be made, whatever \
            warnings there are. 1: it would fail. 5: no connection.
            """)

    @OptionGroup(title: "Repository") var repository: RepositoryOptions
    @Option(
        name: .word("tablename"),
        help: "Check a backup of these tables only. Repeatable.")
    var tables: [String] = []
    @Option(
        name: .word("exclude-tablename"), help: "Tables whose rows the backup leaves out.")
    var excluded: [String] = []
    @Option(
        name: .word("compress"), help: "As full takes it: how much space the backup needs.")
    var compress: Compression = .false
    @OptionGroup var jobs: JobsOptions
    @OptionGroup(title: "Connection") var connection: ConnectionOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run(output: CommandOutput, progress: OperationProgress) async throws -> ExitCode {
        let wiring = try Wiring(connection)
        let isNamed = wiring.repositoryPath(repository) != nil
        let check = Check(
            repository: isNamed ? try wiring.repositoryForBackups(repository) : nil,
            settings: SettingOrigins(wiring).findings(repository),
            packing: compress == .zstd ? .zstd : FilePacking.none)
        let request = try request(telling: progress)
        let report = try await check.run(progress: progress) {
            try await wiring.check(request)
        }
        output.show(CheckRendering(report))
        if let failure = report.failure { return ExitCode(failure.code) }
        return report.wouldSucceed ? .done : .failed
    }

    private func request(telling progress: OperationProgress) throws -> SnapshotRequest {
        let patterns = try tables.map { try TablePattern($0) }
        var request = SnapshotRequest(scope: patterns.isEmpty ? .database : .tables(patterns))
        request.excluded = try excluded.map { try TablePattern($0) }
        request.connections = jobs.jobs
        request.notes = { progress.note($0) }
        return request
    }
}
