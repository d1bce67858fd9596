import BackupCore
import CMariaDB

/// Rows into a table.
extension MySQLConnection {
    /// How many rows the server took, and what it had to say.
    struct Intake: Sendable {
        struct Warning: Sendable {
            let number: UInt32
            let message: String
        }

        var count = 0
        /// How many there are: the server shows no more than `warnings`.
        var warningCount = 0
        var warnings: [Warning] = []

        mutating func add(_ other: Intake) {
            count += other.count
            warningCount += other.warningCount
            warnings += other.warnings
        }
    }

    /// Sends lines to `LOAD DATA`.
    ///
    /// - Throws: `MySQLError`.
    func load(_ lines: [UInt8], _ statement: String) throws -> Intake {
        upload.offer(lines)
        defer { upload.offer(nil) }
        try execute(statement)
        return try intake()
    }

    /// Runs statements that insert rows.
    ///
    /// - Throws: `MySQLError`.
    func insert(_ statements: [[UInt8]]) throws -> Intake {
        var total = Intake()
        for statement in statements {
            try run(statement)
            total.add(try intake())
        }
        return total
    }

    /// Runs a prepared statement for each row of a batch.
    ///
    /// `limit`: How many bytes may go to the server at once; a row of more goes alone, in pieces.
    /// - Throws: `MySQLError`; as `MySQLRowWriter.portions`.
    func insert(_ batch: RowBatch, _ transfer: MySQLTransfer, limit: Int) throws -> Intake {
        let statement = try prepare(transfer.execution)
        var total = Intake()
        try MySQLRowWriter(transfer).portions(of: batch, limit: limit) { portion in
            try statement.execute(portion.binds, rows: portion.count)
            total.add(try intake())
        } long: { row in
            try statement.execute(long: row, as: transfer.columns.map(\.parameterType))
            total.add(try intake())
        }
        return total
    }

    /// Sends a batch to `LOAD DATA`, or, where that would change it and a statement may hold its rows, as insertions.
    private func load(
        _ batch: RowBatch, _ transfer: MySQLTransfer, _ writer: MySQLRowWriter, limit: Int
    ) throws -> Intake {
        let mayInsert = batch.longestRecord <= limit
        if let lines = try writer.lines(of: batch, keepsDecimals: mayInsert) {
            return try load(lines, transfer.loading)
        }
        return try insert(try writer.insertions(of: batch, transfer.insertion, limit: limit))
    }

    private func intake() throws -> Intake {
        let (count, warningCount) = (affectedRows, warningCount)
        return Intake(count: count, warningCount: warningCount, warnings: try remarks())
    }

    /// Sends rows until there are no more; the number that the server took.
    ///
    /// - Throws: `MySQLError`; `BackupError.serverRefused` for a value that the server would have
    ///   changed; whatever `next` throws; `CancellationError`.
    nonisolated func copyIn(
        _ transfer: MySQLTransfer, by way: MySQLTransfer.Way,
        from next: @Sendable () async throws -> RowBatch?
    ) async throws -> Int {
        let writer = MySQLRowWriter(transfer)
        var count = 0
        while let batch = try await next() {
            try Task.checkCancellation()
            let intake: Intake
            do {
                intake = try await withTaskCancellationHandler {
                    switch transfer.way(way) {
                    case .executing(let limit):
                        try await insert(batch, transfer, limit: limit)
                    case .loading(let limit):
                        try await load(batch, transfer, writer, limit: limit)
                    case .inserting(let limit)
                    where batch.longestRecord > limit && transfer.takesParameters:
                        try await insert(batch, transfer, limit: 0)
                    case .inserting(let limit):
                        try await insert(
                            try writer.insertions(of: batch, transfer.insertion, limit: limit))
                    }
                } onCancel: {
                    killer.kill()
                }
            } catch {
                if Task.isCancelled { killer.waitForRequests() }
                try Task.checkCancellation()
                throw error
            }
            try transfer.check(intake, of: batch.count)
            count += intake.count
        }
        return count
    }
}

extension RowBatch {
    /// The bytes of its longest record.
    fileprivate var longestRecord: Int {
        zip([0] + ends, ends).reduce(0) { max($0, $1.1 - $1.0) }
    }
}
