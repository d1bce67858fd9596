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

    /// How the live rows of a table are read, and why so.
    private struct Reading {
        let basis: Basis
        var reason: String
        /// What is read of each part: one after the other, as long as marked rows are missing.
        let parts: [[Piece]]
        /// What the column's values are read from; nil for every other basis.
        var from: String?
    }

    /// A selection, and what its records are.
    private struct Piece {
        let selection: TablePart
        let format: LiveFormat
    }

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

    /// Two readings of one part do not agree which rows may have changed.
    private struct MarksDisagree: Error {}

    /// Most rows are gone: the rest is less than the tombstones.
    private struct MostIsGone: Error {}

    /// - Returns: Nil when the table is better taken whole, for that reason.
    /// - Throws: `ChainIsWrong`; `BackupError`.
    func write(
        _ table: Table, since record: TableRecord, by basis: Basis, _ treatment: TableTreatment
    ) async throws -> (record: TableRecord?, reason: String) {
        // In the parts of the row index both sides are in the same order.
        let floor = try parent.chain.layers(of: record).last?.record
        var table = table
        let split = floor?.indexFile == nil ? nil : floor?.split
        if let split { table.split = snapshot.split(of: table, like: split) }
        let byParts = split == table.split
        var reading = try await reading(of: table, record, by: basis, treatment)
        do {
            var found: Found
            do {
                found = try await find(table, record, reading, byParts)
            } catch is MarksDisagree {
                let reason = "its row versions are older than the server's sessions can tell apart"
                progress.note("warning: \(table.name) is compared: \(reason)")
                reading = compared(table, because: reason)
                found = try await find(table, record, reading, byParts)
            }
            if found.outcome.unknown.count > 0 {
                // With row versions that hold: never. Then nothing of them is believed.
                let count = found.outcome.unknown.count
                let reason = "\(count) live rows were neither in the parent nor marked as new"
                progress.note("warning: \(table.name) is compared: \(reason)")
                reading = compared(table, because: reason)
                try await folder.remove(files(of: table))
                found = try await find(table, record, reading, byParts)
            }
            guard found.outcome.unmarkedChanges == 0 else {
                throw ChainIsWrong(table: table.name, rows: found.outcome.unmarkedChanges)
            }
            return (self.record(of: table, found, since: record, reading), reading.reason)
        } catch is MostIsGone {
            return (nil, "most of its rows are gone")
        } catch is ChangeJoin.KeyTwiceInParent {
            try await folder.remove(files(of: table))
            let reason = "two of its rows had the same key in \(parent.point.id)"
            progress.note(
                "warning: \(table.name) is written whole: \(reason): its index was damaged then")
            return (nil, reason)
        }
    }

    // MARK: What is read

    private func reading(
        of table: Table, _ record: TableRecord, by basis: Basis, _ treatment: TableTreatment
    ) async throws -> Reading {
        switch basis {
        case .compare:
            // Rows are marked too where a point is measured: that finds what earlier points missed.
            guard treatment.provesVersions,
                case .parts(let parts) = snapshot.rowsWithMarks(
                    of: table, by: .versions(since: layer.identity))
            else { return compared(table, because: treatment.reason) }
            let format = LiveFormat.marked(keyFields: table.key.count)
            return Reading(
                basis: .compare, reason: treatment.reason,
                parts: parts.map { [Piece(selection: $0, format: format)] })
        case .xmin:
            return marked(table, .versions(since: layer.identity), .xmin, treatment.reason)
        case .column:
            guard let column = layer.columns[table.name] else {
                preconditionFailure("a table without a column is not read by one")
            }
            switch try await bound(of: column, in: table, record) {
            case .impossible(let reason):
                return compared(table, because: reason)
            case .from(let value, _):
                var reading = marked(
                    table, .column(column, from: value), .column, treatment.reason)
                if reading.basis == .column { reading.from = value }
                return reading
            }
        }
    }

    private func compared(_ table: Table, because reason: String) -> Reading {
        let format = LiveFormat.rows(keyPositions: table.keyPositions)
        return Reading(
            basis: .compare, reason: reason,
            parts: snapshot.parts(of: table).map { [Piece(selection: $0, format: format)] })
    }

    private func marked(
        _ table: Table, _ mark: RowMark, _ basis: Basis, _ reason: String
    ) -> Reading {
        let format = LiveFormat.rows(keyPositions: table.keyPositions)
        return switch snapshot.markedParts(of: table, by: mark) {
        case .impossible(let reason): compared(table, because: reason)
        case .parts(let parts):
            Reading(
                basis: basis, reason: reason,
                parts: parts.map {
                    [
                        Piece(selection: $0.keys, format: .keys),
                        Piece(selection: $0.rows, format: format),
                    ]
                })
        }
    }

    /// From where on the column's values may be new; warns where the column cannot be trusted.
    private func bound(
        of column: ChangeColumn, in table: Table, _ record: TableRecord
    ) async throws -> ColumnBound {
        let before = parent.point.metadata
        let greatest = try await TableParent(reader: parent, record: record).maximum(of: column)
        guard let greatest, !greatest.isAncient else {
            return .impossible("\(column.column.name) had no values at \(before.id)")
        }
        guard case .column(let asked) = layer.basis else { return .impossible("nobody has asked") }
        let bound = try await snapshot.bound(
            of: column, maximum: greatest.text, overlap: asked.overlap,
            since: before.sourceIdentity, at: before.snapshotAt)
        guard case .from(_, let isAhead) = bound else { return bound }
        let upkeep = try await snapshot.upkeep(of: column.column, in: table)
        let doubts = [
            upkeep.isNullable ? "it may be NULL" : nil,
            isAhead ? "it has values in the future" : nil,
            Self.doubt(of: upkeep),
        ].compactMap(\.self)
        if !doubts.isEmpty {
            progress.note(
                "warning: \(table.name).\(column.column.name) may miss changes: "
                    + doubts.joined(separator: ", "))
        }
        return bound
    }

    private static func doubt(of upkeep: ColumnUpkeep) -> String? {
        guard !upkeep.isSetOnUpdate else { return nil }
        return upkeep.hasDefault
            ? "no trigger sets it when a row is updated" : "neither a default nor a trigger sets it"
    }

    // MARK: The join

    private func find(
        _ table: Table, _ record: TableRecord, _ reading: Reading, _ byParts: Bool
    ) async throws -> Found {
        let parent = TableParent(reader: parent, record: record)
        return try await parent.withKeys(note: { progress.note($0) }) { keys in
            let box = Exclusive<ChangeJoin.Outcome?>(nil)
            let rows = try await folder.writeRecords(
                files(of: table)[0], columns: table.storedColumns.map(\.name),
                packing: plan.packing,
                seed: plan.hashSeed
            ) { file in
                let join = ChangeJoin(
                    keys, table: table.name, byParts: byParts, budget: layer.joinBytes
                ) { try await file.append($0) }
                try await read(table, reading.parts, into: join)
                var outcome = try await join.finish()
                if reading.basis == .column {
                    try await fetchUnknown(&outcome, of: table) { try await file.append($0) }
                }
                guard outcome.deleted.count <= max(Self.fewRows, record.fingerprint.rows / 2) else {
                    throw MostIsGone()
                }
                box.withValue { $0 = outcome }
            }
            guard let outcome = box.withValue({ $0 }) else {
                preconditionFailure("a storage did not run its body")
            }
            let tombstones = try await writeTombstones(outcome, table, parent)
            return Found(outcome: outcome, rows: rows, tombstones: tombstones)
        }
    }

    /// Where new and changed rows are written to, and the keys of those that are gone.
    private func files(of table: Table) -> [String] {
        let name = plan.fileNames[table.name] ?? ""
        return [
            RepositoryLayout.changesFile(name, packing: plan.packing),
            RepositoryLayout.deletedFile(name, packing: plan.packing),
        ]
    }

    /// So few tombstones are always fewer than too many.
    private static let fewRows = 1000

    private func read(
        _ table: Table, _ parts: [[Piece]], into join: ChangeJoin
    ) async throws {
        let estimate = table.estimatedBytes / max(1, parts.count)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, pieces) in parts.enumerated() {
                // Bounded: a table can have more parts than tasks should wait for a connection.
                if index > connections { try await group.next() }
                group.addTask {
                    let bytes = Exclusive(0)
                    // Marked rows whose keys have been passed over, and which the next piece has.
                    var missing: Int?
                    for piece in pieces where missing != 0 {
                        let (count, expected) = (Exclusive(0), missing)
                        let reader = Exclusive(LiveReader(piece.format, seed: plan.hashSeed))
                        try await snapshot.read(piece.selection) { batch in
                            let read = count.withValue { count in
                                count += batch.count
                                return count
                            }
                            guard read <= expected ?? read else { throw MarksDisagree() }
                            for start in stride(
                                from: 0, to: batch.count, by: LiveReader.rowsAtOnce)
                            {
                                let live = reader.withValue { $0.rows(of: batch, from: start) }
                                try await join.take(live, part: index)
                            }
                            progress.add(rows: batch.count, bytes: batch.bytes.count)
                            bytes.withValue { $0 += batch.bytes.count }
                        }
                        guard expected == nil || expected == count.withValue({ $0 }) else {
                            throw MarksDisagree()
                        }
                        missing = reader.withValue { $0.passedMarked }
                    }
                    try await join.end(part: index)
                    // Keys alone are less than what the server stores.
                    progress.correctTotal(by: bytes.withValue { $0 } - estimate)
                }
            }
            try await group.waitForAll()
        }
    }

    /// Reads rows that the parent did not have although their column says that they are old.
    ///
    /// What cannot be fetched, or is too much, stays unknown.
    private func fetchUnknown(
        _ outcome: inout ChangeJoin.Outcome, of table: Table,
        emit: @escaping @Sendable (ArraySlice<UInt8>) async throws -> Void
    ) async throws {
        let unknown = outcome.unknown
        guard unknown.count > 0, unknown.keys.count == unknown.count else { return }
        var digests = DigestSet()
        for key in unknown.keys {
            let digest = key.withUnsafeBytes { KeyDigest($0, seed: plan.hashSeed) }
            guard digests.insert(digest) else { throw ChangeJoin.twoRows(of: table.name) }
        }
        let wanted = Exclusive(digests)
        let reader = Exclusive(
            LiveReader(.rows(keyPositions: table.keyPositions), seed: plan.hashSeed))
        let fetched = Exclusive<[(KeyDigest, UInt64)]>([])
        let keys = try unknown.keys.map { try CSVDialect.fields(of: $0).map { $0 ?? "" } }
        for part in snapshot.parts(of: table, keys: keys) {
            try await snapshot.read(part) { batch in
                let live = reader.withValue { $0.rows(of: batch, from: 0, count: batch.count) }
                for row in live.rows where wanted.withValue({ $0.take(row.digest) }) {
                    fetched.withValue { $0.append((row.digest, row.hash)) }
                    try await emit(live.bytes[row.record])
                }
            }
        }
        guard wanted.withValue({ $0.count }) == 0 else { return }
        for (digest, hash) in fetched.withValue({ $0 }) {
            guard !outcome.updated.contains(digest), outcome.inserted.insert(digest) else {
                throw ChangeJoin.twoRows(of: table.name)
            }
            outcome.fingerprint.add(rowHash: hash)
        }
        outcome.unknown = ChangeJoin.UnknownKeys()
    }

    /// The keys of rows that are gone, in the parent's order.
    ///
    /// On the way it is proven that no new row has a key that the parent had, and that the parent had each key that has
    /// changed once.
    private func writeTombstones(
        _ outcome: ChangeJoin.Outcome, _ table: Table, _ parent: TableParent
    ) async throws -> WrittenFile? {
        guard outcome.deleted.count + outcome.updated.count + outcome.inserted.count > 0 else {
            return nil
        }
        // A damaged index is noticed at its end: then the file is begun anew too.
        return try await parent.withKeys(note: { progress.note($0) }) { keys in
            try await folder.writeRecords(
                files(of: table)[1], columns: table.key, packing: plan.packing, seed: plan.hashSeed
            ) { file in
                var changed = ChangedKeys(outcome, of: table.name)
                while let block = try await keys.next() {
                    for (index, digest) in block.digests.enumerated() {
                        guard try changed.isGone(digest) else { continue }
                        try await file.append(CSVDialect.record(ofKey: block.key(index))[...])
                    }
                }
                try changed.finish()
            }
        }
    }

    // MARK: The record

    private func record(
        of table: Table, _ found: Found, since before: TableRecord, _ reading: Reading
    ) -> TableRecord {
        let isUnchanged = found.rows == nil && found.tombstones == nil
        var record = TableRecord(
            table, mode: isUnchanged ? .unchanged : .changes,
            fingerprint: StoredFingerprint(found.outcome.fingerprint))
        record.basis = reading.basis.rawValue
        record.reason = reading.reason
        record.basisColumn = reading.from.flatMap { _ in layer.columns[table.name]?.column.name }
        record.basisFrom = reading.from
        record.isDerived = reading.basis == .compare ? nil : true
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
