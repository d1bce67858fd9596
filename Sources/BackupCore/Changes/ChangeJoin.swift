import Packing

/// Joins the rows that a table had at the parent with those that it has now.
///
/// Symmetric and streaming: both sides come in roughly the same order, part by part, and each side
/// parks what has not yet met its partner. Right in any order; with a similar order its memory is the
/// number of changes. Past the budget live rows are parked in temporary files, and where the order is
/// another one both sides go there, parted by key, and are joined part by part.
actor ChangeJoin {
    /// What became of the rows.
    struct Outcome: Sendable {
        /// The table as it is now.
        var fingerprint = Fingerprint()
        /// Keys of new rows: none of these may have been the parent's.
        var inserted = DigestSet()
        /// Keys of rows that have other values.
        var updated = DigestSet()
        /// Keys of the parent's rows that are gone.
        var deleted = DigestSet()
        /// Rows that changed although the source did not mark them.
        var unmarkedChanges = 0
        /// Live rows that neither the parent had nor the source showed.
        var unknown = UnknownKeys()
        /// How many rows the parent's own layers hold.
        var overlay = 0
    }

    /// Keys of rows that nobody has shown, as CSV records without line ends: so many that they can be
    /// fetched one by one, and the number of all of them.
    struct UnknownKeys: Sendable {
        private static let most = 10_000

        private(set) var count = 0
        private(set) var keys: [[UInt8]] = []

        mutating func add(_ key: ArraySlice<UInt8>) {
            count += 1
            if keys.count < Self.most { keys.append(Array(key)) }
        }
    }

    /// Two rows of the parent have one key: a unique index of its source was broken.
    struct KeyTwiceInParent: Error {}

    private let old: any KeySource
    private let table: TableName
    private let byParts: Bool
    private let budget: Int
    /// How many rows of the parent may wait: half of the budget.
    private let mostWaiting: Int
    /// How many may have been read ahead in other parts: a quarter.
    private let mostAhead: Int
    private let emit: @Sendable (ArraySlice<UInt8>) async throws -> Void
    private let order = Turnstile(permits: 1)

    private var lanes: [Int: ParentLane] = [:]
    private var ahead = 0
    private var oldIsDone = false
    /// Keys and hashes of the parent that no live row has had yet, and that are not in a lane any more.
    private var waiting = DigestTable<UInt64>()
    /// Live rows whose partner was not at hand.
    private var parked = ParkedRows()
    private var spill: ChangeSpill?
    /// Whether the parent's rows go to files too, and are joined part by part.
    private var spillsOld = false
    private var outcome = Outcome()

    /// A join with what the parent had.
    ///
    /// `byParts`: Whether the live rows come in the parts in which the parent's were read.
    /// `budget`: About how many bytes may be held in memory.
    /// `emit`: Takes each new or changed record, with its line end.
    init(
        _ old: any KeySource, table: TableName, byParts: Bool, budget: Int,
        emit: @escaping @Sendable (ArraySlice<UInt8>) async throws -> Void
    ) {
        self.old = old
        self.table = table
        self.byParts = byParts && old.hasParts
        self.budget = budget
        mostWaiting = budget / 2 / DigestTable<UInt64>.bytesPerEntry
        mostAhead = budget / 4 / ParentLane.bytesPerRow
        self.emit = emit
    }

    // MARK: Live rows

    /// Takes some live rows of a part, in any order.
    ///
    /// HOT PATH: an unchanged row whose partner is at hand costs no more than this loop.
    func take(_ live: LiveRows, part: Int) async throws {
        try await order.pass {
            let lane = lane(byParts ? part : 0)
            for row in live.rows {
                if spillsOld {
                    try park(row, live)
                    continue
                }
                var partner = lane.take(row.digest)
                if partner != nil {
                    ahead -= 1
                    lane.misses = 0
                } else {
                    partner = waiting.remove(row.digest)
                }
                if partner == nil { partner = try await partnerAhead(row.digest, lane) }
                guard let hash = partner else {
                    try park(row, live)
                    continue
                }
                if row.isShown, row.hash != hash {
                    try await update(
                        row.digest, row.hash, live.bytes[row.record], isMarked: row.isMarked)
                } else {
                    outcome.fingerprint.add(rowHash: hash)
                }
            }
        }
    }

    /// Takes some live rows that are in no order.
    func takeUnordered(_ live: LiveRows) async throws {
        try await order.pass {
            for row in live.rows { try park(row, live) }
        }
    }

    /// Says that a part has no more live rows: what is left of it in the parent has gone elsewhere.
    func end(part: Int) async throws {
        guard byParts else { return }
        try await order.pass {
            let lane = lane(part)
            lane.isOver = true
            try wait(for: lane, count: lane.count)
        }
    }

    private func lane(_ part: Int) -> ParentLane {
        if let lane = lanes[part] { return lane }
        let lane = ParentLane()
        lanes[part] = lane
        return lane
    }

    /// The hash that the row of this key had, if it is one of the next in its part.
    ///
    /// Rows that are skipped, because they are gone or come later, wait. Where nothing fits for a
    /// while, the lane moves on all the same: many rows may be gone at one place.
    private func partnerAhead(_ digest: KeyDigest, _ lane: ParentLane) async throws -> UInt64? {
        while lane.count == 0 {
            guard ahead < mostAhead, try await readBlock() else { return nil }
            // It may be what waits already.
            if let hash = waiting.remove(digest) { return hash }
        }
        if let distance = lane.distance(to: digest, within: Self.nearby) {
            try wait(for: lane, count: distance)
            // Unless just now everything went to files.
            guard let hash = lane.take(digest) else { return nil }
            ahead -= 1
            lane.misses = 0
            return hash
        }
        lane.misses += 1
        if lane.misses > Self.patience { try wait(for: lane, count: Self.nearby) }
        return nil
    }

    /// How far a lane is searched, and how many rows may be missed before it moves on.
    private static let nearby = 256
    private static let patience = 16

    /// Reads on in the parent; false at its end.
    private func readBlock() async throws -> Bool {
        guard !oldIsDone, let block = try await old.next() else {
            oldIsDone = true
            return false
        }
        guard !block.isOverlay else {
            // In no order, and as many as there are changes.
            outcome.overlay += block.count
            for index in 0..<block.count {
                try hold(block.digests[index], block.hashes[index])
            }
            return true
        }
        let lane = lane(byParts ? block.part : 0)
        lane.append(block)
        ahead += block.count
        if lane.isOver { try wait(for: lane, count: lane.count) }
        return true
    }

    /// The next rows of a lane have no partner for now.
    private func wait(for lane: ParentLane, count: Int) throws {
        for _ in 0..<min(count, lane.count) {
            let (key, hash) = lane.next()
            ahead -= 1
            try hold(key, hash)
        }
        if waiting.count > mostWaiting + outcome.overlay { try beginSpillingOld() }
    }

    private func hold(_ key: KeyDigest, _ hash: UInt64) throws {
        if let spill, spillsOld {
            try spill.add(old: key, hash: hash)
            return
        }
        guard waiting.insert(key, hash) else { throw KeyTwiceInParent() }
    }

    private func update(
        _ key: KeyDigest, _ hash: UInt64, _ record: ArraySlice<UInt8>, isMarked: Bool
    ) async throws {
        guard !outcome.inserted.contains(key), outcome.updated.insert(key) else {
            throw Self.twoRows(of: table)
        }
        if !isMarked { outcome.unmarkedChanges += 1 }
        outcome.fingerprint.add(rowHash: hash)
        try await emit(record)
    }

    private func insert(
        _ key: KeyDigest, _ hash: UInt64, isMarked: Bool, _ record: ArraySlice<UInt8>,
        unknown: ArraySlice<UInt8>
    ) async throws {
        guard !record.isEmpty else {
            outcome.unknown.add(unknown)
            return
        }
        guard !outcome.updated.contains(key), outcome.inserted.insert(key) else {
            throw Self.twoRows(of: table)
        }
        if !isMarked { outcome.unmarkedChanges += 1 }
        outcome.fingerprint.add(rowHash: hash)
        try await emit(record)
    }

    static func twoRows(of table: TableName) -> BackupError {
        BackupError(
            .sourceChanged, "two rows of \(table) have the same key: its index is damaged",
            hint: "REINDEX the table's key; remove the row that should not be there first.")
    }

    // MARK: The end

    /// Says that there are no more live rows; what became of all of them.
    ///
    /// - Throws: `KeyTwiceInParent` where that is seen: not always, which is why `ChangedKeys` looks again.
    func finish() async throws -> Outcome {
        try await order.pass {
            repeat {
                for lane in lanes.values { try wait(for: lane, count: lane.count) }
            } while try await readBlock()
            if let spill {
                for part in 0..<ChangeSpill.parts {
                    try Task.checkCancellation()
                    try await join(part, of: spill)
                }
            }
            let rows = parked
            parked = ParkedRows()
            for row in rows.live.rows {
                try await join(row, rows.live.bytes[row.record], rows.live.bytes[row.key])
            }
            waiting.forEach { digest, _ in outcome.deleted.insert(digest) }
            return outcome
        }
    }

    /// A row that was parked, once everything that the parent has of its part is waiting.
    private func join(
        _ row: LiveRows.Row, _ record: ArraySlice<UInt8>, _ key: ArraySlice<UInt8>
    ) async throws {
        guard let hash = waiting.remove(row.digest) else {
            try await insert(
                row.digest, row.hash, isMarked: row.isMarked, record, unknown: key)
            return
        }
        if record.isEmpty || row.hash == hash {
            outcome.fingerprint.add(rowHash: hash)
        } else {
            try await update(row.digest, row.hash, record, isMarked: row.isMarked)
        }
    }

    // MARK: Past the budget

    private func park(_ row: LiveRows.Row, _ live: LiveRows) throws {
        // Looked at before: a huge row need not be copied on its way to a file.
        if spill == nil, parked.byteCount + row.record.count >= budget / 16 { try beginSpilling() }
        if let spill {
            try spill.add(row, of: live)
        } else {
            parked.append(row, of: live)
        }
    }

    /// From now on live rows are parked in files.
    @discardableResult
    private func beginSpilling() throws -> ChangeSpill {
        if let spill { return spill }
        let spill = ChangeSpill()
        let rows = parked
        parked = ParkedRows()
        for row in rows.live.rows { try spill.add(row, of: rows.live) }
        self.spill = spill
        return spill
    }

    /// From now on both sides go to files: they are in different orders.
    private func beginSpillingOld() throws {
        let spill = try beginSpilling()
        var rest: [(KeyDigest, UInt64)] = []
        rest.reserveCapacity(waiting.count)
        waiting.forEach { rest.append(($0, $1)) }
        waiting = DigestTable<UInt64>()
        spillsOld = true
        for (digest, hash) in rest { try spill.add(old: digest, hash: hash) }
        for lane in lanes.values { try wait(for: lane, count: lane.count) }
    }

    /// Joins one part of the files in memory: its keys are in no other.
    private func join(_ part: Int, of spill: ChangeSpill) async throws {
        if spillsOld { waiting = try spill.oldRows(ofPart: part) }
        let rows = try spill.liveRows(ofPart: part)
        while let (row, record, key) = try rows.next() {
            let row = LiveRows.Row(
                digest: row.digest, hash: row.hash, isMarked: row.isMarked, key: 0..<0,
                record: 0..<0)
            try await join(row, record, key)
        }
        guard spillsOld else { return }
        waiting.forEach { digest, _ in outcome.deleted.insert(digest) }
        waiting = DigestTable<UInt64>()
    }
}

/// Live rows that wait, one after another.
struct ParkedRows {
    private(set) var live = LiveRows(bytes: [], rows: [])

    var byteCount: Int { live.bytes.count + live.rows.count * MemoryLayout<LiveRows.Row>.stride }

    mutating func append(_ row: LiveRows.Row, of other: LiveRows) {
        let key = row.isShown ? row.key.lowerBound..<row.key.lowerBound : row.key
        let start = live.bytes.count
        live.bytes.append(contentsOf: other.bytes[row.record])
        let middle = live.bytes.count
        live.bytes.append(contentsOf: other.bytes[key])
        live.rows.append(
            LiveRows.Row(
                digest: row.digest, hash: row.hash, isMarked: row.isMarked,
                key: middle..<live.bytes.count, record: start..<middle))
    }
}
