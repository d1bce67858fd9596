import BackupCore

/// Tables that rows are added to once more, because a crash has taken those that an interrupted restore had added.
struct PostgresAddedAgain {
    let tables: [TableName]
    /// The transactions of the interrupted restore, as `xmin` shows them.
    let transactions: [String]

    /// Proves under the lock that the crash has taken them: rows that are left would be there twice.
    ///
    /// - Throws: `BackupError.targetUnsuitable` that names the tables where some are left.
    func requireNone(in database: String, on connection: PostgresConnection) async throws {
        let own = SQLText.literal(SQLText.array(transactions))
        var left: [TableName] = []
        for table in tables {
            let row = try await connection.value(
                "SELECT 1 FROM ONLY \(SQLText.qualified(table)) WHERE xmin = ANY (\(own)::xid[]) LIMIT 1"
            )
            if row != nil { left.append(table) }
        }
        guard left.isEmpty else {
            throw BackupError(
                .targetUnsuitable,
                "tables of \(database) still hold rows that this restore has added before a crash of the server: "
                    + PostgresTargetPlanner.list(left.map { "\($0)" }),
                hint: PostgresTargetPlanner.mending)
        }
    }
}
