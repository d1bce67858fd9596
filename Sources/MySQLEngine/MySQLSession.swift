import BackupCore

/// The settings that the text of rows depends on, pinned on every connection and read back.
///
/// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/server-system-variables.html>
enum MySQLSession {
    /// What every supported server knows.
    ///
    /// `sql_mode` empty: `ANSI_QUOTES`, `NO_BACKSLASH_ESCAPES` and `PAD_CHAR_TO_FULL_LENGTH` would change
    /// what is printed.
    private static let pins: KeyValuePairs = [
        "time_zone": "'+00:00'",
        "sql_mode": "''",
        "character_set_client": "utf8mb4",
        "character_set_results": "utf8mb4",
        "character_set_connection": "utf8mb4",
        "autocommit": "1",
        "sql_quote_show_create": "1",
        "sql_select_limit": "18446744073709551615",
        "sql_safe_updates": "0",
        "group_concat_max_len": "1073741824",
        "net_read_timeout": "31536000",
        "net_write_timeout": "31536000",
        "wait_timeout": "31536000",
    ]

    private static let ofMariaDB: KeyValuePairs = [
        "max_statement_time": "0",
        "idle_transaction_timeout": "0",
        "idle_readonly_transaction_timeout": "0",
    ]

    private static let ofMySQL: KeyValuePairs = [
        "max_execution_time": "0",
        // Sizes and next values as they are, not as they were within the last day.
        "information_schema_stats_expiry": "0",
        // Keys that the server has added by itself are columns like others.
        "show_gipk_in_create_table_and_information_schema": "1",
        "print_identified_with_as_hex": "1",
    ]

    /// Pins the settings, those that this server knows.
    ///
    /// - Throws: `BackupError.serverRefused` when one of them did not take.
    static func pin(_ connection: MySQLConnection, on server: MySQLServer) async throws {
        let own = server.isMariaDB ? ofMariaDB : ofMySQL
        do {
            for (name, value) in pins.map({ ($0.key, $0.value) }) {
                try await connection.execute("SET SESSION \(name) = \(value)")
            }
            for (name, value) in own.map({ ($0.key, $0.value) }) {
                do {
                    try await connection.execute("SET SESSION \(name) = \(value)")
                } catch let error as MySQLError where error.number == unknownVariable {
                    // This version does not have it.
                }
            }
            try await confirm(connection)
        } catch let error as MySQLError {
            throw error.backupError(while: "cannot prepare the session")
        }
    }

    private static let unknownVariable: UInt32 = 1193

    /// Reads back what the text of values depends on.
    ///
    /// - Throws: `BackupError.serverRefused`: behind a proxy the next statement may be another session's.
    static func confirm(_ connection: MySQLConnection) async throws {
        let row =
            try await connection.rows(
                """
                SELECT @@SESSION.time_zone, @@SESSION.sql_mode, @@SESSION.character_set_client,
                       @@SESSION.character_set_results, @@SESSION.character_set_connection
                """
            ).first ?? []
        guard row == ["+00:00", "", "utf8mb4", "utf8mb4", "utf8mb4"] else {
            throw BackupError(
                .serverRefused, "the session does not keep its settings",
                hint:
                    "Connect to the server itself, not through a proxy that shares its connections."
            )
        }
    }
}
