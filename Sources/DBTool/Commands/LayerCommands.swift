import ArgumentParser
import BackupCore

/// The command `dbtool differential …`.
struct DifferentialCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "differential", abstract: "Back up what changed since the last full.",
        subcommands: [DifferentialBackupCommand.self])
}

/// The command `dbtool incremental …`.
struct IncrementalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "incremental", abstract: "Back up what changed since the last backup.",
        subcommands: [IncrementalBackupCommand.self])
}

/// The value of `-basis`.
struct BasisWord: ExpressibleByArgument {
    static let allValueStrings = ["auto", "xmin", "compare", "column", "column:NAME"]

    let request: BasisRequest

    init(_ request: BasisRequest) { self.request = request }

    init?(argument: String) {
        switch argument {
        case "auto": request = .auto
        case "xmin": request = .xmin
        case "compare": request = .compare
        case "column": request = .column(ColumnRequest())
        default:
            let name = argument.trimmingPrefix("column:")
            guard !name.isEmpty, name.count < argument.count else { return nil }
            request = .column(ColumnRequest(name: String(name)))
        }
    }

    var defaultValueDescription: String { "auto" }
}

/// What backups that rest on another can be told.
struct LayerOptions: ParsableArguments, Sendable {
    @OptionGroup(title: "Repository") var repository: RepositoryOptions
    @Option(
        name: .word("basis"),
        help: """
            How changed rows are found. auto: by row versions where they hold, else by comparing. \
            compare: every row is read and compared. column: by updated_at, modified_at, last_modified \
            or changed_at, or by the column named; only as exact as that.
            """,
        completion: .list(["auto", "xmin", "compare", "column"]))
    var basis = BasisWord(.auto)
    @Option(
        name: .word("overlap"),
        help: """
            By column: seconds before its greatest value of the last backup from which on rows are read \
            again; of a column of numbers, so many.
            """)
    var overlap = ColumnRequest().overlap
    @Flag(
        name: .word("monotonic"),
        help: "By column: believe a number, which only ever grows over the whole table.")
    var monotonic = false
    @Option(
        name: .word("base"), help: "The full to rest on; else the newest of the database.",
        completion: .points)
    var base: String?
    @Flag(
        name: .word("no-full"),
        help: "Fail where a full backup has to be made because there is nothing to rest on.")
    var noFull = false
    @Flag(
        name: .word("trust-restart"),
        help: "Row versions hold although the server was restarted: it is no clone or old image.")
    var trustRestart = false
    @Option(
        name: .word("memory"),
        help: """
            About how many MB a comparison whose rows come in another order may hold before it goes to \
            temporary files (TMPDIR).
            """)
    var memory = 96
    @Option(name: .word("max-points"), help: "A chain ends after so many points.")
    var maxPoints = ChainRule().points
    @Option(name: .word("max-days"), help: "A chain ends when its full is so many days old.")
    var maxDays = ChainRule().days
    @Option(
        name: .word("max-share"),
        help: "A chain ends when so much has changed, as a percentage of its full.")
    var maxShare = Int(ChainRule().share * 100)
    @Option(
        name: .word("measure-every"),
        help: "Read and compare everything at every so many points of a chain; 0 for never.")
    var measureEvery = ChainRule().measuresEvery
    @Option(
        name: .word("compress"),
        help: "zstd: each file packed. false: plain. Else as its full.")
    var compress: LayerCompression?
    @OptionGroup var jobs: JobsOptions
    @Option(name: .word("lock-timeout"), help: "Seconds to wait for a locked table.")
    var lockTimeout = 60
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    /// How the files of a backup inside its full are packed.
    enum LayerCompression: String, ExpressibleByArgument, CaseIterable {
        case `false`
        case zstd
    }

    func validate() throws {
        try LockTimeout.check(lockTimeout)
        guard maxPoints > 0, maxDays > 0, maxShare > 0 else {
            throw ValidationError("--max-points, --max-days and --max-share must be positive.")
        }
        guard overlap >= 0 else { throw ValidationError("--overlap must not be negative.") }
        guard (0...1 << 20).contains(memory) else {
            throw ValidationError("--memory must be a number of MB.")
        }
        guard measureEvery >= 0 else {
            throw ValidationError("--measure-every must not be negative.")
        }
    }

    /// Makes the backup and shows the report.
    func run(
        _ kind: BackupKind, output: CommandOutput, progress: OperationProgress
    ) async throws -> ExitCode {
        let wiring = try Wiring(connection)
        let repository = try wiring.repositoryForBackups(repository)
        let finished = request(kind, wiring)
        let report = try await wiring.withEngine { engine in
            try await Backup(engine: engine, repository: repository, request: finished)
                .run(progress: progress)
        }
        await wiring.remember(repository)
        output.show(BackupRendering(report))
        return report.isComplete ? .done : .incomplete
    }

    private var basisRequest: BasisRequest {
        guard case .column(var column) = basis.request else { return basis.request }
        column.overlap = overlap
        column.isMonotonic = monotonic
        return .column(column)
    }

    private func request(_ kind: BackupKind, _ wiring: Wiring) -> BackupRequest {
        var snapshot = SnapshotRequest(scope: .database)
        snapshot.connections = jobs.jobs
        snapshot.lockTimeout = .seconds(lockTimeout)
        snapshot.trustsRestart = trustRestart
        var request = BackupRequest(snapshot: snapshot, toolVersion: Version.text)
        request.kind = kind
        request.database = wiring.sourceDatabase
        request.base = base
        request.refusesFull = noFull
        request.basis = basisRequest
        request.joinBytes = memory << 20
        request.chainRule.points = maxPoints
        request.chainRule.days = maxDays
        request.chainRule.share = Double(maxShare) / 100
        request.chainRule.measuresEvery = measureEvery
        request.packing = compress.map { $0 == .zstd ? .zstd : FilePacking.none }
        request.holder = Wiring.holder
        return request
    }
}

/// The command `dbtool differential backup`.
struct DifferentialBackupCommand: BackupCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Back up what changed since the last full; make a full where there is none.")

    @OptionGroup var options: LayerOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    var connection: ConnectionOptions { options.connection }
    var interruptionLeaves: String { "nothing was kept" }

    func run(output: CommandOutput, progress: OperationProgress) async throws -> ExitCode {
        try await options.run(.differential, output: output, progress: progress)
    }
}

/// The command `dbtool incremental backup`.
struct IncrementalBackupCommand: BackupCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Back up what changed since the last backup; make a full where there is none.")

    @OptionGroup var options: LayerOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    var connection: ConnectionOptions { options.connection }
    var interruptionLeaves: String { "nothing was kept" }

    func run(output: CommandOutput, progress: OperationProgress) async throws -> ExitCode {
        try await options.run(.incremental, output: output, progress: progress)
    }
}
