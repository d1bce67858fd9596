public import BackupCore

/// SQL that a person writes, kept from writing by its words and by the server.
///
/// What reads runs in a transaction that cannot write, on a connection that is closed afterwards: neither
/// settings nor locks stay. Everything else may write. Once a statement has been allowed to, its session is
/// kept, and later reads see what it has set, inside its transaction if one is open.
///
/// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/set-transaction.html>
public actor MySQLSQLSession: SQLSession {
    private let settings: MySQLSettings
    private let notice: @Sendable (String) -> Void
    private var writer: MySQLConnection?
    private var isInTransaction = false
    /// Whether a transaction went with its connection, and nobody has ended it yet.
    private var hasLostTransaction = false

    init(_ settings: MySQLSettings, notice: @escaping @Sendable (String) -> Void) {
        self.settings = settings.exposed(to: notice)
        self.notice = notice
    }

    /// The statements of a text.
    public nonisolated func statements(in text: String) -> [String] { MySQLStatements(text).all }

    /// Follows statements that come line by line.
    public nonisolated func lines() -> any SQLStatementLines { MySQLStatementLines() }

    /// Where tokens begin.
    public nonisolated func starts(in text: String) -> [Int] {
        var offset = 0
        return MySQLTokens(text).tokens.map { token in
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
        guard MySQLReading.isAllowed(statement) else {
            try await checkWords(of: statement)
            return nil
        }
        guard !hasLostTransaction else { throw Self.transactionIsLost }
        let connection: MySQLConnection
        if let writer { connection = writer } else { connection = try await connected() }
        let (begin, end) = writer == nil ? Self.alone : isInTransaction ? Self.inside : Self.beside
        return try await failing {
            // Beside a session that is kept: the catalogs would become part of its transaction.
            let asked = writer == nil ? connection : try await connected()
            guard try await !MySQLCallees.mayRun(statement, on: asked) else { return nil }
            for word in begin { try await connection.execute(word) }
            do {
                let result = try await connection.stream(statement, into: sink)
                for word in end { try await connection.execute(word) }
                return .rows(result.rows ?? 0)
            } catch let error as MySQLError where error.number == Self.cannotWrite {
                for word in end { try? await connection.execute(word) }
                return nil
            } catch {
                for word in end { try? await connection.execute(word) }
                throw error
            }
        }
    }

    /// What the server does not understand need not be asked about.
    ///
    /// - Throws: `SQLFailure`.
    private func checkWords(of statement: String) async throws {
        // What a session has set may give words another meaning. A password is shown to nobody before somebody wants it.
        let tells = MySQLTokens(statement).tokens.lazy.compactMap(\.keyword)
            .contains { ["IDENTIFIED", "PASSWORD"].contains($0) }
        guard writer == nil, !hasLostTransaction, !tells else { return }
        let connection = try await connected()
        let words = String(
            decoding: MySQLExactText.hexadecimal(Array(statement.utf8)), as: UTF8.self)
        do {
            // It opens the tables, for which others may make it wait.
            try await connection.execute("SET SESSION lock_wait_timeout = 1")
            try await connection.execute("SET @dbtool = CONVERT(X'\(words)' USING utf8mb4)")
            try await connection.executeInterruptibly("PREPARE dbtool FROM @dbtool")
        } catch let error as MySQLError where error.isUnknownStatement {
            throw Self.failure(error)
        } catch is MySQLError {
            try Task.checkCancellation()
            // Not everything can be prepared, and what is missing is found when it runs.
        }
    }

    private static let alone = (
        ["SET SESSION TRANSACTION READ ONLY", "START TRANSACTION READ ONLY"], ["ROLLBACK"]
    )
    /// In a session that is kept, and that may hold locks of tables, which a new transaction would free.
    private static let beside = (
        ["SET SESSION TRANSACTION READ ONLY"],
        // Without autocommit the reading has begun a transaction; there was none before.
        ["ROLLBACK", "SET SESSION TRANSACTION READ WRITE"]
    )
    /// A transaction that may write cannot be kept from it: what a function does is undone.
    private static let inside = (
        ["SAVEPOINT dbtool_read"],
        ["ROLLBACK TO SAVEPOINT dbtool_read", "RELEASE SAVEPOINT dbtool_read"]
    )
    /// Not in a transaction that only reads.
    private static let cannotWrite: UInt32 = 1792

    // MARK: Writing

    /// Runs a statement that may write, in a session that is kept.
    public func write(
        _ statement: String, into sink: any SQLSink
    ) async throws -> SQLOutcome {
        let words = MySQLTokens(statement).tokens.lazy.compactMap(\.keyword)
        if hasLostTransaction {
            guard words.first == "ROLLBACK", !words.contains("TO") else {
                throw Self.transactionIsLost
            }
            hasLostTransaction = false
            return .done("ROLLBACK")
        }
        let connection: MySQLConnection
        if let writer { connection = writer } else { connection = try await connected() }
        writer = connection
        return try await failing(
            committing: words.first == "COMMIT" && !words.contains("CHAIN")
        ) {
            let end = try await connection.stream(statement, into: sink)
            isInTransaction = await connection.isInTransaction
            for row in try await connection.warnings() { notice(row) }
            if let rows = end.rows { return .rows(rows) }
            return .done(Self.tag(Array(words.prefix(2)), end.affected))
        }
    }

    /// `UPDATE 3`, `CREATE TABLE`.
    private static func tag(_ words: [String], _ affected: Int) -> String {
        let counting = ["INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD", "WITH"]
        guard let verb = words.first else { return "" }
        if counting.contains(verb) { return "\(verb) \(affected)" }
        let defining = ["CREATE", "ALTER", "DROP", "RENAME", "TRUNCATE", "START", "LOCK", "UNLOCK"]
        return defining.contains(verb) ? words.joined(separator: " ") : verb
    }

    private static let transactionIsLost = SQLFailure(
        message: "the transaction was lost with its connection: nothing of it was written",
        sqlState: "25S03", position: nil, detail: nil,
        hint: "ROLLBACK ends it; what follows runs in a new session.")

    // MARK: What is there

    /// Who and where one is.
    public func greeting() async throws -> SQLGreeting {
        let connection = try await connected()
        let server = try await MySQLServer(connection)
        return try await aside {
            let database = try await connection.value("SELECT DATABASE()") ?? ""
            let bytes = try await connection.value(
                """
                SELECT SUM(DATA_LENGTH + INDEX_LENGTH) FROM information_schema.TABLES
                WHERE TABLE_SCHEMA = \(MySQLText.literal(database))
                """)
            let grants = try await MySQLGrants(connection, on: server)
            return SQLGreeting(
                server: "\(server.product.rawValue) \(server.version)", database: database,
                bytes: bytes.flatMap { Int($0) } ?? 0, user: server.account,
                isSuperuser: grants.holdsGlobally("SUPER") && grants.holdsGlobally("FILE"))
        }
    }

    /// Names that the account may see.
    public func names() async throws -> SQLNames {
        let connection = try await connected()
        return try await aside {
            var names = SQLNames()
            let rows = try await connection.rows(
                """
                SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS
                WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, ORDINAL_POSITION LIMIT 50000
                """)
            for row in rows {
                let table = Self.written(row[0] ?? "")
                if names.columns[table] == nil { names.tables.append(table) }
                names.columns[table, default: []].append(Self.written(row[1] ?? ""))
            }
            let others = try await connection.rows(
                """
                SELECT SCHEMA_NAME, '.' FROM information_schema.SCHEMATA
                UNION ALL SELECT ROUTINE_NAME, '(' FROM information_schema.ROUTINES
                WHERE ROUTINE_SCHEMA = DATABASE() LIMIT 20000
                """)
            names.others = others.map { Self.written($0[0] ?? "") + ($0[1] ?? "") }
            names.keywords = Self.keywords
            return names
        }
    }

    /// Quoted where it is not a plain word.
    private static func written(_ name: String) -> String {
        let isPlain =
            !keywords.contains(name.uppercased())
            && name.unicodeScalars.allSatisfy {
                $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "_")
            }
        return isPlain ? name : MySQLText.identifier(name)
    }

    private static let keywords = """
        ADD ALL ALTER ANALYZE AND AS ASC BEGIN BETWEEN BY CALL CASE CAST COLUMN COMMIT CONSTRAINT CREATE CROSS DATABASE DEFAULT \
        DELETE DESC DESCRIBE DISTINCT DROP ELSE END EXISTS EXPLAIN FALSE FOR FOREIGN FROM FULL FUNCTION GROUP HAVING IF IN INDEX \
        INNER INSERT INTERVAL INTO IS JOIN KEY KEYS LEFT LIKE LIMIT NOT NULL OFFSET ON OR ORDER OUTER PRIMARY PROCEDURE REFERENCES \
        RENAME REPLACE RIGHT ROLLBACK SELECT SET SHOW START TABLE TABLES THEN TRANSACTION TRIGGER TRUE TRUNCATE UNION UNIQUE UPDATE \
        USE USING VALUES VIEW WHEN WHERE WITH
        """.split(separator: " ").map(String.init)

    /// What the optimizer expects of statements that call nothing: it may run functions, which may write.
    public func forecast(of statement: String) async -> SQLForecast {
        let tokens = MySQLTokens(statement).tokens
        let words = tokens.compactMap(\.keyword)
        // What stands in them runs.
        let hidden = tokens.filter { $0.kind == .executableComment }.flatMap { comment in
            String(decoding: comment.bytes, as: UTF8.self).uppercased()
                .split { !$0.isLetter && $0 != "_" }.map(String.init)
        }
        var forecast = SQLForecast(
            verb: words.first ?? hidden.first ?? "", words: Set(words + hidden))
        guard ["UPDATE", "DELETE"].contains(forecast.verb),
            !tokens.contains(where: { $0.isSign("(") }),
            let connection = try? await connected()
        else { return forecast }
        var rows = try? await connection.rows("EXPLAIN FORMAT=TRADITIONAL \(statement)")
        // MariaDB knows no other format, nor its name.
        if rows == nil { rows = try? await connection.rows("EXPLAIN \(statement)") }
        // The place of the estimate differs between the products: it is the last whole number of a row.
        forecast.rows = rows?.compactMap { row in
            row.dropFirst(6).compactMap { $0.flatMap { Int($0) } }.last
        }.max()
        return forecast
    }

    /// Takes no more than one statement at once, whatever an option file asks for, and divides text as the
    /// server does.
    private func connected() async throws -> MySQLConnection {
        let connection = try await MySQLConnection(settings)
        return try await aside {
            try await connection.allowOneStatementOnly()
            try await connection.execute(
                """
                SET SESSION sql_mode = TRIM(BOTH ',' FROM REPLACE(REPLACE(CONCAT(',', @@SESSION.sql_mode, ','),
                  ',ANSI_QUOTES,', ','), ',NO_BACKSLASH_ESCAPES,', ','))
                """)
            return connection
        }
    }

    /// A session that is lost is not used again.
    private func failing<Result: Sendable>(
        committing: Bool = false, _ body: () async throws -> Result
    ) async throws -> Result {
        do {
            return try await body()
        } catch let error as MySQLError {
            try Task.checkCancellation()
            if error.isConnectionLoss {
                // One that was being committed is over, one way or the other.
                hasLostTransaction = writer != nil && isInTransaction && !committing
                writer = nil
                if committing { throw SQLFailure.commitUnknown(error.message, error.sqlState) }
            } else if let writer {
                // An error does not tell whether it has ended the transaction, as a deadlock does.
                if isInTransaction { try? await writer.execute("DO 0") }
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
        } catch let error as MySQLError {
            try Task.checkCancellation()
            throw Self.failure(error)
        }
    }

    private static func failure(_ error: MySQLError) -> SQLFailure {
        SQLFailure(
            message: error.message, sqlState: error.sqlState, position: nil,
            detail: error.number == 0 ? nil : "error \(error.number)", hint: nil)
    }
}
