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
        /// Whether rows were left out on request.
        let lacksRows: Bool
        let isExact: Bool?
        let isBroken: Bool
        /// The point of its chain whose check found damage since it was proven, in its own files or in those it rests on;
        /// nil where none did.
        let doubtedBy: String?

        private enum CodingKeys: String, CodingKey {
            case snapshot_at, pinned, verified, drilled, exact
            case rows_left_out, broken, doubted_by
        }

        func encode(to encoder: any Encoder) throws {
            try entry.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encodeIfPresent(snapshotAt, forKey: .snapshot_at)
            try container.encodeIfPresent(isExact, forKey: .exact)
            if isBroken { try container.encode(true, forKey: .broken) }
            try container.encodeIfPresent(doubtedBy, forKey: .doubted_by)
            if isExact != nil { try container.encode(lacksRows, forKey: .rows_left_out) }
            try container.encodeIfPresent(state?.pinned, forKey: .pinned)
            try container.encodeIfPresent(state?.verified, forKey: .verified)
            try container.encodeIfPresent(state?.drilled, forKey: .drilled)
        }
    }

    let document: Document
    private let isOfOneDatabase: Bool
    private let location: String
    private let reasons: [String]
    private let now: Timestamp

    /// Puts together what is listed.
    ///
    /// `states`: What is known of each backup.
    /// `isOfOneDatabase`: Whether others have been left out.
    init(
        _ contents: RepositoryContents, states: [BackupID: BackupState], failures: [Catalog.Entry],
        isOfOneDatabase: Bool, location: String, now: Timestamp
    ) {
        let broken = contents.brokenPoints()
        let doubts = contents.doubts(states)
        document = Document(
            backups: Catalog(points: contents.points, failures: failures).backups.map {
                let point = contents.point(id: $0.id)
                let metadata = point?.metadata
                return Line(
                    entry: $0, snapshotAt: metadata?.snapshotAt,
                    state: point.flatMap { states[$0.id] },
                    lacksRows: metadata?.excludedTables.isEmpty == false,
                    isExact: metadata?.exact,
                    isBroken: point.map { broken.contains($0.id) } ?? false,
                    doubtedBy: point.flatMap { doubts[$0.id]?.text })
            },
            unfinished: contents.unfinished.map(\.name),
            unreadable: contents.unreadable.map(\.folder.name))
        reasons = contents.unreadable.map(\.error.message)
        self.isOfOneDatabase = isOfOneDatabase
        self.location = location
        self.now = now
    }

    var lines: [String] {
        let rest =
            document.unfinished.map { "unfinished: \($0) (still running, or interrupted)" }
            + zip(document.unreadable, reasons).map { "unreadable: \($0) (\($1))" }
        guard !document.backups.isEmpty else {
            // Without its name, which is a whole URL where somebody took one for a database.
            return ["no backups\(isOfOneDatabase ? " of that database" : "") in \(location)"] + rest
        }
        var table = TextTable([
            ("ID", .left), ("AGE", .right), ("ROWS", .right), ("SIZE", .right), ("TIME", .right),
            ("VERIFIED", .left), ("DRILLED", .left), ("STATUS", .left),
        ])
        for (branch, line) in tree { table.add(cells(of: line, branch)) }
        return table.lines + chains + rest
    }

    /// Fulls in order of time, and under each what rests on it.
    private var tree: [(branch: String, line: Line)] {
        let layers = Dictionary(grouping: document.backups) { $0.entry.baseID ?? "" }
        let ids = Set(document.backups.map(\.entry.id))
        return document.backups.flatMap { line -> [(String, Line)] in
            if let base = line.entry.baseID {
                // A full that is gone leaves its layers at the root.
                return ids.contains(base) ? [] : [("", line)]
            }
            let own = layers[line.entry.id] ?? []
            return [("", line)]
                + own.enumerated().map { ($0.offset == own.count - 1 ? "└ " : "├ ", $0.element) }
        }
    }

    /// What each chain takes on disk.
    private var chains: [String] {
        let layers = Dictionary(grouping: document.backups) { $0.entry.baseID ?? "" }
        return document.backups.compactMap { line in
            guard let own = layers[line.entry.id], !own.isEmpty else { return nil }
            let size = own.reduce(0) { $0 + $1.entry.statistics.totalSizeBytes }
            return "chain of \(line.entry.id): \(own.count) "
                + "\(own.count == 1 ? "point" : "points") of \(ByteText(size)) on "
                + "\(ByteText(line.entry.statistics.totalSizeBytes))"
        }
    }

    /// A run that failed has left nothing but its line.
    private func cells(of line: Line, _ branch: String) -> [String] {
        let (entry, totals) = (line.entry, line.entry.statistics)
        let age = (line.snapshotAt ?? entry.timestampStart).age(at: now)
        let time = NumberText.duration(seconds: entry.durationSeconds)
        guard entry.path != nil else {
            return [branch + entry.id, age, "-", "-", time, "-", "-", status(of: line)]
        }
        return [
            branch + entry.id, age, NumberText.grouped(totals.totalRowsProcessed),
            "\(ByteText(totals.totalSizeBytes))", time, verified(line),
            proof(line.state?.drilled, line).withDuration, status(of: line),
        ]
    }

    /// A check that passed says little when damage was found since, which may lie here.
    private func verified(_ line: Line) -> String {
        let text = proof(line.state?.verified, line).short
        return line.doubtedBy == nil || line.state?.verified == nil ? text : "\(text), doubted"
    }

    private func proof(_ proof: BackupState.Proof?, _ line: Line) -> ProofText {
        ProofText(proof: proof, isKnown: line.state != nil, now: now)
    }

    /// What is not the rule is said behind it.
    private func status(of line: Line) -> String {
        var words = line.entry.status
        if line.entry.scope == Scope.tables([]).word { words += ", some tables" }
        if line.state?.pinned == true { words += ", pinned" }
        if line.isBroken { words += ", broken: what it rests on is missing" }
        if line.state?.verified?.passed == false { words += ", damaged" }
        if let other = line.doubtedBy { words += ", in doubt: verify of \(other) found damage" }
        if line.lacksRows { words += ", rows left out" }
        if line.isExact == false { words += ", not exact" }
        return line.entry.reason.map { "\(words): \($0)" } ?? words
    }
}
