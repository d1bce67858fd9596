import Packing

/// Writes what changed in one table since the parent point.
struct TableChanges: Sendable {
    let snapshot: any Snapshot
    let folder: BackupFolder
    let plan: BackupPlan
    let layer: LayerPlan
    let parent: PointReader
    let connections: Int
    let progress: OperationProgress

    /// About how much a join may hold in memory before it goes to files: a million rows of the parent
    /// that wait for theirs, and 24 MB of live rows.
    static let budget = 72 << 20

    /// What was found of a table.
    private struct Found {
        var outcome: ChangeJoin.Outcome
        var rows: WrittenFile?
        var tombstones: WrittenFile?
    }

    /// Earlier points have missed something.
    struct ChainIsWrong: Error {
        let table: TableName
        let rows: Int
    }

    /// Most rows are gone: the rest is less than the tombstones.
    private struct MostIsGone: Error {}

    /// - Returns: Nil when the table is better taken whole, for that reason.
    /// - Throws: `ChainIsWrong`; `BackupError`.
    func write(
        _ table: Table, since record: TableRecord, by basis: Basis, _ treatment: TableTreatment
    ) async throws -> (record: TableRecord?, reason: String) {
        var (basis, reason) = (basis, treatment.reason)
        var selection = selection(of: table, by: basis, treatment)
        if case .impossible(let why) = selection {
            (basis, reason) = (.compare, why)
            selection = .parts(snapshot.parts(of: table), plain(table))
        }
        guard case .parts(let parts, let format) = selection else { return (nil, reason) }
        do {
            var found = try await find(table, record, parts, format)
            if !found.outcome.unknown.isEmpty {
                // Never with row versions that hold: then nothing of them is believed.
                let count = found.outcome.unknown.count
                reason = "\(count) live rows were neither in the parent nor marked as new"
                progress.note("warning: \(table.name) is compared: \(reason)")
                basis = .compare
                found = try await find(table, record, snapshot.parts(of: table), plain(table))
            }
            guard found.outcome.unmarkedChanges == 0 else {
                throw ChainIsWrong(table: table.name, rows: found.outcome.unmarkedChanges)
            }
            return (self.record(of: table, found, since: record, basis, reason), reason)
        } catch is MostIsGone {
            return (nil, "most of its rows are gone")
        }
    }

    // MARK: What is read

    /// What is read of a table, and what its records are.
    private enum Selection {
        case parts([TablePart], LiveFormat)
        case impossible(String)
    }

    /// Rows that are compared are marked too where a point is measured: that finds what earlier
    /// points have missed.
    private func selection(
        of table: Table, by basis: Basis, _ treatment: TableTreatment
    ) -> Selection {
        let isMarked = basis == .xmin || treatment.provesVersions
        guard isMarked else { return .parts(snapshot.parts(of: table), plain(table)) }
        let showsAll = basis == .compare
        switch snapshot.markedParts(of: table, since: layer.identity, showsAll: showsAll) {
        case .parts(let parts):
            return .parts(parts, .marked(keyFields: table.key.count, showsAll: showsAll))
        case .impossible(let reason):
            guard basis == .compare else { return .impossible(reason) }
            return .parts(snapshot.parts(of: table), plain(table))
        }
    }

    private func plain(_ table: Table) -> LiveFormat { .rows(keyPositions: table.keyPositions) }

    // MARK: The join

    private func find(
        _ table: Table, _ record: TableRecord, _ parts: [TablePart], _ format: LiveFormat
    ) async throws -> Found {
        let parent = TableParent(reader: parent, record: record)
        return try await parent.withKeys(note: { progress.note($0) }) { keys in
            let name = plan.fileNames[table.name] ?? ""
            let box = Exclusive<ChangeJoin.Outcome?>(nil)
            let rows = try await folder.writeRecords(
                RepositoryLayout.changesFile(name, packing: plan.packing),
                columns: table.storedColumns.map(\.name), packing: plan.packing,
                seed: plan.hashSeed
            ) { file in
                let join = ChangeJoin(keys, table: table.name, budget: Self.budget) { record, _ in
                    try await file.append(record)
                }
                try await read(table, parts, format, into: join)
                let outcome = try await join.finish()
                guard outcome.deleted.count <= max(Self.fewRows, record.fingerprint.rows / 2) else {
                    throw MostIsGone()
                }
                box.withValue { $0 = outcome }
            }
            guard let outcome = box.withValue({ $0 }) else {
                preconditionFailure("a storage did not run its body")
            }
            let tombstones = try await writeTombstones(outcome, table, parent, name)
            return Found(outcome: outcome, rows: rows, tombstones: tombstones)
        }
    }

    /// So few tombstones are always fewer than too many.
    private static let fewRows = 1000

    private func read(
        _ table: Table, _ parts: [TablePart], _ format: LiveFormat, into join: ChangeJoin
    ) async throws {
        let estimate = table.estimatedBytes / max(1, parts.count)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, part) in parts.enumerated() {
                // Bounded: a table can have more parts than tasks should wait for a connection.
                if index > connections { try await group.next() }
                group.addTask {
                    let reader = Exclusive(LiveReader(format, seed: plan.hashSeed))
                    let bytes = Exclusive(0)
                    try await snapshot.read(part) { batch in
                        let live = reader.withValue { $0.rows(of: batch) }
                        try await join.take(live)
                        progress.add(rows: batch.count, bytes: batch.bytes.count)
                        bytes.withValue { $0 += batch.bytes.count }
                    }
                    // Keys alone are less than what the server stores.
                    progress.correctTotal(by: bytes.withValue { $0 } - estimate)
                }
            }
            try await group.waitForAll()
        }
    }

    /// The keys of rows that are gone, in the parent's order.
    ///
    /// On the way it is proven that no new row has a key that the parent had.
    private func writeTombstones(
        _ outcome: ChangeJoin.Outcome, _ table: Table, _ parent: TableParent, _ name: String
    ) async throws -> WrittenFile? {
        guard outcome.deleted.count + outcome.insertedKeys.count > 0 else { return nil }
        return try await folder.writeRecords(
            RepositoryLayout.deletedFile(name, packing: plan.packing), columns: table.key,
            packing: plan.packing, seed: plan.hashSeed
        ) { file in
            try await parent.withKeys(note: { progress.note($0) }) { keys in
                while let block = try await keys.next() {
                    for (index, digest) in block.digests.enumerated() {
                        guard outcome.insertedKeys[digest] == nil else {
                            throw ChangeJoin.twoRows(of: table.name)
                        }
                        guard outcome.deleted[digest] != nil else { continue }
                        try await file.append(CSVDialect.record(ofKey: block.key(index))[...])
                    }
                }
            }
        }
    }

    // MARK: The record

    private func record(
        of table: Table, _ found: Found, since before: TableRecord, _ basis: Basis, _ reason: String
    ) -> TableRecord {
        let isUnchanged = found.rows == nil && found.tombstones == nil
        var record = TableRecord(
            table, mode: isUnchanged ? .unchanged : .changes,
            fingerprint: StoredFingerprint(found.outcome.fingerprint))
        record.basis = basis.rawValue
        record.reason = reason
        record.isDerived = basis == .compare ? nil : true
        record.file = found.rows?.name
        record.sha256 = found.rows?.sha256
        record.rows = found.rows?.rows ?? 0
        record.deletedFile = found.tombstones?.name
        record.deletedSHA256 = found.tombstones?.sha256
        record.tombstones = found.tombstones?.rows ?? 0
        let files = [found.rows, found.tombstones].compactMap(\.self)
        record.bytes = files.reduce(0) { $0 + $1.bytes }
        record.csvBytes = files.reduce(before.csvBytes) { $0 + $1.csvBytes }
        return record
    }
}

extension CSVDialect {
    /// A key as a record of its own; a lone `\.` would end the data for some readers.
    static func record(ofKey key: ArraySlice<UInt8>) -> [UInt8] {
        let endMark = Array("\\.".utf8)
        let record = key.elementsEqual(endMark) ? [quote] + endMark + [quote] : Array(key)
        return record + [lineEnd]
    }
}
