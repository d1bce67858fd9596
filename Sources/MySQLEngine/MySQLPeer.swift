import BackupCore

/// A session, as far as the server tells about it.
struct MySQLPeer: Sendable {
    /// The server's number of it.
    let process: String
    let account: String?
    /// The database that it means by names without one.
    let database: String?
    /// For how long it has been doing what it does, or nothing.
    let seconds: Int
    /// `Query`, `Execute`, `Sleep` and what else clients may ask for; `Daemon`.
    let command: String
    let state: String
    /// What it does; of one that is idle what it did last, where that is known.
    let query: String?

    /// Columns of `information_schema.PROCESSLIST`, which `init(row:)` reads.
    private static let columns = "ID, USER, DB, TIME, COMMAND, STATE, LEFT(INFO, 4000)"

    /// The same of `performance_schema.threads` as `t`, and `events_statements_current` as `s`.
    static let columnsOfThreads = """
        t.PROCESSLIST_ID, t.PROCESSLIST_USER, t.PROCESSLIST_DB, t.PROCESSLIST_TIME, t.PROCESSLIST_COMMAND,
        t.PROCESSLIST_STATE, LEFT(COALESCE(t.PROCESSLIST_INFO, s.SQL_TEXT), 4000)
        """

    /// Every session that the account may see, those first that have done what they do for longest: without `PROCESS`
    /// those of its own.
    ///
    /// - Throws: `MySQLError`.
    static func all(_ connection: MySQLConnection) async throws -> [MySQLPeer] {
        do {
            return try await connection.rows(
                "SELECT \(columns) FROM information_schema.PROCESSLIST ORDER BY TIME DESC, ID"
            ).map { MySQLPeer(row: $0[...]) }
        } catch let error as MySQLError where error.lacksLetters {
            return try await connection.rows("SHOW PROCESSLIST")
                .map { MySQLPeer(shown: $0) }
                .sorted { ($1.seconds, Int($0.process) ?? 0) < ($0.seconds, Int($1.process) ?? 0) }
        }
    }

    /// A row of `SHOW PROCESSLIST`: of each statement this tells the first hundred letters alone.
    private init(shown row: [String?]) {
        var query = row[7]
        // The name of a table may be cut short, and be another one's.
        if let text = query, text.unicodeScalars.count >= 100 {
            query = String(text.prefix(upTo: text.lastIndex(of: " ") ?? text.endIndex))
        }
        self.init(row: [row[0], row[1], row[3], row[5], row[4], row[6], query])
    }

    init(row: ArraySlice<String?>) {
        let row = Array(row)
        process = row[0] ?? ""
        (account, database) = (row[1], row[2])
        seconds = row[3].flatMap { Int($0) } ?? 0
        command = row[4] ?? ""
        state = row[5] ?? ""
        query = row[6]
    }

    /// It has been asked nothing since: what it holds it holds until somebody commits.
    var isIdle: Bool { command == "Sleep" }
    /// It waits for a lock on a table.
    var isWaiting: Bool { state == "Waiting for table metadata lock" }

    /// It does not get a table: it waits for a lock on it, or looks for it for longer than that takes, as MySQL does for one that
    /// was flushed while an ALTER waits for it.
    var lacksTable: Bool {
        isWaiting
            || seconds > 1 && ["Opening tables", "Waiting for table flush"].contains(state)
    }

    /// It runs a statement, which may be a prepared one.
    var hasStatement: Bool { command == "Query" || command == "Execute" }
    var waitsForLock: Bool { state.hasPrefix("Waiting for") && state.contains("lock") }

    /// `process 47 of account app, idle for 30 s`, without its statement.
    var words: String {
        let who = "process \(process)" + (account.map { " of account \($0)" } ?? "")
        return isIdle ? "\(who), idle for \(seconds) s" : who
    }

    /// One line of at most 80 characters; nil where the server tells none.
    var statement: String? {
        query.flatMap { $0.isEmpty ? nil : StatementLine.shown($0) }
    }

    /// The same with its statement.
    var description: String { statement.map { "\(words): \($0)" } ?? words }

    /// What to do about it where more time may help.
    var remedy: String {
        isIdle
            ? "Let that session commit, or end it: KILL \(process);"
            : "Wait until it has finished, or raise --lock-timeout."
    }
}
