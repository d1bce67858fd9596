import BackupCore

/// Indexes of tables that have their rows.
extension MySQLTarget {
    func alter(_ table: MySQLAdditions.Table, _ steps: StepCounter) async throws {
        try await connections.withOne { connection in
            let mode = try await mode(of: table, on: connection)
            if table.computesKeys, mode != .computing {
                let names = table.statements.filter(\.computes).map(\.name)
                request.notes(
                    """
                    warning: \(names.joined(separator: ", ")): made with \(mode.oddDays), as rows \
                    of the table hold some; keys may have such days of texts, too, where the source had none
                    """)
            }
            for step in table.statements {
                try await steps.take(step.name, activity: step.activity) {
                    try await make(step, of: table, in: mode, on: connection)
                }
            }
        }
    }

    /// `mode`: That in which keys are computed.
    func make(
        _ step: MySQLAdditions.Table.Statement, of table: MySQLAdditions.Table,
        in mode: MySQLSession.RowMode, on connection: MySQLConnection
    ) async throws {
        if step.computes {
            try await compute(step, of: table, in: mode, on: connection)
        } else if table.computesValues {
            try await connection.inMode(.exact) {
                try await make(step.sql, step.name, on: connection)
            }
        } else {
            try await make(step.sql, step.name, on: connection)
        }
    }

    /// The mode in which a table's keys are computed: that in which its rows were taken.
    private func mode(
        of table: MySQLAdditions.Table, on connection: MySQLConnection
    ) async throws -> MySQLSession.RowMode {
        guard table.computesKeys else { return .exact }
        if try await holdsLackingDay(table, on: connection) { return .exact }
        let holdsZeros =
            if let question = table.rowWithZeros {
                try await !connection.rowsInterruptibly(question).isEmpty
            } else { false }
        let mindsZeros = try await connection.rowSettings().mindsZeros
        return holdsZeros && mindsZeros ? MySQLSession.RowMode(takesZeros: true) : .computing
    }

    /// Whether a row holds a day that no calendar has.
    ///
    /// Rows are asked, as an interrupted restore may have loaded them.
    private func holdsLackingDay(
        _ table: MySQLAdditions.Table, on connection: MySQLConnection
    ) async throws -> Bool {
        guard let question = table.rowWithLackingDay else { return false }
        return try await !connection.rowsInterruptibly(question).isEmpty
    }

    /// Makes indexes of a table that computes days, where the server can do it without writing rows anew: that would
    /// compute what is stored in them.
    private func compute(
        _ step: MySQLAdditions.Table.Statement, of table: MySQLAdditions.Table,
        in mode: MySQLSession.RowMode, on connection: MySQLConnection
    ) async throws {
        let inPlace = "\(step.sql), ALGORITHM = INPLACE"
        do {
            let refusal = try await make(inPlace, step.name, in: mode, on: connection)
            guard let (error, wider) = refusal else { return }
            request.notes(
                """
                warning: \(step.name) may hold \(wider.oddDays) where what is computed from \
                texts is none in the table: \(error.message)
                """)
        } catch let error as MySQLError where Self.needsCopy.contains(error.number) {
            try await copy(step, of: table, as: error, on: connection)
        }
    }

    /// In the narrowest mode from one on in which the server takes the days that the statement and the table's own name.
    ///
    /// - Returns: Why it needed a wider one, and which; nil where it did not.
    private func make(
        _ sql: String, _ name: String, in mode: MySQLSession.RowMode,
        on connection: MySQLConnection
    ) async throws -> (MySQLError, MySQLSession.RowMode)? {
        let own = try await connection.rowSettings()
        var refusal: MySQLError?
        var tried: [MySQLSession.RowSettings] = []
        for wider in [mode, .init(takesAnyDay: mode.takesAnyDay, takesZeros: true), .exact] {
            let settings = own.with(wider)
            guard !tried.contains(settings) else { continue }
            tried.append(settings)
            do {
                try await connection.under(settings, insteadOf: own) {
                    try await make(sql, name, on: connection)
                }
                return refusal.map { ($0, wider) }
            } catch let error as MySQLError
                where Self.invalidDays.contains(error.number) && wider != .exact
            {
                refusal = refusal ?? error
            }
        }
        if let refusal { throw refusal }
        return nil
    }

    /// Makes indexes while all rows are written anew, in the narrowest mode that leaves these as they are: days with zeros
    /// are taken for their sake.
    ///
    /// A row that needed a wider mode for what was computed from it would lose that in a narrower one.
    private func copy(
        _ step: MySQLAdditions.Table.Statement, of table: MySQLAdditions.Table,
        as refusal: MySQLError, on connection: MySQLConnection
    ) async throws {
        var mode = MySQLSession.RowMode.exact
        if !table.mayNeedDays, try await !holdsLackingDay(table, on: connection) {
            mode = MySQLSession.RowMode(takesZeros: true)
        }
        if let (_, wider) = try await make(step.sql, step.name, in: mode, on: connection) {
            mode = wider
        }
        let mindsZeros = try await connection.rowSettings().mindsZeros
        guard mode == .exact || mindsZeros else { return }
        request.notes(
            """
            warning: \(step.name) could not be made without writing the table's rows anew: what this computes from texts, \
            in stored columns and in keys, may be \(mode.oddDays) where the source had none: \(refusal.message)
            """)
    }

    /// Changes a table in a way that leaves what its rows hold as it is.
    ///
    /// Where a unique key is found by a hash MariaDB writes all rows anew for whatever alters the table.
    func change(_ table: TableName, _ sql: String, on connection: MySQLConnection) async throws {
        guard let computation = try await connection.computation(of: table),
            computation.computesDays
        else { return try await connection.execute(sql) }
        try await compute(
            .init(name: "\(table)", activity: "changing", sql: sql, computes: true),
            of: .init(computation, of: table), in: .exact, on: connection)
    }

    /// A default, or a day in an expression, that the mode does not take.
    private static let invalidDays: Set<UInt32> = [1067, 1292, 1525]
    /// What is only made by a copy of the table.
    private static let needsCopy: Set<UInt32> = [1221, 1845, 1846]
}
