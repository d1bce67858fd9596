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
        let (oldLayers, newLayers) = try (
            old.chain.layers(of: before), new.chain.layers(of: after)
        )
        let common = zip(oldLayers.reversed(), newLayers.reversed()).prefix { old, new in
            old.point.id == new.point.id && old.record.sha256 == new.record.sha256
        }.count
        if common > 0 {
            return try await overlaid(
                oldLayers.dropLast(common), newLayers.dropLast(common),
                over: newLayers.suffix(common), of: after, progress)
        }
        let byParts =
            oldLayers.last?.record.split != nil
            && oldLayers.last?.record.split == newLayers.last?.record.split
        return try await joined(before, after, byParts: byParts, progress)
    }

    // MARK: Over the same rows

    /// Two points that rest on the same layers differ at most where a layer over these says something.
    ///
    /// Keys are decided, and forgotten, as they come in what both rest on: the newest layer first, the row index of all
    /// rows last. The layers of one point alone tell of those that are left.
    private func overlaid(
        _ oldLayers: ArraySlice<TableLayer>, _ newLayers: ArraySlice<TableLayer>,
        over common: ArraySlice<TableLayer>, of record: TableRecord, _ progress: OperationProgress
    ) async throws -> Difference {
        guard let floor = common.last, !(oldLayers.isEmpty && newLayers.isEmpty) else {
            return nothing
        }
        let reader = try new.below(to: floor.point)
        let parent = TableParent(reader: reader, record: floor.record)
        return try await parent.withKeys(note: { progress.note($0) }) { [nothing] keys in
            var undecided = try await UndecidedKeys(
                was: old.overlay(of: oldLayers), now: new.overlay(of: newLayers), found: nothing)
            for layer in common.dropLast() {
                try await new.statements(of: layer) { undecided.decide($0, below: $1) }
            }
            while let block = try await keys.next() {
                try Task.checkCancellation()
                for (index, digest) in block.digests.enumerated() {
                    undecided.decide(digest, below: block.hashes[index])
                }
                add(block, of: floor.record, to: progress)
            }
            return undecided.decideRest()
        }
    }

    // MARK: Over different rows

    /// - Throws: `BackupError.damaged` when the older point has two rows with one key.
    private func joined(
        _ before: TableRecord, _ after: TableRecord, byParts: Bool, _ progress: OperationProgress
    ) async throws -> Difference {
        do {
            do {
                return try await join(before, after, fromIndex: true, byParts, progress)
            } catch let error as BackupError where error.code == .damaged {
                // Both anew: the keys that one of them has given are gone.
                progress.note(
                    "warning: \(error.message); the rows of \(after.tableName) are read instead")
                return try await join(before, after, fromIndex: false, byParts, progress)
            }
        } catch is ChangeJoin.KeyTwiceInParent {
            throw BackupError(
                .damaged, "two rows of \(before.tableName) have the same key in \(old.point.id)")
        }
    }

    private func join(
        _ before: TableRecord, _ after: TableRecord, fromIndex usesIndex: Bool, _ byParts: Bool,
        _ progress: OperationProgress
    ) async throws -> Difference {
        try await old.withKeys(of: before, fromIndex: usesIndex) { oldKeys in
            try await new.withKeys(of: after, fromIndex: usesIndex) { newKeys in
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

/// The keys of which two points say something over what both rest on.
private struct UndecidedKeys {
    private var was: TableOverlay
    private var now: TableOverlay
    private var found: KeyDiff.Difference
    private let filter: DigestFilter

    init(was: TableOverlay, now: TableOverlay, found: KeyDiff.Difference) {
        (self.was, self.now, self.found) = (was, now, found)
        var filter = DigestFilter(count: was.count + now.count)
        for overlay in [was, now] {
            filter.formUnion(overlay.rows)
            filter.formUnion(overlay.gone)
        }
        self.filter = filter
    }

    /// Decides a key, unless that is done or nothing to do.
    ///
    /// HOT PATH: every key of a table passes here.
    ///
    /// `below`: The hash of the row that both rest on; nil where that is gone.
    @inline(__always)
    mutating func decide(_ digest: KeyDigest, below: UInt64?) {
        guard filter.mayContain(digest), was.contains(digest) || now.contains(digest) else {
            return
        }
        let old = was.remove(digest, over: below)
        let new = now.remove(digest, over: below)
        note(digest, old, new)
    }

    /// Decides the keys that are in nothing that both rest on.
    mutating func decideRest() -> KeyDiff.Difference {
        let (old, new) = (was, now)
        old.rows.forEach { digest, hash in note(digest, hash, new.rows[digest]) }
        new.rows.forEach { digest, hash in
            if old.rows[digest] == nil { note(digest, nil, hash) }
        }
        return found
    }

    private mutating func note(_ digest: KeyDigest, _ old: UInt64?, _ new: UInt64?) {
        switch (old, new) {
        case (nil, _?): found.added.insert(digest)
        case (_?, nil): found.deleted.insert(digest)
        case (let old?, let new?) where old != new: found.changed.insert(digest)
        default: break
        }
    }
}

/// What layers say over the rows that they rest on.
struct TableOverlay: Sendable {
    /// The hashes of rows.
    private(set) var rows = DigestTable<UInt64>()
    /// The keys of tombstones that no newer row has.
    private(set) var gone = DigestSet()

    var count: Int { rows.count + gone.count }

    /// Whether the layers say anything about a key.
    func contains(_ digest: KeyDigest) -> Bool {
        rows[digest] != nil || gone.contains(digest)
    }

    /// Adds what an older layer says of a key: nothing, where a newer one has said something.
    ///
    /// `hash`: Of its row; nil when that is gone.
    mutating func add(_ digest: KeyDigest, _ hash: UInt64?) {
        if let hash {
            if !gone.contains(digest) { rows.insert(digest, hash) }
        } else if rows[digest] == nil {
            gone.insert(digest)
        }
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
