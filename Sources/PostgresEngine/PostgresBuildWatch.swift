import BackupCore
import Synchronization

/// Tells how far pg_restore has come with what follows the rows: how much is made by its messages,
/// and what is being made by the server, which is asked twice a second.
///
/// The watch uses a connection of its own; a restore that cannot spare one goes on without, and
/// knows what is being made only by its name.
///
/// - SeeAlso: <https://www.postgresql.org/docs/current/progress-reporting.html>
final class PostgresBuildWatch: Sendable {
    private struct State {
        var count = PostgresBuildCount([])
        var current: StepProgress.Step?
        /// Whether the server tells what is being made.
        var isWatched: Bool
    }

    /// What the sessions are called that the watch looks at.
    let application: String
    private let connection: PostgresConnection?
    private let tell: @Sendable (StepProgress) -> Void
    private let state: Mutex<State>

    /// Connects, so that there is room for pg_restore when it begins.
    ///
    /// `leader` is a session of this restore, `jobs` how many pg_restore will open.
    init(
        _ settings: PostgresSettings, beside leader: PostgresConnection, jobs: Int,
        tell: @escaping @Sendable (StepProgress) -> Void
    ) async throws {
        application = "\(PostgresArchiveRestore.sessionName) for \(try await leader.process())"
        self.tell = tell
        connection = await PostgresRoom.spareConnection(
            settings, beside: leader, needed: jobs, encoding: "UTF8", side: .target)
        state = Mutex(State(isWatched: connection != nil))
    }

    // MARK: What pg_restore says

    /// Everything that is to be made is known.
    func expect(_ entries: Set<Int>) { change { $0 = PostgresBuildCount(entries) } }

    /// A run of pg_restore begins.
    func begin(_ entries: Set<Int>, jobs: Int) { change { $0.begin(entries, jobs: jobs) } }

    /// The run has ended.
    func end(toTryAgain failed: Set<Int> = []) { change { $0.end(toTryAgain: failed) } }

    /// Reads a line of its messages; whether it told nothing but progress.
    func read(_ line: String) -> Bool { change { $0.read(line) } }

    @discardableResult
    private func change<Result: Sendable>(
        _ body: (inout PostgresBuildCount) -> Result
    ) -> Result {
        let (result, progress) = state.withLock { state in
            let before = state.count.progress.current
            let result = body(&state.count)
            // What the server told last is about what was begun before.
            if state.count.progress.current != before { state.current = nil }
            return (result, Self.progress(state))
        }
        tell(progress)
        return result
    }

    private static func progress(_ state: State) -> StepProgress {
        var progress = state.count.progress
        let isDone = progress.total > 0 && progress.done == progress.total
        if state.isWatched { progress.current = isDone ? nil : state.current }
        return progress
    }

    // MARK: What the server says

    /// Looks until the task is cancelled.
    func run() async {
        guard let connection else { return }
        while !Task.isCancelled {
            do {
                see(try await connection.rows(Self.query, [application]).first, isWatched: true)
                try await Task.sleep(for: .milliseconds(500))
            } catch is CancellationError {
                return
            } catch {
                // Cut off from the server: pg_restore will notice that by itself.
                return see(nil, isWatched: false)
            }
        }
    }

    private func see(_ row: [String?]?, isWatched: Bool) {
        let progress = state.withLock { state in
            state.current = row.flatMap(PostgresBuildStep.init(row:))?.step
            state.isWatched = isWatched
            return Self.progress(state)
        }
        tell(progress)
    }

    /// What has been made for longest; an index that is being made is not in the catalogs yet.
    private static let query = """
        SELECT a.query, a.wait_event_type = 'Lock',
               extract(epoch FROM pg_catalog.clock_timestamp() - a.query_start), p.phase,
               p.blocks_done, p.blocks_total, p.tuples_done, p.tuples_total, n.nspname, c.relname
        FROM pg_catalog.pg_stat_activity a
        LEFT JOIN pg_catalog.pg_stat_progress_create_index p ON p.pid = a.pid
        LEFT JOIN pg_catalog.pg_class c ON c.oid = p.relid
        LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE a.application_name = $1 AND a.state = 'active'
          AND a.backend_type = 'client backend'
        ORDER BY a.query_start, a.pid LIMIT 1
        """
}
