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
        /// Whether there may be more than the server counts.
        var mayHideWarnings = false
        /// How many rows went as text although their documents hold numbers that no text does.
        var roundedCount = 0

        mutating func add(_ other: Intake) {
            count += other.count
            warningCount += other.warningCount
            warnings += other.warnings
            mayHideWarnings = mayHideWarnings || other.mayHideWarnings
            roundedCount += other.roundedCount
        }

        /// The protocol has sixteen bits for their number, and the server shows no more of them.
        static let mostWarnings = Int(UInt16.max)
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

    /// Runs a statement that inserts rows.
    ///
    /// - Throws: `MySQLError`.
    func insert(_ statement: [UInt8]) throws -> Intake {
        try run(statement)
        return try intake()
    }

    /// Runs a prepared statement for each of some rows of a batch.
    ///
    /// `limit`: How many bytes may go to the server at once; a row of more goes alone, in pieces.
    /// - Throws: `MySQLError`; as `MySQLRowWriter.portions`.
    func insert(
        _ batch: RowBatch, _ rows: Range<Int>, _ transfer: MySQLTransfer, limit: Int
    ) throws -> Intake {
        let statement = try prepare(transfer.execution)
        var total = Intake()
        try MySQLRowWriter(transfer).portions(of: batch, rows, as: .texts, limit: limit) {
            portion in
            try statement.execute(portion.binds, rows: portion.count)
            total.add(try intake())
        } long: { row in
            try statement.execute(long: row, as: transfer.columns.map(\.parameterType))
            total.add(try intake())
        }
        return total
    }

    /// Runs a prepared statement for one row of a batch, whose long values go in pieces.
    ///
    /// As text in a statement it might be longer than the server takes, which holds it.
    /// - Throws: `MySQLError`; as `MySQLRowWriter.lone`.
    func insert(_ batch: RowBatch, alone row: Int, _ transfer: MySQLTransfer) throws -> Intake {
        var total = Intake()
        try MySQLRowWriter(transfer).lone(in: batch, row: row) { lone in
            let statement = try prepare(transfer.execution(with: lone.places))
            try statement.execute(long: lone.values, as: lone.types)
            total.add(try intake())
        }
        return total
    }

    /// Runs a prepared statement for the rows of each portion, of which `portions` keeps none that was sent.
    ///
    /// - Throws: `MySQLError`.
    private func insert(
        _ portions: inout [MySQLPortion], _ transfer: MySQLTransfer
    ) throws -> Intake {
        let statement = try prepare(transfer.execution)
        var total = Intake()
        portions.reverse()
        while let portion = portions.popLast() {
            try statement.execute(portion.binds, rows: portion.count)
            total.add(try intake())
        }
        return total
    }

    private func intake() throws -> Intake {
        let (count, warningCount) = (affectedRows, warningCount)
        return Intake(
            count: count, warningCount: warningCount, warnings: try remarks(),
            mayHideWarnings: warningCount >= Intake.mostWarnings)
    }

    /// What came of all rows of a table, or of those that one of several connections sent.
    struct Delivery: Sendable {
        /// How many the server took.
        var count = 0
        /// How many of them lost digits of numbers in their documents.
        var roundedCount = 0
        /// How many of them came where days are computed, with or beside days that no calendar has.
        var laxCount = 0

        mutating func add(_ intake: Intake, laxCount: Int) {
            count += intake.count
            roundedCount += intake.roundedCount
            self.laxCount += laxCount
        }

        static func + (one: Delivery, other: Delivery) -> Delivery {
            Delivery(
                count: one.count + other.count,
                roundedCount: one.roundedCount + other.roundedCount,
                laxCount: one.laxCount + other.laxCount)
        }
    }

    /// Rows that come next.
    struct Supply: Sendable {
        var batch: RowBatch
        /// The same as a prepared statement takes them, where one does.
        var portions: [MySQLPortion]?
    }

    private nonisolated func supply(
        _ transfer: MySQLTransfer, by way: MySQLTransfer.Way,
        from next: @Sendable () async throws -> RowBatch?
    ) async throws -> Supply? {
        guard let batch = try await next() else { return nil }
        guard case .executing(let limit) = transfer.way(way) else { return Supply(batch: batch) }
        return Supply(
            batch: batch,
            portions: try MySQLRowWriter(transfer).portions(of: batch, limit: limit.usual))
    }

    /// Sends rows until there are no more, and makes the next ones ready while the server takes those before them.
    ///
    /// `commitBytes`: After how many bytes of them the transaction ends and another begins; nil for never.
    /// - Throws: `MySQLError`; `BackupError.serverRefused` for a value that the server would have
    ///   changed; whatever `next` throws; `CancellationError`.
    nonisolated func copyIn(
        _ transfer: MySQLTransfer, by way: MySQLTransfer.Way,
        committingEvery commitBytes: Int? = nil,
        from next: @escaping @Sendable () async throws -> RowBatch?
    ) async throws -> Delivery {
        let known = try await computation(of: transfer.table)
        let transfer = transfer.into(known)
        guard known?.computesValues ?? true else {
            return try await copy(
                transfer, by: way, committingEvery: commitBytes, isLax: false, from: next)
        }
        let own = try await rowSettings()
        guard let computation = known, computation.computesDays, computation.isTransactional else {
            // Without transactions some of the rows that a mode refuses would stay: they come in the one that takes all.
            return try await under(own.with(.exact), insteadOf: own) {
                try await copy(
                    transfer, by: way, committingEvery: commitBytes,
                    isLax: known?.computesDays ?? true, from: next)
            }
        }
        let sieve = MySQLRowSieve(self, transfer, by: way, computation, insteadOf: own)
        return try await under(MySQLRowSieve.settings(own), insteadOf: own) {
            try await copy(
                transfer, by: way, committingEvery: commitBytes, isLax: false, sieve, from: next)
        }
    }

    /// `isLax`: Whether rows come with days that no calendar has although days are computed.
    private nonisolated func copy(
        _ transfer: MySQLTransfer, by way: MySQLTransfer.Way, committingEvery commitBytes: Int?,
        isLax: Bool, _ sieve: MySQLRowSieve? = nil,
        from next: @escaping @Sendable () async throws -> RowBatch?
    ) async throws -> Delivery {
        var sieve = sieve
        var (delivery, openBytes) = (Delivery(), 0)
        var following = try await supply(transfer, by: way, from: next)
        while var rows = following {
            try Task.checkCancellation()
            // Beside a huge row there is no other.
            let readsAhead = !rows.batch.isHuge
            following = nil
            async let ahead = readsAhead ? supply(transfer, by: way, from: next) : nil
            openBytes += rows.batch.bytes.count
            if let taken = try await sieve?.take(&rows) {
                delivery.add(taken.intake, laxCount: taken.laxCount)
            } else {
                let intake = try await take(&rows, transfer, by: way)
                delivery.add(intake, laxCount: isLax ? intake.count : 0)
            }
            if let commitBytes, openBytes >= commitBytes {
                try await execute("COMMIT")
                try await execute("START TRANSACTION")
                openBytes = 0
            }
            following =
                readsAhead ? try await ahead : try await supply(transfer, by: way, from: next)
        }
        return delivery
    }

    /// Sends rows, of which `rows` keeps nothing, and proves that the server took them as they are.
    ///
    /// `neverNull`: Computed columns in which NULL is not to be replaced.
    nonisolated func take(
        _ rows: inout Supply, _ transfer: MySQLTransfer, by way: MySQLTransfer.Way,
        neverNull: [String] = []
    ) async throws -> Intake {
        defer { rows = Supply(batch: RowBatch(bytes: [], ends: [])) }
        let rowCount = rows.batch.count
        // A huge row is held once more only where it may have to be sent again.
        let isHeld = transfer.mayComputeValues || !rows.batch.isHuge
        let again = isHeld ? rows.batch : nil
        let intake: Intake
        if var portions = rows.portions {
            rows.portions = nil
            intake = try await cancellable { try await insert(&portions, transfer) }
        } else {
            intake = try await send(&rows.batch, transfer, by: way)
        }
        guard !intake.mayReplaceNull(in: neverNull) else {
            throw MySQLError(
                message: "\(transfer.table) computes NULL for a column that is never NULL")
        }
        do {
            try transfer.check(intake, of: rowCount)
        } catch let error as MySQLError {
            guard intake.count == rowCount, let again else { throw error }
            try await MySQLValueProof(connection: self, transfer: transfer, way: way)
                .prove(again, against: error)
        }
        return intake
    }

    /// Sends rows at once; of what becomes a line `batch` keeps nothing.
    ///
    /// - Throws: As `copyIn`.
    nonisolated func send(
        _ batch: inout RowBatch, _ transfer: MySQLTransfer, by way: MySQLTransfer.Way
    ) async throws -> Intake {
        let writer = MySQLRowWriter(transfer)
        return try await cancellable {
            switch transfer.way(way) {
            case .executing(let limit):
                return try await insert(
                    batch, batch.ends.indices, transfer, limit: limit.usual)
            case .loading(let limit):
                // A huge row goes in pieces, without a line beside it.
                guard !batch.isHuge || !transfer.takesParameters || batch.longestRecord > limit.most
                else {
                    return try await insert(batch, transfer, limit) { row in
                        try await insert(batch, row..<(row + 1), transfer, limit: 0)
                    }
                }
                // Documents may hold what no line does, and a statement does.
                guard let lines = try writer.lines(of: batch) else {
                    return try await insert(batch, transfer, limit) { row in
                        try await load(
                            try writer.line(of: batch, row: row), transfer.loading)
                    }
                }
                // A row may be huge, and is not needed beside its line.
                batch = RowBatch(bytes: [], ends: [])
                return try await load(lines, transfer.loading)
            case .inserting(let limit):
                return try await insert(batch, transfer, limit) { row in
                    guard transfer.hasParameters else {
                        return try await insert(
                            try writer.insertion(of: batch, row: row, transfer.insertion))
                    }
                    return try await insert(batch, alone: row, transfer)
                }
            }
        }
    }

    /// Inserts rows by statements, in their order.
    ///
    /// `alone`: Sends one that no statement is to hold.
    private nonisolated func insert(
        _ batch: RowBatch, _ transfer: MySQLTransfer, _ limit: MySQLTransfer.Limit,
        alone: (Int) async throws -> Intake
    ) async throws -> Intake {
        let insertions = try MySQLRowWriter(transfer)
            .insertions(of: batch, transfer.insertion, limit)
        var total = Intake()
        for step in insertions.steps {
            switch step {
            case .statement(let statement): total.add(try await insert(statement))
            case .row(let row): total.add(try await alone(row))
            }
        }
        total.roundedCount = insertions.roundedCount
        return total
    }
}
