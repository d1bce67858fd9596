import BackupCore
import Terminal

/// The result of `list`: the backups, and what lies there without being one.
struct ListRendering: Rendering {
    struct Document: Encodable {
        let backups: [Line]
        let unfinished: [String]
        let unreadable: [String]
    }

    /// A line of the catalog, and what is known about the backup beside it.
    struct Line: Encodable {
        let entry: Catalog.Entry
        let snapshotAt: Timestamp?
        let state: BackupState?

        private enum CodingKeys: String, CodingKey {
            case snapshot_at, pinned, verified, drilled
        }

        func encode(to encoder: any Encoder) throws {
            try entry.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encodeIfPresent(snapshotAt, forKey: .snapshot_at)
            try container.encodeIfPresent(state?.pinned, forKey: .pinned)
            try container.encodeIfPresent(state?.verified, forKey: .verified)
            try container.encodeIfPresent(state?.drilled, forKey: .drilled)
        }
    }

    let document: Document
    private let location: String
    private let reasons: [String]
    private let now: Timestamp

    /// `states`: What is known of each backup, by id.
    init(
        _ contents: RepositoryContents, states: [String: BackupState], failures: [Catalog.Entry],
        location: String, now: Timestamp
    ) {
        let moments = Dictionary(
            contents.points.map { ($0.id.text, $0.metadata.snapshotAt) }
        ) { first, _ in first }
        document = Document(
            backups: Catalog(points: contents.points, failures: failures).backups.map {
                Line(entry: $0, snapshotAt: moments[$0.id], state: states[$0.id])
            },
            unfinished: contents.unfinished.map(\.name),
            unreadable: contents.unreadable.map(\.name))
        reasons = contents.unreadable.map(\.error.message)
        self.location = location
        self.now = now
    }

    var lines: [String] {
        let rest =
            document.unfinished.map { "unfinished: \($0) (still running, or interrupted)" }
            + zip(document.unreadable, reasons).map { "unreadable: \($0) (\($1))" }
        guard !document.backups.isEmpty else {
            return ["no backups in \(location)"] + rest
        }
        var table = TextTable([
            ("ID", .left), ("AGE", .right), ("ROWS", .right), ("SIZE", .right), ("TIME", .right),
            ("VERIFIED", .left), ("DRILLED", .left), ("STATUS", .left),
        ])
        for line in document.backups { table.add(cells(of: line)) }
        return table.lines + rest
    }

    /// A run that failed has left nothing but its line.
    private func cells(of line: Line) -> [String] {
        let (entry, totals) = (line.entry, line.entry.statistics)
        let age = (line.snapshotAt ?? entry.timestampStart).age(at: now)
        let time = NumberText.duration(seconds: entry.durationSeconds)
        guard entry.path != nil else {
            return [entry.id, age, "-", "-", time, "-", "-", status(of: line)]
        }
        return [
            entry.id, age, NumberText.grouped(totals.totalRowsProcessed),
            "\(ByteText(totals.totalSizeBytes))", time, proof(line.state?.verified, line).short,
            proof(line.state?.drilled, line).withDuration, status(of: line),
        ]
    }

    private func proof(_ proof: BackupState.Proof?, _ line: Line) -> ProofText {
        ProofText(proof: proof, isKnown: line.state != nil, now: now)
    }

    /// What is not the rule is said behind it.
    private func status(of line: Line) -> String {
        var words = line.entry.status
        if line.entry.scope == Scope.tables([]).word { words += ", some tables" }
        if line.state?.pinned == true { words += ", pinned" }
        return line.entry.reason.map { "\(words): \($0)" } ?? words
    }
}
