#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Cuts a stream of CSV bytes into whole records.
///
/// A line feed ends a record when the quotes before it are even: in this dialect that is the case
/// exactly outside quoted fields.
public struct RecordSplitter {
    /// The bytes behind the last whole record, piece by piece: an array that grows is there twice whenever it is moved, and
    /// a record may be huge.
    private var rest: [[UInt8]] = []
    private var restHasOddQuotes = false
    /// How many bytes are behind the last whole record.
    private(set) var pendingBytes = 0

    /// Starts at the beginning of a record.
    public init() {}

    /// Takes the next piece; the records that it completes.
    ///
    /// The batch is as large as the piece and what was left before it: bounded by the piece's size
    /// plus one record. A record of many pieces is scanned and copied once.
    public mutating func records(completedBy piece: [UInt8]) -> RowBatch {
        let ends = ends(in: piece)
        guard let byteCount = ends.last else {
            keep(piece)
            return RowBatch(bytes: [], ends: [])
        }
        let whole = byteCount - pendingBytes
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        for index in rest.indices {
            bytes += rest[index]
            // What has been copied goes at once.
            rest[index] = []
        }
        bytes += piece[..<whole]
        (rest, pendingBytes) = ([], 0)
        keep(Array(piece[whole...]))
        return RowBatch(bytes: bytes, ends: ends)
    }

    private mutating func keep(_ piece: [UInt8]) {
        guard !piece.isEmpty else { return }
        rest.append(piece)
        pendingBytes += piece.count
    }

    /// Where records end, counted from the last whole one.
    ///
    /// HOT PATH: every byte of a restore or a verification passes here.
    private mutating func ends(in piece: [UInt8]) -> [Int] {
        var ends: [Int] = []
        var hasOddQuotes = restHasOddQuotes
        let before = pendingBytes
        piece.withUnsafeBytes { bytes in
            var start = 0
            while start < bytes.count, let lineEnd = Self.lineEnd(in: bytes, from: start) {
                hasOddQuotes = hasOddQuotes != Self.hasOddQuotes(bytes[start..<lineEnd])
                start = lineEnd + 1
                if !hasOddQuotes { ends.append(before + start) }
            }
            hasOddQuotes = hasOddQuotes != Self.hasOddQuotes(bytes[start...])
        }
        restHasOddQuotes = hasOddQuotes
        return ends
    }

    /// Says that no more bytes come.
    ///
    /// - Throws: `BackupError.damaged` when the stream ends inside a record.
    public func finish() throws {
        guard rest.isEmpty else {
            throw BackupError(.damaged, "the file ends inside a record")
        }
    }

    @inline(__always)
    private static func lineEnd(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let base = bytes.baseAddress,
            let found = memchr(base + start, Int32(CSVDialect.lineEnd), bytes.count - start)
        else { return nil }
        return UnsafeRawPointer(found) - base
    }

    @inline(__always)
    private static func hasOddQuotes(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
        // Written so that the compiler turns it into vector instructions.
        var count: UInt8 = 0
        for byte in UnsafeRawBufferPointer(rebasing: bytes) {
            count ^= byte == CSVDialect.quote ? 1 : 0
        }
        return count != 0
    }
}
