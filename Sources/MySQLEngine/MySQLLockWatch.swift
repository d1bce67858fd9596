import BackupCore
import Synchronization

/// Looks every two seconds who waits for a backup, and whom a backup waits for.
///
/// A backup's locks are in the way of nothing but `ALTER`, `TRUNCATE` and their like; but behind one of these that waits,
/// everybody else waits too. So it is said while it lasts, and again at growing intervals. The watch uses a connection of
/// its own, and a backup that cannot spare one goes on without.
final class MySQLLockWatch: Sendable {
    private struct State {
        /// What the backup reads, and whether its sessions hold that already.
        var tables: Set<TableName> = []
        var isHeld = false
        var blocked: MySQLBlocked?
        /// Since when each is seen to wait: the server tells only how long its whole statement takes.
        var since: [String: ContinuousClock.Instant] = [:]
        var reminder = Reminder()
        /// Whether the server's list of locks may be read.
        var seesLocks: Bool
    }

    /// Far more than its statements take.
    ///
    /// The end of a backup waits for the one that runs, and no keepalive is sent while that is on its way to a server that
    /// is gone.
    private static let silenceSeconds: UInt32 = 15

    private let connection: MySQLConnection?
    private let request: SnapshotRequest
    /// The sessions of this backup.
    private let own: Set<String>
    private let state: Mutex<State>

    /// Connects, so that the first look comes before the first wait can end.
    ///
    /// `sessions`: All of this backup; the first is asked whether there is room.
    init(
        _ settings: MySQLSettings, beside sessions: [MySQLConnection], on server: MySQLServer,
        request: SnapshotRequest
    ) async {
        self.request = request
        state = Mutex(State(seesLocks: !server.isMariaDB))
        var own: Set<String> = []
        var spare: MySQLConnection?
        do {
            for session in sessions { own.insert(try await session.process()) }
            spare = try await Self.spareConnection(settings, beside: sessions, on: server)
        } catch {
            // What is wrong with the server the backup will notice by itself.
        }
        (self.own, connection) = (own, spare)
    }

    /// A connection for one who only watches; nil when there is no room for it, and for one that cancels a statement.
    private static func spareConnection(
        _ settings: MySQLSettings, beside sessions: [MySQLConnection], on server: MySQLServer
    ) async throws -> MySQLConnection? {
        guard let leader = sessions.first, try await MySQLRoom(leader).free > 1 else { return nil }
        var settings = settings
        settings.silenceSeconds = silenceSeconds
        let connection = try await MySQLConnection(settings)
        try await MySQLSession.pin(connection, on: server)
        try await MySQLSession.limitLockWaits(of: connection, to: .seconds(1))
        return connection
    }

    // MARK: What the backup does

    /// The tables are about to be locked.
    func begin(_ tables: [TableName]) {
        state.withLock { state in
            (state.tables, state.isHeld, state.blocked) = (Set(tables), false, nil)
        }
    }

    /// The tables are locked, until the backup ends or begins anew.
    func hold() { state.withLock { $0.isHeld = true } }

    /// A lock that could not be had, with who was in the way where that was seen.
    func explained(_ error: BackupError) -> BackupError {
        let blocked = state.withLock { $0.blocked }
        guard error.code == .locked, let blocked,
            error.message.hasSuffix(" \(blocked.table)")
                || error.message.contains(" \(blocked.table),")
        else { return error }
        var error = error
        error.underlying = blocked.words
        error.hint = blocked.remedy
        return error
    }

    // MARK: Looking

    /// Looks until the task is cancelled.
    func run() async {
        guard connection != nil else { return }
        while !Task.isCancelled {
            do {
                do {
                    try await look()
                } catch let error as MySQLError where !error.isConnectionLoss {
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

    /// Looks once, and tells what is due.
    func look() async throws {
        guard let connection else { return }
        let locks = MySQLLocks(connection: connection)
        let sessions = try await MySQLPeer.all(connection)
        let blocked = try await blocking(locks, sessions)
        let notes = state.withLock { state in
            let waiting =
                state.isHeld
                ? MySQLLocks.waiting(among: sessions, for: own, holding: state.tables) : []
            // Kept once it is gone: the wait may have ended without the lock.
            if let blocked { state.blocked = blocked }
            let now = ContinuousClock.now
            let keys = waiting.map(\.key) + [blocked?.key].compactMap(\.self)
            let before = state.since
            let since = Dictionary(keys.map { ($0, before[$0] ?? now) }) { first, _ in first }
            state.since = since
            func age(of key: String) -> Double {
                since[key].map { $0.duration(to: now).seconds } ?? 0
            }
            var things: [(key: String, seconds: Double, text: String)] = []
            for waiter in waiting {
                let seconds = age(of: waiter.key)
                things.append((waiter.key, seconds, waiter.note(after: seconds)))
            }
            if let blocked {
                let seconds = age(of: blocked.key)
                things.append((blocked.key, seconds, blocked.note(after: seconds)))
            }
            return state.reminder.due(among: things)
        }
        notes.forEach(request.notes)
    }

    private func blocking(
        _ locks: MySQLLocks, _ sessions: [MySQLPeer]
    ) async throws -> MySQLBlocked? {
        guard sessions.contains(where: { $0.lacksTable && own.contains($0.process) }) else {
            return nil
        }
        if state.withLock({ $0.seesLocks }) {
            do {
                // A server that keeps no list (performance_schema=OFF) shows an empty one.
                if let blocked = try await locks.blocking(own) { return blocked }
            } catch let error as MySQLError where error.isRefusal {
                state.withLock { $0.seesLocks = false }
            }
        }
        let tables = state.withLock { $0.tables }
        return MySQLLocks.blocking(own, among: sessions, tables: tables)
    }
}
