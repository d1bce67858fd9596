import ArgumentParser
import BackupCore

/// The command `dbtool full …`.
struct FullCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "full", abstract: "Make a full backup: every row in scope.",
        subcommands: [FullDatabaseCommand.self, FullTablesCommand.self])
}

/// How a backup's files are packed: the values of `-compress`.
enum Compression: String, ExpressibleByArgument, CaseIterable {
    case `true`
    case `false`
    case zstd
}

/// What both kinds of full backup can be told.
struct FullOptions: ParsableArguments, Sendable {
    @OptionGroup(title: "Repository") var repository: RepositoryOptions
    @Option(
        name: .word("compress"),
        help: "true: a zip archive besides. zstd: each file packed. false: neither.")
    var compress: Compression = .false
    @OptionGroup var jobs: JobsOptions
    @Option(
        name: .word("exclude-tablename"),
        help: "Leave out the rows of these tables, keep their structure. Repeatable.",
        completion: .tablesOfSource)
    var excluded: [String] = []
    @Flag(
        name: .word("skip-unreadable"),
        help: "Leave out tables that may not be read; the backup is incomplete then.")
    var skipUnreadable = false
    @Option(name: .word("lock-timeout"), help: "Seconds to wait for a locked table.")
    var lockTimeout = 60
    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func validate() throws {
        try LockTimeout.check(lockTimeout)
    }

    /// Makes the backup and shows the report.
    func run(scope: Scope, output: CommandOutput, progress: OperationProgress) async throws
        -> ExitCode
    {
        let wiring = try Wiring(connection)
        let repository = try wiring.repositoryForBackups(repository)
        var snapshot = SnapshotRequest(scope: scope)
        snapshot.excluded = try excluded.map { try TablePattern($0) }
        snapshot.skipsUnreadable = skipUnreadable
        snapshot.connections = jobs.jobs
        snapshot.lockTimeout = .seconds(lockTimeout)
        var request = BackupRequest(snapshot: snapshot, toolVersion: Version.text)
        request.database = wiring.sourceDatabase
        request.packing = compress == .zstd ? .zstd : FilePacking.none
        request.makesArchive = compress == .true
        request.holder = Wiring.holder
        let finished = request
        let report = try await wiring.withEngine { engine in
            try await Backup(engine: engine, repository: repository, request: finished)
                .run(progress: progress)
        }
        await wiring.remember(repository)
        output.show(BackupRendering(report))
        return report.isComplete ? .done : .incomplete
    }
}

/// The command `dbtool full database`.
struct FullDatabaseCommand: BackupCommand {
    static let configuration = CommandConfiguration(
        commandName: "database", abstract: "Back up the whole database.")

    @OptionGroup var options: FullOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    var connection: ConnectionOptions { options.connection }
    var interruptionLeaves: String { "nothing was kept" }

    func run(output: CommandOutput, progress: OperationProgress) async throws -> ExitCode {
        try await options.run(scope: .database, output: output, progress: progress)
    }
}

/// The command `dbtool full tables`.
struct FullTablesCommand: BackupCommand {
    static let configuration = CommandConfiguration(
        commandName: "tables", abstract: "Back up some tables, with what they need.")

    @Option(
        name: .word("tablename"),
        help: "table or schema.table, * and ? as wildcards, double quotes as in SQL. Repeatable.",
        completion: .tablesOfSource)
    var tables: [String]
    @OptionGroup var options: FullOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    var connection: ConnectionOptions { options.connection }
    var interruptionLeaves: String { "nothing was kept" }

    func validate() throws {
        guard !tables.isEmpty else { throw ValidationError("Name tables with -tablename.") }
    }

    func run(output: CommandOutput, progress: OperationProgress) async throws -> ExitCode {
        let patterns = try tables.map { try TablePattern($0) }
        return try await options.run(scope: .tables(patterns), output: output, progress: progress)
    }
}
