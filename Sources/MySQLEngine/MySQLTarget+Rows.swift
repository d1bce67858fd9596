import BackupCore

/// Rows into a target, and back from it.
extension MySQLTarget {
    func tablesInFront() async throws -> [TableName] { [] }

    /// How rows go into a table of the target; its schema is the target's, whatever the backup's was.
    private func prepared(
        _ load: TableLoad, _ connection: MySQLConnection
    ) async throws -> MySQLTransfer {
        let columns = try await MySQLTargetColumns(connection, of: request, [load.table.name])
        let here = here(load)
        let problems = columns.problems(of: here)
        guard problems.isEmpty else {
            throw BackupError(
                .targetUnsuitable, "the rows do not fit: \(problems.joined(separator: "; "))")
        }
        return columns.transfer(of: here)
    }

    private func here(_ load: TableLoad) -> TableLoad {
        var load = load
        load.table = TableName(schema: database, name: load.table.name)
        return load
    }

    func load(
        _ load: TableLoad, connections count: Int,
        next: @escaping @Sendable () async throws -> RowBatch?,
        agrees: @Sendable (Int) async throws -> Void
    ) async throws {
        let all = count > 1 ? connections.all : []
        let table = MySQLText.qualified(here(load).table)
        do {
            let isWhole = try all.isEmpty && commitBytes == nil && isTransactional(load)
            let transfer = try await connections.withOne { connection in
                if work.begun.contains(ExactText(source(of: load))) {
                    try await empty(table, connection)
                }
                let transfer = try await prepared(load, connection)
                if !isWhole { try await noteBegun(load, on: connection) }
                return transfer
            }
            guard all.count > 1 else {
                return try await connections.withOne { connection in
                    try await undoingOnFailure(table, [connection], isWhole: isWhole) {
                        try await connection.execute("START TRANSACTION")
                        let delivery = try await connection.copyIn(
                            transfer, by: way, committingEvery: commitBytes, from: next)
                        request.tell(of: delivery, into: load.table)
                        try await agrees(delivery.count)
                        try await noteLoaded(load, on: connection)
                        try await connection.execute("COMMIT")
                    }
                }
            }
            try await undoingOnFailure(table, all, isWhole: isWhole) {
                let delivery = try await withThrowingTaskGroup(
                    of: MySQLConnection.Delivery.self
                ) { group in
                    for connection in all {
                        group.addTask {
                            try await connection.execute("START TRANSACTION")
                            return try await connection.copyIn(
                                transfer, by: way, committingEvery: commitBytes, from: next)
                        }
                    }
                    return try await group.reduce(MySQLConnection.Delivery(), +)
                }
                request.tell(of: delivery, into: load.table)
                try await agrees(delivery.count)
                for connection in all { try await connection.execute("COMMIT") }
                try await noteLoaded(load, on: all[0])
            }
        } catch let error as MySQLError {
            throw error.backupError(while: "cannot load \(load.table)")
        }
    }

    /// Rows that come in one transaction go with it; else a part of them may have been committed.
    private func undoingOnFailure(
        _ table: String, _ connections: [MySQLConnection], isWhole: Bool,
        _ body: () async throws -> Void
    ) async throws {
        do {
            try await body()
        } catch {
            for connection in connections {
                // A connection that cannot roll back is gone, and its transaction with it.
                try? await connection.execute("ROLLBACK")
            }
            for connection in connections where !isWhole {
                // The first connection that still lives does it; the error that led here is reported.
                if (try? await empty(table, connection)) != nil { break }
            }
            throw error
        }
    }

    /// A table whose history is kept (MariaDB) cannot be truncated.
    private func empty(_ table: String, _ connection: MySQLConnection) async throws {
        do {
            try await connection.execute("TRUNCATE TABLE \(table)")
        } catch let error as MySQLError where error.number == Self.keepsHistory {
            try await connection.execute("DELETE FROM \(table)")
            try await connection.execute("DELETE HISTORY FROM \(table)")
        }
    }

    private static let keepsHistory: UInt32 = 4137

    /// The name that a table has in the backup.
    private func source(of load: TableLoad) -> String {
        work.renamed?.from ?? load.table.name
    }

    /// Whether rows of a table that is made go into it and out of it by transactions.
    private func isTransactional(_ load: TableLoad) throws -> Bool {
        let object = work.chosen.first { object in
            object.kind == .table && object.name.isExactly(source(of: load))
        }
        return try object.map { try statement(of: $0).isTransactional } ?? false
    }

    private func noteLoaded(_ load: TableLoad, on connection: MySQLConnection) async throws {
        guard !work.chosen.isEmpty else { return }
        try await connection.execute(MySQLRestoreMark.isLoaded(source(of: load), in: database))
    }

    private func noteBegun(_ load: TableLoad, on connection: MySQLConnection) async throws {
        guard !work.chosen.isEmpty else { return }
        try await connection.execute(MySQLRestoreMark.isBegun(source(of: load), in: database))
    }

    func changeExistingTables(
        _ body: (
            _ load: (TableLoad, _ next: @escaping @Sendable () async throws -> RowBatch?)
                async throws -> Int
        ) async throws -> Void
    ) async throws {
        let existing = plan.tables.filter { $0.value.treatment != .create && !$0.value.isLoaded }
        let notes =
            work.leavesMark
            ? existing.keys.map { MySQLRestoreMark.isLoaded($0.name, in: database) } : []
        do {
            try await connections.withOne { connection in
                try await MySQLExistingTables(
                    plan: work, request: request, connection: connection,
                    isMariaDB: server.isMariaDB
                ).change(noting: notes, by: way, tell: request.steps, body)
            }
        } catch let error as MySQLExistingTables.OutcomeUnknown {
            // The mark knows it: it was written in the same transaction.
            throw BackupError(
                .connectionFailed,
                "the connection was lost while tables of \(database) were committed: they are as they were, or as they should be",
                hint: "Run the same restore again, and it goes on from there.",
                underlying: error.words)
        } catch {
            // Nothing is left to be gone on with.
            if work.chosen.isEmpty, work.leavesMark {
                try? await run("finish") {
                    try await $0.execute(MySQLRestoreMark.removal(in: database))
                }
            }
            guard let error = error as? MySQLError else { throw error }
            throw error.backupError(while: "cannot change tables of \(database)")
        }
    }

    // MARK: Reading back

    func parts(of load: TableLoad) async throws -> [TablePart] {
        do {
            return try await connections.withOne { connection in
                let catalog = MySQLCatalog(connection: connection, database: database)
                let name = here(load).table
                let relations = try await catalog.relations(of: [name.name])
                guard let relation = relations.first(where: { $0.name == name }) else {
                    throw MySQLError(message: "it is not there")
                }
                let columns = try await MySQLTargetColumns(connection, of: request, [name.name])
                let own = columns.columns(of: load)
                let key = MySQLCatalog.key(
                    among: try await catalog.uniqueIndexes(of: [name.name])[name] ?? [], of: own)
                let rows = MySQLRows(
                    name, columns: own, key: key,
                    ranges: try await MySQLRanges.find(
                        of: relation, key, own, on: connection, server))
                return rows.selections(split: rows.split).map {
                    TablePart(table: name, selection: $0.text)
                }
            }
        } catch let error as MySQLError {
            throw error.backupError(while: "cannot read \(load.table) back")
        }
    }

    func read(
        _ part: TablePart, into sink: @escaping @Sendable (RowBatch) async throws -> Void
    ) async throws {
        do {
            try await MySQLSelection(text: part.selection).read(on: connections, into: sink)
        } catch let error as MySQLError {
            throw error.backupError(while: "cannot read \(part.table) back")
        }
    }
}

extension TargetRequest {
    /// Says what a table's rows have lost on their way.
    func tell(of delivery: MySQLConnection.Delivery, into table: TableName) {
        if delivery.laxCount > 0 {
            notes(
                """
                warning: \(delivery.laxCount) rows of \(table) were taken with days that no calendar has (such as 2021-02-31): what \
                it computes from texts of these may be such a day where the source had none
                """)
        }
        guard delivery.roundedCount > 0 else { return }
        notes(
            """
            warning: decimals in JSON documents of \(table) may have lost digits, in \(delivery.roundedCount) rows \
            for which no statement has room (max_allowed_packet)
            """)
    }
}
