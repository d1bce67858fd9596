import Packing

/// Which keys of a table differ between two points: from row indexes alone, no row is read.
struct KeyDiff: Sendable {
    let old: PointReader
    let new: PointReader

    /// About how much a join may hold in memory before it goes to files.
    private static let joinBytes = 96 << 20

    /// What was found.
    struct Difference: Sendable {
        var added = DigestSet()
        var changed = DigestSet()
        var deleted = DigestSet()

        var isEmpty: Bool { added.count + changed.count + deleted.count == 0 }
    }

    /// Compares a table that has the same columns and the same key at both points.
    func run(
        from before: TableRecord, to after: TableRecord, _ progress: OperationProgress
    ) async throws -> Difference {
        guard
            let oldFloor = try old.chain.layers(of: before).last,
            let newFloor = try new.chain.layers(of: after).last
        else { return Difference() }
        if oldFloor.point.id == newFloor.point.id, oldFloor.record.sha256 == newFloor.record.sha256
        {
            return try await overlaid(before, after, over: newFloor, progress)
        }
        let byParts =
            oldFloor.record.split != nil && oldFloor.record.split == newFloor.record.split
        return try await joined(before, after, byParts: byParts, progress)
    }

    // MARK: Over the same rows

    /// Two points that rest on the same rows differ at most where a layer over these says something.
    private func overlaid(
        _ before: TableRecord, _ after: TableRecord, over floor: TableLayer,
        _ progress: OperationProgress
    ) async throws -> Difference {
        let was = try await old.overlay(of: before)
        let now = try await new.overlay(of: after)
        var filter = DigestFilter(count: was.count + now.count)
        for overlay in [was, now] {
            filter.formUnion(overlay.rows)
            filter.formUnion(overlay.gone)
        }
        let reader = try new.below(to: floor.point)
        let parent = TableParent(reader: reader, record: floor.record)
        let below = try await parent.withKeys(note: { progress.note($0) }) { [filter] keys in
            var below = DigestTable<UInt64>()
            while let block = try await keys.next() {
                try Task.checkCancellation()
                for (index, digest) in block.digests.enumerated()
                where filter.mayContain(digest)
                    && (was.contains(digest) || now.contains(digest))
                {
                    below.insert(digest, block.hashes[index])
                }
                add(block, of: floor.record, to: progress)
            }
            return below
        }
        var found = Difference()
        func compare(_ digest: KeyDigest) {
            let old = was.hash(of: digest, over: below)
            let new = now.hash(of: digest, over: below)
            switch (old, new) {
            case (nil, _?): found.added.insert(digest)
            case (_?, nil): found.deleted.insert(digest)
            case (let old?, let new?) where old != new: found.changed.insert(digest)
            default: break
            }
        }
        was.forEachKey(compare)
        now.forEachKey { if !was.contains($0) { compare($0) } }
        return found
    }

    // MARK: Over different rows

    private func joined(
        _ before: TableRecord, _ after: TableRecord, byParts: Bool, _ progress: OperationProgress
    ) async throws -> Difference {
        let (oldParent, newParent) = (
            TableParent(reader: old, record: before), TableParent(reader: new, record: after)
        )
        return try await oldParent.withKeys(note: { progress.note($0) }) { oldKeys in
            try await newParent.withKeys(note: { progress.note($0) }) { newKeys in
                let join = ChangeJoin(
                    oldKeys, table: after.tableName, byParts: byParts && newKeys.hasParts,
                    budget: Self.joinBytes
                ) { _ in }
                while let block = try await newKeys.next() {
                    try Task.checkCancellation()
                    let rows = LiveRows(keysOf: block)
                    if block.isOverlay {
                        try await join.takeUnordered(rows)
                    } else {
                        try await join.take(rows, part: block.part)
                    }
                    add(block, of: after, to: progress)
                }
                let outcome = try await join.finish()
                return Difference(
                    added: outcome.inserted, changed: outcome.updated, deleted: outcome.deleted)
            }
        }
    }

    private func add(_ block: KeyBlock, of record: TableRecord, to progress: OperationProgress) {
        let share = Double(block.count) / Double(max(1, record.fingerprint.rows))
        progress.add(rows: block.count, bytes: Int(Double(record.csvBytes) * share))
    }
}

/// What the layers of a point say over the rows that they rest on.
struct TableOverlay: Sendable {
    /// The hashes of rows.
    var rows = DigestTable<UInt64>()
    /// The keys of tombstones that no newer row has.
    var gone = DigestSet()

    var count: Int { rows.count + gone.count }

    /// Whether the layers say anything about a key.
    func contains(_ digest: KeyDigest) -> Bool {
        rows[digest] != nil || gone.contains(digest)
    }

    func forEachKey(_ body: (KeyDigest) -> Void) {
        rows.forEach { digest, _ in body(digest) }
        gone.forEach { digest in body(digest) }
    }

    /// The hash of the row of a key; nil when there is none.
    func hash(of digest: KeyDigest, over below: DigestTable<UInt64>) -> UInt64? {
        rows[digest] ?? (gone.contains(digest) ? nil : below[digest])
    }
}

extension LiveRows {
    /// Rows of which only the keys are known: these stand for the records.
    init(keysOf block: KeyBlock) {
        var start = 0
        rows = block.keyEnds.enumerated().map { index, end in
            defer { start = end }
            return Row(
                digest: block.digests[index], hash: block.hashes[index], isMarked: true,
                key: start..<end, record: start..<end)
        }
        bytes = block.keys
    }
}
