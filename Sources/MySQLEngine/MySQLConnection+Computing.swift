import BackupCore

/// Tables that compute, and what they compute from.
extension MySQLConnection {
    /// How a table takes rows, for what it computes from them.
    enum Computing: Sendable {
        /// It computes no days: in the mode that takes all.
        case noDays
        /// Without days that no calendar has, but for rows that need them.
        case days
        /// In the mode that takes all days: of rows that are refused without it some would stay.
        case anyDays
    }

    /// How a table is to take rows; one that cannot be looked at may compute days, and have no transactions.
    ///
    /// - Throws: `MySQLError` for a connection that is lost.
    func computing(in table: TableName) throws -> Computing {
        do {
            let statement = try rows("SHOW CREATE TABLE \(MySQLText.qualified(table))").first?[1]
            guard let statement else { return .anyDays }
            let computation = MySQLComputation(statement)
            guard computation.computesDays else { return .noDays }
            return computation.isTransactional ? .days : .anyDays
        } catch let error as MySQLError where !error.isConnectionLoss {
            return .anyDays
        }
    }

    /// Sends rows to a table that computes days.
    ///
    /// Days of the rows themselves need the mode that takes all, and so does what the table has computed under it where it
    /// cannot be without: a condition, a column that is never NULL.
    ///
    /// `own`: What the session takes otherwise.
    /// - Returns: Besides what the server took, whether they were taken in that mode.
    nonisolated func takeComputing(
        _ rows: inout Supply, _ transfer: MySQLTransfer, by way: MySQLTransfer.Way,
        _ own: MySQLSession.RowSettings
    ) async throws -> (Intake, Bool) {
        if try !MySQLRowWriter(transfer).lacksDays(in: rows.batch) {
            let again = rows.batch
            try await execute("SAVEPOINT dbtool_rows")
            do {
                let intake = try await take(&rows, transfer, by: way)
                guard intake.isOfNull else { return (intake, false) }
                try await execute(Self.takingBack)
            } catch let error as MySQLError
                where !error.isConnectionLoss && !error.isLockTimeout && !error.isCircumstantial
            {
                do {
                    try await execute(Self.takingBack)
                } catch is MySQLError {
                    // A deadlock has ended the transaction: what led here is reported.
                    throw error
                }
            }
            rows = Supply(batch: again)
        }
        let intake = try await under(own, insteadOf: own.with(.computing)) {
            try await take(&rows, transfer, by: way)
        }
        return (intake, true)
    }

    private static let takingBack = "ROLLBACK TO SAVEPOINT dbtool_rows"

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
        let mode = try value("SELECT @@SESSION.sql_mode") ?? ""
        let conditions = try rows(
            "SHOW SESSION VARIABLES LIKE '\(MySQLSession.RowSettings.checks)'"
        ).first?[1]
        return MySQLSession.RowSettings(mode: mode, conditions: conditions)
    }
}

extension MySQLSession {
    /// How a session of a target takes days that no calendar has.
    enum RowMode {
        /// As they are, as every session of a target begins.
        case exact
        /// Not at all, so that none is computed; and MariaDB looks at conditions, which rows then may need such days for.
        case computing

        /// Zeros are days in both.
        var words: String {
            switch self {
            case .exact: Side.target.mode
            case .computing: "NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION"
            }
        }
    }

    /// Which days a session takes, and whether it looks at conditions.
    struct RowSettings: Sendable {
        /// The setting that only MariaDB has: whether it looks at conditions.
        static let checks = "check_constraint_checks"

        let mode: String
        /// Nil where there is no such setting.
        let conditions: String?

        /// The same in another mode: tables that were there have conditions that rows are not let past.
        func with(_ mode: RowMode) -> RowSettings {
            let conditions = conditions.map { mode == .computing ? "ON" : $0 }
            return RowSettings(mode: mode.words, conditions: conditions)
        }

        /// The statement that takes them.
        var statement: String {
            let setting = "SET SESSION sql_mode = \(MySQLText.literal(mode))"
            return conditions.map { "\(setting), \(Self.checks) = \($0)" } ?? setting
        }
    }
}

extension MySQLConnection.Intake {
    /// Whether a column got another value than NULL, which it cannot hold.
    fileprivate var isOfNull: Bool {
        mayHideWarnings || warnings.contains { $0.number == 1048 }
    }
}
