/// Whole CSV records that cross rooms together.
///
/// `bytes` holds the records one after another, each with its line end; `ends` holds the offset
/// behind each record.
public struct RowBatch: Sendable {
    /// Whole records, each with its line end.
    public var bytes: [UInt8]
    /// The offset behind each record, ascending; as many as there are records.
    public var ends: [Int]

    /// About how many bytes a batch is filled to: large enough to make each hand-over cheap.
    public static let targetBytes = 1 << 20
    /// How many records a batch is filled with at most: what is known of each one takes more room than small records do.
    public static let targetRows = 16_384

    /// An empty batch with room for `targetBytes`.
    public init() {
        bytes = []
        bytes.reserveCapacity(Self.targetBytes + (Self.targetBytes >> 3))
        ends = []
    }

    /// Whole records whose borders are known.
    public init(bytes: [UInt8], ends: [Int]) {
        self.bytes = bytes
        self.ends = ends
    }

    /// The number of records.
    public var count: Int { ends.count }
    /// Whether there are no records.
    public var isEmpty: Bool { ends.isEmpty }
    /// Whether it is time to hand the batch over.
    public var isFull: Bool { bytes.count >= Self.targetBytes || ends.count >= Self.targetRows }
    /// Whether it takes so much memory that there should be no second one beside it.
    public var isHuge: Bool { bytes.count >= Self.hugeBytes }

    /// Far more than a batch of usual rows.
    public static let hugeBytes = 8 << 20

    /// Where a record begins; of `count`, where the last one ends.
    package func start(of record: Int) -> Int { record == 0 ? 0 : ends[record - 1] }

    /// Adds one record, given with its line end.
    @inline(__always)
    public mutating func append(record: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: record)
        ends.append(bytes.count)
    }

    /// The same records in batches of so many at most.
    package func inParts(ofRows limit: Int = Self.targetRows) -> [RowBatch] {
        guard count > limit else { return [self] }
        return stride(from: 0, to: count, by: limit).map { first in
            let start = self.start(of: first)
            let own = ends[first..<min(first + limit, count)]
            return RowBatch(
                bytes: Array(bytes[start..<(own.last ?? start)]), ends: own.map { $0 - start })
        }
    }

    /// Forgets the records and keeps the memory, unless one huge record had made it large.
    public mutating func removeAll() {
        if bytes.capacity > Self.targetBytes * 4 {
            self = RowBatch()
            return
        }
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
    }
}
