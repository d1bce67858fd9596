import BackupCore
import CPostgres

/// Some rows of a result, with its columns.
struct PostgresResult: Sendable {
    let columns: [SQLColumn]
    let rows: SQLRows
}

/// Single statements that a person wrote: the extended protocol takes no more than one.
extension PostgresConnection {
    /// Whether a transaction is open, failed or not.
    var isInTransaction: Bool { PQtransactionStatus(handle) != PQTRANS_IDLE }

    /// Whether the open transaction can only be ended.
    var hasFailedTransaction: Bool { PQtransactionStatus(handle) == PQTRANS_INERROR }

    /// Tells what the server remarks: `NOTICE: table "x" does not exist, skipping`.
    func report(to listener: @escaping @Sendable (String) -> Void) {
        notices = NoticeListener(listener)
        PQsetNoticeProcessor(
            handle,
            { listener, text in
                guard let listener, let text else { return }
                let words = String(cString: text)
                Unmanaged<NoticeListener>.fromOpaque(listener).takeUnretainedValue()
                    .tell(words.hasSuffix("\n") ? String(words.dropLast()) : words)
            }, notices.map { Unmanaged.passUnretained($0).toOpaque() })
    }

    /// Tells of privileges that somebody who may not grant or take them was to grant or take: for the server that is no error.
    ///
    /// - SeeAlso: <https://www.postgresql.org/docs/current/errcodes-appendix.html>
    func reportPrivileges(to listener: @escaping @Sendable (String) -> Void) {
        notices = NoticeListener(listener)
        PQsetNoticeReceiver(
            handle,
            { listener, result in
                guard let listener, let result else { return }
                let remark = PostgresError(result: result, connection: nil)
                guard ["01006", "01007"].contains(remark.sqlState) else { return }
                Unmanaged<NoticeListener>.fromOpaque(listener).takeUnretainedValue()
                    .tell(remark.message)
            }, notices.map { Unmanaged.passUnretained($0).toOpaque() })
    }

    /// What a C function can call.
    final class NoticeListener: Sendable {
        let tell: @Sendable (String) -> Void

        init(_ tell: @escaping @Sendable (String) -> Void) { self.tell = tell }
    }

    /// Lets the server read a statement without running it.
    func parse(_ sql: String) throws {
        let result = PQprepare(handle, "", sql, 0, nil)
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_COMMAND_OK else {
            throw PostgresError(result: result, connection: handle)
        }
    }

    /// Runs one statement; its rows, all of them.
    func result(of sql: String) throws -> PostgresResult {
        let result = PQexecParams(handle, sql, 0, nil, nil, nil, nil, 0)
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_TUPLES_OK: return Self.read(result)
        case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
            return PostgresResult(columns: [], rows: SQLRows(columnCount: 0))
        default: throw PostgresError(result: result, connection: handle)
        }
    }

    /// Runs `body`; cancelling the task ends what the server is doing.
    nonisolated func cancellable<Result: Sendable>(
        _ body: @Sendable (isolated PostgresConnection) throws -> Result
    ) async throws -> Result {
        try Task.checkCancellation()
        let asking = canceller.keepsAsking()
        return try await withTaskCancellationHandler {
            try await run(body, endedBy: asking)
        } onCancel: {
            asking.start()
        }
    }

    /// On this connection's own thread, which may wait for requests.
    private func run<Result: Sendable>(
        _ body: @Sendable (isolated PostgresConnection) throws -> Result,
        endedBy asking: PostgresCanceller.Repeated
    ) throws -> Result {
        defer { asking.stop() }
        return try body(self)
    }

    /// Runs one statement and hands its rows over as they come.
    ///
    /// - Returns: What the server calls it, and the number of rows where there are some to show.
    func stream(
        _ sql: String, into sink: any SQLSink
    ) async throws -> (tag: String, rows: Int?) {
        let asking = canceller.keepsAsking()
        defer { asking.stop() }
        return try await withTaskCancellationHandler {
            guard PQsendQueryParams(handle, sql, 0, nil, nil, nil, nil, 0) == 1 else {
                throw PostgresError(result: nil, connection: handle)
            }
            PQsetSingleRowMode(handle)
            do {
                return try await handResults(to: sink)
            } catch {
                canceller.cancelAndWait()
                drain()
                throw error
            }
        } onCancel: {
            asking.start()
        }
    }

    private func handResults(to sink: any SQLSink) async throws -> (tag: String, rows: Int?) {
        var (tag, count): (String, Int?) = ("", nil)
        var rows = SQLRows(columnCount: 0)
        while let result = PQgetResult(handle) {
            defer { PQclear(result) }
            let status = PQresultStatus(result)
            switch status {
            case PGRES_SINGLE_TUPLE, PGRES_TUPLES_OK:
                if count == nil {
                    try await sink.begin(Self.columns(of: result))
                    rows = SQLRows(columnCount: Int(PQnfields(result)))
                }
                count = (count ?? 0) + Int(PQntuples(result))
                Self.add(result, to: &rows)
                tag = String(cString: PQcmdStatus(result))
                if rows.byteCount > 1 << 20 || rows.count >= 10_000 || status == PGRES_TUPLES_OK {
                    if rows.count > 0 { try await sink.take(rows) }
                    rows = SQLRows(columnCount: rows.columnCount)
                }
            case PGRES_COMMAND_OK: tag = String(cString: PQcmdStatus(result))
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                throw BackupError(
                    .usage, "COPY from and to this program is not possible here",
                    hint: "SQL SELECT … -extract writes rows to a file.")
            default: throw PostgresError(result: result, connection: handle)
            }
        }
        return (tag, count)
    }

    /// Reads what is left of a statement that nobody wants any more.
    private func drain() {
        while let result = PQgetResult(handle) {
            let status = PQresultStatus(result)
            PQclear(result)
            if status == PGRES_COPY_IN || status == PGRES_COPY_BOTH {
                PQputCopyEnd(handle, "not possible here")
            }
            var row: UnsafeMutablePointer<CChar>?
            while status == PGRES_COPY_OUT, PQgetCopyData(handle, &row, 0) > 0 { PQfreemem(row) }
            guard PQstatus(handle) == CONNECTION_OK else { return }
        }
    }

    private static func read(_ result: OpaquePointer?) -> PostgresResult {
        var rows = SQLRows(columnCount: Int(PQnfields(result)))
        add(result, to: &rows)
        return PostgresResult(columns: columns(of: result), rows: rows)
    }

    private static func add(_ result: OpaquePointer?, to rows: inout SQLRows) {
        let columns = PQnfields(result)
        for row in 0..<PQntuples(result) {
            for column in 0..<columns {
                let isNull = PQgetisnull(result, row, column) == 1
                rows.append(
                    isNull
                        ? nil
                        : UnsafeRawBufferPointer(
                            start: PQgetvalue(result, row, column),
                            count: Int(PQgetlength(result, row, column))))
            }
            rows.endRow()
        }
    }

    private static func columns(of result: OpaquePointer?) -> [SQLColumn] {
        (0..<PQnfields(result)).map { column in
            SQLColumn(
                name: String(cString: PQfname(result, column)),
                kind: kinds[PQftype(result, column)] ?? .text)
        }
    }

    /// What values are, by the oid of their type: int8, int2, int4, oid, float4, float8, numeric;
    /// bool; json, jsonb.
    ///
    /// Not money: what it prints is no number elsewhere.
    ///
    /// - SeeAlso: <https://www.postgresql.org/docs/current/catalog-pg-type.html>
    private static let kinds: [Oid: SQLColumn.Kind] = [
        20: .number, 21: .number, 23: .number, 26: .number, 700: .number, 701: .number,
        1700: .number, 16: .boolean, 114: .document, 3802: .document,
    ]
}
