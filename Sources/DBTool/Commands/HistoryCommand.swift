import ArgumentParser
import BackupCore
import Terminal

/// The command `dbtool history TABLE KEY`.
struct HistoryCommand: BackupCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show every version of one row over all backups.")

    @Argument(help: "table or schema.table, as stored.", completion: .tablesOfSource)
    var table: String
    @Argument(help: "The row's key: one CSV record, in key order.")
    var key: String
    @OptionGroup(title: "Repository") var repository: RepositoryOptions
    @OptionGroup(title: "Connection (only to find the repository)")
    var connection: ConnectionOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run(output: CommandOutput, progress: OperationProgress) async throws -> ExitCode {
        let wiring = try Wiring(connection)
        let repository = try wiring.existingRepository(repository)
        let events = try await RowHistory(repository: repository)
            .run(
                TablePattern(table), key: key, database: wiring.database,
                engine: wiring.namedProduct, progress: progress)
        output.show(HistoryRendering(table: table, key: key, events))
        return .done
    }
}

/// The result of `history`: what happened to a row, and where that shows.
struct HistoryRendering: Report {
    private let table: String
    private let key: String
    private let events: [RowHistory.Event]

    init(table: String, key: String, _ events: [RowHistory.Event]) {
        (self.table, self.key, self.events) = (table, key, events)
    }

    var json: [UInt8] {
        let objects = events.map { event in
            JSONText.object([
                ("event", JSONText.string(event.kind.rawValue)),
                ("id", JSONText.string(event.point.id.text)),
                ("row", event.fields.map { JSONText.object(event.columns, $0) }),
                ("snapshot_at", JSONText.string(event.point.metadata.snapshotAt.text)),
            ])
        }
        let document = JSONText.object([
            ("events", "[\n\(objects.joined(separator: ",\n"))\n]"),
            ("key", JSONText.string(key)), ("table", JSONText.string(table)),
        ])
        return Array("\(document)\n".utf8)
    }

    var lines: [String] {
        guard !events.isEmpty else { return ["\(table) \(key): in no backup"] }
        var lines = ["\(table) \(key)"]
        var last: [ExactText: String?] = [:]
        for event in events {
            let time = "\(event.point.metadata.snapshotAt.forPeople) UTC"
            lines.append("  \(time)  \(event.kind.rawValue)  \(event.point.id)")
            var row: [ExactText: String?] = [:]
            for (column, now) in zip(event.columns, event.fields ?? []) {
                row.updateValue(now, forKey: ExactText(column))
                if event.kind == .changed, let before = last[ExactText(column)] {
                    guard before.map(ExactText.init) != now.map(ExactText.init) else { continue }
                    lines.append("    \(column): \(Self.text(before)) → \(Self.text(now))")
                } else {
                    lines.append("    \(column): \(Self.text(now))")
                }
            }
            last = row
        }
        return lines.map { VisibleText.of($0) }
    }

    private static func text(_ value: String?) -> String {
        value?.isEmpty == true ? "''" : ValueText.of(value)
    }
}
