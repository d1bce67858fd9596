import BackupCore

/// Tables that compute, and what they compute from.
extension MySQLConnection {
    /// Whether a table may compute days while rows are written; one that cannot be looked at might.
    ///
    /// - Throws: `MySQLError` for a connection that is lost.
    func computesDays(_ table: TableName) throws -> Bool {
        do {
            let statement = try rows("SHOW CREATE TABLE \(MySQLText.qualified(table))").first?[1]
            return statement.map { MySQLComputation($0).computesDays } ?? true
        } catch let error as MySQLError where !error.isConnectionLoss {
            return true
        }
    }

    /// Runs `body` in a mode for rows, and leaves that which the session had before.
    ///
    /// - Throws: `MySQLError`; whatever `body` throws.
    nonisolated func inMode<Value: Sendable>(
        _ mode: MySQLSession.RowMode, _ body: () async throws -> Value
    ) async throws -> Value {
        let before = try await value("SELECT @@SESSION.sql_mode") ?? ""
        let restoring = "SET SESSION sql_mode = \(MySQLText.literal(before))"
        try await execute("SET SESSION sql_mode = '\(mode.words)'")
        let outcome: Value
        do {
            outcome = try await body()
        } catch {
            // A connection that does not take it is lost, and the error that led here is reported.
            try? await execute(restoring)
            throw error
        }
        try await execute(restoring)
        return outcome
    }
}

extension MySQLSession {
    /// How a session of a target takes days that no calendar has.
    enum RowMode {
        /// As they are, as every session of a target begins.
        case exact
        /// Not at all, so that none is computed.
        case computing

        /// Zeros are days in both.
        var words: String {
            switch self {
            case .exact: Side.target.mode
            case .computing: "NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION"
            }
        }
    }
}
