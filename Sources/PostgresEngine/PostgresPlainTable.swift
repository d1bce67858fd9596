import BackupCore

/// Reads a table whose owner nobody has to trust: nothing of the owner's runs.
///
/// A query runs more than it names: what a view calls, and of a plain table what its indexes, its statistics and its
/// partitions are computed by, wherever the planner can do so beforehand. COPY of a table plans nothing, and the server
/// refuses it for whatever is no plain table, foreign ones included.
enum PostgresPlainTable {
    /// All rows of a small table.
    static func rows(
        of table: TableName, columns: [String], on connection: PostgresConnection
    ) async throws -> [[String?]] {
        let batches = Exclusive<[RowBatch]>([])
        try await connection.copyOut(
            "COPY \(SQLText.qualified(table))\(SQLText.columnList(columns)) TO STDOUT"
        ) { batch in
            batches.withValue { $0.append(batch) }
        }
        return batches.withValue { $0 }.flatMap { batch in
            zip([0] + batch.ends, batch.ends).map { fields(of: batch.bytes[$0..<$1]) }
        }
    }

    /// Whether it has a row of its own; the table must be one that COPY takes.
    static func holdsRows(
        _ table: TableName, on connection: PostgresConnection
    ) async throws -> Bool {
        do {
            try await connection.copyOut("COPY \(SQLText.qualified(table)) TO STDOUT") { _ in
                throw RowFound()
            }
            return false
        } catch is RowFound {
            return true
        }
    }

    /// One is enough.
    private struct RowFound: Error {}

    /// The values of a line that COPY has written in its format for text.
    ///
    /// - SeeAlso: <https://www.postgresql.org/docs/current/sql-copy.html>, "Text Format"
    static func fields(of line: ArraySlice<UInt8>) -> [String?] {
        let bytes = line.last == UInt8(ascii: "\n") ? line.dropLast() : line
        return bytes.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
            .map { field in
                field.elementsEqual("\\N".utf8)
                    ? nil : String(decoding: unescaped(field), as: UTF8.self)
            }
    }

    private static func unescaped(_ field: ArraySlice<UInt8>) -> [UInt8] {
        var (bytes, isEscaped): ([UInt8], Bool) = ([], false)
        for byte in field {
            if isEscaped {
                bytes.append(escapes[byte] ?? byte)
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }

    private static let escapes: [UInt8: UInt8] = [
        UInt8(ascii: "b"): 8, UInt8(ascii: "t"): 9, UInt8(ascii: "n"): 10, UInt8(ascii: "v"): 11,
        UInt8(ascii: "f"): 12, UInt8(ascii: "r"): 13,
    ]
}
