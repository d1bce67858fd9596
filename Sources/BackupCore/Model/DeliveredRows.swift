import Packing

/// How much of some rows has been handed over, so that another reading of them can go on behind it.
///
/// What was handed over cannot be taken back. The server promises no order of rows; that the other
/// reading begins with the same bytes is proven by their hash.
package struct DeliveredRows {
    /// Of what this reading has given.
    private let hash: StreamHash
    private var readBytes = 0
    /// What the readings before it have handed over.
    private var deliveredBytes = 0
    private var deliveredHash: UInt64 = 0
    private var differs = false

    /// Nothing yet.
    package init() throws {
        // Nobody can choose rows for a hash whose seed they do not know.
        hash = try StreamHash(seed: .random(in: .min ... .max))
    }

    /// What of the next batch has not been handed over yet, and is to be now; maybe nothing.
    ///
    /// - Returns: Nil when this reading gives other rows than those that were handed over.
    package mutating func rest(of batch: RowBatch) -> RowBatch? {
        guard !differs else { return nil }
        let known = deliveredBytes - readBytes
        readBytes += batch.bytes.count
        // HOT PATH, a batch at a time: of a first reading nothing is known.
        if known <= 0 || known > batch.bytes.count {
            hash.update(batch.bytes[...])
            return known <= 0 ? batch : RowBatch(bytes: [], ends: [])
        }
        hash.update(batch.bytes[..<known])
        guard hash.value == deliveredHash, let last = batch.ends.firstIndex(of: known) else {
            differs = true
            return nil
        }
        hash.update(batch.bytes[known...])
        return RowBatch(
            bytes: Array(batch.bytes[known...]), ends: batch.ends[(last + 1)...].map { $0 - known })
    }

    /// The next batch is the first one of another reading of the same rows.
    package mutating func beginAgain() {
        if readBytes > deliveredBytes {
            deliveredBytes = readBytes
            deliveredHash = hash.value
        }
        hash.reset()
        readBytes = 0
    }

    /// Whether this reading has given all that was handed over, and the same.
    package var isWhole: Bool { !differs && readBytes >= deliveredBytes }
}
