import BackupCore

/// Rows into a target, and back from it.
extension PostgresTarget {
    // MARK: Rows

    func mustLoadFirst(_ table: TableName) -> Bool { table == PostgresLargeObjects.objects }

    func load(
        _ load: TableLoad, connections count: Int,
        next: @escaping @Sendable () async throws -> RowBatch?,
        agrees: @Sendable (Int) async throws -> Void
    ) async throws {
        do {
            try await emptyInterrupted(load)
            guard load.table.schema != PostgresLargeObjects.pages.schema else {
                return try await loadLargeObjects(load, next: next, agrees: agrees)
            }
            // What goes through another table cannot be emptied alone.
            guard count > 1, connections.all.count > 1, load.loadsThrough == nil else {
                return try await connections.withOne { connection in
                    try await Self.inTransaction(on: connection) {
                        try await agrees(
                            try await connection.copyIn(Self.copy(load), from: next))
                        try await noteLoaded(load, on: connection)
                    }
                }
            }
            try await loadSideBySide(load, next: next, agrees: agrees)
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot load \(load.table)")
        }
    }

    /// An interrupted restore may have committed a part of a table that several connections loaded.
    private func emptyInterrupted(_ load: TableLoad) async throws {
        // Tables of extensions that are kept are kept with them.
        guard plan.continues || load.filter != nil, load.loadsThrough == nil,
            presence.relations[load.table] != nil
        else { return }
        try await connections.withOne { connection in
            let row = try await connection.value(
                "SELECT 1 FROM ONLY \(SQLText.qualified(load.table)) LIMIT 1")
            guard row != nil else { return }
            try await connection.executeInterruptibly(
                try await PostgresEmptying.statement(for: load, on: connection))
        }
    }

    private func noteLoaded(_ load: TableLoad, on connection: PostgresConnection) async throws {
        guard mark == .written else { return }
        try await connection.execute(PostgresRestoreMark.isLoaded(nameInBackup(load)))
    }

    private func nameInBackup(_ load: TableLoad) -> TableName {
        archive.plan.renamed?.from ?? load.table
    }

    /// Every connection commits only after the rows of all of them agree.
    private func loadSideBySide(
        _ load: TableLoad, next: @escaping @Sendable () async throws -> RowBatch?,
        agrees: @Sendable (Int) async throws -> Void
    ) async throws {
        let all = connections.all
        do {
            let count = try await withThrowingTaskGroup(of: Int.self) { group in
                for connection in all {
                    group.addTask {
                        try await connection.execute("BEGIN")
                        return try await connection.copyIn(Self.copy(load), from: next)
                    }
                }
                return try await group.reduce(0, +)
            }
            try await agrees(count)
        } catch {
            for connection in all { await Self.rollBack(connection) }
            throw error
        }
        do {
            for connection in all { try await connection.execute("COMMIT") }
            try await noteLoaded(load, on: all[0])
        } catch {
            await emptyAgain(load)
            throw error
        }
    }

    /// A part of the table may have been committed and another not.
    private func emptyAgain(_ load: TableLoad) async {
        // What one holds another one would wait for.
        for connection in connections.all { await Self.rollBack(connection) }
        for connection in connections.all {
            // The first connection that still lives does it; the error that led here is reported.
            do {
                try await connection.execute(
                    try await PostgresEmptying.statement(for: load, on: connection))
                return
            } catch {
                continue
            }
        }
    }

    private func loadLargeObjects(
        _ load: TableLoad, next: @escaping @Sendable () async throws -> RowBatch?,
        agrees: @Sendable (Int) async throws -> Void
    ) async throws {
        try await connections.withOne { connection in
            try await Self.inTransaction(on: connection) {
                try await connection.execute(
                    PostgresLargeObjects.createTemporaryTable(for: load.table))
                let columns = SQLText.columnList(load.columns)
                let copy =
                    "COPY \(PostgresLargeObjects.temporaryTable)\(columns) FROM STDIN (FORMAT csv)"
                try await agrees(try await connection.copyIn(copy, from: next))
                let statements = PostgresLargeObjects.restoreStatements(
                    for: load.table, omitsOwners: request.omitsOwners,
                    omitsPrivileges: request.omitsPrivileges)
                for statement in statements {
                    for made in try await connection.rows(statement).compactMap({ $0[0] })
                    where load.table == PostgresLargeObjects.objects && Int(made) == nil {
                        try await connection.execute(made)
                    }
                }
                try await noteLoaded(load, on: connection)
            }
        }
    }

    func changeExistingTables(
        _ body: (
            _ load: (TableLoad, _ next: @Sendable () async throws -> RowBatch?) async throws -> Int
        ) async throws -> Void
    ) async throws {
        var notes = plan.tables.filter { $0.value.treatment != .create && !$0.value.isLoaded }
            .map { PostgresRestoreMark.isLoaded($0.key) }
        switch mark {
        case .none: notes = []
        case .written: break
        case .withChange(let statements): notes = statements + notes
        }
        try await connections.withOne { connection in
            try await PostgresExistingTables(plan, in: request.database, on: connection)
                .change(noting: notes, tell: request.steps, body)
        }
    }

    static func copy(_ load: TableLoad) -> String {
        "COPY \(SQLText.qualified(load.place))\(SQLText.columnList(load.columns)) "
            + "FROM STDIN (FORMAT csv)"
    }

    // MARK: Reading back

    func parts(of load: TableLoad) async throws -> [TablePart] {
        do {
            return try await connections.withOne { connection in
                try await rows(of: load, on: connection).statements.map {
                    TablePart(table: load.place, selection: $0)
                }
            }
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot read \(load.place) back")
        }
    }

    private func rows(
        of load: TableLoad, on connection: PostgresConnection
    ) async throws -> PostgresRows {
        if load.table.schema == PostgresLargeObjects.pages.schema {
            return try await PostgresLargeObjects.rows(of: load.table, connection)
        }
        let row = try await connection.rows(
            """
            SELECT c.relkind, a.amname = 'heap', pg_catalog.pg_relation_size(c.oid),
                   pg_catalog.pg_table_size(c.oid), pg_catalog.current_setting('block_size')
            FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam
            WHERE c.oid = $1::regclass
            """, [SQLText.qualified(load.place)]
        ).first
        guard let row, row[0] != "p" else {
            let columns = load.columns.map(SQLText.identifier).joined(separator: ", ")
            return PostgresRows(
                query: "SELECT \(columns) FROM \(SQLText.qualified(load.place))")
        }
        return PostgresRows(
            load.place, columns: load.columns,
            filter: try await PostgresEmptying.condition(of: load, on: connection),
            splits: row[1] == "t",
            sizes: (heap: Int(row[2] ?? "") ?? 0, total: Int(row[3] ?? "") ?? 0),
            blockBytes: Int(row[4] ?? "") ?? 8192)
    }

    func read(
        _ part: TablePart, into sink: @escaping @Sendable (RowBatch) async throws -> Void
    ) async throws {
        do {
            try await connections.withOne { connection in
                try await connection.copyOut(part.selection, into: sink)
            }
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot read \(part.table) back")
        }
    }
}
