import BackupTesting

/// Settings of a whole MySQL or MariaDB server, a few of those that a backup and a restore must not be ruled by.
struct StrangeSettings: CustomStringConvertible {
    private typealias Choice = (name: String, values: [String])

    private let drawn: [(name: String, value: String)]

    init(on server: MySQLTestServer, by random: inout SeededGenerator) {
        let all = Self.everywhere + (server.isMariaDB ? Self.ofMariaDB : Self.ofMySQL)
        var drawn: [(name: String, value: String)] = []
        for (name, values) in all.shuffled(using: &random).prefix(3) {
            drawn.append((name, values.randomElement(using: &random) ?? "DEFAULT"))
        }
        self.drawn = drawn
    }

    var description: String { drawn.map { "\($0.name) = \($0.value)" }.joined(separator: ", ") }

    /// What gives them to every session that begins from now on.
    var setting: String {
        drawn.map { "SET GLOBAL \($0.name) = \($0.value)" }.joined(separator: "; ")
    }

    var puttingBack: String {
        drawn.map { "SET GLOBAL \($0.name) = DEFAULT" }.joined(separator: "; ")
    }

    /// What is wrong about how a run has ended under them: it must succeed, or say which of them it cannot do with.
    func faults(of end: ProgramEnd) -> [String] {
        guard end.code != 0 else { return [] }
        let words = (end.errors + end.output).lowercased()
        let isNamed = drawn.contains { words.contains($0.name) }
        return end.faults + (isNamed ? [] : ["names no setting: \(end)"])
    }

    // MARK: What there is

    /// What both products know.
    ///
    /// Time limits can be over before a session has lifted them, on a busy machine those of some hundred milliseconds too.
    private static let everywhere: [Choice] = [
        (
            "sql_mode",
            [
                "''", "'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'", "'PAD_CHAR_TO_FULL_LENGTH'",
                "'TRADITIONAL,ANSI'", "'NO_ZERO_DATE,NO_ZERO_IN_DATE,STRICT_ALL_TABLES'",
                "'PIPES_AS_CONCAT,HIGH_NOT_PRECEDENCE,REAL_AS_FLOAT,NO_UNSIGNED_SUBTRACTION'",
            ]
        ),
        ("time_zone", ["'+09:00'", "'-11:30'"]),
        ("character_set_client", ["'latin1'", "'sjis'"]), ("character_set_results", ["'latin1'"]),
        ("character_set_connection", ["'latin1'"]), ("character_set_server", ["'latin1'"]),
        ("collation_connection", ["'latin1_german1_ci'"]), ("collation_server", ["'utf8mb4_bin'"]),
        ("autocommit", ["0"]), ("completion_type", ["1", "2"]),
        ("foreign_key_checks", ["0"]), ("unique_checks", ["0"]),
        ("sql_safe_updates", ["1"]), ("sql_select_limit", ["1", "100"]),
        ("max_join_size", ["1", "100000"]), ("sql_auto_is_null", ["1"]),
        ("sql_buffer_result", ["1"]), ("sql_quote_show_create", ["0"]), ("sql_notes", ["0"]),
        ("max_error_count", ["0"]), ("group_concat_max_len", ["4"]), ("max_sort_length", ["64"]),
        ("div_precision_increment", ["0", "30"]), ("default_week_format", ["7"]),
        ("lc_time_names", ["'de_DE'"]), ("explicit_defaults_for_timestamp", ["0"]),
        ("default_storage_engine", ["'MyISAM'", "'MEMORY'"]), ("tmp_table_size", ["1024"]),
        ("net_read_timeout", ["1"]), ("net_write_timeout", ["1"]), ("wait_timeout", ["1"]),
        ("lock_wait_timeout", ["1"]), ("innodb_lock_wait_timeout", ["1"]),
        ("max_allowed_packet", ["1024", "65536"]),
        // Not for administrators.
        (
            "init_connect",
            [
                "'SET autocommit = 0'", "'SET NAMES latin1'",
                "'SET sql_select_limit = 1, sql_mode = ''ANSI_QUOTES'''",
                "'SET time_zone = ''+09:00'', foreign_key_checks = 0'",
            ]
        ),
    ]

    private static let ofMariaDB: [Choice] = [
        (
            "sql_mode",
            [
                "'ORACLE'", "'EMPTY_STRING_IS_NULL'", "'TIME_ROUND_FRACTIONAL'",
                "'NO_KEY_OPTIONS,NO_TABLE_OPTIONS,NO_FIELD_OPTIONS'",
            ]
        ),
        ("tx_isolation", ["'SERIALIZABLE'", "'READ-COMMITTED'", "'READ-UNCOMMITTED'"]),
        ("tx_read_only", ["1"]), ("max_statement_time", ["0.5", "2"]),
        ("idle_transaction_timeout", ["1"]), ("idle_readonly_transaction_timeout", ["1"]),
        ("idle_write_transaction_timeout", ["1"]), ("alter_algorithm", ["'INSTANT'", "'COPY'"]),
        ("old_mode", ["''"]), ("sql_if_exists", ["1"]), ("check_constraint_checks", ["0"]),
        ("system_versioning_asof", ["'2000-01-01 00:00:00'"]),
    ]

    private static let ofMySQL: [Choice] = [
        ("sql_mode", ["'TIME_TRUNCATE_FRACTIONAL'"]),
        ("transaction_isolation", ["'SERIALIZABLE'", "'READ-COMMITTED'", "'READ-UNCOMMITTED'"]),
        ("transaction_read_only", ["1"]), ("max_execution_time", ["500", "2000"]),
        ("default_collation_for_utf8mb4", ["'utf8mb4_general_ci'"]),
        ("information_schema_stats_expiry", ["31536000"]), ("show_create_table_verbosity", ["1"]),
        ("show_gipk_in_create_table_and_information_schema", ["0"]),
        ("sql_generate_invisible_primary_key", ["1"]), ("sql_require_primary_key", ["1"]),
    ]
}
