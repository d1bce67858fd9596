import BackupCore

/// Indexes of tables that have their rows.
extension MySQLTarget {
    func alter(_ table: MySQLAdditions.Table, _ steps: StepCounter) async throws {
        try await connections.withOne { connection in
            let mode = try await mode(of: table, on: connection)
            if table.computesKeys, mode == .exact {
                let names = table.statements.filter(\.computes).map(\.name)
                request.notes(
                    """
                    warning: \(names.joined(separator: ", ")): made with days that no calendar has (such as 2021-02-31), as rows \
                    of the table hold some; keys may have such days of texts, too, where the source had none
                    """)
            }
            for step in table.statements {
                try await steps.take(step.name, activity: step.activity) {
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
            }
        }
    }

    /// The mode in which a table's keys are computed: that in which its rows were taken.
    private func mode(
        of table: MySQLAdditions.Table, on connection: MySQLConnection
    ) async throws -> MySQLSession.RowMode {
        guard table.computesKeys else { return .exact }
        return try await holdsLackingDay(table, on: connection) ? .exact : .computing
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
            do {
                try await connection.inMode(mode) {
                    try await make(inPlace, step.name, on: connection)
                }
            } catch let error as MySQLError where error.number == Self.invalidDefault {
                try await connection.inMode(.exact) {
                    try await make(inPlace, step.name, on: connection)
                }
                request.notes(
                    """
                    warning: \(step.name) may hold days that no calendar has (such as 2021-02-31) where what is computed from \
                    texts is none in the table: \(error.message)
                    """)
            }
        } catch let error as MySQLError where Self.needsCopy.contains(error.number) {
            try await copy(step, of: table, as: error, on: connection)
        }
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
        do {
            try await connection.inMode(mode) {
                try await make(step.sql, step.name, on: connection)
            }
        } catch let error as MySQLError
            where error.number == Self.invalidDefault && mode != .exact
        {
            mode = .exact
            try await connection.inMode(mode) {
                try await make(step.sql, step.name, on: connection)
            }
        }
        let isExact = mode == .exact
        let mindsZeros = try await connection.rowSettings().mindsZeros
        guard isExact || mindsZeros else { return }
        let days =
            isExact
            ? "days that no calendar has (such as 2021-02-31), or have zeros (such as 2021-00-10),"
            : "days with zeros (such as 2021-00-10)"
        request.notes(
            """
            warning: \(step.name) could not be made without writing the table's rows anew: what this computes from texts, \
            in stored columns and in keys, may be \(days) where the source had none: \(refusal.message)
            """)
    }

    /// A default that no calendar has.
    private static let invalidDefault: UInt32 = 1067
    /// What is only made by a copy of the table.
    private static let needsCopy: Set<UInt32> = [1221, 1845, 1846]
}
