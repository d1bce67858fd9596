import BackupCore
import CMariaDB

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// One session with a server: the only place that calls the client library.
///
/// An actor on a thread of its own. Calls that wait for each other's end (a selection and its rows) are
/// kept apart by `turn`: whoever uses a connection that others know enters it first.
actor MySQLConnection: PooledConnection {
    /// One at a time may use the connection.
    nonisolated let turn = Turnstile(permits: 1)
    nonisolated let killer: MySQLKiller
    /// The server that it has come to.
    nonisolated let node: MySQLNode
    private nonisolated let thread = BlockingThread(label: "dbtool.mysql.connection")
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// `nonisolated(unsafe)`: set once; used on the connection's own thread, and by `deinit`.
    private nonisolated(unsafe) let connection: UnsafeMutablePointer<MYSQL>
    /// Rows on their way to the server.
    let upload = MySQLUpload()

    /// Logs in.
    ///
    /// - Throws: `BackupError.connectionFailed`, `BackupError.passwordRequired`.
    init(_ settings: MySQLSettings) async throws {
        let login = MySQLLogin(settings)
        connection = try await login.connect()
        do {
            node = try MySQLNode(connection)
        } catch let error as MySQLError {
            // What has not been made whole is not unmade.
            mysql_close(connection)
            throw login.refusal(error)
        }
        killer = MySQLKiller(settings, session: UInt(mysql_thread_id(connection)), on: node)
        upload.install(in: connection)
    }

    deinit { mysql_close(connection) }

    // MARK: Statements

    /// Runs a statement and forgets what it returns.
    func execute(_ sql: String) throws { _ = try rows(sql) }

    /// Runs a statement; its rows, as text.
    ///
    /// - Throws: `MySQLError`.
    func rows(_ sql: String) throws -> [[String?]] {
        try rows(sql) { String(decoding: $0, as: UTF8.self) }
    }

    /// Runs a statement; its rows, as the server stores their values, in whatever character sets.
    ///
    /// - Throws: `MySQLError`.
    func storedRows(_ sql: String) throws -> [[[UInt8]?]] {
        try execute("SET SESSION character_set_results = binary")
        let result = Result { try rows(sql) { Array($0) } }
        try execute("SET SESSION character_set_results = utf8mb4")
        return try result.get()
    }

    private func rows<Value>(
        _ sql: String, _ value: (UnsafeRawBufferPointer) -> Value
    ) throws -> [[Value?]] {
        try query(sql)
        guard let result = mysql_store_result(connection) else {
            guard mysql_field_count(connection) == 0 else { throw MySQLError(connection) }
            return []
        }
        defer { mysql_free_result(result) }
        let columns = Int(mysql_num_fields(result))
        var rows: [[Value?]] = []
        while let row = mysql_fetch_row(result), let lengths = mysql_fetch_lengths(result) {
            rows.append(
                (0..<columns).map { column in
                    row[column].map {
                        value(
                            UnsafeRawBufferPointer(start: $0, count: Int(lengths[column])))
                    }
                })
        }
        return rows
    }

    /// Runs a statement that gives one value.
    func value(_ sql: String) throws -> String? { try rows(sql).first?.first ?? nil }

    /// Runs a statement that may wait; cancelling the task ends it.
    ///
    /// - Throws: `MySQLError`; `CancellationError` once the task is cancelled.
    nonisolated func executeInterruptibly(_ sql: String) async throws {
        _ = try await rowsInterruptibly(sql)
    }

    /// The same of one that returns rows.
    nonisolated func rowsInterruptibly(_ sql: String) async throws -> [[String?]] {
        try Task.checkCancellation()
        let rows = try await cancellable { try await self.rows(sql) }
        try Task.checkCancellation()
        return rows
    }

    /// The same of one that the server may not end by itself, whatever the session has set: then it is told to.
    ///
    /// - Throws: Besides, an error as if a lock could not be had in `time`.
    nonisolated func rowsInterruptibly(
        _ sql: String, within time: Duration
    ) async throws -> [[String?]] {
        try await withThrowingTaskGroup(of: [[String?]].self) { group in
            defer { group.cancelAll() }
            group.addTask { try await self.rowsInterruptibly(sql) }
            group.addTask {
                try await Task.sleep(for: time)
                throw MySQLError(
                    number: MySQLError.lockTimeout,
                    message: "the server did not answer within \(time.components.seconds) s")
            }
            return try await group.next() ?? []
        }
    }

    /// Runs `body`; cancelling the task ends what the server is doing.
    ///
    /// What was done all the same, because the request came too late, is returned.
    /// - Throws: `CancellationError` where `body` throws once the task is cancelled; else what `body` throws.
    nonisolated func cancellable<Value: Sendable>(
        _ body: () async throws -> Value
    ) async throws -> Value {
        // A request that is still under way would end the next statement.
        defer { killer.waitForRequests() }
        do {
            return try await withTaskCancellationHandler {
                try await body()
            } onCancel: {
                killer.kill()
            }
        } catch {
            try Task.checkCancellation()
            throw error
        }
    }

    private func query(_ sql: String) throws { try run(Array(sql.utf8)) }

    /// Runs a statement that may hold any bytes; what it returns must be fetched.
    func run(_ statement: [UInt8]) throws {
        let status = statement.withUnsafeBytes { bytes in
            mysql_real_query(
                connection, bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                UInt(bytes.count))
        }
        guard status == 0 else { throw MySQLError(connection) }
    }

    /// Prepares a statement; it must be gone before the next one runs.
    ///
    /// - Throws: `MySQLError`.
    func prepare(_ sql: String) throws -> MySQLPrepared { try MySQLPrepared(connection, sql) }

    /// Lets the server look up everything that a statement names, without running it.
    ///
    /// - Throws: `MySQLError`.
    func lookUp(_ sql: String) throws { _ = try prepare(sql) }

    /// Whether a prepared statement can be run for many rows at once: with MariaDB it can.
    var takesManyRows: Bool {
        var abilities: UInt32 = 0
        let capabilities = MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES
        guard mariadb_get_info(connection, capabilities, &abilities) == 0 else { return false }
        return abilities & UInt32(MARIADB_CLIENT_STMT_BULK_OPERATIONS >> 32) != 0
    }

    /// How many rows the last statement has taken, and what the server would say of it.
    var affectedRows: Int { Int(truncatingIfNeeded: mysql_affected_rows(connection)) }
    var warningCount: Int { Int(mysql_warning_count(connection)) }

    /// Rows of the statement that has just run, as they come; nil when it has none.
    var nextResult: UnsafeMutablePointer<MYSQL_RES>? { mysql_use_result(connection) }

    /// Whether the statement has another result.
    func moveToNextResult() throws -> Bool {
        let status = mysql_next_result(connection)
        guard status <= 0 else { throw MySQLError(connection) }
        return status == 0
    }

    func throwIfFailed() throws {
        guard mysql_errno(connection) == 0 else { throw MySQLError(connection) }
    }

    /// The first remarks of the server about the last statement.
    func warnings() throws -> [String] {
        guard warningCount > 0 else { return [] }
        return try rows("SHOW WARNINGS LIMIT 5").compactMap { row in
            row[2].map { "\(row[0] ?? "Warning"): \($0)" }
        }
    }

    /// Takes no more than one statement at once from now on, whatever an option file asked for.
    func allowOneStatementOnly() throws {
        guard mysql_set_server_option(connection, MYSQL_OPTION_MULTI_STATEMENTS_OFF) == 0 else {
            throw MySQLError(connection)
        }
    }

    var serverStatus: UInt32 { connection.pointee.server_status }

    /// The server's number of this session; behind a proxy the library would know another one.
    func process() throws -> String { try value("SELECT CONNECTION_ID()") ?? "" }

    /// How it came to be.
    var link: MySQLLink { MySQLLink(connection) }

    /// Where the server is, for people.
    var place: String {
        if let socket = connection.pointee.unix_socket {
            return "socket \(String(cString: socket))"
        }
        return "\(link.host), port \(connection.pointee.port)"
    }

    /// Whether files, which is what rows are sent as, may be sent: an option file may forbid it.
    var sendsFiles: Bool { connection.pointee.client_flag & UInt(CLIENT_LOCAL_FILES) != 0 }

    // MARK: Rows

    /// Runs a selection and hands its rows over as CSV records, while the next ones are read.
    ///
    /// `encodings`: Of the selected columns, in order.
    /// - Throws: `MySQLError`; `CancellationError`, the server's statement being killed too.
    func copyOut(
        _ sql: String, as encodings: [MySQLEncoding], to relay: Relay<RowBatch>
    ) async throws {
        try await cancellable { try await read(sql, encodings, into: relay) }
        try Task.checkCancellation()
    }

    private func read(
        _ sql: String, _ encodings: [MySQLEncoding], into relay: Relay<RowBatch>
    ) async throws {
        let statement = try prepare(sql)
        try statement.execute()
        var encoder = try MySQLRowEncoder(statement.fields, encodings)
        var isWanted = true
        while isWanted, let row = try statement.nextRow() {
            guard encoder.append(row) else {
                isWanted = try await Self.hugeRows.pass {
                    encoder.append(huge: row)
                    return await relay.send(encoder.takeBatch())
                }
                continue
            }
            if encoder.isFull { isWanted = await relay.send(encoder.takeBatch()) }
        }
        guard isWanted else {
            // Nobody wants the rest: the server need not send it.
            killer.killAndWait()
            return
        }
        let rest = encoder.takeBatch()
        if !rest.isEmpty { _ = await relay.send(rest) }
        // An expression whose result is too long for the server is NULL, and nothing but a warning tells.
        let lost = try remarks().first { $0.number == Self.resultTooLong }
        if let lost { throw MySQLError(number: lost.number, message: lost.message) }
    }

    private static let resultTooLong: UInt32 = 1301
    /// Each connection holds the row that it has received; of those that are huge one at a time is held as CSV too.
    private static let hugeRows = Turnstile(permits: 1)

    /// What the server has to say about the last statement.
    func remarks() throws -> [Intake.Warning] {
        guard warningCount > 0 else { return [] }
        return try rows("SHOW WARNINGS").map { row in
            Intake.Warning(number: UInt32(row[1] ?? "") ?? 0, message: row[2] ?? "")
        }
    }
}
