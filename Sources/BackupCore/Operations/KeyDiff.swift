import Packing

/// Which keys of a table differ between two points: from row indexes alone, no row is read.
struct KeyDiff: Sendable {
    let old: PointReader
    let new: PointReader
    /// Whether somebody asks which keys differ, not only how many.
    let namesKeys: Bool

    /// About how much a join may hold in memory before it goes to files.
    private static let joinBytes = 96 << 20

    /// What was found.
    struct Difference: Sendable {
        var added: Keys
        var changed: Keys
        var deleted: Keys

        var isEmpty: Bool { added.count + changed.count + deleted.count == 0 }
    }

    /// Keys that differ in one way.
    struct Keys: Sendable {
        private(set) var count = 0
        /// Nil where only their number is wanted.
        private var digests: DigestSet?

        init(named isNamed: Bool) { digests = isNamed ? DigestSet() : nil }

        init(_ digests: DigestSet) { (count, self.digests) = (digests.count, digests) }

        mutating func insert(_ digest: KeyDigest) {
            count += 1
            digests?.insert(digest)
        }

        func contains(_ digest: KeyDigest) -> Bool { digests?.contains(digest) == true }
    }

    private var nothing: Difference {
        let none = Keys(named: namesKeys)
        return Difference(added: none, changed: none, deleted: none)
    }

    /// Compares a table that has the same columns and the same key at both points.
    func run(
        from before: TableRecord, to after: TableRecord, _ progress: OperationProgress
    ) async throws -> Difference {
        guard
            let oldFloor = try old.chain.layers(of: before).last,
            let newFloor = try new.chain.layers(of: after).last
        else { return nothing }
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
    ///
    /// Keys are decided, and forgotten, as they come in the row index of these rows; the layers alone tell of those
    /// that are left.
    private func overlaid(
        _ before: TableRecord, _ after: TableRecord, over floor: TableLayer,
        _ progress: OperationProgress
    ) async throws -> Difference {
        let reader = try new.below(to: floor.point)
        let parent = TableParent(reader: reader, record: floor.record)
        return try await parent.withKeys(note: { progress.note($0) }) { [nothing] keys in
            var (was, now, found) = (
                try await old.overlay(of: before), try await new.overlay(of: after), nothing
            )
            var filter = DigestFilter(count: was.count + now.count)
            for overlay in [was, now] {
                filter.formUnion(overlay.rows)
                filter.formUnion(overlay.gone)
            }
            func decide(_ digest: KeyDigest, below: UInt64?) {
                let old = was.remove(digest, over: below)
                let new = now.remove(digest, over: below)
                switch (old, new) {
                case (nil, _?): found.added.insert(digest)
                case (_?, nil): found.deleted.insert(digest)
                case (let old?, let new?) where old != new: found.changed.insert(digest)
                default: break
                }
            }
            while let block = try await keys.next() {
                try Task.checkCancellation()
                for (index, digest) in block.digests.enumerated() where filter.mayContain(digest) {
                    if was.contains(digest) || now.contains(digest) {
                        decide(digest, below: block.hashes[index])
                    }
                }
                add(block, of: floor.record, to: progress)
            }
            for digest in was.keys { decide(digest, below: nil) }
            for digest in now.keys { decide(digest, below: nil) }
            return found
        }
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
                    added: Keys(outcome.inserted), changed: Keys(outcome.updated),
                    deleted: Keys(outcome.deleted))
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

    /// All keys that the layers say something about.
    var keys: [KeyDigest] {
        var keys: [KeyDigest] = []
        keys.reserveCapacity(count)
        rows.forEach { digest, _ in keys.append(digest) }
        gone.forEach { keys.append($0) }
        return keys
    }

    /// Forgets a key; the hash of its row, nil when there is none.
    ///
    /// `below`: The hash of the row that the layers rest on, where there is one.
    mutating func remove(_ digest: KeyDigest, over below: UInt64?) -> UInt64? {
        if let hash = rows.remove(digest) { return hash }
        return gone.take(digest) ? nil : below
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
