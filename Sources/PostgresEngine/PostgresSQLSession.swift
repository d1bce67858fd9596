public import BackupCore

/// SQL that a person writes, kept from writing by the server itself.
///
/// What reads goes through a cursor in a read-only transaction that is rolled back, one statement in
/// one message, on a connection that is closed afterwards: neither settings nor locks stay. What the
/// server does not take there may write. Once a statement has been allowed to, its session
/// is kept, and later reads see what it has set, inside its transaction if one is open.
///
/// - SeeAlso: <https://www.postgresql.org/docs/current/sql-declare.html>
public actor PostgresSQLSession: SQLSession {
    private let settings: PostgresSettings
    private let notice: @Sendable (String) -> Void
    private var writer: PostgresConnection?
    private var isInTransaction = false
    /// Whether a transaction went with its connection, and nobody has ended it yet.
    private var hasLostTransaction = false

    init(_ settings: PostgresSettings, notice: @escaping @Sendable (String) -> Void) {
        self.settings = settings.exposed(to: notice)
        self.notice = notice
    }

    /// The statements of a text.
    public nonisolated func statements(in text: String) -> [String] { PostgresStatements(text).all }

    /// Follows statements that come line by line.
    public nonisolated func lines() -> any SQLStatementLines { PostgresStatementLines() }

    /// Where tokens begin.
    public nonisolated func starts(in text: String) -> [Int] {
        var offset = 0
        return SQLTokens(text).tokens.map { token in
            defer { offset += token.bytes.count }
            return offset
        }
    }

    /// Whether the session that is kept is inside a transaction.
    public var hasOpenTransaction: Bool { writer != nil && isInTransaction }

    // MARK: Reading

    /// Runs a statement if it only reads.
    public func read(
        _ statement: String, into sink: any SQLSink
    ) async throws -> SQLOutcome? {
        if hasLostTransaction {
            guard !Self.endsTransaction(statement) else { return nil }
            throw Self.transactionIsLost
        }
        // What it sends is sent with the transaction, and reading ends in none.
        guard !SQLTokens(statement).tokens.contains(where: { $0.keyword == "PG_NOTIFY" }) else {
            return nil
        }
        let connection: PostgresConnection
        if let writer { connection = writer } else { connection = try await connected() }
        return try await failing {
            if await connection.hasFailedTransaction {
                // The server takes nothing but its end, not even a savepoint to read in.
                try await connection.cancellable { try $0.parse(statement) }
                return nil
            }
            let isInside = await connection.isInTransaction
            try await connection.execute(isInside ? Self.beginInside : Self.begin)
            let count: Int?
            do {
                count = try await rows(of: statement, on: connection, into: sink)
                try await connection.execute(isInside ? Self.endInside : "ROLLBACK")
            } catch {
                try? await connection.execute(isInside ? Self.endInside : "ROLLBACK")
                throw error
            }
            return count.map { .rows($0) }
        }
    }

    /// The first query makes the mode of the transaction final.
    private static let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1"
    private static let beginInside =
        "SAVEPOINT dbtool_read; SET LOCAL transaction_read_only = on; SELECT 1"
    private static let endInside =
        "ROLLBACK TO SAVEPOINT dbtool_read; RELEASE SAVEPOINT dbtool_read"

    /// The number of rows; nil when the statement may write.
    private func rows(
        of statement: String, on connection: PostgresConnection, into sink: any SQLSink
    ) async throws -> Int? {
        // Errors of the text itself, with their place in it; nothing is run.
        try await connection.cancellable { try $0.parse(statement) }
        if Self.isHarmlessUtility(statement) {
            let result = try await connection.cancellable { try $0.result(of: statement) }
            try await sink.begin(result.columns)
            try await sink.take(result.rows)
            return result.rows.count
        }
        do {
            try await connection.cancellable {
                _ = try $0.result(of: "DECLARE dbtool NO SCROLL CURSOR FOR \(statement)")
            }
        } catch let error as PostgresError where Self.maySayWrite.contains(error.sqlState) {
            return nil
        }
        var (count, many, hasBegun) = (0, 100, false)
        while true {
            try Task.checkCancellation()
            let fetch = "FETCH \(many) FROM dbtool"
            let result: PostgresResult
            do {
                result = try await connection.cancellable { try $0.result(of: fetch) }
            } catch let error as PostgresError
                where error.sqlState == Self.readOnly && !hasBegun && count == 0
            {
                return nil
            }
            if !hasBegun { try await sink.begin(result.columns) }
            hasBegun = true
            if result.rows.count > 0 { try await sink.take(result.rows) }
            count += result.rows.count
            guard result.rows.count == many else { return count }
            many = max(1, min(10_000, Self.fetchBytes * many / max(1, result.rows.byteCount)))
        }
    }

    /// About how much is fetched at once.
    private static let fetchBytes = 1 << 20
    private static let readOnly = "25006"
    /// After the text has been parsed: no query, one that changes rows or makes a table, or one that a
    /// read-only transaction does not run.
    private static let maySayWrite = ["42601", "0A000", "42P11", readOnly]

    /// `SHOW`, and `EXPLAIN` that does not run what it explains.
    private static func isHarmlessUtility(_ statement: String) -> Bool {
        let words = SQLTokens(statement).tokens.compactMap(\.keyword)
        switch words.first {
        case "SHOW": return true
        case "EXPLAIN": return !words.contains { ["ANALYZE", "ANALYSE", "EXECUTE"].contains($0) }
        default: return false
        }
    }

    // MARK: Writing

    /// Runs a statement that may write, in a session that is kept.
    public func write(
        _ statement: String, into sink: any SQLSink
    ) async throws -> SQLOutcome {
        if hasLostTransaction {
            guard Self.endsTransaction(statement) else { throw Self.transactionIsLost }
            hasLostTransaction = false
            return .done("ROLLBACK")
        }
        let connection: PostgresConnection
        if let writer { connection = writer } else { connection = try await connected() }
        writer = connection
        let words = SQLTokens(statement).tokens.compactMap(\.keyword)
        let commits = ["COMMIT", "END"].contains(words.first) && !words.contains("CHAIN")
        return try await failing(committing: commits) {
            let end = try await connection.stream(statement, into: sink)
            isInTransaction = await connection.isInTransaction
            return end.rows.map { .rows($0) } ?? .done(end.tag)
        }
    }

    /// Whoever has lost a transaction must say that it is over: what follows was meant to be part of it.
    private static func endsTransaction(_ statement: String) -> Bool {
        let words = SQLTokens(statement).tokens.compactMap(\.keyword)
        return ["ROLLBACK", "ABORT"].contains(words.first)
            && !words.contains { ["TO", "PREPARED"].contains($0) }
    }

    private static let transactionIsLost = SQLFailure(
        message: "the transaction was lost with its connection: nothing of it was written",
        sqlState: "25P02", position: nil, detail: nil,
        hint: "ROLLBACK ends it; what follows runs in a new session.")

    // MARK: What is there

    /// Who and where one is.
    public func greeting() async throws -> SQLGreeting {
        let connection = try await PostgresConnection(settings)
        return try await aside {
            let row =
                try await connection.rows(
                    """
                    SELECT pg_catalog.current_setting('server_version'),
                           pg_catalog.current_database(),
                           pg_catalog.pg_database_size(pg_catalog.current_database()),
                           current_user, pg_catalog.current_setting('is_superuser')
                    """
                ).first ?? []
            let version = (row[0] ?? "").prefix { $0 != " " }
            return SQLGreeting(
                server: "PostgreSQL \(version)", database: row[1] ?? "",
                bytes: Int(row[2] ?? "") ?? 0, user: row[3] ?? "", isSuperuser: row[4] == "on")
        }
    }

    /// Names that the role may see; a server that is slow gives none.
    public func names() async throws -> SQLNames {
        let connection = try await PostgresConnection(settings)
        return try await aside {
            try await connection.execute(
                "SET client_encoding = 'UTF8'; SET statement_timeout = 3000;"
                    + " SET default_transaction_read_only = on")
            let schemas = try await Self.schemasOfSession(connection)
            var names = SQLNames()
            func texts(_ sql: String) async throws -> [String] {
                try await connection.rows(sql).compactMap { $0[0] }
            }
            let isVisible = """
                n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
                AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                """
            let written = """
                CASE WHEN n.nspname = ANY (\(schemas)::name[]) THEN '' ELSE
                pg_catalog.quote_ident(n.nspname) || '.' END || pg_catalog.quote_ident(c.relname)
                """
            names.tables = try await texts(
                """
                SELECT \(written) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND \(isVisible) LIMIT 20000
                """)
            let columns = try await connection.rows(
                """
                SELECT \(written), pg_catalog.quote_ident(a.attname) FROM pg_catalog.pg_attribute a
                JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0
                  AND NOT a.attisdropped AND \(isVisible) LIMIT 50000
                """)
            for column in columns {
                names.columns[column[0] ?? "", default: []].append(column[1] ?? "")
            }
            names.others = try await texts(
                """
                SELECT pg_catalog.quote_ident(n.nspname) || '.' FROM pg_catalog.pg_namespace n
                WHERE \(isVisible)
                UNION
                SELECT pg_catalog.quote_ident(p.proname) || '(' FROM pg_catalog.pg_proc p
                JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
                WHERE (n.nspname = 'pg_catalog' OR n.nspname = ANY (\(schemas)::name[]))
                  AND p.prorettype <> 'internal'::regtype
                LIMIT 20000
                """)
            names.keywords = try await texts(
                "SELECT pg_catalog.upper(word) FROM pg_catalog.pg_get_keywords() WHERE catcode <> 'U'"
                    + " OR word IN ('explain', 'update', 'delete', 'insert', 'begin', 'commit')")
            return names
        }
    }

    /// What the planner expects; it may run functions, so that it must not be able to write either.
    public func forecast(of statement: String) async -> SQLForecast {
        let words = SQLTokens(statement).tokens.compactMap(\.keyword)
        var forecast = SQLForecast(verb: words.first ?? "", words: Set(words))
        guard ["INSERT", "UPDATE", "DELETE", "MERGE", "WITH"].contains(forecast.verb),
            let connection = try? await connected(),
            (try? await connection.execute(Self.begin)) != nil,
            let rows = try? await connection.cancellable({
                try $0.result(of: "EXPLAIN \(statement)").rows
            })
        else { return forecast }
        // The node below the one that changes rows says how many it is given.
        let lines = (0..<rows.count).compactMap { rows.texts(row: $0).first ?? nil }
        let top = lines.firstIndex { $0.contains(" on ") && $0.contains("(cost=") } ?? 0
        let below = lines.dropFirst(top + 1).first { $0.contains("->") }
        forecast.rows = below?.firstMatch(of: /rows=([0-9]+)/).flatMap { Int($0.output.1) }
        return forecast
    }

    /// The schemas that a statement searches, as a literal; read without a word that one of them could
    /// give a meaning to.
    private static func schemasOfSession(_ connection: PostgresConnection) async throws -> String {
        let path = try await connection.value(
            "SELECT reset_val FROM pg_catalog.pg_settings WHERE name = 'search_path'")
        try await connection.execute(
            "SELECT pg_catalog.set_config('search_path', \(SQLText.literal(path ?? "")), false)")
        let schemas = try await connection.value("SELECT pg_catalog.current_schemas(false)")
        try await connection.execute("SET search_path = ''")
        return SQLText.literal(schemas ?? "{}")
    }

    private func connected() async throws -> PostgresConnection {
        let connection = try await PostgresConnection(settings, searchPath: .session)
        await connection.report(to: notice)
        return try await aside {
            // Text is divided at quotes as the server divides it: a backslash is no escape in plain ones.
            try await connection.execute(
                "SET client_encoding = 'UTF8'; SET standard_conforming_strings = on")
            return connection
        }
    }

    /// A session that is lost is not used again.
    private func failing<Result: Sendable>(
        committing: Bool = false, _ body: () async throws -> Result
    ) async throws -> Result {
        do {
            return try await body()
        } catch let error as PostgresError {
            try Task.checkCancellation()
            if error.isConnectionLoss {
                // One that was being committed is over, one way or the other.
                hasLostTransaction = writer != nil && isInTransaction && !committing
                writer = nil
                if committing { throw SQLFailure.commitUnknown(error.message, error.sqlState) }
            } else if let writer {
                isInTransaction = await writer.isInTransaction
            }
            throw Self.failure(error)
        }
    }

    /// The same on a connection that is not the one that is kept.
    private func aside<Result: Sendable>(
        _ body: () async throws -> Result
    ) async throws -> Result {
        do {
            return try await body()
        } catch let error as PostgresError {
            try Task.checkCancellation()
            throw Self.failure(error)
        }
    }

    private static func failure(_ error: PostgresError) -> SQLFailure {
        SQLFailure(
            message: error.message, sqlState: error.sqlState, position: error.position,
            detail: error.detail, hint: error.hint)
    }
}
