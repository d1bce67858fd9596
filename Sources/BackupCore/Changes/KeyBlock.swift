import Packing

/// Some rows of a table as a row index knows them: each one's key and row hash.
struct KeyBlock: Sendable {
    /// Of the keys, in order.
    var digests: [KeyDigest] = []
    /// Of the rows, in the same order.
    var hashes: [UInt64] = []
    /// The keys one after another, as CSV records without line ends.
    var keys: [UInt8] = []
    /// The offset behind each key.
    var keyEnds: [Int] = []
    /// The number of the part of the table in which these rows were read.
    var part = 0
    /// Whether these rows come from a layer over the others, in an order of their own.
    var isOverlay = false

    var count: Int { digests.count }

    /// The bytes of one key.
    func key(_ index: Int) -> ArraySlice<UInt8> {
        keys[(index == 0 ? 0 : keyEnds[index - 1])..<keyEnds[index]]
    }
}

/// The keys and row hashes of a table at some point, in any order, each key once.
protocol KeySource: Sendable {
    /// Whether the blocks tell in which parts of the table they were read.
    var hasParts: Bool { get }

    /// The next ones; nil at the end, once all of them have been proven.
    ///
    /// - Throws: `BackupError.damaged`.
    func next() async throws -> KeyBlock?
}

/// Reads keys and hashes out of rows.
struct RowKeys {
    private var reader: KeyReader
    private let seed: UInt64

    /// `positions`: Of the key's columns in the records, in key order.
    init(positions: [Int], seed: UInt64) {
        reader = KeyReader(positions: positions)
        self.seed = seed
    }

    /// HOT PATH: every row of a comparison passes here.
    mutating func block(of batch: RowBatch) -> KeyBlock {
        var block = KeyBlock()
        block.digests.reserveCapacity(batch.count)
        block.hashes.reserveCapacity(batch.count)
        block.keyEnds.reserveCapacity(batch.count)
        batch.bytes.withUnsafeBytes { bytes in
            var start = 0
            for end in batch.ends {
                let record = UnsafeRawBufferPointer(rebasing: bytes[start..<(end - 1)])
                let keyStart = block.keys.count
                reader.appendKey(of: record, to: &block.keys)
                block.keyEnds.append(block.keys.count)
                block.hashes.append(RowHash.hash(record, seed: seed))
                block.keys.withUnsafeBytes { keys in
                    block.digests.append(
                        KeyDigest(
                            UnsafeRawBufferPointer(rebasing: keys[keyStart...]), seed: seed))
                }
                start = end
            }
        }
        return block
    }
}
