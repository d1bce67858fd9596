import BackupCore
import Terminal

/// The result of `list`: the backups, and what lies there without being one.
struct ListRendering: Rendering {
    struct Document: Encodable {
        let backups: [Catalog.Entry]
        let unfinished: [String]
        let unreadable: [String]
    }

    let document: Document
    private let location: String
    private let reasons: [String]

    init(_ contents: RepositoryContents, failures: [Catalog.Entry], location: String) {
        document = Document(
            backups: Catalog(points: contents.points, failures: failures).backups,
            unfinished: contents.unfinished.map(\.text),
            unreadable: contents.unreadable.map(\.id.text))
        reasons = contents.unreadable.map(\.error.message)
        self.location = location
    }

    var lines: [String] {
        let rest =
            document.unfinished.map { "unfinished: \($0) (still running, or interrupted)" }
            + zip(document.unreadable, reasons).map { "unreadable: \($0) (\($1))" }
        guard !document.backups.isEmpty else {
            return ["no backups in \(location)"] + rest
        }
        var table = TextTable([
            ("ID", .left), ("TAKEN (UTC)", .left), ("SCOPE", .left), ("TABLES", .right),
            ("ROWS", .right), ("SIZE", .right), ("TIME", .right), ("STATUS", .left),
        ])
        for entry in document.backups {
            let totals = entry.statistics
            let hasFiles = entry.path != nil
            table.add([
                entry.id, entry.timestampStart.forPeople, entry.scope ?? "-",
                hasFiles ? NumberText.grouped(totals.totalTables) : "-",
                hasFiles ? NumberText.grouped(totals.totalRowsProcessed) : "-",
                hasFiles ? "\(ByteText(totals.totalSizeBytes))" : "-",
                NumberText.duration(seconds: entry.durationSeconds), status(of: entry),
            ])
        }
        return table.lines + rest
    }

    private func status(of entry: Catalog.Entry) -> String {
        entry.reason.map { "\(entry.status): \($0)" } ?? entry.status
    }
}
