import BackupCore

/// Rows into a target, and back from it.
extension PostgresTarget {
    // MARK: Rows

    /// Foreign keys of what an extension has made hold already.
    func tablesInFront() async throws -> [TableName] {
        let objects = [PostgresLargeObjects.objects].filter { plan.tables[$0] != nil }
        let ofExtensions = plan.tables.filter { $0.value.load.filter != nil }.keys.sorted()
        guard !ofExtensions.isEmpty else { return objects }
        do {
            let references = try await connections.withOne { connection in
                try await PostgresLoadOrder.references(on: connection)
            }
            return objects + PostgresLoadOrder.of(ofExtensions, references)
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot ask about foreign keys")
        }
    }

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
            if let heir = try await heir(load) {
                return try await self.load(load, into: heir, next: next, agrees: agrees)
            }
            let lenient = try await lenientConstraints(ofCopy: load)
            // What goes through another table cannot be emptied alone, and rows of a table of an extension may refer to
            // rows that another connection has not committed.
            guard count > 1, connections.all.count > 1, load.loadsThrough == nil,
                load.filter == nil,
                lenient == nil
            else {
                return try await connections.withOne { connection in
                    try await Self.inTransaction(on: connection) {
                        try await quiet(load, on: connection)
                        try await connection.execute(computing.timeZoneOfTransaction)
                        for sql in lenient?.suspending ?? [] { try await connection.execute(sql) }
                        try await agrees(
                            try await connection.copyIn(Self.copy(load), from: next))
                        for sql in lenient?.resuming ?? [] { try await connection.execute(sql) }
                        try await Self.validate(lenient?.validating ?? [], on: connection)
                        try await noteLoaded(load, on: connection)
                    }
                }
            }
            try await loadSideBySide(load, next: next, agrees: agrees)
        } catch let error as PostgresError {
            throw await refusal(of: load, error)
        }
    }

    /// Those of a table with another name that may have let rows of the original be; nil where there are none.
    private func lenientConstraints(
        ofCopy load: TableLoad
    ) async throws -> PostgresLenientConstraints? {
        guard archive.plan.renamed != nil else { return nil }
        let lenient = try await connections.withOne { connection in
            try await PostgresLenientConstraints(of: [load.table], on: connection)
        }
        return lenient.tables.isEmpty ? nil : lenient
    }

    /// An interrupted restore may have committed a part of a table that several connections loaded; other rows are
    /// somebody else's.
    private func emptyInterrupted(_ load: TableLoad) async throws {
        // Tables of extensions that are kept are kept with them.
        guard plan.continues || load.filter != nil, load.loadsThrough == nil,
            presence.relations[load.table] != nil
        else { return }
        try await connections.withOne { connection in
            let row = try await connection.value(
                "SELECT 1 FROM ONLY \(SQLText.qualified(load.table)) LIMIT 1")
            guard row != nil else { return }
            guard load.filter != nil || archive.plan.halfLoaded.contains(nameInBackup(load)) else {
                throw Self.rowsOfOthers([load.table], in: request.database)
            }
            let statement = try await PostgresEmptying.statement(for: load, on: connection)
            try await Self.inTransaction(on: connection) {
                try await quiet(load, on: connection)
                try await connection.executeInterruptibly(statement)
            }
        }
    }

    /// Refuses to go on over rows that no restore has left.
    static func rowsOfOthers(_ tables: [TableName], in database: String) -> BackupError {
        BackupError(
            .targetUnsuitable,
            "tables of \(database) hold rows that this restore has not loaded: "
                + tables.map { "\($0)" }.joined(separator: ", "),
            hint: """
                They were written since it was interrupted. Keep them elsewhere, empty these tables \
                and run the same restore again; or forget it, keeping what it made: \
                DROP SCHEMA \(PostgresRestoreMark.schema) CASCADE;
                """)
    }

    /// Keeps triggers and foreign keys of an extension's tables from its rows.
    ///
    /// They are there before the rows: they would change them, or refuse them where tables refer to each other in a circle.
    /// Only a superuser may do without.
    private func quiet(_ load: TableLoad, on connection: PostgresConnection) async throws {
        guard load.filter != nil else { return }
        try await connection.execute(
            """
            SELECT CASE pg_catalog.current_setting('is_superuser') WHEN 'on'
              THEN pg_catalog.set_config('session_replication_role', 'replica', true) END
            """)
    }

    func noteLoaded(_ load: TableLoad, on connection: PostgresConnection) async throws {
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
                        try await connection.execute("BEGIN; \(computing.timeZoneOfTransaction)")
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
            // With the first of the commits.
            if mark == .written {
                try await all[0].execute(PostgresRestoreMark.isHalfLoaded(nameInBackup(load)))
            }
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
                guard load.table == PostgresLargeObjects.pages else { return }
                try await connection.execute(PostgresLargeObjects.pagesStatement)
                try await noteLoaded(load, on: connection)
            }
            guard load.table == PostgresLargeObjects.objects else { return }
            try await makeLargeObjects(on: connection)
            try await noteLoaded(load, on: connection)
        }
    }

    /// Makes large objects of what the temporary table holds, some at a time.
    ///
    /// Each that gets an owner or a comment is locked until the commit, and the server has few places for locks.
    private func makeLargeObjects(on connection: PostgresConnection) async throws {
        if !request.omitsPrivileges { try await nameGrantsLeftOut(on: connection) }
        // Those that an interrupted restore has made are whole.
        if plan.continues { try await connection.execute(PostgresLargeObjects.leaveOutExisting) }
        // Without grants, what is restored is to have those that are usual in the target.
        let defaults =
            try await request.omitsPrivileges
            ? nil : PostgresLargeObjectDefaults(connection)
        var done = "0"
        while let last = try await connection.value(PostgresLargeObjects.lastOfBatch(after: done)) {
            try Task.checkCancellation()
            let statements = PostgresLargeObjects.objectStatements(
                after: done, omitsOwners: request.omitsOwners,
                omitsPrivileges: request.omitsPrivileges)
            try await Self.inTransaction(on: connection) {
                if let defaults { try await connection.execute(defaults.suspension) }
                for statement in statements {
                    for made in try await connection.rows(statement).compactMap({ $0[0] })
                    where Int(made) == nil {
                        try await connection.execute(made)
                    }
                }
                if let defaults { try await connection.execute(defaults.resumption) }
            }
            done = last
        }
        try await connection.execute("DROP TABLE \(PostgresLargeObjects.temporaryTable)")
    }

    private func nameGrantsLeftOut(on connection: PostgresConnection) async throws {
        let query = PostgresLargeObjects.withoutOthers(omitsOwners: request.omitsOwners)
        for row in try await connection.rows(query) {
            request.notes(
                "warning: left out: what others than their owners granted on \(row[0] ?? "") of the "
                    + "large objects: the restoring role may not act for \(row[1] ?? "")")
        }
    }

    func changeExistingTables(
        _ body: (
            _ load: (TableLoad, _ next: @escaping @Sendable () async throws -> RowBatch?)
                async throws -> Int
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
            try await computing.give(to: connection)
            try await PostgresPatience.lasting(on: connection, settings) { [notes] patience in
                // One of those that load has nothing to do meanwhile.
                let idle = connections.all.first { $0 !== connection }
                let watch = patience.locks ?? idle.map { PostgresLocks(connection: $0) }
                try await patience.run(
                    "cannot change tables of \(request.database), which are as they were"
                ) {
                    try await PostgresExistingTables(archive.plan, of: request, on: connection)
                        .change(
                            parts: PostgresParts(presence), watch: watch, by: computing,
                            noting: notes, setting: sequencesOfExistingTables,
                            tell: request.steps, body)
                }
            }
        }
    }

    /// Those that were there before: whoever waits for the tables takes the next number as soon as they are free.
    private var sequencesOfExistingTables: [PostgresSequences.Setting] {
        request.sequences.compactMap { value in
            let name = TableName(schema: value.schema, name: value.name)
            let move = archive.plan.sequences[PostgresPresence.asInList(name)]
            guard let move, move == .withRows || move == .forward else { return nil }
            return PostgresSequences.Setting(value: value, name: name, move: move)
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
                try await rows(of: load, on: connection).flatMap { $0.statements }.map {
                    TablePart(table: load.place, selection: $0)
                }
            }
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot read \(load.place) back")
        }
    }

    /// Of partitions each by itself, so that several connections read them, wherever their rows have come to lie.
    private func rows(
        of load: TableLoad, on connection: PostgresConnection
    ) async throws -> [PostgresRows] {
        if load.table.schema == PostgresLargeObjects.pages.schema {
            return try await [PostgresLargeObjects.rows(of: load.table, connection)]
        }
        let all = try await connection.rows(
            Self.tablesWithRows, [SQLText.qualified(load.place)])
        // A part that was loaded by itself is read by itself, though it may have been attached since.
        let others = loadedAlone.subtracting([load.place])
        let tables = all.filter { row in
            !others.contains(TableName(schema: row[0] ?? "", name: row[1] ?? ""))
        }
        guard tables.allSatisfy({ $0[6] == "t" }) else {
            let columns = load.columns.map(SQLText.identifier).joined(separator: ", ")
            let oids = PostgresCatalog.array(tables.map { $0[7] ?? "" })
            return [
                PostgresRows(
                    query: """
                        SELECT \(columns) FROM \(SQLText.qualified(load.place))
                        WHERE tableoid = ANY ('\(oids)'::oid[])
                        """)
            ]
        }
        let filter = try await PostgresEmptying.condition(of: load, on: connection)
        return tables.map { row in
            let name = TableName(schema: row[0] ?? "", name: row[1] ?? "")
            return PostgresRows(
                name, columns: load.columns, filter: name == load.place ? filter : nil,
                splits: row[2] == "t",
                sizes: (heap: Int(row[3] ?? "") ?? 0, total: Int(row[4] ?? "") ?? 0),
                blockBytes: Int(row[5] ?? "") ?? 8192)
        }
    }

    private var loadedAlone: Set<TableName> {
        Set(plan.tables.values.map(\.load).filter { $0.loadsThrough == nil }.map(\.table))
    }

    /// A table, or its partitions that have rows; and whether each can be read without the table that it is a part of:
    /// rights and policies that hold for that one are not its own, and COPY takes no foreign table.
    private static let tablesWithRows = """
        SELECT n.nspname, c.relname, a.amname = 'heap', pg_catalog.pg_relation_size(c.oid),
               pg_catalog.pg_table_size(c.oid), pg_catalog.current_setting('block_size'),
               c.oid = $1::regclass OR c.relkind = 'r'
                 AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                 AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
                 AND NOT pg_catalog.row_security_active(c.oid), c.oid
        FROM (SELECT $1::regclass::oid UNION
              SELECT p.relid::oid FROM pg_catalog.pg_partition_tree($1::regclass) p) t(oid)
        JOIN pg_catalog.pg_class c ON c.oid = t.oid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam
        WHERE c.relkind <> 'p'
        """

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
