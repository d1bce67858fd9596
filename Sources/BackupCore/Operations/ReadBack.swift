/// Reads restored rows back and compares their fingerprints with the backup's.
struct ReadBack {
    let plan: RestorePlan
    let target: any Target
    let connections: Int
    let seed: UInt64
    /// Whether tables that existed have kept rows of their own, and so cannot be compared.
    let keepsRows: Bool

    /// Tables that are compared as one: rows of hash partitions may be in another one elsewhere.
    private struct Group {
        var load: TableLoad
        var expected = Fingerprint()
    }

    /// - Returns: The tables that differ, in words.
    func differences(_ progress: OperationProgress) async throws -> [String] {
        var different: [String] = []
        for group in try groups() {
            let found = try await fingerprint(of: group.load, progress)
            guard found != group.expected else { continue }
            let rows =
                found.rows == group.expected.rows
                ? "its rows differ" : "it has \(found.rows) rows, not \(group.expected.rows)"
            different.append("table \(group.load.place) is not as in the backup: \(rows)")
        }
        return different
    }

    /// The tables that are read; those that kept rows of their own cannot be compared.
    var tables: [TableRecord] {
        plan.tables.filter { record in
            plan.target.tables[record.tableName].map {
                !keepsRows || $0.treatment != .append
            } ?? false
        }
    }

    private func groups() throws -> [Group] {
        var groups: [TableName: Group] = [:]
        for record in tables {
            let load = plan.load(of: record)
            groups[load.place, default: Group(load: load)].expected +=
                try record.fingerprint.numbers()
        }
        return groups.values.sorted { $0.expected.rows > $1.expected.rows }
    }

    private func fingerprint(
        of load: TableLoad, _ progress: OperationProgress
    ) async throws -> Fingerprint {
        let parts = try await target.parts(of: load)
        return try await withThrowingTaskGroup(of: Fingerprint.self) { group in
            var sum = Fingerprint()
            for (index, part) in parts.enumerated() {
                if index >= connections { sum += try await group.next() ?? Fingerprint() }
                group.addTask {
                    let found = Exclusive(Fingerprint())
                    try await target.read(part) { batch in
                        try Task.checkCancellation()
                        found.withValue { $0 += batch.fingerprint(seed: seed) }
                        progress.add(rows: batch.count, bytes: batch.bytes.count)
                    }
                    return found.withValue { $0 }
                }
            }
            return try await group.reduce(into: sum) { $0 += $1 }
        }
    }
}
