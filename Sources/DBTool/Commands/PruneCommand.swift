import ArgumentParser
import BackupCore
import Terminal

/// The command `dbtool prune`.
struct PruneCommand: BackupCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove backups that no rule keeps.",
        discussion: """
            A backup is kept when any rule keeps it. Never removed: what a kept one rests on, pinned \
            ones, the newest, the last full that was verified, and the last backup of any kind that \
            was. Days, weeks, months and years are those of the calendar in UTC; the newest backup of \
            each counts.
            """)

    @Option(name: .word("keep-last"), help: "The newest so many.")
    var last = 0
    @Option(name: .word("keep-daily"), help: "One for each of so many days that have one.")
    var daily = 0
    @Option(name: .word("keep-weekly"), help: "One for each of so many weeks.")
    var weekly = 0
    @Option(name: .word("keep-monthly"), help: "One for each of so many months.")
    var monthly = 0
    @Option(name: .word("keep-yearly"), help: "One for each of so many years.")
    var yearly = 0
    @Option(name: .word("keep-within"), help: "All that are not older than so many days.")
    var within = 0
    @Flag(name: .word("dry-run"), help: "Show what would be removed, and remove nothing.")
    var dryRun = false
    @OptionGroup(title: "Repository") var repository: RepositoryOptions
    @OptionGroup(title: "Connection (only to find the repository)")
    var connection: ConnectionOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    var interruptionLeaves: String { "what was removed is gone, everything else is whole" }

    func validate() throws {
        guard [last, daily, weekly, monthly, yearly, within].allSatisfy({ $0 >= 0 }) else {
            throw ValidationError("--keep-last and its kin take numbers from 0 on.")
        }
    }

    private var retention: Retention {
        var retention = Retention()
        (retention.last, retention.daily, retention.weekly) = (last, daily, weekly)
        (retention.monthly, retention.yearly) = (monthly, yearly)
        retention.withinDays = within
        return retention
    }

    func run(output: CommandOutput, progress: OperationProgress) async throws -> ExitCode {
        let wiring = try Wiring(connection)
        let repository = try wiring.existingRepository(repository)
        let prune = Prune(
            repository: repository, retention: retention, holder: Wiring.holder)
        let database = try await database(wiring, repository)
        let plan =
            dryRun
            ? try await prune.plan(database: database, engine: wiring.namedProduct)
            : try await prune.run(
                database: database, engine: wiring.namedProduct, progress: progress)
        output.show(PruneRendering(plan, isDryRun: dryRun))
        return .done
    }

    /// The one that is named, else the only one that the repository holds.
    private func database(_ wiring: Wiring, _ repository: Repository) async throws -> String {
        if let database = wiring.database { return database }
        return try await repository.contents().onlyDatabase()
    }
}

/// The result of `prune`: what becomes of each backup, and why.
struct PruneRendering: Rendering {
    struct Document: Encodable {
        struct Line: Encodable {
            let id: String
            let kept: Bool
            let reasons: [String]
        }

        let database: String
        let dry_run: Bool
        let removed: Int
        let backups: [Line]
    }

    let document: Document

    init(_ plan: PrunePlan, isDryRun: Bool) {
        document = Document(
            database: plan.database, dry_run: isDryRun, removed: plan.removed.count,
            backups: plan.decisions.map { .init(id: $0.id, kept: $0.isKept, reasons: $0.reasons) })
    }

    var lines: [String] {
        var table = TextTable([("ID", .left), ("DECISION", .left), ("WHY", .left)])
        let removes = document.dry_run ? "would be removed" : "removed"
        for line in document.backups {
            table.add(
                [line.id, line.kept ? "kept" : removes, line.reasons.joined(separator: ", ")])
        }
        let count = document.removed == 0 ? "nothing" : "\(document.removed)"
        return ["\(VisibleText.of(document.database)): \(count) \(removes)"]
            + table.lines
    }
}

/// The command `dbtool pin POINT`.
struct PinCommand: BackupCommand {
    static let configuration = CommandConfiguration(
        commandName: "pin", abstract: "Keep a backup whatever prune is told.")

    @OptionGroup var options: PinOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    var connection: ConnectionOptions { options.connection }

    func run(output: CommandOutput, progress: OperationProgress) async throws -> ExitCode {
        try await options.run(pins: true, output)
    }
}

/// The command `dbtool unpin POINT`.
struct UnpinCommand: BackupCommand {
    static let configuration = CommandConfiguration(
        commandName: "unpin", abstract: "Let prune remove a backup again.")

    @OptionGroup var options: PinOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    var connection: ConnectionOptions { options.connection }

    func run(output: CommandOutput, progress: OperationProgress) async throws -> ExitCode {
        try await options.run(pins: false, output)
    }
}

/// Which backup is pinned or not.
struct PinOptions: ParsableArguments, Sendable {
    @Argument(
        help: "An id, a unique prefix, its four hex digits, latest, or a time.",
        completion: .points)
    var point: String
    @OptionGroup(title: "Repository") var repository: RepositoryOptions
    @OptionGroup(title: "Connection (only to find the repository)")
    var connection: ConnectionOptions

    func run(pins: Bool, _ output: CommandOutput) async throws -> ExitCode {
        let wiring = try Wiring(connection)
        let repository = try wiring.existingRepository(repository)
        let found = try await repository.contents()
            .point(named: point, database: wiring.database, engine: wiring.namedProduct)
        try await repository.setPinned(pins, of: found, holder: Wiring.holder)
        output.show(PinRendering(id: found.id.text, isPinned: pins))
        return .done
    }
}

/// The result of `pin` and `unpin`.
struct PinRendering: Rendering {
    struct Document: Encodable {
        let id: String
        let pinned: Bool
    }

    let document: Document

    init(id: String, isPinned: Bool) { document = Document(id: id, pinned: isPinned) }

    var lines: [String] { ["\(document.id) \(document.pinned ? "pinned" : "not pinned")"] }
}
