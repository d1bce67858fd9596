import BackupCore

/// Tables that were there before a restore, while their rows change: in one transaction, so that
/// all of them change or none.
///
/// Foreign keys are taken away and made again, which checks all rows at once and in any order of
/// loading; triggers are switched off and on again as they were. All that is undone by a rollback.
struct PostgresExistingTables {
    private let connection: PostgresConnection
    private let database: String
    /// Every table that is changed, those that rows go through included.
    private let tables: [TableName]
    private let emptied: [TableLoad]
    /// What must hold no rows of others.
    private let ownAlone: [TableLoad]
    private let lost: PostgresLostParts
    private let addedAgain: PostgresAddedAgain
    /// Whether an interrupted restore is gone on with.
    private let continues: Bool
    private let loads: [TableName: TableLoad]
    private let numberedWholes: [TableName: Set<TableName>]

    init(_ plan: PostgresPlan, of request: TargetRequest, on connection: PostgresConnection) {
        let all = plan.target.tables.filter { $0.value.treatment != .create && !$0.value.isLoaded }
        let changed = all.values
        self.connection = connection
        database = request.database
        continues = plan.target.continues
        tables = Set(changed.flatMap { [$0.load.table, $0.load.place] }).sorted()
        ownAlone = all.filter { request.mustBeEmpty || plan.refilled.contains($0.key) }
            .map(\.value.load).sorted { $0.table < $1.table }
        emptied = changed.filter { $0.treatment == .truncate }.map(\.load)
            .sorted { $0.table < $1.table }
        lost = PostgresLostParts(among: emptied, transactions: plan.transactions)
        addedAgain = PostgresAddedAgain(
            tables: plan.addedAgain, transactions: plan.transactions)
        numberedWholes = plan.numberedWholes
        loads = Dictionary(changed.map { ($0.load.table, $0.load) }) { first, _ in first }
    }

    private var emptiness: PostgresEmptiness {
        PostgresEmptiness(
            connection: connection, database: database, tables: tables, loads: ownAlone,
            lost: lost, continues: continues)
    }

    private func guards(
        _ lenient: PostgresLenientConstraints? = nil
    ) async throws -> PostgresRowGuards {
        try await PostgresRowGuards(
            of: tables, emptied: emptied.map(\.table), lenient, on: connection)
    }

    // MARK: Before anything is changed

    /// Finds what the server would refuse in the middle.
    ///
    /// - Throws: `BackupError.targetUnsuitable`, `BackupError.permissionDenied`.
    func check() async throws {
        guard !tables.isEmpty else { return }
        try await checkColumns()
        try await checkPrivileges()
        try await emptiness.require(.beforeApproval)
    }

    private func checkColumns() async throws {
        let tables = loads.keys.sorted()
        let columns = try await PostgresTargetColumns(of: tables, on: connection)
        let problems = tables.compactMap { loads[$0] }.flatMap { columns.problems(of: $0) }
        guard problems.isEmpty else {
            throw BackupError(
                .targetUnsuitable,
                "the rows do not fit: \(problems.joined(separator: "; "))",
                hint: "Restore the table beside it with --as NAME, and copy what you need.")
        }
    }

    private func checkPrivileges() async throws {
        let user = try await connection.value("SELECT current_user") ?? ""
        var problems: [String] = []
        let rows = try await connection.rows(
            """
            SELECT n.nspname, c.relname,
                   pg_catalog.has_table_privilege(c.oid, 'INSERT'),
                   pg_catalog.has_table_privilege(c.oid, 'TRUNCATE'),
                   pg_catalog.row_security_active(c.oid)
                     AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = ANY ($1::regclass[]::oid[]) ORDER BY 1, 2
            """, [SQLText.array(tables)])
        for row in rows {
            let table = TableName(schema: row[0] ?? "", name: row[1] ?? "")
            if row[2] != "t" { problems.append("may not insert into \(table)") }
            if row[3] != "t", emptied.contains(where: { $0.table == table }) {
                problems.append("may not truncate \(table)")
            }
            if row[4] == "t" { problems.append("is subject to row-level security of \(table)") }
        }
        let guards = try await guards()
        problems += guards.triggers.filter { !$0.isOurs }.map {
            "does not own \($0.table), whose trigger \($0.name) would fire"
        }
        problems += guards.keys.filter { !$0.isOurs }.map {
            "does not own \($0.table), whose foreign key \($0.name) must be checked anew"
        }
        let isSuperuser = try await connection.value(
            "SELECT pg_catalog.current_setting('is_superuser')")
        if isSuperuser != "on" {
            problems += guards.keyTriggers.map {
                "may not disable triggers of \($0.name) again, which must be made anew"
            }
        }
        guard problems.isEmpty else {
            throw BackupError(
                .permissionDenied, "role \(user) \(problems.joined(separator: "; "))",
                hint: "Restore as the owner of these tables, or as a superuser.")
        }
    }

    // MARK: The change

    /// Runs `body` while nothing fires; what it returns is committed with `notes`, and `sequences` are set with it.
    ///
    /// What the plan rests on is looked at again under the lock: it may have changed since, up to the moment when the
    /// lock was given.
    func change(
        parts: PostgresParts, watch: PostgresLocks?, by computing: PostgresComputing,
        noting notes: [String], setting sequences: [PostgresSequences.Setting],
        tell: @escaping @Sendable (StepProgress) -> Void,
        _ body: (
            _ load: (TableLoad, _ next: @escaping @Sendable () async throws -> RowBatch?)
                async throws -> Int
        ) async throws -> Void
    ) async throws {
        precondition(!tables.isEmpty, "no table that exists is in the plan")
        var undoing: [PostgresSequences.Setting] = []
        do {
            // A role's own isolation could keep what was found before the lock.
            try await connection.execute(
                """
                BEGIN ISOLATION LEVEL READ COMMITTED;
                SET LOCAL lock_timeout = '\(PostgresPatience.limit)'
                """)
            let counts = !ownAlone.isEmpty || !emptied.isEmpty
            let lenient = try await PostgresTableLocks(
                connection: connection, watch: watch, tables: tables, emptied: emptied.map(\.table),
                wholes: counts ? parts.wholes(of: tables) : [],
                numberedWholes: Set(numberedWholes.values.joined())
            ).take()
            try await checkColumns()
            if counts {
                try await parts.requireKnown(around: tables, in: database, on: connection)
            }
            let guards = try await guards(lenient)
            try await run(guards.unforcing)
            try await emptiness.require(.underLock)
            try await run(guards.suspending + [emptying])
            try await addedAgain.requireNone(in: database, on: connection)
            for load in emptied where load.filter != nil {
                try await run([try await PostgresEmptying.statement(for: load, on: connection)])
            }
            try await run([computing.timeZoneOfTransaction])
            try await checkingDeferrableKeys {
                try await body { load, next in
                    try await connection.copyIn(PostgresTarget.copy(load), from: next)
                }
            }
            try await resume(guards.resuming, tell)
            try await run(PostgresKeyTriggers.statements(for: guards.keyTriggers, on: connection))
            // What may be refused at the end is refused before anything that no rollback takes back.
            try await run(["SET CONSTRAINTS ALL IMMEDIATE"] + notes)
            for sequence in try await settable(sequences) {
                if let undo = try await sequence.undoing(on: connection) { undoing.append(undo) }
                try await PostgresSequences.set(sequence, on: connection)
            }
            try await run(["COMMIT"])
        } catch {
            // A connection that cannot roll back is gone, and its transaction with it.
            try? await connection.execute("ROLLBACK")
            await set(back: undoing)
            throw explained(error)
        }
    }

    /// A sequence only goes forward where the role may not lock a whole that it numbers: somebody may have a number that is
    /// further, and wait for a part.
    private func settable(
        _ sequences: [PostgresSequences.Setting]
    ) async throws -> [PostgresSequences.Setting] {
        let wholes = Set(numberedWholes.values.joined()).sorted()
        let had = try await PostgresTableLocks.permitted(among: wholes, on: connection)
        return sequences.map { sequence in
            let own = numberedWholes[PostgresPresence.asInList(sequence.name)] ?? []
            return own.isSubset(of: had)
                ? sequence
                : PostgresSequences.Setting(
                    value: sequence.value, name: sequence.name, move: .forward)
        }
    }

    /// Also when the task is cancelled: the rows are as they were, and the next ones need their numbers.
    private func set(back sequences: [PostgresSequences.Setting]) async {
        await Task { [connection] in
            for sequence in sequences {
                // The error that led here is reported.
                try? await PostgresSequences.set(sequence, on: connection)
            }
        }.value
    }

    private func run(_ statements: [String]) async throws {
        for statement in statements where !statement.isEmpty {
            try await connection.executeInterruptibly(statement)
        }
    }

    /// Keys that may wait for the end are checked by triggers, which must be noted while rows come: where a session
    /// is quiet as a replica's is, they are not.
    private func checkingDeferrableKeys(_ body: () async throws -> Void) async throws {
        let role = try await connection.value(
            "SELECT pg_catalog.current_setting('session_replication_role')")
        guard role == "replica" else { return try await body() }
        try await connection.execute("SET LOCAL session_replication_role = origin")
        try await body()
        // What waits for the end is looked at now: a table with such events cannot be altered.
        try await connection.executeInterruptibly("SET CONSTRAINTS ALL IMMEDIATE")
        try await connection.execute("SET LOCAL session_replication_role = replica")
    }

    /// Foreign keys are what takes time.
    private func resume(
        _ statements: [String], _ tell: @escaping @Sendable (StepProgress) -> Void
    ) async throws {
        let steps = StepCounter(statements.count, tell: tell)
        for sql in statements {
            let statement = PostgresStatement(sql)
            try await steps.take(
                statement?.name ?? StatementLine.line(of: sql), activity: statement?.activity
            ) {
                try await run([sql])
            }
        }
    }

    private func explained(_ error: any Error) -> any Error {
        guard let error = error as? PostgresError else { return error }
        var failure = error.backupError(
            while: "cannot change tables of \(database), which are as they were")
        switch error.sqlState {
        case "55P03":
            failure.code = .locked
            failure.hint = "Another session uses these tables; try again when it has ended."
        case "23503":
            failure.hint =
                "Restore the table that is referred to as well, or mend the rows that refer to it."
        case "23505":
            failure.hint = "--existing truncate replaces the rows instead of adding to them."
        default: break
        }
        return failure
    }

    /// `ONLY`: what inherits from these tables was not named.
    private var emptying: String {
        let names = emptied.filter { $0.filter == nil }
            .map { "ONLY \(SQLText.qualified($0.table))" }
        return names.isEmpty ? "" : "TRUNCATE \(names.joined(separator: ", "))"
    }
}
