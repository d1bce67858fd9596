import Synchronization

/// A session with a server that one task at a time may use.
package protocol PooledConnection: AnyObject, Sendable {
    /// Whoever uses a connection that others know enters it first.
    var turn: Turnstile { get }
}

/// Connections that do the same work side by side.
///
/// Whoever wants one waits in line; each is lent to one task at a time.
package final class ConnectionPool<Connection: PooledConnection>: Sendable {
    private struct State {
        var all: [Connection]
        var free: [Connection]
    }

    private let state: Mutex<State>
    private let line: Turnstile

    package init(_ connections: [Connection]) {
        state = Mutex(State(all: connections, free: connections))
        line = Turnstile(permits: connections.count)
    }

    /// The connections, free or not.
    package var all: [Connection] { state.withLock { $0.all } }

    /// Runs `body` with the next connection that is free.
    package func withOne<Result: Sendable>(
        _ body: (Connection) async throws -> Result
    ) async throws -> Result {
        try await withPlace { connection in try await body(connection) }
    }

    /// The same for whoever may put another connection in its place, which stays in the pool then.
    ///
    /// Until `body` ends nobody else knows the other one.
    package func withPlace<Result: Sendable>(
        _ body: (inout Connection) async throws -> Result
    ) async throws -> Result {
        try await line.pass {
            guard let lent = state.withLock({ $0.free.popLast() }) else {
                preconditionFailure("more tasks passed than there are connections")
            }
            var connection = lent
            defer { putBack(connection, for: lent) }
            return try await lent.turn.pass { try await body(&connection) }
        }
    }

    private func putBack(_ connection: Connection, for lent: Connection) {
        state.withLock { state in
            state.free.append(connection)
            if let place = state.all.firstIndex(where: { $0 === lent }) {
                state.all[place] = connection
            }
        }
    }
}
