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
struct HistoryRendering: Rendering {
    struct Document: Encodable {
        struct Event: Encodable {
            let id: String
            let snapshot_at: Timestamp
            let event: String
            let row: [String: String?]?
        }

        let table: String
        let key: String
        let events: [Event]
    }

    private let events: [RowHistory.Event]
    let document: Document

    init(table: String, key: String, _ events: [RowHistory.Event]) {
        self.events = events
        document = Document(
            table: table, key: key,
            events: events.map { event in
                .init(
                    id: event.point.id.text, snapshot_at: event.point.metadata.snapshotAt,
                    event: event.kind.rawValue,
                    row: event.fields.map {
                        Dictionary(zip(event.columns, $0)) { first, _ in first }
                    })
            })
    }

    var lines: [String] {
        guard !events.isEmpty else {
            return ["\(document.table) \(document.key): in no backup"]
        }
        var lines = ["\(document.table) \(document.key)"]
        var last: [String: String?] = [:]
        for (event, shown) in zip(events, document.events) {
            let time = "\(event.point.metadata.snapshotAt.forPeople) UTC"
            lines.append("  \(time)  \(event.kind.rawValue)  \(event.point.id)")
            guard let row = shown.row else {
                last = [:]
                continue
            }
            for column in event.columns {
                let now = row[column] ?? nil
                if event.kind == .changed, let before = last[column] {
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
        guard let value else { return "NULL" }
        return value.isEmpty ? "''" : value
    }
}
