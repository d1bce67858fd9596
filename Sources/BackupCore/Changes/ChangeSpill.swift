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

    private let folder: URL
    private var buffers: [String: [UInt8]] = [:]

    /// - Throws: `BackupError.storageFailed` when there is no room for temporary files.
    init() throws {
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("dbtool-join-\(UUID().uuidString)")
        do {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: false,
                attributes: [.posixPermissions: 0o700])
        } catch {
            throw Self.failure(folder)
        }
    }

    deinit {
        // What is left in a folder for temporary files harms nobody.
        try? FileManager.default.removeItem(at: folder)
    }

    private static func part(of digest: KeyDigest) -> Int { Int(digest.high % UInt64(parts)) }

    // MARK: Writing

    /// Adds a row of the parent.
    func add(old digest: KeyDigest, hash: UInt64) throws {
        var bytes: [UInt8] = []
        Self.append([digest.high, digest.low, hash], to: &bytes)
        try append(bytes, to: "old-\(Self.part(of: digest))")
    }

    /// Adds a live row.
    func add(_ row: LiveRows.Row, of live: LiveRows) throws {
        try add(
            row.digest, row.hash, isMarked: row.isMarked, live.bytes[row.record],
            row.isShown ? [] : live.bytes[row.key])
    }

    /// Adds a live row: its record with the line end, or its key when it is not shown.
    func add(
        _ digest: KeyDigest, _ hash: UInt64, isMarked: Bool, _ record: ArraySlice<UInt8>,
        _ key: ArraySlice<UInt8>
    ) throws {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headBytes + record.count + key.count)
        let counts = UInt64(record.count) << 32 | UInt64(key.count)
        Self.append([digest.high, digest.low, hash, counts], to: &bytes)
        bytes.append(isMarked ? 1 : 0)
        bytes += record
        bytes += key
        try append(bytes, to: "live-\(Self.part(of: digest))")
    }

    private static func append(_ numbers: [UInt64], to bytes: inout [UInt8]) {
        for number in numbers {
            withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) }
        }
    }

    private func append(_ bytes: [UInt8], to file: String) throws {
        buffers[file, default: []] += bytes
        guard buffers[file, default: []].count >= Self.bufferBytes else { return }
        try flush(file)
    }

    private func flush(_ file: String) throws {
        guard let bytes = buffers.removeValue(forKey: file), !bytes.isEmpty else { return }
        let url = folder.appendingPathComponent(file)
        if !FileManager.default.fileExists(atPath: url.path) {
            guard
                FileManager.default.createFile(
                    atPath: url.path, contents: nil, attributes: [.posixPermissions: 0o600])
            else { throw Self.failure(url) }
        }
        do {
            let handle = try FileHandle(forWritingTo: url)
            defer { try? handle.close() }
            try handle.seekToEnd()
            try handle.write(contentsOf: Data(bytes))
        } catch {
            throw Self.failure(url)
        }
    }

    // MARK: Reading

    /// The parent's rows of one part.
    func oldRows(ofPart part: Int) throws -> DigestTable {
        var rows = DigestTable()
        try read("old-\(part)") { buffer in
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
        try flush("live-\(part)")
        var buffer: [UInt8] = []
        guard let handle = handle("live-\(part)") else { return }
        defer { try? handle.close() }
        while let piece = try piece(of: handle) {
            buffer += piece
            var offset = 0
            while buffer.count - offset >= Self.headBytes {
                let numbers = Self.numbers(4, in: buffer, at: offset)
                let (recordBytes, keyBytes) = (
                    Int(numbers[3] >> 32), Int(numbers[3] & 0xFFFF_FFFF)
                )
                let start = offset + Self.headBytes
                guard buffer.count - start >= recordBytes + keyBytes else { break }
                try await body(
                    Row(
                        digest: KeyDigest(high: numbers[0], low: numbers[1]), hash: numbers[2],
                        isMarked: buffer[start - 1] == 1),
                    buffer[start..<(start + recordBytes)],
                    buffer[(start + recordBytes)..<(start + recordBytes + keyBytes)])
                offset = start + recordBytes + keyBytes
            }
            buffer.removeFirst(offset)
        }
    }

    private func read(_ file: String, _ take: ([UInt8]) -> Int) throws {
        try flush(file)
        guard let handle = handle(file) else { return }
        defer { try? handle.close() }
        var buffer: [UInt8] = []
        while let piece = try piece(of: handle) {
            buffer += piece
            buffer.removeFirst(take(buffer))
        }
    }

    private func handle(_ file: String) -> FileHandle? {
        try? FileHandle(forReadingFrom: folder.appendingPathComponent(file))
    }

    private func piece(of handle: FileHandle) throws -> Data? {
        do {
            guard let data = try handle.read(upToCount: 1 << 20), !data.isEmpty else { return nil }
            return data
        } catch {
            throw Self.failure(folder)
        }
    }

    private static func numbers(_ count: Int, in bytes: [UInt8], at offset: Int) -> [UInt64] {
        bytes.withUnsafeBytes { bytes in
            (0..<count).map {
                bytes.loadUnaligned(fromByteOffset: offset + $0 * 8, as: UInt64.self)
            }
        }
    }

    private static func failure(_ url: URL) -> BackupError {
        BackupError(
            .storageFailed, "cannot write the temporary file \(url.path)",
            hint: "Free some space there; TMPDIR names another folder for temporary files.")
    }
}
