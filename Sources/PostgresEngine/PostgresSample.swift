import BackupCore
import Synchronization

/// A short real measurement: how fast rows come out of a table.
struct PostgresSample: Sendable {
    private static let limitBytes = 32 << 20
    private static let limit: Duration = .seconds(1)

    /// Of what the server stores.
    let bytesPerSecond: Double

    private struct Enough: Error {}

    private final class Counter: Sendable {
        let read = Mutex((rows: 0, bytes: 0))
    }

    /// Reads the beginning of a table; nil when that says nothing, or when the table is locked.
    static func of(
        _ relation: PostgresCatalog.Relation, columns: [String], storedBytes: Int,
        on connection: PostgresConnection
    ) async throws -> PostgresSample? {
        let rows = PostgresRows(
            relation, columns: columns, sizes: (0, 0), blockBytes: 8192, holdsNames: false)
        guard let statement = rows.statements.first else { return nil }
        let start = ContinuousClock.now
        let counter = Counter()
        var isWhole = true
        do {
            try await connection.copyOut(statement) { batch in
                let bytes = counter.read.withLock { read in
                    read.rows += batch.count
                    read.bytes += batch.bytes.count
                    return read.bytes
                }
                if bytes >= limitBytes || ContinuousClock.now - start >= limit { throw Enough() }
            }
        } catch is Enough {
            isWhole = false
        } catch let error as PostgresError where ["55P03", "57014"].contains(error.sqlState) {
            return nil
        }
        let seconds = max(0.001, (ContinuousClock.now - start) / .seconds(1))
        let (rowCount, csvBytes) = counter.read.withLock { $0 }
        guard rowCount > 0 else { return nil }
        // The server may keep rows packed: the share of the rows is the share of what it stores.
        let share = relation.rowEstimate.flatMap { $0 >= rowCount ? $0 : nil }
            .map { Double(rowCount) / Double($0) }
        let read = isWhole ? Double(storedBytes) : share.map { $0 * Double(storedBytes) }
        return PostgresSample(bytesPerSecond: max(1, (read ?? Double(csvBytes)) / seconds))
    }
}
