import Packing

/// Live rows of a table on their way into the join with the rows of its parent.
struct LiveRows: Sendable {
    /// One of them.
    struct Row: Sendable {
        let digest: KeyDigest
        /// Of the whole record; 0 when it is not shown.
        let hash: UInt64
        /// Whether the source says that it may have changed.
        let isMarked: Bool
        /// Where the key is, and the record with its line end; empty when it is not shown.
        let key: Range<Int>
        let record: Range<Int>

        var isShown: Bool { !record.isEmpty }
    }

    let bytes: [UInt8]
    let rows: [Row]
}

/// What the records of a selection are.
enum LiveFormat: Sendable {
    /// The table's rows, each of which may have changed.
    case rows(keyPositions: [Int])
    /// The key's fields, `t` or `f`, and the row's own fields, empty when it is not shown.
    case marked(keyFields: Int, showsAll: Bool)
}

/// Reads live rows out of records.
struct LiveReader {
    private let format: LiveFormat
    private let seed: UInt64
    private var keys: RowKeys?

    init(_ format: LiveFormat, seed: UInt64) {
        self.format = format
        self.seed = seed
        if case .rows(let positions) = format { keys = RowKeys(positions: positions, seed: seed) }
    }

    mutating func rows(of batch: RowBatch) -> LiveRows {
        switch format {
        case .rows: plain(batch)
        case .marked(let keyFields, let showsAll):
            LiveRows(bytes: batch.bytes, rows: marked(batch, keyFields, showsAll))
        }
    }

    private mutating func plain(_ batch: RowBatch) -> LiveRows {
        guard let block = keys?.block(of: batch) else { preconditionFailure("no key positions") }
        var rows: [LiveRows.Row] = []
        rows.reserveCapacity(batch.count)
        var start = 0
        for (index, end) in batch.ends.enumerated() {
            rows.append(
                LiveRows.Row(
                    digest: block.digests[index], hash: block.hashes[index], isMarked: true,
                    key: 0..<0, record: start..<end))
            start = end
        }
        return LiveRows(bytes: batch.bytes, rows: rows)
    }

    /// HOT PATH: every live key of a differential passes here.
    private func marked(_ batch: RowBatch, _ keyFields: Int, _ showsAll: Bool) -> [LiveRows.Row] {
        var rows: [LiveRows.Row] = []
        rows.reserveCapacity(batch.count)
        batch.bytes.withUnsafeBytes { bytes in
            var start = 0
            for end in batch.ends {
                var offset = start
                for field in 0..<keyFields {
                    offset += field == 0 ? 0 : 1
                    var isInside = false
                    while isInside || bytes[offset] != CSVDialect.comma {
                        if bytes[offset] == CSVDialect.quote { isInside.toggle() }
                        offset += 1
                    }
                }
                let key = UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
                let isMarked = bytes[offset + 1] == UInt8(ascii: "t")
                let isShown = isMarked || showsAll
                let record = isShown ? (offset + 3)..<end : end..<end
                let row = UnsafeRawBufferPointer(rebasing: bytes[record].dropLast())
                rows.append(
                    LiveRows.Row(
                        digest: KeyDigest(key, seed: seed),
                        hash: isShown ? RowHash.hash(row, seed: seed) : 0, isMarked: isMarked,
                        key: start..<offset, record: record))
                start = end
            }
        }
        return rows
    }
}
