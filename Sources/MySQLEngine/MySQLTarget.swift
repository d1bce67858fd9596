import BackupCore

/// A MySQL or MariaDB database being restored into.
///
/// Tables come first, with what their rows need; then the rows; then all other indexes of a table at once,
/// foreign keys, views, bodies and triggers; events last. The servers commit each of these by itself, so
/// a mark in the database tells what an interrupted restore has done.
struct MySQLTarget: Target {
    let request: TargetRequest
    let connections: ConnectionPool<MySQLConnection>
    let work: MySQLPlan
    let server: MySQLServer
    let presence: MySQLPresence
    let way: MySQLTransfer.Way
    /// After how many bytes rows of a new table are committed, in a cluster; what is interrupted then is emptied.
    let commitBytes: Int?
    let maker: MySQLMaker

    var plan: TargetPlan { work.target }
    var database: String { request.database }

    // MARK: Structure

    func createStructure() async throws -> [String] {
        let objects = work.chosen.filter { $0.kind <= .table }
        let steps = StepCounter(objects.count, tell: request.steps)
        try await run("create the structure") { connection in
            for object in objects {
                let table = try object.kind == .table ? statement(of: object) : nil
                if !isThere(object) {
                    let sql = table?.creation(as: work.renamed?.to) ?? object.statement
                    try await steps.take("\(object.kind.rawValue.lowercased()) \(object.name)") {
                        try await make(sql, object.name, on: connection)
                    }
                }
                if let table, table.takesRowsInOrder {
                    try await makeReadyForRows(table, on: connection)
                }
            }
        }
        return []
    }

    func statement(of object: MySQLObject) throws -> MySQLTableStatement {
        try MySQLTableStatement(object.statement, database: request.defaultSchema)
    }

    /// Layers of a chain, and several connections, bring rows in another order than that of the key.
    private func makeReadyForRows(
        _ table: MySQLTableStatement, on connection: MySQLConnection
    ) async throws {
        guard
            let planned = plan.tables.first(where: { $0.key.name.isExactly(table.name) })?.value,
            !planned.isLoaded
        else { return }
        let place = TableName(schema: database, name: work.place(of: table.name))
        try await connection.executeInterruptibly(MySQLAdditions.loading(place))
    }

    /// What an interrupted restore has made already.
    private func isThere(_ object: MySQLObject) -> Bool {
        guard plan.continues else { return false }
        return object.kind == .table
            ? presence.relations[ExactText(work.place(of: object.name))] != nil
            : presence.holds(object)
    }

    func createIndexesAndConstraints() async throws -> [String] {
        let tables = try work.chosen.filter { $0.kind == .table }.map {
            try statement(of: $0)
        }
        let others = work.chosen.filter { $0.kind > .table && $0.kind != .event }
        let additions = MySQLAdditions(
            tables, work, continues: plan.continues, database: database,
            source: request.defaultSchema)
        let steps = StepCounter(
            additions.count + others.count, tell: request.steps)
        var problems: [String] = []
        do {
            let built = try await connections.withOne { connection in
                try await additions.built(connection)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, table) in additions.indexes(missing: built).enumerated() {
                    if index >= connections.all.count { try await group.next() }
                    group.addTask { try await alter(table, steps) }
                }
                try await group.waitForAll()
            }
            // One by one: two of them at once may wait for each other's tables.
            for table in additions.foreignKeys(missing: built) {
                problems += try await addKeys(table, steps)
            }
        } catch let error as MySQLError {
            throw error.backupError(while: "cannot create indexes and constraints")
        }
        problems += try await problemsOfKeys()
        return try await problems + maker.make(others.filter { !isThere($0) }, steps)
    }

    /// - Returns: Those that the server refuses because the account may not refer to a table.
    private func addKeys(
        _ table: MySQLAdditions.Table, _ steps: StepCounter
    ) async throws -> [String] {
        do {
            try await alter(table, steps)
            return []
        } catch let error as MySQLError where error.refusesReference {
            return try await connections.withOne { connection in
                var refused: [String] = []
                for key in table.single {
                    do {
                        try await make(key, of: table, in: .exact, on: connection)
                    } catch let error as MySQLError where error.refusesReference {
                        refused.append("\(key.name): \(error.message)")
                    }
                }
                return refused
            }
        }
    }

    /// Runs a statement that makes a table or a part of one, and tells what the server has made otherwise.
    ///
    /// Strict it would refuse what older servers have let be made.
    func make(_ sql: String, _ name: String, on connection: MySQLConnection) async throws {
        try await connection.executeInterruptibly(sql)
        for remark in try await connection.remarks() {
            if Self.changes.contains(remark.number) {
                request.notes("warning: \(name) is not as it was: \(remark.message)")
            } else if Self.longRows.contains(remark.number) {
                request.notes(
                    "\(name) may hold rows that this server refuses: \(remark.message)")
            }
        }
    }

    /// A key that is cut off, another storage engine, an option that is ignored.
    private static let changes: Set<UInt32> = [1071, 1266, 1286, 1478, 1709]
    /// Rows that may become too long, which the source may have been told as well.
    private static let longRows: Set<UInt32> = [139, 1118]

    func switchOn() async throws -> [String] {
        let events = work.chosen.filter { $0.kind == .event && !isThere($0) }
        guard !request.isScratch || events.isEmpty else {
            request.notes("events are not made in a database to try: they would run")
            return []
        }
        return try await maker.make(events, StepCounter(events.count, tell: request.steps))
    }

    func finish() async throws {
        // Who may only change rows may not drop a table, not even one that is not there. A database to try is dropped
        // as a whole, and is known by its mark where that does not happen.
        guard work.leavesMark, !request.isScratch else { return }
        try await run("finish") {
            try await $0.execute(MySQLRestoreMark.removal(in: database))
        }
    }

    // MARK: What follows rows

    func set(_ sequences: [SequenceValue]) async throws {
        try await run("set the counters") { connection in
            let counters = MySQLCounters(connection: connection, database: database)
            for sequence in sequences {
                guard let move = work.counters[ExactText(sequence.name)] else { continue }
                let name = work.place(of: sequence.name)
                try await counters.set(
                    name, to: sequence.lastValue, onlyForward: move == .forward
                ) { table, sql in
                    try await change(table, sql, on: connection)
                }
            }
        }
    }

    func refresh(_ views: [MaterializedView]) async throws -> [String] { [] }

    func analyze() async throws -> [String] {
        let tables = plan.tables.values.map(\.load.table).sorted()
        let steps = StepCounter(tables.count, tell: request.steps)
        return try await withThrowingTaskGroup(of: String?.self) { group in
            var notes: [String?] = []
            for (index, table) in tables.enumerated() {
                if index >= connections.all.count { notes.append(try await group.next() ?? nil) }
                group.addTask { try await steps.take("\(table)") { try await analyze(table) } }
            }
            for try await note in group { notes.append(note) }
            return notes.compactMap(\.self)
        }
    }

    private func analyze(_ table: TableName) async throws -> String? {
        try await connections.withOne { connection in
            do {
                try await connection.executeInterruptibly(
                    "ANALYZE TABLE \(MySQLText.qualified(table))")
                return nil
            } catch let error as MySQLError where !error.isConnectionLoss {
                return "no statistics for \(table): \(error.message)"
            }
        }
    }

    /// The foreign keys of this database's tables that were made, or that refer to one.
    private func keys(_ foreignKeys: MySQLForeignKeys) async throws -> [MySQLForeignKeys.Key] {
        let made = Set(
            plan.tables.values.filter { $0.treatment == .create }
                .map { ExactText($0.load.table.name) })
        guard !made.isEmpty else { return [] }
        // Rows that stayed may refer to those of a table that was dropped and made again.
        return try await foreignKeys.keys(in: database, of: made, referring: made)
            .filter { $0.table.schema.isExactly(database) }
    }

    /// The keys whose rows refer to nothing, or cannot be looked at.
    ///
    /// What was so in the source is noted, and no problem of the restore.
    private func problemsOfKeys() async throws -> [String] {
        // Those whose rows are the backup's, as many as it has.
        let restored = Set(
            plan.tables.values.map { ExactText($0.load.table.name) }
                + work.chosen.filter { $0.kind == .table }
                .map { ExactText(work.place(of: $0.name)) })
        var problems: [String] = []
        try await run("check the foreign keys") { connection in
            let foreignKeys = MySQLForeignKeys(connection: connection)
            for key in try await keys(foreignKeys) {
                let found: (words: String, wasSo: Bool)
                if let obstacle = try await foreignKeys.obstacle(to: key) {
                    found = (key.words(obstacle), wasThere(obstacle, to: key))
                } else if try await foreignKeys.isBroken(key) {
                    found = broken(key, restored)
                } else {
                    continue
                }
                if found.wasSo {
                    request.notes("warning: \(found.words)")
                } else {
                    problems.append(found.words)
                }
            }
        }
        return problems
    }

    /// Whether it was in the source too: what a backup of everything does not hold of its own database was not there
    /// either.
    private func wasThere(
        _ obstacle: MySQLForeignKeys.Obstacle, to key: MySQLForeignKeys.Key
    ) -> Bool {
        request.isWhole && !request.lacksTables && obstacle == .absence
            && key.referenced.schema.isExactly(database)
    }

    /// What is told of a key whose rows refer to nothing, and whether the source had them too.
    ///
    /// The servers let rows refer to nothing where they were told not to look, and so may the source have done. Where a
    /// table stayed, or rows were left out of the backup, it is what is wrong with the restored database.
    private func broken(
        _ key: MySQLForeignKeys.Key, _ restored: Set<ExactText>
    ) -> (words: String, wasSo: Bool) {
        // What another database holds is not of the target either.
        let isOfBackup =
            restored.contains(ExactText(key.table.name))
            && (restored.contains(ExactText(key.referenced.name))
                || !key.referenced.schema.isExactly(database))
        let fault = isOfBackup ? "the backup does not hold" : "are not there"
        return (
            "rows of \(key.table) refer by \(key.name) to rows of \(key.referenced) that \(fault)",
            isOfBackup && !request.lacksRows && !request.lacksTables
        )
    }

    func run(
        _ what: String, _ body: (MySQLConnection) async throws -> Void
    ) async throws {
        do {
            try await connections.withOne(body)
        } catch let error as MySQLError {
            throw error.backupError(while: "cannot \(what)")
        }
    }
}
