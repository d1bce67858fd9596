/// Reads restored rows back and compares their fingerprints with the backup's.
struct ReadBack {
    let plan: RestorePlan
    let reader: PointReader
    let target: any Target
    let connections: Int
    /// Whether tables that existed have kept rows of their own, and so cannot be compared.
    let keepsRows: Bool
    let scope: Scope

    /// Which tables are read back.
    enum Scope {
        case everything
        /// What an interrupted run had loaded into tables that it had made: somebody may have changed it since. What may not be
        /// read keeps nobody from going on.
        case loadedBefore
    }

    /// What came of it.
    struct Result {
        /// The tables that differ, in words.
        var differences: [String] = []
        /// The tables that could not be read, in words.
        var unread: [String] = []
    }

    /// Tables that are compared as one: rows of hash partitions may be in another one elsewhere.
    private struct Group {
        let load: TableLoad
        var records: [TableRecord] = []

        var rows: Int { records.reduce(0) { $0 + $1.fingerprint.rows } }
    }

    func run(_ progress: OperationProgress) async throws -> Result {
        var result = Result()
        for group in groups() {
            let expected = try await expected(of: group)
            let found: Fingerprint
            do {
                found = try await fingerprint(of: group.load, progress)
            } catch let error as BackupError
                where scope == .loadedBefore && error.code == .permissionDenied
            {
                // The interrupted run may have come as far as policies and grants that keep even its own role from reading.
                result.unread.append(
                    "table \(group.load.place), which was loaded before the interruption, cannot be read back: \(error.message)"
                )
                continue
            }
            guard found != expected else { continue }
            let rows =
                found.rows == expected.rows
                ? "its rows differ" : "it has \(found.rows) rows, not \(expected.rows)"
            result.differences.append(
                "table \(group.load.place) is not as in the backup: \(rows)" + explanation)
        }
        return result
    }

    private var explanation: String {
        scope == .loadedBefore
            ? "; it was loaded before the interruption, and somebody has changed it since" : ""
    }

    /// The tables that are read; those that kept rows of their own, or were to get others, cannot be compared.
    var tables: [TableRecord] {
        let comparable = plan.tables.filter { record in
            guard !plan.target.changed.contains(record.tableName) else { return false }
            return plan.target.tables[record.tableName].map {
                !keepsRows || $0.treatment != .append
            } ?? false
        }
        guard scope == .loadedBefore else { return comparable }
        // What went through one table lies together, whenever it came.
        let before = plan.target.tables.values.filter { $0.isLoaded && $0.treatment != .append }
        let places = Set(before.map(\.load.place))
        return comparable.filter { places.contains(plan.load(of: $0).place) }
    }

    private func groups() -> [Group] {
        var groups: [TableName: Group] = [:]
        for record in tables {
            let load = plan.load(of: record)
            groups[load.place, default: Group(load: load)].records.append(record)
        }
        return groups.values.sorted { $0.rows > $1.rows }
    }

    /// What the backup has, its fields in the order in which they are read back.
    private func expected(of group: Group) async throws -> Fingerprint {
        var sum = Fingerprint()
        for record in group.records {
            let own = plan.load(of: record).columns
            let positions = group.load.columns.compactMap { name in
                own.firstIndex { $0.isExactly(name) }
            }
            // A partition may have its columns in another order than the one beside it.
            let found =
                positions == Array(own.indices)
                ? try record.fingerprint.numbers()
                : try await fingerprint(of: record, fields: positions)
            sum += found
        }
        return sum
    }

    /// A fingerprint holds for one order of fields: for another one the backup's rows are read again.
    private func fingerprint(
        of record: TableRecord, fields positions: [Int]
    ) async throws -> Fingerprint {
        try await reader.withRows(of: record, proving: .rows) { rows in
            var fields = KeyReader(positions: positions)
            var sum = Fingerprint()
            while let batch = try await rows.next() {
                try Task.checkCancellation()
                sum += batch.selecting(&fields).fingerprint(seed: reader.seed)
            }
            return sum
        }
    }

    private func fingerprint(
        of load: TableLoad, _ progress: OperationProgress
    ) async throws -> Fingerprint {
        let seed = reader.seed
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

extension RowBatch {
    /// The same rows, of each the fields that are read.
    fileprivate func selecting(_ fields: inout KeyReader) -> RowBatch {
        var selected = RowBatch()
        bytes.withUnsafeBytes { bytes in
            var start = 0
            for end in ends {
                let record = UnsafeRawBufferPointer(rebasing: bytes[start..<(end - 1)])
                fields.appendKey(of: record, to: &selected.bytes)
                selected.bytes.append(CSVDialect.lineEnd)
                selected.ends.append(selected.bytes.count)
                start = end
            }
        }
        return selected
    }
}
