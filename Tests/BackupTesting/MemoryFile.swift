import BackupCore
import Synchronization

/// The bytes of a stored thing while they are read or written.
final class MemoryFile: StorageReader, StorageWriter {
    private static let pieceBytes = 1 << 20

    private struct State {
        var bytes: [UInt8]
        var position = 0
    }

    private let state: Mutex<State>
    private let beforeAppend: @Sendable () throws -> Void

    init(_ bytes: [UInt8], beforeAppend: @escaping @Sendable () throws -> Void = {}) {
        state = Mutex(State(bytes: bytes))
        self.beforeAppend = beforeAppend
    }

    var written: [UInt8] { state.withLock { $0.bytes } }

    func next() async throws -> [UInt8] {
        state.withLock { state in
            let end = min(state.position + Self.pieceBytes, state.bytes.count)
            defer { state.position = end }
            return Array(state.bytes[state.position..<end])
        }
    }

    func write(_ bytes: [UInt8]) async throws {
        try beforeAppend()
        state.withLock { $0.bytes += bytes }
    }
}
