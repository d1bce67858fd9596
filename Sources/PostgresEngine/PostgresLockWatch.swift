import BackupCore
import Synchronization

/// Looks every two seconds who waits for a backup, and whom a backup waits for.
///
/// A backup's locks are in the way of nothing but `ALTER`, `TRUNCATE` and their like; but behind one
/// of these that waits, everybody else waits too. So it is said while it lasts, and again at growing
/// intervals. The watch uses a connection of its own, and a backup that cannot spare one goes on
/// without.
final class PostgresLockWatch: Sendable {
    private struct State {
        /// The sessions of this backup.
        var own: Set<String> = []
        var blocked: PostgresBlocked?
        var reminder = Reminder()
    }

    private let connection: PostgresConnection?
    private let request: SnapshotRequest
    private let state = Mutex(State())

    /// Connects, so that the first look comes before the first wait can end.
    init(
        _ settings: PostgresSettings, beside leader: PostgresConnection, encoding: String,
        request: SnapshotRequest
    ) async {
        self.request = request
        // The other readers, and the check at the end; before these pg_dump.
        connection = await PostgresRoom.spareConnection(
            settings, beside: leader, needed: request.connections, encoding: encoding, side: .source
        )
    }

    /// Whom the backup waited for at the last look; nil when it waited for nobody.
    var blocked: PostgresBlocked? { state.withLock { $0.blocked } }

    /// Counts a connection among those of this backup.
    func include(_ connection: PostgresConnection) async throws {
        do {
            let process = try await connection.process()
            state.withLock { _ = $0.own.insert(process) }
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot take a snapshot")
        }
    }

    /// The name by which the watch knows the session of the pg_dump that `leader` waits for.
    static func programName(leader: String) -> String { "dbtool pg_dump for \(leader)" }

    /// Looks until the task is cancelled.
    func run() async {
        guard let connection else { return }
        while !Task.isCancelled {
            do {
                do {
                    try await look(through: PostgresLocks(connection: connection))
                } catch let error as PostgresError where !error.isConnectionLoss {
                    // A server that is too busy to answer may answer the next time.
                }
                try await Task.sleep(for: interval)
            } catch {
                // Cancelled, or cut off from the server: the backup will notice that by itself.
                return
            }
        }
    }

    /// Often enough to see who is in the way before `--lock-timeout` ends the wait.
    private var interval: Duration {
        min(.seconds(2), max(.milliseconds(100), request.lockTimeout / 4))
    }

    private func look(through locks: PostgresLocks) async throws {
        let own = state.withLock { $0.own }
        let programs = own.map(Self.programName)
        let all = own.union(try await locks.sessions(named: programs))
        let waiting = try await locks.waiting(for: all)
        let blocked = try await locks.blocking(all)
        let notes = state.withLock { state in
            state.blocked = blocked
            let said = waiting.map { (key: $0.key, seconds: $0.seconds, text: $0.note) }
            // pg_dump can wait behind one that waits for us, of whom that is said already.
            let others = [blocked].compactMap(\.self).filter { blocked in
                !waiting.contains { $0.peer.process == blocked.blocker.process }
            }
            let heard = others.map { (key: $0.key, seconds: $0.seconds, text: $0.note) }
            return state.reminder.due(among: said + heard)
        }
        notes.forEach(request.notes)
    }
}
