import CMariaDB
import Synchronization

/// What a connection sends when the server asks for the local file of a `LOAD DATA` statement.
///
/// Whatever file a server asks for, it gets these bytes, or an error when there are none.
///
/// - SeeAlso: <https://mariadb.com/kb/en/mysql_set_local_infile_handler/>
final class MySQLUpload: Sendable {
    private struct State {
        var bytes: [UInt8]?
        var offset = 0
    }

    private let state = Mutex(State())

    /// What the next statement sends; nil for nothing.
    func offer(_ bytes: [UInt8]?) { state.withLock { $0 = State(bytes: bytes) } }

    /// Makes it the only source of local files of a connection, which it must outlive.
    func install(in connection: UnsafeMutablePointer<MYSQL>) {
        mysql_set_local_infile_handler(
            connection,
            { handle, _, upload in
                handle?.pointee = upload
                return MySQLUpload.of(upload)?.hasBytes ?? false ? 0 : 1
            },
            { upload, buffer, capacity in
                guard let buffer, let upload = MySQLUpload.of(upload) else { return -1 }
                return Int32(
                    upload.read(UnsafeMutableRawBufferPointer(start: buffer, count: Int(capacity))))
            }, { _ in },
            { _, message, capacity in
                let words = "the server asks for a file that was not offered"
                let count = min(words.utf8.count, Int(capacity) - 1)
                for (index, byte) in words.utf8.prefix(count).enumerated() {
                    message?[index] = CChar(bitPattern: byte)
                }
                message?[count] = 0
                return Int32(CR_UNKNOWN_ERROR)
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    private static func of(_ pointer: UnsafeMutableRawPointer?) -> MySQLUpload? {
        pointer.map { Unmanaged<MySQLUpload>.fromOpaque($0).takeUnretainedValue() }
    }

    private var hasBytes: Bool { state.withLock { $0.bytes != nil } }

    private func read(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        state.withLock { state in
            guard let bytes = state.bytes else { return -1 }
            let count = min(buffer.count, bytes.count - state.offset)
            bytes.withUnsafeBytes { all in
                buffer.copyMemory(
                    from: UnsafeRawBufferPointer(
                        rebasing: all[state.offset..<(state.offset + count)]))
            }
            state.offset += count
            return count
        }
    }
}
