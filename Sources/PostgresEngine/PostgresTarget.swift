import BackupCore

/// A PostgreSQL database being restored into.
///
/// The structure before the rows is one script in one transaction, what follows them is made by
/// pg_restore side by side; the rows come over this program's own connections.
struct PostgresTarget: Target {
    let request: TargetRequest
    let connections: ConnectionPool<PostgresConnection>
    let archive: PostgresArchiveRestore
    let server: PostgresServer
    let settings: PostgresSettings
    let computing: PostgresComputing
    let loginSettings: PostgresLoginSettings
    let presence: PostgresPresence
    /// Whether an interruption can be gone on from.
    let mark: Mark
    /// Whether an interrupted restore has begun to make the structure one by one.
    let hasBegun: Bool
    /// Whether an interrupted restore has made the structure.
    let hasStructure: Bool
    /// Whether an interrupted restore has made the indexes of a table with another name.
    let hasIndexes: Bool

    /// What says in the target how far a restore is.
    enum Mark: Equatable {
        /// The role may not leave one, or nothing is lost without it.
        case none
        /// It is there.
        case written
        /// Nothing is changed but rows of tables that are there: these statements leave it in the
        /// same transaction, so that there is none when that fails.
        case withChange([String])
    }

    var plan: TargetPlan { archive.plan.target }

    // MARK: Scripts

    /// For scripts, which change settings of their session.
    func fresh() async throws -> PostgresConnection {
        let connection = try await PostgresSession.toTarget(settings, for: request)
        do {
            try await PostgresSession.quieten(connection, on: server)
            try await computing.prepare(connection)
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot prepare the session")
        }
        return connection
    }

    var defaultPrivileges: PostgresDefaultPrivileges {
        PostgresDefaultPrivileges(
            archive: archive, request: request, renaming: renaming, major: server.major)
    }

    func renamed(_ script: PostgresScript) -> PostgresScript {
        renaming?.applied(to: script) ?? script
    }

    /// The scripts of some entries after those of others, but for those that make nothing.
    private func scripts(
        of steps: [Set<Int>], sections: [String]
    ) async throws -> [PostgresScript] {
        var scripts: [PostgresScript] = []
        for entries in steps where !entries.isEmpty {
            scripts.append(
                renamed(
                    try await archive.script(entries, sections: sections, major: server.major)))
        }
        return scripts
    }

    var renaming: PostgresRenaming? {
        guard let renamed = archive.plan.renamed else { return nil }
        let entries = archive.archive.entries.filter { archive.plan.chosen.contains($0.id) }
        return PostgresRenaming(
            renamed.from, to: renamed.to, entries: entries,
            names: PostgresArchiveNames(archive.archive, request),
            // What belongs to the table of that name was made by the interrupted restore, or is
            // dropped with it.
            isTaken: { name in
                presence.relations[name].map { $0.parent != renamed.to } ?? false
            })
    }

    // MARK: Indexes, and what would be in the way

    func createIndexesAndConstraints() async throws -> [String] {
        let watch = try await connections.withOne { leader in
            try await PostgresBuildWatch(
                settings, beside: leader, jobs: request.connections, tell: request.steps)
        }
        // Ends with this scope, whatever way it is left.
        async let _: Void = watch.run()
        guard archive.plan.renamed == nil else {
            guard !hasIndexes else { return [] }
            try await createIndexesOfRenamed(as: watch.application)
            return []
        }
        var archive = archive
        archive.watch = watch
        archive.settings += try await run("create every index and constraint") { connection in
            try await computing.options(on: connection)
        }
        archive.made.formUnion(try await lateConstraintsThere())
        let problems = try await giveWhatFollowsRowsToOwners()
        return try await problems
            + archive.createIndexesAndConstraints { entries, section, mayFail in
                try await makePointers(
                    entries, section: section, failuresAreExpected: mayFail, seenBy: watch)
            }
    }

    /// What follows the rows of a table with another name.
    ///
    /// All of it or none, with what the mark says about it.
    private func createIndexesOfRenamed(as application: String) async throws {
        let scripts = try await scripts(of: [archive.afterRows], sections: ["post-data"])
        let connection = try await fresh()
        try await connection.execute("SET application_name = \(SQLText.literal(application))")
        try await Self.inTransaction(on: connection) {
            for script in scripts {
                try await script.run(on: connection, to: "create every index and constraint")
            }
            if mark != .none { try await connection.execute(PostgresRestoreMark.indexesAreMade) }
        }
    }

    func switchOn() async throws -> [String] {
        try await undoDefaultPrivilegesOfLateViews()
        try await commentOnExtensions()
        try await closePublicSchema()
        // Of a table with another name these come with the end.
        let problems =
            archive.plan.renamed == nil
            ? try await givePrivileges(beforeRows: false) + archive.createWhatWouldBeInTheWay()
            : []
        let refused = try await run("finish") { connection -> [String] in
            let refused = try await setDatabase(on: connection)
            try await writeAll(connection)
            return refused
        }
        return problems + refused
    }

    private func undoDefaultPrivilegesOfLateViews() async throws {
        let views = try await archive.viewsAfterRows()
        guard archive.plan.renamed == nil, !views.isEmpty else { return }
        try await run("give privileges", on: try await fresh()) { connection in
            try await Self.inTransaction(on: connection) {
                try await defaultPrivileges.undo(for: views, on: connection)
            }
        }
    }

    /// Gives the new database the settings of the source, but for those that come last; what the server refuses of all.
    ///
    /// Some are for superusers alone, some are unknown to other versions; none is worth the rest of a restore.
    private func setDatabase(on connection: PostgresConnection) async throws -> [String] {
        guard request.creates else { return [] }
        var refused: [String] = []
        for setting in PostgresDatabaseStatements.settings(request) where !setting.isOfLogin {
            if let words = try await setting.refusal(on: connection) { refused.append(words) }
        }
        guard request.isScratch else {
            return try await refused + loginSettings.refusals(on: connection)
        }
        // They say what the drilling role may do, and nothing of the backup.
        for words in refused { request.notes("warning: not made: \(words)") }
        return []
    }

    func finish() async throws {
        // With all else made, and the mark where it is.
        try archive.refusals.endRestore()
        // What came last: materialized views.
        if request.isWhole { try await run("finish") { try await writeAll($0) } }
        // Of a table with another name these come with the end.
        let hiding = archive.plan.renamed == nil ? [] : archive.late
        let ending = try await scripts(of: [hiding, archive.closing], sections: [])
        let reacting = try await scripts(of: [archive.eventTriggers], sections: [])
        guard !(ending + reacting).isEmpty || !loginSettings.isEmpty else {
            guard mark != .none else { return }
            return try await run("finish") { try await $0.execute(PostgresRestoreMark.removal) }
        }
        try await run("finish", on: try await fresh()) { connection in
            try await Self.inTransaction(on: connection) {
                try await connection.execute("SET LOCAL synchronous_commit = on")
                for script in ending { try await script.run(on: connection, to: "give privileges") }
                if mark != .none { try await connection.execute(PostgresRestoreMark.removal) }
                try await loginSettings.give(on: connection)
                for script in reacting {
                    try await script.run(on: connection, to: "create event triggers")
                }
            }
        }
    }

    /// A commit that waits until it is written waits for all before it; it must write something to do so, which here
    /// is a message to nobody: no event trigger reacts to it.
    private func writeAll(_ connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            SET synchronous_commit = on;
            SELECT pg_catalog.pg_logical_emit_message(true, 'dbtool', '')
            """)
    }

    // MARK: What follows rows

    func set(_ sequences: [SequenceValue]) async throws {
        try await run("set the sequences") { connection -> Void in
            guard archive.plan.sequences.values.contains(.forward) else {
                return try await set(sequences, on: connection)
            }
            try await connection.execute("SET lock_timeout = '\(PostgresPatience.limit)'")
            try await PostgresPatience.run("cannot set the sequences", on: connection, settings) {
                try await set(sequences, on: connection)
            }
            try await connection.execute("SET lock_timeout = 0")
        }
    }

    private func set(
        _ sequences: [SequenceValue], on connection: PostgresConnection
    ) async throws {
        let renaming = renaming
        for sequence in sequences {
            let name = TableName(schema: sequence.schema, name: sequence.name)
            guard let move = archive.plan.sequences[PostgresPresence.asInList(name)] else {
                try await setIfOfExtension(sequence, name, connection)
                continue
            }
            // Whoever has waited for those rows may be further by now.
            guard move != .withRows else { continue }
            try await PostgresSequences.set(
                .init(value: sequence, name: renaming?.names[name] ?? name, move: move),
                on: connection)
        }
    }

    /// Extensions make their sequences; those that count what their users do are in backups all the same.
    private func setIfOfExtension(
        _ sequence: SequenceValue, _ name: TableName, _ connection: PostgresConnection
    ) async throws {
        guard request.isWhole,
            try await connection.value(
                """
                SELECT 1 FROM pg_catalog.pg_class c
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                JOIN pg_catalog.pg_extension e ON c.oid = ANY (e.extconfig)
                WHERE n.nspname = $1 AND c.relname = $2 LIMIT 1
                """, [name.schema, name.name]) != nil
        else { return }
        do {
            try await PostgresSequences.set(
                .init(value: sequence, name: name, move: .forward), on: connection)
        } catch let error as PostgresError where !error.isConnectionLoss {
            request.notes("warning: sequence \(name) of an extension is not set: \(error.message)")
        }
    }

    func refresh(_ views: [MaterializedView]) async throws -> [String] {
        let names = PostgresArchiveNames(archive.archive, request)
        let made = Set(
            archive.archive.entries.filter { entry in
                archive.plan.chosen.contains(entry.id) && entry.kind == "MATERIALIZED VIEW"
            }.map(names.table))
        let wanted = views.filter(\.isPopulated).filter { view in
            let name = TableName(schema: view.schema, name: view.name)
            // Everything is restored: what is computed from it has changed with it.
            return made.contains(PostgresPresence.asInList(name))
                || (request.isWhole && presence.relations[name]?.kind == "m")
        }
        guard !wanted.isEmpty else { return [] }
        // Not one of those that were there before the database had its settings.
        let connection = try await fresh()
        do {
            try await PostgresComputing.takeAll(ofDatabaseFor: connection)
            return try await PostgresViewRefresh(
                connection: connection, tell: request.steps, hidesRows: !request.omitsOwners
            )
            .refresh(wanted)
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot compute the materialized views")
        }
    }

    func analyze() async throws -> [String] {
        let tables =
            request.isWhole && request.content == .everything
            ? try await everyTable() : Set(plan.tables.values.map(\.load.place)).sorted()
        let steps = StepCounter(tables.count, tell: request.steps)
        return try await withThrowingTaskGroup(of: String?.self) { group in
            var failures: [String?] = []
            for (index, table) in tables.enumerated() {
                if index >= connections.all.count { failures.append(try await group.next() ?? nil) }
                group.addTask { try await steps.take("\(table)") { try await analyze(table) } }
            }
            for try await failure in group { failures.append(failure) }
            return failures.compactMap(\.self)
        }
    }

    private func everyTable() async throws -> [TableName] {
        try await connections.withOne { connection in
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
    }

    /// Why there are no statistics for a table: a foreign partition, for example.
    private func analyze(_ table: TableName) async throws -> String? {
        guard table.schema != PostgresLargeObjects.pages.schema else { return nil }
        return try await connections.withOne { connection in
            do {
                try await connection.executeInterruptibly("ANALYZE \(SQLText.qualified(table))")
                return nil
            } catch let error as PostgresError where !error.isConnectionLoss {
                return "no statistics for \(table): \(error.message)"
            }
        }
    }

    private func run<Result: Sendable>(
        _ what: String, _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        do {
            return try await connections.withOne(body)
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot \(what)")
        }
    }

    /// The same on a connection that is not used again: scripts change settings of its session.
    func run(
        _ what: String, on connection: PostgresConnection,
        _ body: (PostgresConnection) async throws -> Void
    ) async throws {
        do {
            try await body(connection)
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot \(what)")
        }
    }

    static func inTransaction(
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

    static func rollBack(_ connection: PostgresConnection) async {
        // A connection that cannot roll back is gone, and its transaction with it.
        try? await connection.execute("ROLLBACK")
    }
}
