import BackupCore

/// Proves that a table has taken the values that were sent, where the server warned while it took them.
///
/// What a table computes from its rows (columns, keys on expressions, conditions) warns of the row at every write, as it
/// did in the source, often without a column's name: such a warning cannot be told from one of a value that was
/// changed. So the rows go once more into a temporary table that has the same columns and computes nothing. What it
/// takes without a warning the table has taken as well, by the same statement into the same types.
struct MySQLValueProof {
    let connection: MySQLConnection
    let transfer: MySQLTransfer
    let way: MySQLTransfer.Way

    /// So few that the server can show all that it has to say of them.
    private static let rowsAtOnce = 1000

    /// Neither statement ends the transaction that the rows are in.
    ///
    /// - Throws: `error` where the twin cannot be made; `MySQLError` for a value that was changed; as `copyIn`.
    func prove(_ batch: RowBatch, against error: MySQLError) async throws {
        // Where all columns are computed no value was sent.
        guard !transfer.columns.isEmpty else { return }
        var twin = transfer
        twin.table = Self.place(beside: transfer.table)
        do {
            // A default may be a day that no calendar has.
            try await connection.inMode(.exact) {
                do {
                    try await connection.execute(creation(of: twin.table))
                } catch let problem as MySQLError where !problem.isConnectionLoss {
                    // Some servers demand a key; the longest rows leave no room for one.
                    try await connection.execute(creation(of: twin.table, key))
                }
            }
        } catch let problem as MySQLError {
            guard !problem.isConnectionLoss else { throw problem }
            throw MySQLError(
                number: error.number,
                message:
                    "\(error.message); whether a value or only what is computed was changed could not be looked at: "
                    + problem.message)
        }
        let name = MySQLText.qualified(twin.table)
        do {
            for part in batch.inParts(ofRows: Self.rowsAtOnce) {
                var rows = part
                let intake = try await connection.send(&rows, twin, by: way)
                try twin.check(intake, of: part.count, as: transfer.table)
            }
        } catch {
            // It goes with the connection if it does not go now.
            try? await connection.execute("DROP TEMPORARY TABLE \(name)")
            throw error
        }
        try await connection.execute("DROP TEMPORARY TABLE \(name)")
    }

    /// It must not hide the table.
    private static func place(beside table: TableName) -> TableName {
        let name = "dbtool_proof"
        let isTaken = table.name.lowercased() == name
        return TableName(schema: table.schema, name: isTaken ? "\(name)_2" : name)
    }

    private var names: [String] { transfer.columns.map(\.name) }

    /// A column that tells rows apart.
    private var key: String {
        var key = "dbtool_row"
        while names.contains(where: { $0.lowercased() == key }) { key += "_" }
        return "(\(MySQLText.identifier(key)) bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY)"
    }

    /// Columns keep their types, and nothing else.
    private func creation(of twin: TableName, _ key: String = "") -> String {
        """
        CREATE TEMPORARY TABLE \(MySQLText.qualified(twin)) \(key) ENGINE = InnoDB \
        SELECT \(names.map(MySQLText.identifier).joined(separator: ", ")) \
        FROM \(MySQLText.qualified(transfer.table)) LIMIT 0
        """
    }
}
