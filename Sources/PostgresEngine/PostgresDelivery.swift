import BackupCore
import Synchronization

/// Whoever takes the rows of a COPY.
protocol RowReceiver: Sendable {
    /// Hands over the next batch.
    ///
    /// - Returns: False when nobody wants more.
    func send(_ batch: RowBatch) async -> Bool
}

extension Relay: RowReceiver where Value == RowBatch {}

/// Hands over the rows of one part, each once, even if a second connection has to read them again.
final class PostgresDelivery: RowReceiver {
    /// Where all goes in the end.
    let relay: Relay<RowBatch>
    private let delivered: Exclusive<DeliveredRows>
    /// Why the rows are read again.
    private let loss = Mutex<PostgresError?>(nil)

    init(to relay: Relay<RowBatch>) throws {
        self.relay = relay
        delivered = Exclusive(try DeliveredRows())
    }

    func send(_ batch: RowBatch) async -> Bool {
        guard let rest = delivered.withValue({ $0.rest(of: batch) }) else { return false }
        if rest.isEmpty { return true }
        return await relay.send(rest)
    }

    /// The next batch is the first one of another reading.
    func beginAgain(after error: PostgresError) {
        loss.withLock { $0 = error }
        delivered.withValue { $0.beginAgain() }
    }

    /// - Throws: The loss of the first connection, where the second one gave other rows before those
    ///   that were missing.
    func finish() throws {
        guard !delivered.withValue({ $0.isWhole }), var error = loss.withLock({ $0 }) else {
            return
        }
        error.message = "read again, its rows came in another order; before that: \(error.message)"
        error.hint = "Run the backup again."
        throw error
    }
}
