import Foundation
import Packing

/// Both sides of a join in temporary files, parted by key.
///
/// The files have no names: nobody has to clean up behind a run that was killed.
///
/// `@unchecked Sendable`: only the join uses it, which does one thing at a time.
final class ChangeSpill: @unchecked Sendable {
    /// One live row of a part.
    struct Row {
        let digest: KeyDigest
        let hash: UInt64
        let isMarked: Bool
    }

    /// Into how many parts the keys go: each must fit into memory.
    static let parts = 256
    private static let bufferBytes = 16 << 10
    private static let oldBytes = 24
    private static let headBytes = 33

    /// One side of a part; its file appears with the first bytes that do not fit into the buffer.
    private struct Side {
        let path: String
        var buffer: [UInt8] = []
        var file: LocalFile?
    }

    private var old: [Side]
    private var live: [Side]

    /// Files in a folder, by default the one for temporary files.
    init(in folder: String = FileManager.default.temporaryDirectory.path) {
        let place = "\(folder)/dbtool-join-\(UUID().uuidString)"
        old = (0..<Self.parts).map { Side(path: "\(place)-old-\($0)") }
        live = (0..<Self.parts).map { Side(path: "\(place)-live-\($0)") }
    }

    deinit {
        for side in old + live { side.file?.close() }
    }

    private static func part(of digest: KeyDigest) -> Int { Int(digest.high % UInt64(parts)) }

    // MARK: Writing

    /// Adds a row of the parent.
    func add(old digest: KeyDigest, hash: UInt64) throws {
        let part = Self.part(of: digest)
        Self.append((digest.high, digest.low, hash), to: &old[part].buffer)
        if old[part].buffer.count >= Self.bufferBytes { try Self.flush(&old[part]) }
    }

    /// Adds a live row.
    func add(_ row: LiveRows.Row, of rows: LiveRows) throws {
        try add(
            row.digest, row.hash, isMarked: row.isMarked, rows.bytes[row.record],
            row.isShown ? [] : rows.bytes[row.key])
    }

    /// Adds a live row: its record with the line end, or its key when it is not shown.
    func add(
        _ digest: KeyDigest, _ hash: UInt64, isMarked: Bool, _ record: ArraySlice<UInt8>,
        _ key: ArraySlice<UInt8>
    ) throws {
        let part = Self.part(of: digest)
        let counts = UInt64(record.count) << 32 | UInt64(key.count)
        Self.append((digest.high, digest.low, hash, counts), to: &live[part].buffer)
        live[part].buffer.append(isMarked ? 1 : 0)
        live[part].buffer.append(contentsOf: record)
        live[part].buffer.append(contentsOf: key)
        if live[part].buffer.count >= Self.bufferBytes { try Self.flush(&live[part]) }
    }

    @inline(__always)
    private static func append<Numbers: BitwiseCopyable>(
        _ numbers: Numbers, to bytes: inout [UInt8]
    ) {
        withUnsafeBytes(of: numbers) { bytes.append(contentsOf: $0) }
    }

    private static func flush(_ side: inout Side) throws {
        try LocalFile.writingTemporary {
            let file = try side.file ?? LocalFile(withoutName: side.path)
            side.file = file
            try file.append(side.buffer)
            // One huge row must not keep its room in each of the buffers.
            let isUsual = side.buffer.capacity <= 4 * bufferBytes
            side.buffer.removeAll(keepingCapacity: isUsual)
        }
    }

    // MARK: Reading

    /// The parent's rows of one part, which are not in the files any more.
    ///
    /// - Throws: `ChangeJoin.KeyTwiceInParent`.
    func oldRows(ofPart part: Int) throws -> DigestTable<UInt64> {
        var rows = DigestTable<UInt64>()
        let bytes = try Self.open(&old[part])
        while try bytes.fill(to: Self.oldBytes) {
            let (high, low, hash) = bytes.take(as: (UInt64, UInt64, UInt64).self)
            guard rows.insert(KeyDigest(high: high, low: low), hash) else {
                throw ChangeJoin.KeyTwiceInParent()
            }
        }
        return rows
    }

    /// A reader of the live rows of one part, which are not in the files any more.
    func liveRows(ofPart part: Int) throws -> LiveRowsReader {
        LiveRowsReader(bytes: try Self.open(&live[part]))
    }

    /// Gives live rows one by one.
    struct LiveRowsReader {
        fileprivate let bytes: SpilledBytes

        /// The next one: what it is, its record, and its key when it is not shown; nil at the end.
        func next() throws -> (row: Row, record: ArraySlice<UInt8>, key: ArraySlice<UInt8>)? {
            guard try bytes.fill(to: ChangeSpill.headBytes) else { return nil }
            let (high, low, hash, counts) =
                bytes.take(as: (UInt64, UInt64, UInt64, UInt64).self)
            let row = Row(
                digest: KeyDigest(high: high, low: low), hash: hash,
                isMarked: bytes.take(as: UInt8.self) == 1)
            let (recordCount, keyCount) = (Int(counts >> 32), Int(counts & 0xFFFF_FFFF))
            _ = try bytes.fill(to: recordCount + keyCount)
            return (row, bytes.take(recordCount), bytes.take(keyCount))
        }
    }

    private static func open(_ side: inout Side) throws -> SpilledBytes {
        guard let file = side.file else {
            defer { side.buffer = [] }
            return SpilledBytes(side.buffer)
        }
        try flush(&side)
        (side.file, side.buffer) = (nil, [])
        let bytes = SpilledBytes(file)
        try file.seek(to: 0)
        return bytes
    }
}

/// What was put into a temporary file, or would have been: read once, and gone afterwards.
private final class SpilledBytes {
    private let file: LocalFile?
    private var buffer: [UInt8]
    private var start = 0

    init(_ buffer: [UInt8]) { (file, self.buffer) = (nil, buffer) }

    init(_ file: LocalFile) { (self.file, buffer) = (file, []) }

    deinit { file?.close() }

    /// Makes so many bytes be there; false at the end.
    func fill(to count: Int) throws -> Bool {
        while buffer.count - start < count {
            guard let piece = try file?.read(), !piece.isEmpty else {
                guard buffer.count == start else {
                    throw BackupError(
                        .storageFailed, "the temporary file \(file?.path ?? "") is cut off")
                }
                return false
            }
            buffer.removeFirst(start)
            start = 0
            buffer += piece
        }
        return true
    }

    /// The next bytes, which must be there.
    func take(_ count: Int) -> ArraySlice<UInt8> {
        defer { start += count }
        return buffer[start..<(start + count)]
    }

    /// The next number or numbers, which must be there.
    func take<Value: BitwiseCopyable>(as type: Value.Type) -> Value {
        defer { start += MemoryLayout<Value>.size }
        return buffer.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: start, as: type) }
    }
}
