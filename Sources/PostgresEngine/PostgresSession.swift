import BackupCore

/// The settings that the text of rows depends on, pinned on every connection.
///
/// - SeeAlso: <https://www.postgresql.org/docs/current/runtime-config-client.html>
enum PostgresSession {
    /// Applied where the server knows them, and read back.
    ///
    /// `row_security = off` makes hidden rows an error, never a smaller backup.
    /// `synchronize_seqscans = off` keeps rows in the order of the table's file.
    /// `standard_conforming_strings = on`: a statement is divided into words, and definitions are written, by it.
    /// `jit = off`: compiling our questions about the catalogs takes ten times as long as answering them.
    private static let pins: KeyValuePairs = [
        "search_path": "",
        "DateStyle": "ISO, YMD",
        "IntervalStyle": "postgres",
        "TimeZone": "UTC",
        "extra_float_digits": "3",
        "bytea_output": "hex",
        "xmloption": "content",
        "array_nulls": "on",
        "lc_monetary": "C",
        "row_security": "off",
        "synchronize_seqscans": "off",
        "quote_all_identifiers": "off",
        "standard_conforming_strings": "on",
        "max_parallel_workers_per_gather": "0",
        "jit": "off",
        "check_function_bodies": "off",
        "default_transaction_read_only": "off",
        "statement_timeout": "0",
        "lock_timeout": "0",
        "idle_in_transaction_session_timeout": "0",
        "idle_session_timeout": "0",
        "transaction_timeout": "0",
    ]

    /// Those of the pins that are for the text of rows: what a database computes for good follows its own.
    static let ofText = [
        "DateStyle", "IntervalStyle", "TimeZone", "extra_float_digits", "bytea_output",
        "xmloption", "array_nulls", "lc_monetary", "quote_all_identifiers",
    ]

    /// Besides the pins: what a restore's sessions are in need of, whatever their database says.
    private static let ofRestores = [
        "client_encoding", "restrict_nonsystem_relation_kind", "synchronous_commit",
        "event_triggers", "session_replication_role",
    ]

    /// Whether a session that computes may follow its database in a setting: nothing rests on another value.
    static func isFree(_ setting: String) -> Bool {
        let name = setting.lowercased()
        func isIn(_ names: [String]) -> Bool { names.contains { $0.lowercased() == name } }
        return isIn(ofText) || !isIn(pins.map { $0.key } + ofRestores)
    }

    /// Whom a session reads from or writes to.
    enum Side {
        /// The source: nothing that it owns may run on our behalf (CVE-2024-7348).
        case source
        /// The target: materialized views must be able to read views.
        case target
    }

    /// One more connection to a source.
    ///
    /// A server that has no place for a moment, as one that ended is still in its place, is asked again.
    static func another(
        _ settings: PostgresSettings, encoding: String
    ) async throws -> PostgresConnection {
        var pauses = GrowingPauses(for: .seconds(10))
        while true {
            do {
                let connection = try await PostgresConnection(settings)
                try await pin(connection, encoding: encoding, side: .source)
                return connection
            } catch let error as BackupError where error.code == .connectionFailed {
                guard try await pauses.wait() else { throw error }
            }
        }
    }

    /// Pins the settings.
    ///
    /// `encoding`: The encoding of what the client sends and gets.
    static func pin(
        _ connection: PostgresConnection, encoding: String, side: Side
    ) async throws {
        let restriction = side == .source ? "view, foreign-table" : ""
        // The target's last commit waits for all before it to be written: `PostgresTarget.finish`.
        let commits = side == .target ? [("synchronous_commit", "off")] : []
        let own = [
            ("client_encoding", encoding), ("restrict_nonsystem_relation_kind", restriction),
        ]
        let values = (pins.map { ($0.key, $0.value) } + own + commits)
            .map { "(\(SQLText.literal($0.0)), \(SQLText.literal($0.1)))" }
            .joined(separator: ", ")
        do {
            try await liftTimeouts(of: connection)
            try await connection.execute(
                """
                SELECT pg_catalog.set_config(s.name, v.value, false)
                FROM (VALUES \(values)) v(name, value)
                JOIN pg_catalog.pg_settings s ON lower(s.name) = lower(v.name)
                """)
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot prepare the session")
        }
    }

    /// A connection to a target, with its settings pinned.
    static func toTarget(
        _ settings: PostgresSettings, for request: TargetRequest
    ) async throws -> PostgresConnection {
        let connection = try await PostgresConnection(settings)
        let encoding = request.encoding == "SQL_ASCII" ? "SQL_ASCII" : "UTF8"
        try await pin(connection, encoding: encoding, side: .target)
        return connection
    }

    /// Lets a session compute as any other one of its role and database does, which it must have begun with.
    static func computeAsDatabase(_ connection: PostgresConnection) async throws {
        try await connection.execute(ofText.map { "RESET \($0)" }.joined(separator: "; "))
    }

    /// Keeps event triggers of a target from reacting to what a restore does.
    static func quieten(
        _ connection: PostgresConnection, on server: PostgresServer
    ) async throws {
        guard server.isSuperuser else { return }
        try await connection.execute("SET \(quietEventTriggers(major: server.major))")
    }

    /// The setting that keeps event triggers quiet, which a superuser may change.
    ///
    /// As `name=value`.
    static func quietEventTriggers(major: Int) -> String {
        major >= 17 ? "event_triggers=off" : "session_replication_role=replica"
    }

    /// A role or database can have timeouts so short that nothing longer than this would pass, and no search for
    /// programs between it and the next statement.
    static func liftTimeouts(of connection: PostgresConnection) async throws {
        try await connection.execute("SET statement_timeout = 0; SET idle_session_timeout = 0")
    }

    /// Reads the settings back, inside the transaction that relies on them.
    ///
    /// - Throws: `BackupError.connectionFailed` when they are gone: behind a pooler that gives every
    ///   transaction another session.
    static func confirm(_ connection: PostgresConnection) async throws {
        let rows = try await connection.rows("SELECT name, setting FROM pg_catalog.pg_settings")
        let settings = Dictionary(rows.map { ($0[0] ?? "", $0[1] ?? "") }) { first, _ in first }
        for (name, value) in pins {
            guard let setting = settings[name], !matches(setting, value) else { continue }
            throw BackupError(
                .connectionFailed, "the session lost its setting \(name)",
                hint:
                    "A connection pooler in transaction mode does that; connect to the server itself."
            )
        }
    }

    private static func matches(_ setting: String, _ value: String) -> Bool {
        func plain(_ text: String) -> String {
            text.filter { $0 != " " && $0 != "\"" }.lowercased()
        }
        return plain(setting) == plain(value)
    }
}
