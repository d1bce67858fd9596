import BackupCore

/// Takes rows into a table that computes days, each in the narrowest mode that takes it.
///
/// Rows that hold days that no calendar has, or days with zeros, go apart from those that hold none. What a mode refuses is
/// divided until the rows are found that it does not take, and these alone go on to a wider one: what the table has computed
/// from them needs such days, as a condition or a column that is never NULL tells. A row that is refused in the widest one,
/// too, is so for another reason: it comes in the narrow one, past conditions where these are not held against new tables.
struct MySQLRowSieve: Sendable {
    typealias Supply = MySQLConnection.Supply
    typealias Intake = MySQLConnection.Intake
    typealias RowMode = MySQLSession.RowMode

    /// What came of some rows.
    struct Taken: Sendable {
        var intake = Intake()
        /// How many of them came in the mode that takes all days.
        var laxCount = 0
    }

    /// A mode that rows are tried in.
    private struct Rung: Sendable {
        let mode: RowMode
        /// Whether conditions are looked at, and NULL is not replaced where a column is never NULL.
        let isStrict: Bool
    }

    private let connection: MySQLConnection
    private let transfer: MySQLTransfer
    private let way: MySQLTransfer.Way
    private let computation: MySQLComputation
    /// What the session takes otherwise.
    private let own: MySQLSession.RowSettings
    /// What it takes now.
    private var current: MySQLSession.RowSettings
    private var refusalCount = 0

    /// Each costs about a millisecond; beyond them what is refused goes to the widest mode with the rows beside it.
    private static let mostRefusals = 20_000

    private static let takingBack = "ROLLBACK TO SAVEPOINT dbtool_rows"

    /// The session must have the settings of `settings(_:)`, and be in a transaction.
    init(
        _ connection: MySQLConnection, _ transfer: MySQLTransfer, by way: MySQLTransfer.Way,
        _ computation: MySQLComputation, insteadOf own: MySQLSession.RowSettings
    ) {
        self.connection = connection
        self.transfer = transfer
        self.way = way
        self.computation = computation
        self.own = own
        current = Self.settings(own)
    }

    /// What the session takes while most rows come.
    static func settings(_ own: MySQLSession.RowSettings) -> MySQLSession.RowSettings {
        own.with(.computing, checksConditions: true)
    }

    /// Sends rows, of which `rows` keeps nothing.
    ///
    /// - Throws: As `MySQLConnection.take`.
    mutating func take(_ rows: inout Supply) async throws -> Taken {
        var taken = Taken()
        for part in try parts(&rows) {
            try await take(part.rows, from: part.mode, into: &taken)
        }
        return taken
    }

    /// Rows by the narrowest mode that takes the days that they hold themselves.
    private func parts(
        _ rows: inout Supply
    ) throws -> [(mode: RowMode, rows: Supply)] {
        defer { rows = Supply(batch: RowBatch(bytes: [], ends: [])) }
        guard
            let modes = try MySQLRowWriter(transfer).modes(
                of: rows.batch, mindsZeros: own.mindsZeros)
        else { return [(mode: .computing, rows: rows)] }
        let needed = RowMode.all.filter { modes.contains($0) }
        guard needed.count > 1 else { return [(mode: modes[0], rows: rows)] }
        let batch = rows.batch
        return needed.map { mode in
            (mode: mode, rows: Supply(batch: batch.records { modes[$0] == mode }))
        }
    }

    private mutating func take(
        _ rows: Supply, from mode: RowMode, into taken: inout Taken
    ) async throws {
        var waiting = [rows]
        let rungs = rungs(from: mode)
        for (index, rung) in rungs.enumerated() {
            let isLast = index == rungs.count - 1
            guard isLast || index == 0 || refusalCount < Self.mostRefusals else { continue }
            let refused = try await sift(&waiting, rung, isLast: isLast, into: &taken)
            guard !refused.isEmpty else { return }
            waiting = [Supply(batch: RowBatch(joining: refused))]
        }
    }

    /// From the narrowest mode on; the last one takes what can be taken at all.
    private func rungs(from mode: RowMode) -> [Rung] {
        var modes = [mode]
        for wider in [RowMode(takesAnyDay: mode.takesAnyDay, takesZeros: true), .exact]
        where own.with(wider) != own.with(modes[modes.count - 1]) {
            modes.append(wider)
        }
        let isHeldAgainstRows =
            own.passesConditions && computation.hasConditions
            || !computation.daysNeverNull.isEmpty
        guard isHeldAgainstRows else { return modes.map { Rung(mode: $0, isStrict: false) } }
        let ends = modes.count > 1 ? [modes[0], .exact] : modes
        return modes.map { Rung(mode: $0, isStrict: true) }
            + ends.map { Rung(mode: $0, isStrict: false) }
    }

    /// Sends rows in one mode.
    ///
    /// - Returns: Those that are refused, of which none is there.
    private mutating func sift(
        _ waiting: inout [Supply], _ rung: Rung, isLast: Bool, into taken: inout Taken
    ) async throws -> [RowBatch] {
        try await enter(rung)
        var refused: [RowBatch] = []
        while var rows = waiting.popLast() {
            try Task.checkCancellation()
            let again = rows.batch
            let intake =
                isLast
                ? try await connection.take(&rows, transfer, by: way)
                : try await attempt(&rows, rung)
            if let intake {
                taken.intake.add(intake)
                if rung.mode.takesAnyDay { taken.laxCount += intake.count }
                continue
            }
            refusalCount += 1
            if again.count > 1, refusalCount < Self.mostRefusals {
                // Smaller parts than halves, as refused rows are seldom alone, and each time all rows of a part are sent.
                let share = max(1, Int(Double(again.count).squareRoot()))
                waiting += again.inParts(ofRows: share).reversed().map { Supply(batch: $0) }
            } else {
                refused.append(again)
            }
        }
        return refused
    }

    private mutating func enter(_ rung: Rung) async throws {
        // Where nothing is held against rows no condition is passed by, and most rows need no other settings.
        let isChecking = rung.isStrict || !own.passesConditions || !computation.hasConditions
        let settings = own.with(rung.mode, checksConditions: isChecking)
        guard settings != current else { return }
        try await connection.execute(settings.statement)
        current = settings
    }

    /// - Returns: nil where the server refuses some of the rows, and has none of them.
    private func attempt(_ rows: inout Supply, _ rung: Rung) async throws -> Intake? {
        try await connection.execute("SAVEPOINT dbtool_rows")
        do {
            return try await connection.take(
                &rows, transfer, by: way,
                neverNull: rung.isStrict ? computation.daysNeverNull : [])
        } catch let error as MySQLError
            where !error.isConnectionLoss && !error.isLockTimeout && !error.isCircumstantial
        {
            do {
                try await connection.execute(Self.takingBack)
            } catch is MySQLError {
                // A deadlock has ended the transaction: what led here is reported.
                throw error
            }
            return nil
        }
    }
}

extension RowBatch {
    /// Records of several batches in one.
    init(joining parts: [RowBatch]) {
        self.init(bytes: [], ends: [])
        for part in parts {
            let start = bytes.count
            bytes += part.bytes
            ends += part.ends.map { start + $0 }
        }
    }

    /// Those whose places are wanted.
    func records(where isWanted: (Int) -> Bool) -> RowBatch {
        var some = RowBatch(bytes: [], ends: [])
        for record in ends.indices where isWanted(record) {
            some.bytes += bytes[start(of: record)..<ends[record]]
            some.ends.append(some.bytes.count)
        }
        return some
    }
}
