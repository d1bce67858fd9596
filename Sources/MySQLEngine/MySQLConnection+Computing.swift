import BackupCore

/// Tables that compute, and what they compute from.
extension MySQLConnection {
    /// What a table computes; nil for one that cannot be looked at, which may compute days, and have no transactions.
    ///
    /// - Throws: `MySQLError` for a connection that is lost.
    func computation(of table: TableName) throws -> MySQLComputation? {
        do {
            let statement = try rows("SHOW CREATE TABLE \(MySQLText.qualified(table))").first?[1]
            return statement.map(MySQLComputation.init)
        } catch let error as MySQLError where !error.isConnectionLoss {
            return nil
        }
    }

    /// Runs `body` in a mode for rows, and leaves that which the session had before.
    ///
    /// - Throws: `MySQLError`; whatever `body` throws.
    nonisolated func inMode<Value: Sendable>(
        _ mode: MySQLSession.RowMode, _ body: () async throws -> Value
    ) async throws -> Value {
        let own = try await rowSettings()
        return try await under(own.with(mode), insteadOf: own, body)
    }

    /// The same where it is known what the session has.
    nonisolated func under<Value: Sendable>(
        _ settings: MySQLSession.RowSettings, insteadOf own: MySQLSession.RowSettings,
        _ body: () async throws -> Value
    ) async throws -> Value {
        try await execute(settings.statement)
        let outcome: Value
        do {
            outcome = try await body()
        } catch {
            // A connection that does not take it is lost, and the error that led here is reported.
            try? await execute(own.statement)
            throw error
        }
        try await execute(own.statement)
        return outcome
    }

    /// What the session takes now.
    ///
    /// - Throws: `MySQLError`.
    func rowSettings() throws -> MySQLSession.RowSettings {
        let modes = try rows("SELECT @@SESSION.sql_mode, @@GLOBAL.sql_mode").first ?? [nil, nil]
        let conditions = try rows(
            "SHOW SESSION VARIABLES LIKE '\(MySQLSession.RowSettings.checks)'"
        ).first?[1]
        return MySQLSession.RowSettings(
            mode: modes[0] ?? "",
            usual: Set((modes[1] ?? "").split(separator: ",").map(String.init)),
            conditions: conditions)
    }
}

extension MySQLConnection.Intake {
    /// Whether one of these columns may have got another value than NULL, which it cannot hold.
    func mayReplaceNull(in columns: [String]) -> Bool {
        guard !columns.isEmpty else { return false }
        return mayHideWarnings || warnings.count < warningCount
            || warnings.contains { warning in
                warning.number == Self.isNeverNull
                    && columns.contains { warning.message.contains("'\($0)'") }
            }
    }

    private static let isNeverNull: UInt32 = 1048
}
