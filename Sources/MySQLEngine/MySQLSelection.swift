import BackupCore

/// A statement that selects rows, and what becomes of its values; as the text of a `TablePart`.
struct MySQLSelection: Sendable {
    let sql: String
    let encodings: [MySQLEncoding]

    /// Its text: a letter for each column, a line end, the statement.
    var text: String { String(encodings.map(\.rawValue)) + "\n" + sql }

    init(_ sql: String, _ encodings: [MySQLEncoding]) {
        self.sql = sql
        self.encodings = encodings
    }

    init(text: String) {
        let parts = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        encodings = parts[0].compactMap { MySQLEncoding(rawValue: $0) }
        sql = parts.count == 2 ? String(parts[1]) : ""
    }

    /// Hands its rows over as CSV records.
    ///
    /// - Throws: `MySQLError`; `CancellationError`; whatever `sink` throws.
    func read(
        on readers: ConnectionPool<MySQLConnection>,
        into sink: @escaping @Sendable (RowBatch) async throws -> Void
    ) async throws {
        // The connection is free for the next part while the last rows are still worked on.
        try await Relay.ofRows(receive: sink) { relay in
            try await readers.withOne { connection in
                try await connection.copyOut(sql, as: encodings, to: relay)
            }
        }
    }
}
