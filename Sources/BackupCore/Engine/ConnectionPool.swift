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
    package let all: [Connection]
    private let free: Mutex<[Connection]>
    private let line: Turnstile

    package init(_ connections: [Connection]) {
        all = connections
        free = Mutex(connections)
        line = Turnstile(permits: connections.count)
    }

    /// Runs `body` with the next connection that is free.
    package func withOne<Result: Sendable>(
        _ body: (Connection) async throws -> Result
    ) async throws -> Result {
        try await line.pass {
            guard let connection = free.withLock({ $0.popLast() }) else {
                preconditionFailure("more tasks passed than there are connections")
            }
            defer { free.withLock { $0.append(connection) } }
            return try await connection.turn.pass { try await body(connection) }
        }
    }
}
