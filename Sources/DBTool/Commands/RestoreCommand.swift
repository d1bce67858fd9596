public import ArgumentParser
public import BackupCore
import Terminal

extension ExistingTables: ExpressibleByArgument {}
extension RestoreRequest.Check: ExpressibleByArgument {}

/// What a restore is told about what it restores.
struct RestoreSelection: ParsableArguments, Sendable {
    @Option(
        name: .word("tablename"),
        help: "Only these tables, with what they need: as for full tables. Repeatable.",
        completion: .tablesOfPoint)
    var tables: [String] = []
    @Option(name: .word("as"), help: "Another name for the one table that is restored.")
    var newName: String?
    @Option(
        name: .word("existing"),
        help: """
            What becomes of tables that exist: fail restores nothing, truncate replaces their \
            rows, append adds rows.
            """)
    var existing: ExistingTables?
    @Flag(
        name: .word("clean"), help: "Drop in the target what the backup holds, then restore it.")
    var clean = false
    @Flag(name: .word("yes"), help: "Do not ask before dropping.")
    var yes = false
    @Flag(name: .word("schema-only"), help: "Structure without rows.")
    var schemaOnly = false
    @Flag(name: .word("data-only"), help: "Rows only, into tables that exist.")
    var dataOnly = false

    func validate() throws {
        guard !schemaOnly || !dataOnly else {
            throw ValidationError("--schema-only and --data-only contradict each other.")
        }
    }

    /// Puts it into a request.
    func apply(to request: inout RestoreRequest) throws {
        request.tables = try tables.map { try TablePattern($0) }
        request.newName = try newName.map { try TablePattern($0) }
        request.existing = existing
        request.drops = clean
        request.content = schemaOnly ? .structure : dataOnly ? .rows : .everything
    }
}

/// The command `dbtool restore POINT --into NAME`.
struct RestoreCommand: BackupCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Restore a backup, or some of its tables, into a new or existing database.")

    @Argument(
        help: "An id, a unique prefix, its four hex digits, latest, or a time.",
        completion: .points)
    var point: String
    @OptionGroup(title: "Repository") var repository: RepositoryOptions
    @Option(name: .word("into"), help: "The database to restore into.")
    var into: String
    @Flag(
        name: .word("create"), help: "Create the database, with the source's encoding and locale.")
    var create = false
    @OptionGroup(title: "What is restored") var selection: RestoreSelection
    @Flag(name: .word("no-owner"), help: "Everything belongs to the restoring role.")
    var noOwner = false
    @Option(
        name: .word("definer"),
        help:
            "MySQL and MariaDB: views, routines, triggers and events act for this account, NAME@HOST."
    )
    var definer: String?
    @Flag(name: .word("no-privileges"), help: "Leave out grants.")
    var noPrivileges = false
    @Flag(
        name: .word("no-tablespaces"),
        help: "PostgreSQL: everything lies in the database's own tablespace.")
    var noTablespaces = false
    @Option(
        name: .word("check"),
        help:
            "counts: compare fingerprints on the way and counts. rows: read all rows back as well.")
    var check = RestoreRequest.Check.counts
    @Flag(name: .word("dry-run"), help: "Show what would be done, and change nothing.")
    var dryRun = false
    @OptionGroup var jobs: JobsOptions
    @OptionGroup(title: "Connection") var connection: ConnectionOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    var interruptionLeaves: String {
        "run the same restore again, and it goes on with what is missing"
    }

    func run(output: CommandOutput, progress: OperationProgress) async throws -> ExitCode {
        let wiring = try Wiring(connection)
        let repository = try wiring.existingRepository(repository)
        let request = try request(wiring)
        let report = try await wiring.withEngine { engine in
            try await Restore(engine: engine, repository: repository, request: request)
                .run(progress: progress) { try approve($0, request, output, progress) }
        }
        guard let report else { return .done }
        output.show(RestoreRendering(report))
        guard report.differences.isEmpty else { return .verificationFailed }
        return report.problems.isEmpty ? .done : .incomplete
    }

    private func request(_ wiring: Wiring) throws -> RestoreRequest {
        var request = RestoreRequest(point: point, database: into)
        request.sourceDatabase = wiring.namedDatabase
        request.creates = create
        guard !noOwner || definer == nil else {
            throw BackupError(
                .usage, "--definer and --no-owner exclude each other",
                hint: "Leave out one of them.")
        }
        request.omitsOwners = noOwner
        request.definer = definer
        request.omitsPrivileges = noPrivileges
        request.omitsTablespaces = noTablespaces
        request.check = check
        request.connections = jobs.jobs
        try selection.apply(to: &request)
        return request
    }

    /// Shows the plan where that is asked for, and asks before anything is dropped.
    private func approve(
        _ plan: RestorePlan, _ request: RestoreRequest, _ output: CommandOutput,
        _ progress: OperationProgress
    ) throws -> Bool {
        let rendering = RestorePlanRendering(plan, request)
        guard !dryRun else {
            output.show(rendering)
            return false
        }
        guard !plan.target.drops.isEmpty else { return true }
        (rendering.drops + rendering.warnings).forEach { progress.note($0) }
        guard !selection.yes else { return true }
        progress.pause()
        guard
            let answer = TerminalOutput.ask(
                "Drop these \(plan.target.drops.count) in \(into)? Type yes: ")
        else {
            throw BackupError(
                .usage, "--clean drops \(plan.target.drops.count) things in \(into)",
                hint: "Look at them with --dry-run, then confirm with --yes.")
        }
        guard answer == "yes" else {
            throw BackupError(.interrupted, "not confirmed; nothing was changed")
        }
        return true
    }
}
