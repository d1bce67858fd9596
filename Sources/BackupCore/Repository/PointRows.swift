import Packing
import Synchronization

/// The rows of a table as of a point, read by several tasks at once; it proves what it reads.
///
/// From the newest layer to the full: each row whose key has not been seen. Memory is the number of
/// changed keys, 16 bytes and some room for each.
public final class PointRows: Sendable {
    /// The files of one layer; the floor has all rows, so that nothing below it is read.
    struct Layer: Sendable {
        let rows: TableFileReader?
        let tombstones: TableFileReader?
        let isFloor: Bool
    }

    private let layers: [Layer]
    private let record: TableRecord
    private let seed: UInt64
    private let positions: [Int]
    private let order = Turnstile(permits: 1)
    private let state = Mutex(State())

    private struct State {
        /// The layer that is being read.
        var layer = 0
        /// Keys of rows and tombstones of the layers read so far.
        var seen = DigestSet()
        var fingerprint = Fingerprint()
        /// Tasks that wait for a batch of the floor or look through one.
        var underWay = 0
    }

    /// `layers`: The newest first; the last one is the floor.
    init(_ layers: [Layer], of record: TableRecord, seed: UInt64) {
        self.layers = layers
        self.record = record
        self.seed = seed
        positions = record.keyPositions
    }

    /// The next rows, without the header; nil after the last, once all of them have been proven.
    ///
    /// - Throws: `BackupError.damaged` naming the file, when it is not what the backup says.
    public func next() async throws -> RowBatch? {
        // One layer proves itself.
        guard layers.count > 1 else { return try await layers.first?.rows?.next() }
        while let batch = try await order.pass({ try await nextOfLayers() }) {
            if !batch.isEmpty { return batch }
        }
        return try await nextOfFloor()
    }

    /// The next rows of the layers above the floor, maybe none; nil when there are no more.
    private func nextOfLayers() async throws -> RowBatch? {
        let index = state.withLock { $0.layer }
        guard index < layers.count - 1 else { return nil }
        if let batch = try await layers[index].rows?.next() {
            // Within a layer each key is there once: those of its own rows may be marked at once.
            return state.withLock { take(batch, &$0) }
        }
        if let tombstones = layers[index].tombstones {
            var keys = RowKeys(positions: Array(positions.indices), seed: seed)
            while let batch = try await tombstones.next() {
                let block = keys.block(of: batch)
                state.withLock { state in
                    for digest in block.digests { state.seen.insert(digest) }
                }
            }
        }
        state.withLock { $0.layer += 1 }
        return RowBatch(bytes: [], ends: [])
    }

    private func nextOfFloor() async throws -> RowBatch? {
        // Counted before it asks: a batch that was handed out and not yet looked through is under way.
        let seen = state.withLock { state in
            state.underWay += 1
            return state.seen
        }
        while let batch = try await layers[layers.count - 1].rows?.next() {
            let (rows, fingerprint) = unseen(in: batch, seen)
            state.withLock { $0.fingerprint += fingerprint }
            guard rows.isEmpty else {
                state.withLock { $0.underWay -= 1 }
                return rows
            }
        }
        let (found, isWhole) = state.withLock { state in
            state.underWay -= 1
            return (state.fingerprint, state.underWay == 0)
        }
        // Whoever is still at it comes here later.
        guard !isWhole || StoredFingerprint(found) == record.fingerprint else {
            throw BackupError(
                .damaged,
                "\(record.tableName) put together from its chain has \(found.rows) rows, and is not "
                    + "the table that was backed up with \(record.fingerprint.rows)",
                hint: Chain.hint)
        }
        return nil
    }

    private func take(_ batch: RowBatch, _ state: inout State) -> RowBatch {
        let (rows, fingerprint) = unseen(in: batch, state.seen)
        var keys = RowKeys(positions: positions, seed: seed)
        for digest in keys.block(of: rows).digests { state.seen.insert(digest) }
        state.fingerprint += fingerprint
        return rows
    }

    /// HOT PATH: every row of a chain's full passes here.
    private func unseen(in batch: RowBatch, _ seen: DigestSet) -> (RowBatch, Fingerprint) {
        var keys = RowKeys(positions: positions, seed: seed)
        let block = keys.block(of: batch)
        var fingerprint = Fingerprint()
        var isWhole = true
        for (index, digest) in block.digests.enumerated() {
            if !seen.contains(digest) {
                fingerprint.add(rowHash: block.hashes[index])
            } else {
                isWhole = false
            }
        }
        guard !isWhole else { return (batch, fingerprint) }
        var rows = RowBatch()
        batch.bytes.withUnsafeBytes { bytes in
            var start = 0
            for (index, end) in batch.ends.enumerated() {
                if !seen.contains(block.digests[index]) {
                    rows.append(record: UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
                }
                start = end
            }
        }
        return (rows, fingerprint)
    }
}

/// The keys and row hashes of a table as of a point.
actor PointKeys: KeySource {
    nonisolated let hasParts: Bool
    private let rows: PointRows?
    private let layers: [PointRows.Layer]
    private let index: RowIndexReader?
    private let record: TableRecord
    private var reader: RowKeys
    private var tombstoneReader: RowKeys
    private var layer = 0
    private var seen = DigestSet()
    private var fingerprint = Fingerprint()

    /// The keys of rows.
    init(_ rows: PointRows, of record: TableRecord, seed: UInt64) {
        self.rows = rows
        self.record = record
        (layers, index, hasParts) = ([], nil, false)
        reader = RowKeys(positions: record.keyPositions, seed: seed)
        tombstoneReader = reader
    }

    /// The keys of layers, and below them those of a row index.
    init(
        _ layers: [PointRows.Layer], over index: RowIndexReader, of record: TableRecord,
        seed: UInt64
    ) {
        self.layers = layers
        self.index = index
        self.record = record
        hasParts = true
        rows = nil
        reader = RowKeys(positions: record.keyPositions, seed: seed)
        tombstoneReader = RowKeys(positions: Array(record.key.indices), seed: seed)
    }

    func next() async throws -> KeyBlock? {
        if let rows { return try await rows.next().map { reader.block(of: $0) } }
        while layer < layers.count {
            if let batch = try await layers[layer].rows?.next() {
                var block = unseen(reader.block(of: batch))
                block.isOverlay = true
                return take(block, marking: true)
            }
            while let batch = try await layers[layer].tombstones?.next() {
                for digest in tombstoneReader.block(of: batch).digests { seen.insert(digest) }
            }
            layer += 1
        }
        if let block = try await index?.next() { return take(unseen(block), marking: false) }
        guard StoredFingerprint(fingerprint) == record.fingerprint else {
            throw BackupError(
                .damaged, "the row index of \(record.tableName) is not that of its rows")
        }
        return nil
    }

    private func take(_ block: KeyBlock, marking: Bool) -> KeyBlock {
        for hash in block.hashes { fingerprint.add(rowHash: hash) }
        if marking { for digest in block.digests { seen.insert(digest) } }
        return block
    }

    private func unseen(_ block: KeyBlock) -> KeyBlock {
        guard seen.count > 0, block.digests.contains(where: seen.contains) else {
            return block
        }
        var rest = KeyBlock()
        rest.part = block.part
        for index in 0..<block.count where !seen.contains(block.digests[index]) {
            rest.digests.append(block.digests[index])
            rest.hashes.append(block.hashes[index])
            rest.keys += block.key(index)
            rest.keyEnds.append(rest.keys.count)
        }
        return rest
    }
}
