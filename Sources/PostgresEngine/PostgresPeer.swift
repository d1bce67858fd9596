import BackupCore

/// Another session, or a prepared transaction, as far as the server tells about it.
struct PostgresPeer: Sendable {
    /// `0` for a prepared transaction, which has no session.
    let process: String
    let role: String?
    let state: String?
    let stateSince: String?
    let query: String?
    /// The name of the prepared transaction.
    let gid: String?

    /// Columns for `SELECT`, which `init(row:)` reads; `a` is `pg_stat_activity`.
    static let columns = """
        a.pid, a.usename, a.state,
        pg_catalog.to_char(a.state_change AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
        pg_catalog.left(a.query, 400)
        """

    init(row: ArraySlice<String?>, gid: String? = nil, owner: String? = nil) {
        let row = Array(row)
        process = row[0] ?? "0"
        role = row[1] ?? owner
        state = row[2]
        stateSince = row[3]
        query = row[4]
        self.gid = gid
    }

    /// A prepared transaction.
    init(gid: String, owner: String?) {
        (process, role, self.gid) = ("0", owner, gid)
        (state, stateSince, query) = (nil, nil, nil)
    }

    /// `process 4711 of role app, idle in transaction since … UTC`, without its statement.
    var words: String {
        if process == "0" {
            let name = gid.map { " \(SQLText.literal($0))" } ?? ""
            return "prepared transaction\(name)" + (role.map { " of role \($0)" } ?? "")
        }
        let who = "process \(process)" + (role.map { " of role \($0)" } ?? "")
        guard let state, state.hasPrefix("idle in transaction") else { return who }
        return "\(who), idle in transaction" + (stateSince.map { " since \($0) UTC" } ?? "")
    }

    /// The same with its statement, as far as it may be seen.
    var description: String { process == "0" ? words : "\(words): \(statement)" }

    /// One line of at most 80 characters.
    var statement: String {
        guard let query, !query.isEmpty, query != "<insufficient privilege>" else {
            return "its statement is hidden from roles that are not in pg_monitor"
        }
        return StatementLine.shown(query)
    }

    /// What to do about it where more time may help.
    var remedy: String { ending ?? "Wait until it has finished, or raise --lock-timeout." }

    /// How to end what may not end by itself; nil for a session at work.
    var ending: String? {
        if let gid {
            let name = SQLText.literal(gid)
            return "End it in its database: COMMIT PREPARED \(name); or ROLLBACK PREPARED \(name);"
        }
        guard let state, state.hasPrefix("idle in transaction") else { return nil }
        return "Let that session commit, or end it: SELECT pg_terminate_backend(\(process));"
    }
}
