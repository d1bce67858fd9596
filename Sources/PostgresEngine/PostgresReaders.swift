import BackupCore
import Synchronization

/// The connections that read a snapshot side by side: its leader, and those that joined it.
///
/// The snapshot and all locks are the leader's, so that another connection can take the place of any
/// but the leader.
final class PostgresReaders: Sendable {
    /// Enough for accidents, and for nobody who ends sessions again and again.
    private static let replacementsPerPart = 2
    private static let replacementsPerRun = 5

    private let leader: PostgresConnection
    private let joining: PostgresJoining
    private let notes: @Sendable (String) -> Void
    private let pool: ConnectionPool<PostgresConnection>
    private let replacementsLeft = Mutex(PostgresReaders.replacementsPerRun)

    /// As many as were asked for, the leader among them.
    init(
        _ leader: PostgresConnection, _ joining: PostgresJoining, for request: SnapshotRequest
    ) async throws {
        var connections = [leader]
        while connections.count < request.connections {
            connections.append(try await joining.connection())
        }
        self.leader = leader
        self.joining = joining
        notes = request.notes
        pool = ConnectionPool(connections)
    }

    /// The connections as they are now.
    var all: [PostgresConnection] { pool.all }

    /// Runs `read` with the next connection that is free, and again with another one in its place if
    /// it is lost.
    ///
    /// `delivery`: What `read` hands rows to.
    func withOne(
        for delivery: PostgresDelivery, of table: TableName,
        _ read: (PostgresConnection) async throws -> Bool
    ) async throws -> Bool {
        try await pool.withPlace { (connection: inout PostgresConnection) async throws -> Bool in
            var count = 0
            while true {
                do {
                    return try await read(connection)
                } catch let error as PostgresError where count < Self.replacementsPerPart {
                    connection = try await replacement(of: connection, lostBy: error)
                    count += 1
                    delivery.beginAgain(after: error)
                    let words = error.message.prefix { $0 != "\n" }
                    notes("a connection was lost and replaced while reading \(table): \(words)")
                }
            }
        }
    }

    /// Another connection that sees what the lost one saw.
    ///
    /// - Throws: `loss`, where the connection lives or none can take its place; `CancellationError`.
    private func replacement(
        of connection: PostgresConnection, lostBy loss: PostgresError
    ) async throws -> PostgresConnection {
        guard connection !== leader, loss.isConnectionLoss, await connection.isLost,
            !Task.isCancelled, takesReplacement()
        else { throw loss }
        do {
            return try await joining.replacement()
        } catch {
            try Task.checkCancellation()
            // The leader is gone as well, or the server takes nobody: what happened first tells more.
            throw loss
        }
    }

    private func takesReplacement() -> Bool {
        replacementsLeft.withLock { left in
            guard left > 0 else { return false }
            left -= 1
            return true
        }
    }
}
