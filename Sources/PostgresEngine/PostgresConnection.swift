import BackupCore
import CPostgres

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// One session with a server, which `PostgresLogin` makes: whatever it is asked goes through here.
///
/// An actor on a thread of its own. Calls that wait for each other's end (a COPY and its rows) are
/// kept apart by `turn`: whoever uses a connection that others know enters it first.
actor PostgresConnection: PooledConnection {
    /// One at a time may use the connection.
    nonisolated let turn = Turnstile(permits: 1)
    nonisolated let canceller: PostgresCanceller
    /// Kept as long as libpq may call it.
    var notices: NoticeListener?
    private nonisolated let thread = BlockingThread(label: "dbtool.postgres.connection")
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// `nonisolated(unsafe)`: set once; used on the connection's own thread, and by `deinit`.
    private nonisolated(unsafe) let connection: OpaquePointer

    /// Whose objects statements mean that name no schema.
    enum SearchPath {
        /// The server's own: nothing that somebody has made in the database can stand in its place.
        case server
        /// What the database and the role say, for statements that a person wrote.
        case session
    }

    /// Logs in.
    ///
    /// - Throws: `BackupError.connectionFailed`, `BackupError.passwordRequired`.
    init(_ settings: PostgresSettings, searchPath: SearchPath = .server) async throws {
        let connection = try await PostgresLogin(settings).connect()
        self.connection = connection
        canceller = PostgresCanceller(connection)
        // Before anything else, and without a function or an operator: an owner of the database could
        // have made one of the same name, and it would run with our rights (CVE-2018-1058).
        guard searchPath == .server else { return }
        // With a limit of milliseconds for transactions nothing longer than this would pass.
        let knowsLimit = PQserverVersion(connection) >= 170_000
        do {
            try execute(
                (knowsLimit ? "SET transaction_timeout = 0; " : "") + "SET search_path = ''")
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot prepare the session")
        }
    }

    /// The server counts the session until it has seen it go, which may be the place that the next one
    /// lacks: it is waited for, a moment at most.
    deinit {
        let socket = fcntl(PQsocket(connection), F_DUPFD_CLOEXEC, 0)
        PQfinish(connection)
        guard socket >= 0 else { return }
        var farewell = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        poll(&farewell, 1, Self.farewellMilliseconds)
        close(socket)
    }

    private static let farewellMilliseconds: Int32 = 200

    /// Whether libpq has seen the connection's end.
    var isLost: Bool { PQstatus(connection) == CONNECTION_BAD }

    /// Whether it takes no statement but one that ends its transaction, or goes back in it.
    var isInFailedTransaction: Bool { PQtransactionStatus(connection) == PQTRANS_INERROR }

    /// For this actor's other file.
    var handle: OpaquePointer { connection }

    // MARK: Statements

    /// Runs statements and forgets what they return.
    func execute(_ sql: String) throws {
        _ = try rows(sql)
    }

    /// Runs one statement, or several without parameters; the last one's rows, as text.
    func rows(_ sql: String, _ parameters: [String?] = []) throws -> [[String?]] {
        let result = parameters.isEmpty ? PQexec(connection, sql) : execute(sql, with: parameters)
        return try rows(taking: result)
    }

    /// Runs statements that need not be text.
    private func execute(_ sql: [UInt8]) throws {
        let result = (sql + [0]).withUnsafeBytes {
            PQexec(connection, $0.baseAddress?.assumingMemoryBound(to: CChar.self))
        }
        _ = try rows(taking: result)
    }

    private func rows(taking result: OpaquePointer?) throws -> [[String?]] {
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: return []
        case PGRES_TUPLES_OK: return Self.rows(of: result)
        default: throw PostgresError(result: result, connection: connection)
        }
    }

    /// Runs a statement that may take long or wait for a lock; cancelling the task ends it.
    ///
    /// - Throws: `PostgresError`; `CancellationError` once the task is cancelled.
    nonisolated func executeInterruptibly(_ sql: String) async throws {
        try await executeInterruptibly(Array(sql.utf8))
    }

    /// The same of statements that need not be text, which a database without an encoding has.
    nonisolated func executeInterruptibly(_ sql: [UInt8]) async throws {
        do {
            try await cancellable { connection in try connection.execute(sql) }
        } catch {
            try Task.checkCancellation()
            throw error
        }
    }

    /// Runs one statement that gives one value.
    func value(_ sql: String, _ parameters: [String?] = []) throws -> String? {
        try rows(sql, parameters).first?.first ?? nil
    }

    /// The server's number of this session; behind a pooler libpq would know another one.
    func process() throws -> String {
        try value("SELECT pg_catalog.pg_backend_pid()") ?? ""
    }

    /// How it came to be.
    var link: PostgresLink { PostgresLink(connection) }

    /// The settings that libpq ended up with, for the server's programs.
    var programLogin: PostgresProgramLogin {
        var login = PostgresProgramLogin(
            database: PQdb(connection).map { String(cString: $0) } ?? "")
        guard let options = PQconninfo(connection) else { return login }
        defer { PQconninfoFree(options) }
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val {
                login.add(
                    String(cString: keyword), String(cString: value),
                    variable: option.pointee.envvar.map { String(cString: $0) })
            }
            option += 1
        }
        return login
    }

    // MARK: COPY

    /// Runs `COPY … TO STDOUT` and hands its rows over in batches, while the next ones are read.
    ///
    /// - Throws: `PostgresError`; `CancellationError`, the server's statement being cancelled too;
    ///   whatever `sink` throws.
    nonisolated func copyOut(
        _ sql: String, into sink: @escaping @Sendable (RowBatch) async throws -> Void
    ) async throws {
        try await Relay.ofRows(receive: sink) { try await self.copyOut(sql, to: $0) }
    }

    /// The same for whoever has a receiver already; returns when everything has been sent.
    func copyOut(_ sql: String, to receiver: any RowReceiver) async throws {
        defer { canceller.waitForRequests() }
        try await withTaskCancellationHandler {
            if try await !readPast(sql, into: receiver) { try await read(sql, into: receiver) }
        } onCancel: {
            canceller.cancel()
        }
        try Task.checkCancellation()
    }

    /// Reads the rows past libpq; false where that cannot be done, and nothing has been.
    private func readPast(_ sql: String, into receiver: any RowReceiver) async throws -> Bool {
        var isWanted = true
        do {
            guard var stream = try PostgresCopyStream(sql, on: connection) else { return false }
            while isWanted, let batch = try stream.next() { isWanted = await receiver.send(batch) }
            if !isWanted {
                stopCopy()
                try stream.drain()
            }
        }
        // With its socket back, libpq ends what it saw the beginning of.
        try endCopy(isWanted: isWanted)
        return true
    }

    /// Reads the rows by libpq.
    func read(_ sql: String, into receiver: any RowReceiver) async throws {
        try begin(sql, expecting: PGRES_COPY_OUT)
        var (batch, isWanted) = (RowBatch(), true)
        // HOT PATH: over TLS every row of a backup passes here.
        while isWanted, try nextRow(into: &batch) {
            guard batch.isFull else { continue }
            isWanted = await receiver.send(batch)
            batch = RowBatch()
        }
        if isWanted, !batch.isEmpty { isWanted = await receiver.send(batch) }
        if !isWanted { stopCopy() }
        try endCopy(isWanted: isWanted)
    }

    /// Lets the server end a COPY whose rows nobody wants any more.
    private func stopCopy() {
        canceller.waitForRequests()
        canceller.cancelAndWait()
    }

    /// Reads a COPY to its end; that of one that was stopped is an error of no interest.
    private func endCopy(isWanted: Bool) throws {
        do {
            try finish()
        } catch  where !isWanted {
            return
        }
    }

    /// Runs `COPY … FROM STDIN` with the rows that `next` gives, until nil.
    ///
    /// - Returns: The number of rows that the server took.
    func copyIn(
        _ sql: String, from next: @Sendable () async throws -> RowBatch?
    ) async throws -> Int {
        let asking = canceller.keepsAsking()
        defer { asking.stop() }
        return try await withTaskCancellationHandler {
            try begin(sql, expecting: PGRES_COPY_IN)
            do {
                while let batch = try await next() { try put(batch) }
            } catch {
                // The message ends the statement with an error, so that nothing of it stays.
                PQputCopyEnd(connection, "interrupted")
                _ = try? finish()
                throw error
            }
            guard PQputCopyEnd(connection, nil) == 1 else {
                throw PostgresError(result: nil, connection: connection)
            }
            return try finish()
        } onCancel: {
            asking.start()
        }
    }

    /// In pieces, wherever rows end: libpq copies what it is given, and would keep the room of the largest row.
    private func put(_ batch: RowBatch) throws {
        try batch.bytes.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.pieceBytes))
                let code = PQputCopyData(
                    connection, piece.baseAddress?.assumingMemoryBound(to: CChar.self),
                    Int32(piece.count))
                guard code == 1 else { throw PostgresError(result: nil, connection: connection) }
                rest = rest.dropFirst(piece.count)
            }
        }
    }

    private static let pieceBytes = 128 << 10

    /// Adds the next row to the batch; false at the end.
    @inline(__always)
    private func nextRow(into batch: inout RowBatch) throws -> Bool {
        var row: UnsafeMutablePointer<CChar>?
        let length = PQgetCopyData(connection, &row, 0)
        guard length > 0 else {
            if length == -1 { return false }
            throw PostgresError(result: nil, connection: connection)
        }
        batch.append(record: UnsafeRawBufferPointer(start: row, count: Int(length)))
        PQfreemem(row)
        return true
    }

    private func begin(_ sql: String, expecting status: ExecStatusType) throws {
        let result = PQexec(connection, sql)
        defer { PQclear(result) }
        guard PQresultStatus(result) == status else {
            throw PostgresError(result: result, connection: connection)
        }
    }

    /// Reads the end of a COPY; the number of rows that the server counted.
    @discardableResult
    private func finish() throws -> Int {
        var count = 0
        var failure: PostgresError?
        while let result = PQgetResult(connection) {
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK: count = Int(String(cString: PQcmdTuples(result))) ?? 0
            case PGRES_COPY_OUT:
                var row: UnsafeMutablePointer<CChar>?
                while PQgetCopyData(connection, &row, 0) > 0 { PQfreemem(row) }
            default: failure = failure ?? PostgresError(result: result, connection: connection)
            }
            PQclear(result)
        }
        if let failure { throw failure }
        return count
    }

    // MARK: libpq's own types

    private func execute(_ sql: String, with parameters: [String?]) -> OpaquePointer? {
        let copies = parameters.map { text in text.flatMap { strdup($0) } }
        defer { copies.forEach { free($0) } }
        return PQexecParams(
            connection, sql, Int32(copies.count), nil, copies.map { UnsafePointer($0) }, nil, nil, 0
        )
    }

    private static func rows(of result: OpaquePointer?) -> [[String?]] {
        (0..<PQntuples(result)).map { row in
            (0..<PQnfields(result)).map { column in
                PQgetisnull(result, row, column) == 1
                    ? nil : String(cString: PQgetvalue(result, row, column))
            }
        }
    }
}
