import Packing

/// The parent's rows of one part, in the order in which they were read then, as far as they are
/// known and have no partner yet.
final class ParentLane {
    /// Bytes that each row takes here.
    static let bytesPerRow = 24

    /// How many live rows in a row have found nothing here.
    var misses = 0
    /// Whether all live rows of the part have come.
    var isOver = false
    /// How many rows are here.
    private(set) var count = 0

    private var digests: [KeyDigest] = []
    private var hashes: [UInt64] = []
    private var position = 0
    private var later: [KeyBlock] = []

    func append(_ block: KeyBlock) {
        var block = block
        // What a key looks like matters only where it is gone.
        (block.keys, block.keyEnds) = ([], [])
        count += block.count
        later.append(block)
        if position == digests.count { moveOn() }
    }

    /// HOT PATH: the hash of the next row, if this is its key; the row is not here any more then.
    @inline(__always)
    func take(_ digest: KeyDigest) -> UInt64? {
        guard position < digests.count, digests[position] == digest else { return nil }
        let hash = hashes[position]
        step()
        return hash
    }

    /// Takes the next row out; there must be one.
    func next() -> (KeyDigest, UInt64) {
        let row = (digests[position], hashes[position])
        step()
        return row
    }

    /// How many rows come before the one of this key; nil when it is not among the next few.
    func distance(to digest: KeyDigest, within limit: Int) -> Int? {
        let end = min(position + limit, digests.count)
        return digests[position..<end].firstIndex(of: digest).map { $0 - position }
    }

    @inline(__always)
    private func step() {
        position += 1
        count -= 1
        if position == digests.count { moveOn() }
    }

    private func moveOn() {
        position = 0
        while !later.isEmpty {
            let block = later.removeFirst()
            (digests, hashes) = (block.digests, block.hashes)
            if !digests.isEmpty { return }
        }
        (digests, hashes) = ([], [])
    }
}
