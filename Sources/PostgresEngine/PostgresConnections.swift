import BackupCore
import Synchronization

/// Connections that do the same work side by side.
///
/// Whoever wants one waits in line; each is lent to one task at a time.
final class PostgresConnections: Sendable {
    let all: [PostgresConnection]
    private let free: Mutex<[PostgresConnection]>
    private let line: Turnstile

    init(_ connections: [PostgresConnection]) {
        all = connections
        free = Mutex(connections)
        line = Turnstile(permits: connections.count)
    }

    /// Runs `body` with the next connection that is free.
    func withOne<Result: Sendable>(
        _ body: (PostgresConnection) async throws -> Result
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
