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

    var bytes: [UInt8]
    var rows: [Row]
}

/// What the records of a selection are.
enum LiveFormat: Sendable {
    /// The table's rows, each of which may have changed.
    case rows(keyPositions: [Int])
    /// The keys of rows that are not marked; of the others without their first field.
    case keys
    /// The key's fields, `t` or `f`, and the row's own fields.
    case marked(keyFields: Int)
}

/// Reads live rows out of records.
struct LiveReader {
    /// So many at once: what is known of a short row is more than the row.
    static let rowsAtOnce = 8192

    private let format: LiveFormat
    private let seed: UInt64
    private var keyReader: KeyReader?
    /// How many marked rows there were among those of which only the keys are read.
    private(set) var passedMarked = 0

    init(_ format: LiveFormat, seed: UInt64) {
        self.format = format
        self.seed = seed
        if case .rows(let positions) = format { keyReader = KeyReader(positions: positions) }
    }

    /// Some rows of a batch, from one of them on.
    mutating func rows(
        of batch: RowBatch, from first: Int, count: Int = Self.rowsAtOnce
    ) -> LiveRows {
        let ends = batch.ends[first..<min(first + count, batch.count)]
        let start = first == 0 ? 0 : batch.ends[first - 1]
        var live = LiveRows(bytes: batch.bytes, rows: [])
        live.rows.reserveCapacity(ends.count)
        batch.bytes.withUnsafeBytes { bytes in
            switch format {
            case .rows: plain(bytes, start, ends, into: &live.rows)
            case .keys: keys(bytes, start, ends, into: &live.rows)
            case .marked(let keyFields): marked(bytes, start, ends, keyFields, into: &live.rows)
            }
        }
        return live
    }

    /// HOT PATH: every live row of a comparison passes here.
    private mutating func plain(
        _ bytes: UnsafeRawBufferPointer, _ first: Int, _ ends: ArraySlice<Int>,
        into rows: inout [LiveRows.Row]
    ) {
        var key: [UInt8] = []
        var start = first
        for end in ends {
            let record = UnsafeRawBufferPointer(rebasing: bytes[start..<(end - 1)])
            key.removeAll(keepingCapacity: true)
            keyReader?.appendKey(of: record, to: &key)
            rows.append(
                LiveRows.Row(
                    digest: key.withUnsafeBytes { KeyDigest($0, seed: seed) },
                    hash: RowHash.hash(record, seed: seed), isMarked: true, key: 0..<0,
                    record: start..<end))
            start = end
        }
    }

    /// HOT PATH: every live key of a differential passes here.
    private mutating func keys(
        _ bytes: UnsafeRawBufferPointer, _ first: Int, _ ends: ArraySlice<Int>,
        into rows: inout [LiveRows.Row]
    ) {
        var start = first
        for end in ends {
            let isMarked = start == end - 1 || bytes[start] == CSVDialect.comma
            guard !isMarked else {
                passedMarked += 1
                start = end
                continue
            }
            let key = KeyReader.key(in: bytes, start..<(end - 1))
            rows.append(
                LiveRows.Row(
                    digest: KeyDigest(UnsafeRawBufferPointer(rebasing: bytes[key]), seed: seed),
                    hash: 0, isMarked: false, key: key, record: end..<end))
            start = end
        }
    }

    /// HOT PATH: every live row of a point that measures the chain passes here.
    private func marked(
        _ bytes: UnsafeRawBufferPointer, _ first: Int, _ ends: ArraySlice<Int>,
        _ keyFields: Int, into rows: inout [LiveRows.Row]
    ) {
        var start = first
        for end in ends {
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
            let record = (offset + 3)..<end
            let row = UnsafeRawBufferPointer(rebasing: bytes[record].dropLast())
            rows.append(
                LiveRows.Row(
                    digest: KeyDigest(key, seed: seed),
                    hash: RowHash.hash(row, seed: seed), isMarked: isMarked,
                    key: start..<offset, record: record))
            start = end
        }
    }
}
