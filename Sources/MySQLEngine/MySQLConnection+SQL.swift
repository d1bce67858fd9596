import BackupCore
import CMariaDB

/// Statements that a person wrote, and their rows as the servers' own client shows them.
extension MySQLConnection {
    /// What became of a statement: the number of rows where there are some to show, else of those that
    /// it changed.
    struct End: Sendable {
        var rows: Int?
        var affected = 0
    }

    /// Whether a transaction is open.
    var isInTransaction: Bool { serverStatus & UInt32(SERVER_STATUS_IN_TRANS) != 0 }

    /// Runs one statement and hands its rows over as they come; a procedure may have several results.
    ///
    /// - Throws: `MySQLError`; `CancellationError`, the server's statement being killed too; whatever
    ///   `sink` throws.
    func stream(_ sql: String, into sink: any SQLSink) async throws -> End {
        try await cancellable { try await results(of: sql, to: sink) }
    }

    private func results(of sql: String, to sink: any SQLSink) async throws -> End {
        try run(Array(sql.utf8))
        var end = End()
        while true {
            if let result = nextResult {
                let count = try await hand(result, to: sink)
                end.rows = (end.rows ?? 0) + count
            } else {
                try throwIfFailed()
                end.affected += affectedRows
            }
            guard try moveToNextResult() else { return end }
        }
    }

    private func hand(
        _ result: UnsafeMutablePointer<MYSQL_RES>, to sink: any SQLSink
    ) async throws -> Int {
        var isOver = false
        defer {
            // Nobody wants the rest: the server need not send it.
            if !isOver { killer.killAndWait() }
            mysql_free_result(result)
        }
        let fields = (0..<Int(mysql_num_fields(result))).compactMap { index in
            mysql_fetch_field_direct(result, UInt32(index)).map(MySQLField.init)
        }
        try await sink.begin(fields.map(\.column))
        var (rows, count) = (SQLRows(columnCount: fields.count), 0)
        while let row = mysql_fetch_row(result), let lengths = mysql_fetch_lengths(result) {
            for (index, field) in fields.enumerated() {
                guard let value = row[index] else {
                    rows.append(nil)
                    continue
                }
                let bytes = UnsafeRawBufferPointer(start: value, count: Int(lengths[index]))
                field.append(bytes, to: &rows)
            }
            rows.endRow()
            count += 1
            guard rows.byteCount > 1 << 18 || rows.count >= 10_000 else { continue }
            try await sink.take(rows)
            rows = SQLRows(columnCount: fields.count)
        }
        // The end of the rows and an error look the same but for this.
        isOver = true
        try throwIfFailed()
        if rows.count > 0 { try await sink.take(rows) }
        return count
    }
}

/// A column of a result.
struct MySQLField {
    let column: SQLColumn
    private let isBits: Bool
    private let isBytes: Bool

    init(_ field: UnsafeMutablePointer<MYSQL_FIELD>) {
        let type = field.pointee.type
        let binaryCharacterSet: UInt32 = 63
        let numbers = [
            MYSQL_TYPE_TINY, MYSQL_TYPE_SHORT, MYSQL_TYPE_LONG, MYSQL_TYPE_INT24,
            MYSQL_TYPE_LONGLONG, MYSQL_TYPE_FLOAT, MYSQL_TYPE_DOUBLE, MYSQL_TYPE_DECIMAL,
            MYSQL_TYPE_NEWDECIMAL, MYSQL_TYPE_YEAR, MYSQL_TYPE_BIT,
        ]
        let strings = [
            MYSQL_TYPE_TINY_BLOB, MYSQL_TYPE_MEDIUM_BLOB, MYSQL_TYPE_LONG_BLOB, MYSQL_TYPE_BLOB,
            MYSQL_TYPE_VAR_STRING, MYSQL_TYPE_STRING, MYSQL_TYPE_VARCHAR,
        ]
        isBits = type == MYSQL_TYPE_BIT
        isBytes =
            type == MYSQL_TYPE_GEOMETRY
            || strings.contains(type) && field.pointee.charsetnr == binaryCharacterSet
        column = SQLColumn(
            name: field.pointee.name.map { String(cString: $0) } ?? "",
            kind: type == MYSQL_TYPE_JSON
                ? .document : numbers.contains(type) ? .number : .text)
    }

    /// Bytes are hexadecimal, bits a number, everything else the server's own text.
    func append(_ value: UnsafeRawBufferPointer, to rows: inout SQLRows) {
        guard isBits || isBytes else { return rows.append(value) }
        let text: String
        if isBits {
            text = "\(value.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })"
        } else {
            text =
                "\\x" + value.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        var copy = text
        copy.withUTF8 { rows.append(UnsafeRawBufferPointer($0)) }
    }
}
