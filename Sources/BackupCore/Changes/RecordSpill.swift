import Foundation
import Packing

/// Records that are put aside under their keys, and asked for one by one.
///
/// What does not fit into a buffer goes to a temporary file without a name: memory is 24 bytes and some room for each
/// key, and the buffers. Fast where records are asked for in about the order in which they were put aside, right in
/// any.
final class RecordSpill {
    /// How much of the file is read at once where one record comes after the other, and where none does.
    private static let pieceBytes = (next: 64 << 10, elsewhere: 4 << 10)
    private static let countBytes = MemoryLayout<UInt32>.size

    private let path: String
    private let bufferBytes: Int
    /// Where each record is among all that were put aside.
    private var places = DigestTable<Int>()
    /// What is not in the file yet.
    private var buffer: [UInt8] = []
    private var file: LocalFile?
    private var fileBytes = 0
    /// What was read last of the file, and where that is in it.
    private var piece: [UInt8] = []
    private var pieceStart = 0

    /// Room in a folder, by default the one for temporary files.
    init(
        in folder: String = FileManager.default.temporaryDirectory.path, bufferBytes: Int = 1 << 20
    ) {
        path = "\(folder)/dbtool-records-\(UUID().uuidString)"
        self.bufferBytes = bufferBytes
    }

    deinit { file?.close() }

    /// Puts a record aside; of two with one key the first is kept.
    ///
    /// - Throws: `BackupError.storageFailed` when there is no room for temporary files.
    func add(_ digest: KeyDigest, _ record: ArraySlice<UInt8>) throws {
        guard places.insert(digest, fileBytes + buffer.count) else { return }
        withUnsafeBytes(of: UInt32(record.count)) { buffer.append(contentsOf: $0) }
        buffer.append(contentsOf: record)
        if buffer.count >= bufferBytes { try flush() }
    }

    /// The record of a key; nil when none was put aside.
    func record(of digest: KeyDigest) throws -> ArraySlice<UInt8>? {
        guard let place = places[digest] else { return nil }
        let count = try bytes(from: place, count: Self.countBytes).withUnsafeBytes {
            Int($0.loadUnaligned(as: UInt32.self))
        }
        return try bytes(from: place + Self.countBytes, count: count)
    }

    private func flush() throws {
        try LocalFile.writingTemporary {
            let file = try self.file ?? LocalFile(withoutName: path)
            self.file = file
            try file.seek(to: fileBytes)
            try file.append(buffer)
            fileBytes += buffer.count
            buffer.removeAll(keepingCapacity: buffer.capacity <= 4 * bufferBytes)
        }
    }

    /// Some bytes that were put aside together, and so are all in the file or all in the buffer.
    private func bytes(from start: Int, count: Int) throws -> ArraySlice<UInt8> {
        guard start < fileBytes else {
            return buffer[(start - fileBytes)..<(start - fileBytes + count)]
        }
        let isAtHand = start >= pieceStart && start + count <= pieceStart + piece.count
        if !isAtHand { try readPiece(from: start, count: count) }
        return piece[(start - pieceStart)..<(start - pieceStart + count)]
    }

    private func readPiece(from start: Int, count: Int) throws {
        let reached = pieceStart + piece.count
        // One that the last piece has cut off begins within it.
        let isNext = (pieceStart...(reached + Self.pieceBytes.next)).contains(start)
        let atLeast = isNext ? Self.pieceBytes.next : Self.pieceBytes.elsewhere
        (piece, pieceStart) = ([], start)
        try file?.seek(to: start)
        while piece.count < count {
            guard let more = try file?.read(atMost: max(atLeast, count - piece.count)),
                !more.isEmpty
            else { throw BackupError(.storageFailed, "the temporary file \(path) is cut off") }
            piece += more
        }
    }
}
