import BackupCore

/// What a session must have kept of its settings before anything is read or written.
extension MySQLSession {
    /// What decides which rows and values come and go, as every server shows it.
    private static let keptEverywhere: KeyValuePairs = [
        "time_zone": "+00:00",
        "character_set_client": "utf8mb4",
        "character_set_results": "utf8mb4",
        "character_set_connection": "utf8mb4",
        "autocommit": "ON",
        "completion_type": "NO_CHAIN",
        "sql_select_limit": "18446744073709551615",
        "group_concat_max_len": "1073741824",
    ]

    /// The two names of one.
    private static let keptIsolation: KeyValuePairs = [
        "transaction_isolation": "REPEATABLE-READ",
        "tx_isolation": "REPEATABLE-READ",
    ]

    private static let keptByMariaDB: KeyValuePairs = [
        "system_versioning_asof": "DEFAULT",
        "max_statement_time": "0",
    ]

    private static let keptByMySQL: KeyValuePairs = [
        "max_execution_time": "0",
        "information_schema_stats_expiry": "0",
        "show_gipk_in_create_table_and_information_schema": "ON",
    ]

    private static let keptByTargets: KeyValuePairs = [
        "foreign_key_checks": "OFF",
        "unique_checks": "ON",
    ]

    /// Reads back what decides which rows and values come and go.
    ///
    /// - Throws: `BackupError.serverRefused`: behind a proxy the next statement may be another session's.
    static func confirm(
        _ connection: MySQLConnection, on server: MySQLServer, side: Side
    ) async throws {
        let always = keptEverywhere.map { ($0.key, $0.value) } + [("sql_mode", side.mode)]
        // Not every version has them all.
        var known = keptIsolation.map { ($0.key, $0.value) }
        known += (server.isMariaDB ? keptByMariaDB : keptByMySQL).map { ($0.key, $0.value) }
        if side == .target { known += keptByTargets.map { ($0.key, $0.value) } }
        let names = (always + known).map { MySQLText.literal($0.0) }.joined(separator: ", ")
        let rows = try await connection.rows(
            "SHOW SESSION VARIABLES WHERE Variable_name IN (\(names))")
        let shown = Dictionary(rows.map { ($0[0] ?? "", $0[1] ?? "") }) { one, _ in one }
        let strange = (always + known.filter { shown[$0.0] != nil })
            .filter { name, value in !isSame(shown[name] ?? "", value) }
        guard !strange.isEmpty else { return }
        let words = strange.map { name, value in
            "\(name) is '\(shown[name] ?? "")', not '\(value)'"
        }
        throw BackupError(
            .serverRefused,
            "the session does not keep its settings: \(words.joined(separator: "; "))",
            hint: "Connect to the server itself, not through a proxy that shares its connections.")
    }

    /// Numbers may be shown with decimals.
    private static func isSame(_ shown: String, _ value: String) -> Bool {
        guard !shown.isExactly(value) else { return true }
        guard let one = Double(shown), let other = Double(value) else { return false }
        return one == other
    }
}
