import BackupCore

/// A PostgreSQL database being restored into.
///
/// pg_restore makes the structure from the backup's archive, before and after the rows; the rows
/// come over this program's own connections.
struct PostgresTarget: Target {
    private let request: TargetRequest
    private let connections: PostgresConnections
    private let archive: PostgresArchiveRestore
    private let server: PostgresServer

    // MARK: Opening

    /// Creates the database when asked to, connects to it and checks that it can take the backup.
    static func open(
        _ request: TargetRequest, settings: PostgresSettings
    ) async throws -> PostgresTarget {
        guard let dump = request.definition.dump else {
            throw BackupError(.damaged, "the backup has no schema.dump")
        }
        let preparation = PostgresTargetPreparation(request: request, settings: settings)
        let oldest = request.definition.dumpVersion ?? request.sourceVersion
        let programs = try await PostgresPrograms.find(
            atLeast: Int(oldest.prefix { $0.isNumber }) ?? 0, named: settings.pgDump)
        try await preparation.prepare()
        let connections = try await connect(request, preparation.targetSettings)
        let server = try await PostgresServer(connections[0])
        return PostgresTarget(
            request: request, connections: PostgresConnections(connections),
            archive: try await PostgresArchiveRestore(
                dump, request, programs: programs, environment: connections[0].environment,
                isSuperuser: server.isSuperuser),
            server: server)
    }

    private static func connect(
        _ request: TargetRequest, _ settings: PostgresSettings
    ) async throws -> [PostgresConnection] {
        var connections: [PostgresConnection] = []
        for _ in 0..<max(1, request.connections) {
            let connection = try await PostgresConnection(settings)
            let encoding = request.encoding == "SQL_ASCII" ? "SQL_ASCII" : "UTF8"
            try await PostgresSession.pin(connection, encoding: encoding, side: .target)
            connections.append(connection)
        }
        return connections
    }

    // MARK: Structure

    var leftOut: [String] { archive.leftOut }

    func createStructure() async throws -> [String] {
        try await archive.createStructure()
    }

    func createIndexesAndConstraints() async throws -> [String] {
        try await archive.createIndexesAndConstraints()
    }

    func finish() async throws -> [String] {
        let settings = request.creates ? PostgresTargetPreparation.settingStatements(request) : []
        try await run("finish") { connection in
            for statement in settings { try await connection.execute(statement) }
            // A commit that waits until it is written waits for all before it; it must change
            // something to do so, before event triggers can react to it.
            try await connection.execute(
                """
                SET synchronous_commit = on;
                BEGIN; CREATE TEMPORARY TABLE dbtool_last_commit () ON COMMIT DROP; COMMIT
                """)
        }
        return try await archive.createWhatWouldBeInTheWay()
    }

    // MARK: Rows

    func mustLoadFirst(_ table: TableName) -> Bool { table == PostgresLargeObjects.objects }

    func load(
        _ load: TableLoad, connections count: Int,
        next: @escaping @Sendable () async throws -> RowBatch?,
        agrees: @Sendable (Int) async throws -> Void
    ) async throws {
        do {
            guard load.table.schema != PostgresLargeObjects.pages.schema else {
                return try await loadLargeObjects(load, next: next, agrees: agrees)
            }
            guard count > 1, connections.all.count > 1 else {
                return try await connections.withOne { connection in
                    try await Self.inTransaction(on: connection) {
                        try await agrees(
                            try await connection.copyIn(Self.copy(load), from: next))
                    }
                }
            }
            try await loadSideBySide(load, next: next, agrees: agrees)
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot load \(load.table)")
        }
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
        } catch {
            await emptyAgain(load)
            throw error
        }
    }

    /// A part of the table may have been committed and another not.
    private func emptyAgain(_ load: TableLoad) async {
        let table = SQLText.qualified(load.loadsThrough ?? load.table)
        for connection in connections.all {
            await Self.rollBack(connection)
            // The first connection that still lives does it; the error that led here is reported.
            if (try? await connection.execute("TRUNCATE \(table)")) != nil { return }
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
            }
        }
    }

    private static func copy(_ load: TableLoad) -> String {
        let table = SQLText.qualified(load.loadsThrough ?? load.table)
        return "COPY \(table)\(SQLText.columnList(load.columns)) FROM STDIN (FORMAT csv)"
    }

    // MARK: What follows rows

    func set(_ sequences: [SequenceValue]) async throws {
        try await run("set the sequences") { connection in
            for sequence in sequences {
                let name = TableName(schema: sequence.schema, name: sequence.name)
                try await connection.execute(
                    """
                    SELECT pg_catalog.setval(\(SQLText.literal(SQLText.qualified(name))),
                                             \(sequence.lastValue), \(sequence.isCalled))
                    """)
            }
        }
    }

    func refresh(_ views: [MaterializedView]) async throws -> [String] {
        guard views.contains(where: \.isPopulated) else { return [] }
        return try await connections.withOne { connection in
            try await PostgresViewRefresh(connection: connection).refresh(views)
        }
    }

    func analyze() async throws -> [String] {
        let tables = try await connections.withOne { connection in
            try await connection.rows(
                """
                SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
                  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
                ORDER BY c.relpages DESC
                """
            ).map { TableName(schema: $0[0] ?? "", name: $0[1] ?? "") }
        }
        return try await withThrowingTaskGroup(of: String?.self) { group in
            var failures: [String?] = []
            for (index, table) in tables.enumerated() {
                if index >= connections.all.count { failures.append(try await group.next() ?? nil) }
                group.addTask { try await analyze(table) }
            }
            for try await failure in group { failures.append(failure) }
            return failures.compactMap(\.self)
        }
    }

    /// Why there are no statistics for a table: a foreign partition, for example.
    private func analyze(_ table: TableName) async throws -> String? {
        try await connections.withOne { connection in
            do {
                try await connection.executeInterruptibly("ANALYZE \(SQLText.qualified(table))")
                return nil
            } catch let error as PostgresError where !error.isConnectionLoss {
                return "no statistics for \(table): \(error.message)"
            }
        }
    }

    private func run(
        _ what: String, _ body: (PostgresConnection) async throws -> Void
    ) async throws {
        do {
            try await connections.withOne(body)
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot \(what)")
        }
    }

    private static func inTransaction(
        on connection: PostgresConnection, _ body: () async throws -> Void
    ) async throws {
        try await connection.execute("BEGIN")
        do {
            try await body()
            try await connection.execute("COMMIT")
        } catch {
            await rollBack(connection)
            throw error
        }
    }

    private static func rollBack(_ connection: PostgresConnection) async {
        // A connection that cannot roll back is gone, and its transaction with it.
        try? await connection.execute("ROLLBACK")
    }
}
