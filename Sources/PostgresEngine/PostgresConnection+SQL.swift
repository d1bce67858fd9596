import BackupCore
import CPostgres

/// Some rows of a result, with its columns.
struct PostgresResult: Sendable {
    let columns: [SQLColumn]
    let rows: [[String?]]
    let byteCount: Int
}

/// Single statements that a person wrote: the extended protocol takes no more than one.
extension PostgresConnection {
    /// Whether a transaction is open, failed or not.
    var isInTransaction: Bool { PQtransactionStatus(handle) != PQTRANS_IDLE }

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
            return PostgresResult(columns: [], rows: [], byteCount: 0)
        default: throw PostgresError(result: result, connection: handle)
        }
    }

    /// Runs `body`; cancelling the task ends what the server is doing.
    nonisolated func cancellable<Result: Sendable>(
        _ body: @Sendable (isolated PostgresConnection) throws -> Result
    ) async throws -> Result {
        try Task.checkCancellation()
        let asking = canceller.keepsAsking()
        defer { asking.stop() }
        return try await withTaskCancellationHandler {
            try await body(self)
        } onCancel: {
            asking.start()
        }
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
        var rows: [[String?]] = []
        var bytes = 0
        while let result = PQgetResult(handle) {
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_SINGLE_TUPLE, PGRES_TUPLES_OK:
                let part = Self.read(result)
                if count == nil { try await sink.begin(part.columns) }
                count = (count ?? 0) + part.rows.count
                rows += part.rows
                bytes += part.byteCount
                tag = String(cString: PQcmdStatus(result))
                if bytes > 1 << 20 || PQresultStatus(result) == PGRES_TUPLES_OK {
                    if !rows.isEmpty { try await sink.take(rows) }
                    (rows, bytes) = ([], 0)
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
        let columns = (0..<PQnfields(result)).map { column in
            SQLColumn(
                name: String(cString: PQfname(result, column)),
                isNumeric: numbers.contains(PQftype(result, column)))
        }
        var bytes = 0
        let rows = (0..<PQntuples(result)).map { row in
            (0..<PQnfields(result)).map { column -> String? in
                bytes += Int(PQgetlength(result, row, column))
                return PQgetisnull(result, row, column) == 1
                    ? nil : String(cString: PQgetvalue(result, row, column))
            }
        }
        return PostgresResult(columns: columns, rows: rows, byteCount: bytes)
    }

    /// The types of numbers: int8, int2, int4, oid, float4, float8, numeric, money.
    ///
    /// - SeeAlso: <https://www.postgresql.org/docs/current/catalog-pg-type.html>
    private static let numbers: Set<Oid> = [20, 21, 23, 26, 700, 701, 1700, 790]
}
