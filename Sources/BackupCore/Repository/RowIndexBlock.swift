/// Some rows of a row index, in file order: the format is in Documentation/RepositoryFormat.md.
///
/// A block is: the number of rows, the number of bytes of all keys and the number of the part of the
/// table in which they were read (little-endian, 32 bits each); the length of each key (LEB128); the
/// keys; the hashes (little-endian, 64 bits each).
///
/// Keys and hashes stand apart because keys compress well and hashes not at all.
struct RowIndexBlock {
    /// So many rows at most: whoever reads a block holds several times its bytes.
    static let mostRows = 16_384
    /// The numbers at the beginning of a block.
    static let headBytes = 12

    let part: Int
    private(set) var rowCount = 0
    private var lengths: [UInt8] = []
    private var keys: [UInt8] = []
    private var hashes: [UInt64] = []

    /// Blocks of this part.
    init(part: Int) { self.part = part }

    @inline(__always)
    mutating func append(hash: UInt64, key writeKey: (inout [UInt8]) -> Void) {
        let start = keys.count
        writeKey(&keys)
        appendLength(UInt(keys.count - start))
        hashes.append(hash.littleEndian)
        rowCount += 1
    }

    /// The block's bytes; the block is empty afterwards.
    mutating func takeBytes() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headBytes + lengths.count + keys.count + 8 * hashes.count)
        for number in [rowCount, keys.count, part] {
            withUnsafeBytes(of: UInt32(number).littleEndian) { bytes.append(contentsOf: $0) }
        }
        bytes += lengths
        bytes += keys
        hashes.withUnsafeBytes { bytes.append(contentsOf: $0) }
        rowCount = 0
        lengths.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
        hashes.removeAll(keepingCapacity: true)
        return bytes
    }

    private mutating func appendLength(_ length: UInt) {
        var rest = length
        while rest >= 0x80 {
            lengths.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        lengths.append(UInt8(rest))
    }
}
