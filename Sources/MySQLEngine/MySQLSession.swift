import BackupCore

/// The settings that the text of rows depends on, pinned on every connection and read back.
///
/// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/server-system-variables.html>
enum MySQLSession {
    /// What a session is for.
    enum Side {
        /// To read rows.
        case source
        /// To write what was read, as it is.
        case target

        /// The modes that it needs, and no other.
        ///
        /// `ANSI_QUOTES`, `NO_BACKSLASH_ESCAPES` and `PAD_CHAR_TO_FULL_LENGTH` would change what is
        /// printed; a zero is a zero for keys that count, and dates may be any, but where something is computed
        /// (`RowMode`). A table whose storage engine is not there must not get another one.
        var mode: String {
            switch self {
            case .source: ""
            case .target: "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION"
            }
        }
    }

    /// How many seconds the server waits for whom it serves: longer than anything takes.
    static let longestWait = "31536000"

    /// What every supported server knows.
    private static let pins: KeyValuePairs = [
        "time_zone": "'+00:00'",
        "character_set_client": "utf8mb4",
        "character_set_results": "utf8mb4",
        "character_set_connection": "utf8mb4",
        "autocommit": "1",
        "completion_type": "0",
        "sql_quote_show_create": "1",
        "sql_select_limit": "18446744073709551615",
        "sql_safe_updates": "0",
        "sql_big_selects": "1",
        "group_concat_max_len": "1073741824",
        "net_read_timeout": longestWait,
        "net_write_timeout": longestWait,
        "wait_timeout": longestWait,
    ]

    /// What everybody knows and not everybody may set.
    private static let wherePermitted: KeyValuePairs = [
        "max_error_count": "65535",
        "sql_notes": "1",
        // Where it is on the server writes it into each view that it shows.
        "sql_buffer_result": "0",
    ]

    private static let ofMariaDB: KeyValuePairs = [
        // Rows of now, not those of a time that somebody has set for everybody.
        "system_versioning_asof": "DEFAULT",
        "max_statement_time": "0",
        "idle_transaction_timeout": "0",
        "idle_readonly_transaction_timeout": "0",
        "idle_write_transaction_timeout": "0",
    ]

    private static let ofMySQL: KeyValuePairs = [
        "show_create_table_verbosity": "0",
        "max_execution_time": "0",
        // Sizes and next values as they are, not as they were within the last day.
        "information_schema_stats_expiry": "0",
        // Keys that the server has added by itself are columns like others.
        "show_gipk_in_create_table_and_information_schema": "1",
        "print_identified_with_as_hex": "1",
    ]

    /// What a target needs besides: foreign keys are made after the rows.
    private static let ofTargets: KeyValuePairs = [
        "foreign_key_checks": "0",
        // Without them InnoDB may take a key twice.
        "unique_checks": "1",
        // MySQL's name and MariaDB's, for what may be the default of everybody.
        "transaction_read_only": "0",
        "tx_read_only": "0",
        // MariaDB: a statement that names a character set alone means the collation that it always meant.
        "character_set_collations": "''",
        // MariaDB: else a table whose history is kept takes no index after its rows.
        "system_versioning_alter_history": "KEEP",
        "lock_wait_timeout": "60",
        // MariaDB: rows are what they were, whatever was demanded of others since.
        "check_constraint_checks": "0",
        // MariaDB: indexes and keys are made in whatever way there is for them.
        "alter_algorithm": "'DEFAULT'",
        // MySQL: else indexes are made by writing all rows anew, and what these compute with them.
        "old_alter_table": "0",
        // Tables without a key stay without.
        "sql_generate_invisible_primary_key": "0",
        "sql_require_primary_key": "0",
        // What older servers let be made: keys that refer to what is not unique, rows that may become too long.
        "restrict_fk_on_non_standard_key": "0",
        "innodb_strict_mode": "0",
        // Else the first TIMESTAMP gets a default that SHOW CREATE did not name.
        "explicit_defaults_for_timestamp": "1",
    ]

    /// Pins the settings, those that this server knows.
    ///
    /// - Throws: `BackupError.connectionFailed` for a session on another server; `BackupError.serverRefused` when one of the
    ///   settings did not take.
    static func pin(
        _ connection: MySQLConnection, on server: MySQLServer, side: Side = .source
    ) async throws {
        try confirm(connection, isOn: server.node)
        let own = (server.isMariaDB ? ofMariaDB : ofMySQL).map { ($0.key, $0.value) }
        let more = side == .target ? ofTargets.map { ($0.key, $0.value) } : []
        do {
            let always = pins.map { ($0.key, $0.value) } + [("sql_mode", "'\(side.mode)'")]
            for (name, value) in always {
                try await connection.execute("SET SESSION \(name) = \(value)")
            }
            // Below it a snapshot is none, and a table that is emptied takes the rows of others meanwhile. Its variable has
            // two names.
            try await connection.execute(
                "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            for (name, value) in own + wherePermitted.map({ ($0.key, $0.value) }) + more {
                do {
                    try await connection.execute("SET SESSION \(name) = \(value)")
                } catch let error as MySQLError
                    where [unknownVariable, readOnlyVariable].contains(error.number)
                    || error.isRefusal
                {
                    // This version does not have it, or only administrators may set it.
                }
            }
            try await confirm(connection, on: server, side: side)
        } catch let error as MySQLError {
            throw error.backupError(while: "cannot prepare the session")
        }
    }

    private static let unknownVariable: UInt32 = 1193
    /// Some versions have it for the whole server only.
    private static let readOnlyVariable: UInt32 = 1238

    /// How long its statements wait for whoever holds a lock on a table, in whole seconds.
    ///
    /// - Throws: `MySQLError`.
    static func limitLockWaits(of connection: MySQLConnection, to time: Duration) async throws {
        try await connection.execute(
            "SET SESSION lock_wait_timeout = \(max(1, time.components.seconds))")
    }

    /// What is written on one server need not be on another at that moment, nor a lock hold there.
    private static func confirm(_ connection: MySQLConnection, isOn node: MySQLNode) throws {
        guard connection.node != node else { return }
        throw BackupError(
            .connectionFailed,
            "connections come to several servers: \(node) and \(connection.node)",
            hint: "Name one of them with --host or --url, not what leads to any of them.")
    }
}
