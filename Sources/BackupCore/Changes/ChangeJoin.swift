import Packing

/// Joins the rows that a table had at the parent with those that it has now.
///
/// Symmetric and streaming: both sides come in roughly the same order, and each side parks what has
/// not yet met its partner. Right in any order; with a similar order its memory is the number of
/// changes. Past the budget both sides go to temporary files, parted by key, and are joined part by
/// part.
actor ChangeJoin {
    /// What became of the rows.
    struct Outcome: Sendable {
        /// The table as it is now.
        var fingerprint = Fingerprint()
        var inserted = 0
        var updated = 0
        /// Rows that changed although the source did not mark them.
        var unmarkedChanges = 0
        /// Live rows that neither the parent had nor the source showed.
        var unknown = UnknownKeys()
        /// Keys of the parent's rows that are gone.
        var deleted = DigestTable()
        /// Keys of new rows: none of them may have been the parent's.
        var insertedKeys = DigestTable()
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

    private struct Parked {
        let hash: UInt64
        let isMarked: Bool
        /// The record with its line end; empty when it is not shown.
        let record: [UInt8]
        /// The key, when the record is not shown.
        let key: [UInt8]
    }

    private let old: any KeySource
    private let table: TableName
    private let budget: Int
    /// How many rows of the parent may wait: two thirds of the budget.
    private let mostWaiting: Int
    private let emit: @Sendable (ArraySlice<UInt8>, _ isNew: Bool) async throws -> Void
    private let order = Turnstile(permits: 1)

    private var block = KeyBlock()
    private var position = 0
    private var oldIsDone = false
    /// Keys and hashes of the parent that no live row has had yet.
    private var waiting = DigestTable()
    private var parked: [KeyDigest: Parked] = [:]
    private var parkedBytes = 0
    /// Keys of rows that were written: a second row with one of them shows a damaged index.
    private var written = DigestTable()
    private var spill: ChangeSpill?
    private var outcome = Outcome()

    /// A join with what the parent had.
    ///
    /// `budget`: About how many bytes may be parked in memory.
    /// `emit`: Takes each new or changed record, with its line end, and whether it is new.
    init(
        _ old: any KeySource, table: TableName, budget: Int,
        emit: @escaping @Sendable (ArraySlice<UInt8>, _ isNew: Bool) async throws -> Void
    ) {
        self.old = old
        self.table = table
        self.budget = budget
        mostWaiting = budget / 3 * 2 / DigestTable.bytesPerEntry
        self.emit = emit
    }

    // MARK: Live rows

    /// Takes some live rows, in any order.
    ///
    /// HOT PATH: an unchanged row whose partner is at hand costs no more than this loop.
    func take(_ live: LiveRows) async throws {
        try await order.pass {
            for row in live.rows {
                if let spill {
                    try await spill.add(row, of: live)
                } else if let hash = partnerAtHand(row.digest) {
                    if row.isShown, row.hash != hash {
                        try await update(
                            row.digest, row.hash, live.bytes[row.record], isMarked: row.isMarked)
                    } else {
                        outcome.fingerprint.add(rowHash: hash)
                    }
                } else if let hash = try await partnerAhead(row.digest) {
                    try await match(row, live, was: hash)
                } else {
                    try await park(row, live)
                }
            }
        }
    }

    /// The hash that the row of this key had, if that is the next one or has been read already.
    @inline(__always)
    private func partnerAtHand(_ digest: KeyDigest) -> UInt64? {
        if position < block.count, block.digests[position] == digest {
            position += 1
            return block.hashes[position - 1]
        }
        return waiting.remove(digest)
    }

    /// Reads ahead on the parent's side until the key is found or enough is waiting.
    private func partnerAhead(_ digest: KeyDigest) async throws -> UInt64? {
        while waiting.count < mostWaiting {
            if position == block.count {
                guard try await nextBlock() else { return nil }
                continue
            }
            let (key, hash) = (block.digests[position], block.hashes[position])
            position += 1
            if key == digest { return hash }
            try await meet(key, hash)
        }
        return nil
    }

    /// A row of the parent finds its partner among the parked, or waits for it.
    private func meet(_ key: KeyDigest, _ hash: UInt64) async throws {
        if !parked.isEmpty, let row = parked.removeValue(forKey: key) {
            try await match(row, key, was: hash)
        } else {
            guard waiting.insert(key, hash) else {
                throw BackupError(.damaged, "\(table) has a key twice in its parent")
            }
        }
    }

    private func nextBlock() async throws -> Bool {
        guard !oldIsDone else { return false }
        guard let next = try await old.next() else {
            oldIsDone = true
            return false
        }
        (block, position) = (next, 0)
        return true
    }

    private func match(_ row: LiveRows.Row, _ live: LiveRows, was hash: UInt64) async throws {
        guard row.isShown, row.hash != hash else {
            outcome.fingerprint.add(rowHash: hash)
            return
        }
        try await update(row.digest, row.hash, live.bytes[row.record], isMarked: row.isMarked)
    }

    private func match(_ row: Parked, _ key: KeyDigest, was hash: UInt64) async throws {
        parkedBytes -= row.record.count + row.key.count + Self.parkedOverhead
        guard !row.record.isEmpty, row.hash != hash else {
            outcome.fingerprint.add(rowHash: hash)
            return
        }
        try await update(key, row.hash, row.record[...], isMarked: row.isMarked)
    }

    private func update(
        _ key: KeyDigest, _ hash: UInt64, _ record: ArraySlice<UInt8>, isMarked: Bool
    ) async throws {
        try write(key)
        outcome.updated += 1
        if !isMarked { outcome.unmarkedChanges += 1 }
        outcome.fingerprint.add(rowHash: hash)
        try await emit(record, false)
    }

    /// Bytes that a parked row takes beside its own.
    private static let parkedOverhead = 160

    private func park(_ row: LiveRows.Row, _ live: LiveRows) async throws {
        let key = row.isShown ? [] : Array(live.bytes[row.key])
        let before = parked.updateValue(
            Parked(
                hash: row.hash, isMarked: row.isMarked, record: Array(live.bytes[row.record]),
                key: key), forKey: row.digest)
        guard before == nil else { throw twoRows() }
        parkedBytes += row.record.count + key.count + Self.parkedOverhead
        if parkedBytes > budget / 3 { try await beginSpilling() }
    }

    private func write(_ key: KeyDigest) throws {
        guard written.insert(key, 0) else { throw twoRows() }
    }

    private func twoRows() -> BackupError { Self.twoRows(of: table) }

    static func twoRows(of table: TableName) -> BackupError {
        BackupError(
            .sourceChanged, "two rows of \(table) have the same key: its index is damaged",
            hint: "REINDEX the table's key; remove the row that should not be there first.")
    }

    // MARK: The end

    /// Says that there are no more live rows; what became of all of them.
    func finish() async throws -> Outcome {
        try await order.pass {
            while spill == nil {
                if position == block.count, try await !nextBlock() { break }
                try await settleRestOfBlock()
            }
            if let spill { return try await finish(spill) }
            try await settleParked()
            outcome.deleted = waiting
            return outcome
        }
    }

    /// What is left of the parent: rows that have been parked, and rows that are gone.
    private func settleRestOfBlock() async throws {
        while position < block.count {
            let (key, hash) = (block.digests[position], block.hashes[position])
            position += 1
            try await meet(key, hash)
        }
        if waiting.count > mostWaiting { try await beginSpilling() }
    }

    private func settleParked() async throws {
        for (key, row) in parked {
            try await insert(
                key, row.hash, isMarked: row.isMarked, row.record[...], unknown: row.key[...])
        }
        parked = [:]
    }

    private func insert(
        _ key: KeyDigest, _ hash: UInt64, isMarked: Bool, _ record: ArraySlice<UInt8>,
        unknown: ArraySlice<UInt8>
    ) async throws {
        guard !record.isEmpty else {
            outcome.unknown.add(unknown)
            return
        }
        try write(key)
        outcome.insertedKeys.insert(key, 0)
        outcome.inserted += 1
        if !isMarked { outcome.unmarkedChanges += 1 }
        outcome.fingerprint.add(rowHash: hash)
        try await emit(record, true)
    }

    // MARK: Past the budget

    private func beginSpilling() async throws {
        let spill = try ChangeSpill()
        var rest: [(KeyDigest, UInt64)] = []
        rest.reserveCapacity(waiting.count)
        waiting.forEach { rest.append(($0, $1)) }
        waiting = DigestTable()
        for (digest, hash) in rest { try await spill.add(old: digest, hash: hash) }
        for (key, row) in parked {
            try await spill.add(
                key, row.hash, isMarked: row.isMarked, row.record[...], row.key[...])
        }
        parked = [:]
        parkedBytes = 0
        self.spill = spill
    }

    private func finish(_ spill: ChangeSpill) async throws -> Outcome {
        repeat {
            for index in position..<block.count {
                try await spill.add(old: block.digests[index], hash: block.hashes[index])
            }
            position = block.count
        } while try await nextBlock()
        for part in 0..<ChangeSpill.parts {
            try Task.checkCancellation()
            try await join(part, of: spill)
        }
        return outcome
    }

    /// Joins one part in memory: its keys are in no other.
    private func join(_ part: Int, of spill: ChangeSpill) async throws {
        var rows = try await spill.oldRows(ofPart: part)
        var matched = DigestTable()
        try await spill.liveRows(ofPart: part) { row, record, key in
            if let hash = rows.remove(row.digest) {
                matched.insert(row.digest, 0)
                if record.isEmpty || row.hash == hash {
                    outcome.fingerprint.add(rowHash: hash)
                } else {
                    try await update(row.digest, row.hash, record, isMarked: row.isMarked)
                }
            } else {
                guard matched[row.digest] == nil else { throw twoRows() }
                try await insert(
                    row.digest, row.hash, isMarked: row.isMarked, record, unknown: key)
            }
        }
        rows.forEach { outcome.deleted.insert($0, $1) }
    }
}
