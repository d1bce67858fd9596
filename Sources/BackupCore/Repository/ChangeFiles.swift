import Packing

/// Writes what a layer holds of a table: rows, and tombstones.
///
/// Rows come from one task at a time.
final class ChangeFile: Sendable {
    private let writer: TableFileWriter
    private let state: Exclusive<State>

    private struct State {
        var batch = RowBatch()
        let encoder: BatchEncoder
    }

    init(_ writer: TableFileWriter, seed: UInt64, packing: FilePacking) throws {
        self.writer = writer
        state = Exclusive(
            State(encoder: try BatchEncoder(seed: seed, packing: packing, keyPositions: [])))
    }

    /// Adds a record, given with its line end.
    func append(_ record: ArraySlice<UInt8>) async throws {
        let encoded = try state.withValue { state in
            record.withUnsafeBytes { state.batch.append(record: $0) }
            return state.batch.isFull ? try Self.take(&state) : nil
        }
        if let encoded { try await writer.append(encoded) }
    }

    /// Writes what is left.
    func finish() async throws {
        let encoded = try state.withValue { $0.batch.isEmpty ? nil : try Self.take(&$0) }
        if let encoded { try await writer.append(encoded) }
    }

    private static func take(_ state: inout State) throws -> EncodedBatch {
        defer { state.batch.removeAll() }
        return try state.encoder.encode(state.batch)
    }
}

/// What became of a file: nil where nothing was written and so no file is there.
struct WrittenFile: Sendable {
    let name: String
    let rows: Int
    let bytes: Int
    let csvBytes: Int
    let sha256: String
}

extension BackupFolder {
    private struct NothingWritten: Error {}

    /// Writes a file of records, unless there are none.
    ///
    /// - Returns: Nil when `body` wrote no record.
    nonisolated func writeRecords(
        _ name: String, columns: [String], packing: FilePacking, seed: UInt64,
        _ body: (ChangeFile) async throws -> Void
    ) async throws -> WrittenFile? {
        var written: WrittenFile?
        do {
            try await write(name) { data in
                let writer = TableFileWriter(data: data, index: nil)
                try await writer.begin(columns: columns, packing: packing)
                let file = try ChangeFile(writer, seed: seed, packing: packing)
                try await body(file)
                try await file.finish()
                let rows = await writer.fingerprint.rows
                guard rows > 0 else { throw NothingWritten() }
                written = WrittenFile(
                    name: name, rows: rows, bytes: await writer.byteCount,
                    csvBytes: await writer.csvBytes, sha256: await writer.digests().data)
            }
        } catch is NothingWritten {
            return nil
        }
        if let written { await record(name, written.sha256) }
        return written
    }
}
