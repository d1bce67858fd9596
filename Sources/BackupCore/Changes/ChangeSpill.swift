import Foundation
import Packing

/// Both sides of a join in temporary files, parted by key.
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
    static let parts = 64
    private static let bufferBytes = 64 << 10
    private static let oldBytes = 24
    private static let headBytes = 33

    /// One side of a part; its file appears with the first bytes that do not fit into the buffer.
    private struct Side {
        let path: String
        var buffer: [UInt8] = []
        var file: LocalFile?
    }

    private let folder: String
    private var old: [Side]
    private var live: [Side]

    /// - Throws: `BackupError.storageFailed` when there is no room for temporary files.
    init() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("dbtool-join-\(UUID().uuidString)").path
        self.folder = folder
        old = (0..<Self.parts).map { Side(path: "\(folder)/old-\($0)") }
        live = (0..<Self.parts).map { Side(path: "\(folder)/live-\($0)") }
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: false,
                attributes: [.posixPermissions: 0o700])
        } catch {
            throw BackupError(
                .storageFailed, "cannot make the temporary folder \(folder)", hint: Self.hint)
        }
    }

    deinit {
        for side in old + live { side.file?.close() }
        // What is left in a folder for temporary files harms nobody.
        try? FileManager.default.removeItem(atPath: folder)
    }

    private static let hint =
        "Free some space there; TMPDIR names another folder for temporary files."

    private static func part(of digest: KeyDigest) -> Int { Int(digest.high % UInt64(parts)) }

    // MARK: Writing

    /// Adds a row of the parent.
    func add(old digest: KeyDigest, hash: UInt64) async throws {
        let part = Self.part(of: digest)
        Self.append((digest.high, digest.low, hash), to: &old[part].buffer)
        if old[part].buffer.count >= Self.bufferBytes { try await Self.flush(&old[part]) }
    }

    /// Adds a live row.
    func add(_ row: LiveRows.Row, of rows: LiveRows) async throws {
        try await add(
            row.digest, row.hash, isMarked: row.isMarked, rows.bytes[row.record],
            row.isShown ? [] : rows.bytes[row.key])
    }

    /// Adds a live row: its record with the line end, or its key when it is not shown.
    func add(
        _ digest: KeyDigest, _ hash: UInt64, isMarked: Bool, _ record: ArraySlice<UInt8>,
        _ key: ArraySlice<UInt8>
    ) async throws {
        let part = Self.part(of: digest)
        let counts = UInt64(record.count) << 32 | UInt64(key.count)
        Self.append((digest.high, digest.low, hash, counts), to: &live[part].buffer)
        live[part].buffer.append(isMarked ? 1 : 0)
        live[part].buffer.append(contentsOf: record)
        live[part].buffer.append(contentsOf: key)
        if live[part].buffer.count >= Self.bufferBytes { try await Self.flush(&live[part]) }
    }

    @inline(__always)
    private static func append<Numbers: BitwiseCopyable>(
        _ numbers: Numbers, to bytes: inout [UInt8]
    ) {
        withUnsafeBytes(of: numbers) { bytes.append(contentsOf: $0) }
    }

    private static func flush(_ side: inout Side) async throws {
        do {
            let file = try side.file ?? LocalFile(writing: side.path)
            side.file = file
            try await file.write(side.buffer)
            side.buffer.removeAll(keepingCapacity: true)
        } catch var error as BackupError {
            error.hint = hint
            throw error
        }
    }

    // MARK: Reading

    /// The parent's rows of one part.
    func oldRows(ofPart part: Int) async throws -> DigestTable {
        var rows = DigestTable()
        try await read(&old[part]) { buffer in
            var offset = 0
            while buffer.count - offset >= Self.oldBytes {
                let numbers = Self.numbers(3, in: buffer, at: offset)
                rows.insert(KeyDigest(high: numbers[0], low: numbers[1]), numbers[2])
                offset += Self.oldBytes
            }
            return offset
        }
        return rows
    }

    /// Gives each live row of one part: what it is, its record, and its key when it is not shown.
    func liveRows(
        ofPart part: Int,
        _ body: (Row, ArraySlice<UInt8>, ArraySlice<UInt8>) async throws -> Void
    ) async throws {
        try await read(&live[part]) { buffer in
            var offset = 0
            while buffer.count - offset >= Self.headBytes {
                let numbers = Self.numbers(4, in: buffer, at: offset)
                let recordStart = offset + Self.headBytes
                let keyStart = recordStart + Int(numbers[3] >> 32)
                let end = keyStart + Int(numbers[3] & 0xFFFF_FFFF)
                guard buffer.count >= end else { break }
                try await body(
                    Row(
                        digest: KeyDigest(high: numbers[0], low: numbers[1]), hash: numbers[2],
                        isMarked: buffer[recordStart - 1] == 1),
                    buffer[recordStart..<keyStart], buffer[keyStart..<end])
                offset = end
            }
            return offset
        }
    }

    /// Gives what a side holds piece by piece, with what was left of the piece before.
    ///
    /// The side is empty afterwards, and so is its place on the disk.
    ///
    /// `take`: Says how much of it is done.
    private func read(_ side: inout Side, _ take: ([UInt8]) async throws -> Int) async throws {
        guard side.file != nil else {
            _ = try await take(side.buffer)
            side.buffer = []
            return
        }
        try await Self.flush(&side)
        side.file?.close()
        side.file = nil
        side.buffer = []
        let file = try LocalFile(reading: side.path)
        defer {
            file.close()
            try? FileManager.default.removeItem(atPath: side.path)
        }
        var buffer: [UInt8] = []
        while case let piece = try await file.next(), !piece.isEmpty {
            buffer += piece
            buffer.removeFirst(try await take(buffer))
        }
    }

    private static func numbers(_ count: Int, in bytes: [UInt8], at offset: Int) -> [UInt64] {
        bytes.withUnsafeBytes { bytes in
            (0..<count).map {
                bytes.loadUnaligned(fromByteOffset: offset + $0 * 8, as: UInt64.self)
            }
        }
    }
}
