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

    /// Takes the next piece; the records that it completes.
    ///
    /// The batch is as large as the piece and what was left before it: bounded by the piece's size
    /// plus one record.
    public mutating func records(completedBy piece: [UInt8]) -> RowBatch {
        let scanStart = rest.count
        var batch = RowBatch(bytes: rest, ends: [])
        batch.bytes.append(contentsOf: piece)
        var hasOddQuotes = restHasOddQuotes
        batch.bytes.withUnsafeBytes { bytes in
            // HOT PATH: every byte of a restore or a verification passes here.
            var start = scanStart
            while start < bytes.count, let lineEnd = Self.lineEnd(in: bytes, from: start) {
                hasOddQuotes = hasOddQuotes != Self.hasOddQuotes(bytes[start..<lineEnd])
                start = lineEnd + 1
                if !hasOddQuotes { batch.ends.append(start) }
            }
            hasOddQuotes = hasOddQuotes != Self.hasOddQuotes(bytes[start...])
        }
        restHasOddQuotes = hasOddQuotes
        let whole = batch.ends.last ?? 0
        rest = Array(batch.bytes[whole...])
        batch.bytes.removeSubrange(whole...)
        return batch
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
