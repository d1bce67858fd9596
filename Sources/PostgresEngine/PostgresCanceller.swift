import CPostgres
import Dispatch
import Synchronization

/// Asks the server to stop what a connection is doing; usable from any thread.
///
/// `@unchecked Sendable`: `PQcancel` is documented as safe from any thread, and the pointer never
/// changes.
///
/// - SeeAlso: <https://www.postgresql.org/docs/current/libpq-cancel.html>
final class PostgresCanceller: @unchecked Sendable {
    private let handle: OpaquePointer?
    private let underWay = DispatchGroup()

    init(_ connection: OpaquePointer) {
        handle = PQgetCancel(connection)
    }

    deinit {
        PQfreeCancel(handle)
    }

    /// Returns at once; the request travels on a thread of its own.
    func cancel() {
        DispatchQueue.global().async(group: underWay) { self.cancelAndWait() }
    }

    /// Returns when no request is under way any more, which the next statement would be hit by.
    func waitForRequests() {
        underWay.wait()
    }

    /// Returns when the server has got the request.
    func cancelAndWait() {
        var words = [CChar](repeating: 0, count: 256)
        // A request that does not arrive changes nothing: the statement ends by itself.
        PQcancel(handle, &words, Int32(words.count))
    }

    /// Asks again and again once started: a request that comes before its statement is lost.
    func keepsAsking() -> Repeated { Repeated(self) }

    /// Requests that go on until they are stopped.
    final class Repeated: Sendable {
        private let canceller: PostgresCanceller
        private let isStopped = Mutex(false)

        fileprivate init(_ canceller: PostgresCanceller) {
            self.canceller = canceller
        }

        func start() {
            DispatchQueue.global().async { self.ask() }
        }

        /// Returns when no request is under way any more, which the next statement would be hit by.
        func stop() {
            isStopped.withLock { $0 = true }
            canceller.waitForRequests()
        }

        private func ask() {
            // Together, so that none begins behind the back of whoever stops them.
            let goesOn = isStopped.withLock { isStopped in
                if !isStopped { canceller.underWay.enter() }
                return !isStopped
            }
            guard goesOn else { return }
            canceller.cancelAndWait()
            canceller.underWay.leave()
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(100)) { self.ask() }
        }
    }
}
