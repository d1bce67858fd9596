import BackupCore

/// What a session makes now, as the server's views tell.
struct PostgresBuildStep: Sendable {
    let step: StepProgress.Step

    /// Reads a row of `PostgresBuildWatch`; nil where neither statement nor table tells a name.
    init?(row: [String?]) {
        let statement = PostgresStatement(row[0] ?? "")
        let table = row[9].map { TableName(schema: row[8] ?? "", name: $0) }
        guard let name = statement?.name ?? table.map({ "an index of \($0)" }) else { return nil }
        let numbers = row[4...7].map { $0.flatMap { Double($0) } ?? 0 }
        let index = row[3].map {
            Self.activity(
                $0, blocks: (numbers[0], numbers[1]), tuples: (numbers[2], numbers[3]))
        }
        let isWaiting = row[1] == "t"
        step = StepProgress.Step(
            name,
            activity: isWaiting ? "waiting for a lock" : index?.words ?? statement?.activity,
            share: isWaiting ? nil : index?.share,
            began: row[2].flatMap { Double($0) }.map { .now - .seconds($0) })
    }

    /// Each phase counts something of its own, and begins at nothing.
    ///
    /// - SeeAlso: `src/backend/access/nbtree/nbtutils.c`, `btbuildphasename`.
    private static func activity(
        _ phase: String, blocks: (done: Double, total: Double),
        tuples: (done: Double, total: Double)
    ) -> (words: String, share: Double?) {
        func share(_ part: (done: Double, total: Double)) -> Double? {
            part.total > 0 ? min(part.done / part.total, 1) : nil
        }
        return switch phase {
        // While it reads the first block the server counts all of them, as if it had come around to it.
        // - SeeAlso: `src/backend/access/heap/heapam_handler.c`, `heapam_scan_get_blocks_done`.
        case "building index: scanning table":
            ("reading rows", blocks.done < blocks.total ? share(blocks) : nil)
        case "building index: loading tuples in tree": ("writing", share(tuples))
        case let phase where phase.hasPrefix("building index: sorting"): ("sorting", nil)
        case "building index": ("building", share(blocks))
        case let phase where phase.hasPrefix("waiting for"): ("waiting", nil)
        default: ("building", nil)
        }
    }
}
