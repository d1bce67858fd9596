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
                        try await compute(step, in: mode, on: connection)
                    } else {
                        try await make(step.sql, step.name, on: connection)
                    }
                }
            }
        }
    }

    /// The mode in which a table's keys are computed: that in which its rows were taken.
    ///
    /// Rows are asked, as an interrupted restore may have loaded them.
    private func mode(
        of table: MySQLAdditions.Table, on connection: MySQLConnection
    ) async throws -> MySQLSession.RowMode {
        guard table.computesKeys else { return .exact }
        guard let question = table.rowWithLackingDay else { return .computing }
        return try await connection.rowsInterruptibly(question).isEmpty ? .computing : .exact
    }

    /// Makes indexes of a table that computes days, where the server can do it without writing rows anew: that would
    /// compute what is stored in them under the mode of the session, which takes all days for the rows' own sake.
    private func compute(
        _ step: MySQLAdditions.Table.Statement, in mode: MySQLSession.RowMode,
        on connection: MySQLConnection
    ) async throws {
        let inPlace = "\(step.sql), ALGORITHM = INPLACE"
        do {
            do {
                try await connection.inMode(mode) {
                    try await make(inPlace, step.name, on: connection)
                }
            } catch let error as MySQLError where error.number == Self.invalidDefault {
                try await make(inPlace, step.name, on: connection)
                request.notes(
                    """
                    warning: \(step.name) may hold days that no calendar has (such as 2021-02-31) where what is computed from \
                    texts is none in the table: \(error.message)
                    """)
            }
        } catch let error as MySQLError where Self.needsCopy.contains(error.number) {
            try await make(step.sql, step.name, on: connection)
            request.notes(
                """
                warning: \(step.name) could not be made without writing the table's rows anew: what this computes from texts, \
                in stored columns and in keys, may be days that no calendar has (such as 2021-02-31) where the source had \
                none: \(error.message)
                """)
        }
    }

    /// A default that no calendar has.
    private static let invalidDefault: UInt32 = 1067
    /// What is only made by a copy of the table.
    private static let needsCopy: Set<UInt32> = [1221, 1845, 1846]
}
