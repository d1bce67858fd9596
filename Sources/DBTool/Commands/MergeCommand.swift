import ArgumentParser
import BackupCore

/// The command `dbtool merge POINT`.
struct MergeCommand: BackupCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Make a full backup of a point and all that it rests on, without the database.")

    @Argument(
        help: "An id, a unique prefix, its four hex digits, latest, or a time.",
        completion: .points)
    var point: String
    @OptionGroup(title: "Repository") var repository: RepositoryOptions
    @Option(
        name: .word("compress"),
        help: "zstd: each file packed. false: plain. Else as the chain's full.")
    var compress: LayerOptions.LayerCompression?
    @OptionGroup var jobs: JobsOptions
    @OptionGroup(title: "Connection (only to find the repository)")
    var connection: ConnectionOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    var interruptionLeaves: String { "nothing was kept" }

    func run(output: CommandOutput, progress: OperationProgress) async throws -> ExitCode {
        let wiring = try Wiring(connection)
        let repository = try wiring.existingRepository(repository)
        let chain = try await repository.contents()
            .chain(named: point, database: wiring.database, engine: wiring.namedProduct)
        var request = MergeRequest(toolVersion: Version.text)
        request.packing = compress.map { $0 == .zstd ? .zstd : FilePacking.none }
        request.jobs = jobs.jobs
        request.holder = Wiring.holder
        let report = try await Merge(
            engine: wiring.engine(of: chain.point.metadata), repository: repository,
            request: request
        ).run(chain, progress: progress)
        output.show(BackupRendering(report))
        return report.isComplete ? .done : .incomplete
    }
}
