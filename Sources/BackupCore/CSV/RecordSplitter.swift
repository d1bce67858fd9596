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
    /// The bytes behind the last whole record.
    private var rest: [UInt8] = []
    private var restHasOddQuotes = false

    /// Starts at the beginning of a record.
    public init() {}

    /// How many bytes are behind the last whole record.
    var pendingBytes: Int { rest.count }

    /// Takes the next piece; the records that it completes.
    ///
    /// The batch is as large as the piece and what was left before it: bounded by the piece's size
    /// plus one record. A record of many pieces is scanned and copied once.
    public mutating func records(completedBy piece: [UInt8]) -> RowBatch {
        let scanStart = rest.count
        rest.append(contentsOf: piece)
        let ends = ends(from: scanStart)
        guard let whole = ends.last else { return RowBatch(bytes: [], ends: []) }
        let tail = Array(rest[whole...])
        rest.removeSubrange(whole...)
        defer { rest = tail }
        return RowBatch(bytes: rest, ends: ends)
    }

    /// HOT PATH: every byte of a restore or a verification passes here.
    private mutating func ends(from scanStart: Int) -> [Int] {
        var ends: [Int] = []
        var hasOddQuotes = restHasOddQuotes
        rest.withUnsafeBytes { bytes in
            var start = scanStart
            while start < bytes.count, let lineEnd = Self.lineEnd(in: bytes, from: start) {
                hasOddQuotes = hasOddQuotes != Self.hasOddQuotes(bytes[start..<lineEnd])
                start = lineEnd + 1
                if !hasOddQuotes { ends.append(start) }
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
