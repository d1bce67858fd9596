import CPostgres
import Dispatch

/// Asks the server to stop what a connection is doing; usable from any thread.
///
/// `@unchecked Sendable`: `PQcancel` is documented as safe from any thread, and the pointer never
/// changes.
///
/// - SeeAlso: <https://www.postgresql.org/docs/current/libpq-cancel.html>
final class PostgresCanceller: @unchecked Sendable {
    private let handle: OpaquePointer?

    init(_ connection: OpaquePointer) {
        handle = PQgetCancel(connection)
    }

    deinit {
        PQfreeCancel(handle)
    }

    /// Returns at once; the request travels on a thread of its own.
    func cancel() {
        DispatchQueue.global().async { self.cancelAndWait() }
    }

    /// Returns when the server has got the request.
    func cancelAndWait() {
        var words = [CChar](repeating: 0, count: 256)
        // A request that does not arrive changes nothing: the statement ends by itself.
        PQcancel(handle, &words, Int32(words.count))
    }
}
