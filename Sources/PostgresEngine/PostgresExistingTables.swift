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
    private let loads: [TableLoad]
    private let columns: [TableName: [(name: String, type: String?)]]

    init(_ plan: TargetPlan, in database: String, on connection: PostgresConnection) {
        let changed = plan.tables.values.filter { $0.treatment != .create && !$0.isLoaded }
        self.connection = connection
        self.database = database
        tables = Set(changed.flatMap { [$0.load.table, $0.load.place] }).sorted()
        loads = changed.map(\.load).sorted { $0.table < $1.table }
        emptied = changed.filter { $0.treatment == .truncate }.map(\.load)
            .sorted { $0.table < $1.table }
        columns = Dictionary(
            changed.map { table in
                let types: [String?] = table.load.types + table.load.columns.map { _ in nil }
                return (table.load.table, zip(table.load.columns, types).map { ($0, $1) })
            }
        ) { first, _ in first }
    }

    /// A foreign key, as it is made again.
    private struct ForeignKey {
        let table: TableName
        let referenced: TableName
        let name: String
        let definition: String
        let comment: String?
        let isOurs: Bool
    }

    /// A trigger that would fire, and the words that switch it on again.
    private struct Trigger {
        let table: TableName
        let name: String
        let activation: String
        let isOurs: Bool
    }

    // MARK: Before anything is changed

    /// Finds what the server would refuse in the middle.
    ///
    /// - Throws: `BackupError.targetUnsuitable`, `BackupError.permissionDenied`.
    func check(mustBeEmpty: Bool) async throws {
        guard !tables.isEmpty else { return }
        try await checkColumns()
        try await checkPrivileges()
        guard mustBeEmpty else { return }
        try await requireEmpty(.beforeApproval)
    }

    /// When the tables are looked at.
    private enum Moment {
        /// Nothing of the database's owners may run, and somebody may change everything afterwards.
        case beforeApproval
        /// Nobody else can change them any more.
        case underLock
    }

    private func requireEmpty(_ moment: Moment) async throws {
        let filled = try await filledTables(moment)
        guard filled.isEmpty else {
            throw BackupError(
                .targetUnsuitable,
                "tables of \(database) hold rows: "
                    + filled.map { "\($0)" }.joined(separator: ", "),
                hint: "--existing truncate replaces them, --existing append adds to them.")
        }
    }

    /// Those that hold rows which the backup's would come beside.
    ///
    /// Before the approval a query asks only tables of owners who may act for the restoring role anyway; others are
    /// copied from, which is possible of plain tables alone. The rest waits for the lock.
    private func filledTables(_ moment: Moment) async throws -> [TableName] {
        let wholes = try await partitionedTables()
        let trusted = moment == .beforeApproval ? try await trustedTables() : Set(tables)
        func holdsRows(_ table: TableName, _ condition: String? = nil) async throws -> Bool {
            guard trusted.contains(table) else {
                guard condition == nil, !wholes.contains(table) else { return false }
                return try await PostgresPlainTable.holdsRows(table, on: connection)
            }
            // A whole that was a plain table, or a part, when the backup was taken has none of its own.
            let rows = "\(wholes.contains(table) ? "" : "ONLY ")\(SQLText.qualified(table))"
            return try await connection.value(
                "SELECT 1 FROM \(rows) \(condition ?? "") LIMIT 1") != nil
        }
        let loads = try await PostgresLostParts.loadsIntoEmptyTables(
            loads, emptied: emptied, on: connection)
        var filled: [TableName] = []
        for load in loads {
            let condition = try await PostgresEmptying.condition(of: load, on: connection)
            if try await holdsRows(load.table, condition) { filled.append(load.table) }
        }
        guard filled.isEmpty else { return filled }
        // Rows that go through a whole may end in parts that the backup does not know.
        for whole in Set(loads.compactMap(\.loadsThrough)).sorted() {
            if try await holdsRows(whole) { filled.append(whole) }
        }
        return filled
    }

    /// Those whose owners, and the owners of their partitions, have the restoring role's rights without any trick.
    private func trustedTables() async throws -> Set<TableName> {
        let rows = try await connection.rows(
            """
            SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_roles u ON u.rolname = current_user
            WHERE c.oid = ANY ($1::regclass[]::oid[]) AND NOT EXISTS (
              SELECT 1 FROM pg_catalog.pg_class p
              WHERE (p.oid = c.oid OR p.oid IN (
                  SELECT t.relid::oid FROM pg_catalog.pg_partition_tree(c.oid) t))
                AND NOT pg_catalog.pg_has_role(p.relowner, u.oid, 'USAGE'))
            """, [Self.array(tables)])
        return Set(rows.map { TableName(schema: $0[0] ?? "", name: $0[1] ?? "") })
    }

    private func partitionedTables() async throws -> Set<TableName> {
        let rows = try await connection.rows(
            """
            SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = ANY ($1::regclass[]::oid[]) AND c.relkind = 'p'
            """, [Self.array(tables)])
        return Set(rows.map { TableName(schema: $0[0] ?? "", name: $0[1] ?? "") })
    }

    private func checkColumns() async throws {
        var problems: [String] = []
        for (table, wanted) in columns.sorted(by: { $0.key < $1.key }) {
            let rows = try await connection.rows(
                """
                SELECT attname, attgenerated <> '',
                       pg_catalog.format_type(atttypid, atttypmod)
                FROM pg_catalog.pg_attribute
                WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped
                """, [SQLText.qualified(table)])
            let known = Dictionary(
                rows.map { (ExactText($0[0] ?? ""), ($0[1] == "t", $0[2] ?? "")) }
            ) { first, _ in first }
            for column in wanted {
                guard let (isComputed, type) = known[ExactText(column.name)] else {
                    problems.append("\(table) has no column \(column.name)")
                    continue
                }
                if isComputed {
                    problems.append("column \(column.name) of \(table) is computed")
                } else if let own = column.type, !PostgresTypeFit.holds(own, in: type) {
                    problems.append(
                        "column \(column.name) of \(table) is \(type), and was \(own)")
                }
            }
        }
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
            """, [Self.array(tables)])
        for row in rows {
            let table = TableName(schema: row[0] ?? "", name: row[1] ?? "")
            if row[2] != "t" { problems.append("may not insert into \(table)") }
            if row[3] != "t", emptied.contains(where: { $0.table == table }) {
                problems.append("may not truncate \(table)")
            }
            if row[4] == "t" { problems.append("is subject to row-level security of \(table)") }
        }
        problems += try await triggers().filter { !$0.isOurs }.map {
            "does not own \($0.table), whose trigger \($0.name) would fire"
        }
        let keys = try await foreignKeys()
        problems += keys.filter { !$0.isOurs }.map {
            "does not own \($0.table), whose foreign key \($0.name) must be checked anew"
        }
        let isSuperuser = try await connection.value(
            "SELECT pg_catalog.current_setting('is_superuser')")
        if isSuperuser != "on" {
            problems += try await PostgresKeyTriggers.changed(
                of: keys.map { ($0.table, $0.name) }, on: connection
            ).map { "may not disable triggers of \($0.name) again, which must be made anew" }
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
        mustBeEmpty: Bool, parts: PostgresParts, noting notes: [String],
        setting sequences: [PostgresSequences.Setting],
        tell: @escaping @Sendable (StepProgress) -> Void,
        _ body: (
            _ load: (TableLoad, _ next: @Sendable () async throws -> RowBatch?) async throws -> Int
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
            let counts = mustBeEmpty || !emptied.isEmpty
            if counts { try await holdParts(parts) }
            let names = tables.map { "ONLY \(SQLText.qualified($0))" }.joined(separator: ", ")
            try await connection.executeInterruptibly(
                "LOCK TABLE \(names) IN ACCESS EXCLUSIVE MODE")
            try await checkColumns()
            if counts { try await requireKnown(parts) }
            if mustBeEmpty { try await requireEmpty(.underLock) }
            let (keys, triggers) = (try await foreignKeys(), try await triggers())
            let forced = try await forcedTables(keys)
            let keyTriggers = try await PostgresKeyTriggers.changed(
                of: keys.map { ($0.table, $0.name) }, on: connection)
            try await run(Self.suspending(keys, triggers, forced) + [emptying])
            for load in emptied where load.filter != nil {
                try await run([try await PostgresEmptying.statement(for: load, on: connection)])
            }
            try await checkingDeferrableKeys {
                try await body { load, next in
                    try await connection.copyIn(PostgresTarget.copy(load), from: next)
                }
            }
            try await resume(Self.resuming(keys, triggers, forced), tell)
            for triggers in keyTriggers { try await run(triggers.statements(on: connection)) }
            // What may be refused at the end is refused before anything that no rollback takes back.
            try await run(["SET CONSTRAINTS ALL IMMEDIATE"] + notes)
            for sequence in sequences {
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

    /// Keeps others from attaching and detaching parts of wholes that change, where the role may.
    private func holdParts(_ parts: PostgresParts) async throws {
        let rows = try await connection.rows(
            """
            SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = ANY ($1::regclass[]::oid[])
              AND pg_catalog.has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE')
            ORDER BY 1, 2
            """, [Self.array(parts.wholes(of: tables))])
        let names = rows.map {
            "ONLY \(SQLText.qualified(TableName(schema: $0[0] ?? "", name: $0[1] ?? "")))"
        }
        guard !names.isEmpty else { return }
        try await connection.executeInterruptibly(
            "LOCK TABLE \(names.joined(separator: ", ")) IN SHARE UPDATE EXCLUSIVE MODE")
    }

    /// Rows of a part that came since would stay beside those of the backup.
    private func requireKnown(_ parts: PostgresParts) async throws {
        let rows = try await connection.rows(
            """
            SELECT n.nspname, c.relname FROM pg_catalog.pg_inherits i
            JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE i.inhparent = ANY ($1::regclass[]::oid[]) AND c.relkind IN ('r', 'p')
            ORDER BY 1, 2
            """, [Self.array(parts.wholes(of: tables))])
        let unknown = rows.map { TableName(schema: $0[0] ?? "", name: $0[1] ?? "") }
            .filter { !parts.contains($0) }
        guard unknown.isEmpty else {
            let list = unknown.map { "\($0)" }.joined(separator: ", ")
            throw BackupError(
                .targetUnsuitable,
                "partitions of \(database) were attached during the restore: \(list)",
                hint: "Nothing of the tables was changed. Run the same restore again.")
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
                statement?.name ?? PostgresPeer.line(of: sql), activity: statement?.activity
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

    private static func suspending(
        _ keys: [ForeignKey], _ triggers: [Trigger], _ forced: [TableName]
    ) -> [String] {
        keys.map { key in
            "ALTER TABLE \(SQLText.qualified(key.table)) "
                + "DROP CONSTRAINT \(SQLText.identifier(key.name))"
        }
            + triggers.map { trigger in
                "ALTER TABLE ONLY \(SQLText.qualified(trigger.table)) "
                    + "DISABLE TRIGGER \(SQLText.identifier(trigger.name))"
            }
            + forced.map { "ALTER TABLE \(SQLText.qualified($0)) NO FORCE ROW LEVEL SECURITY" }
    }

    private static func resuming(
        _ keys: [ForeignKey], _ triggers: [Trigger], _ forced: [TableName]
    ) -> [String] {
        triggers.map { trigger in
            "ALTER TABLE ONLY \(SQLText.qualified(trigger.table)) "
                + "\(trigger.activation) \(SQLText.identifier(trigger.name))"
        }
            + keys.flatMap { key in
                let name = SQLText.identifier(key.name)
                let table = SQLText.qualified(key.table)
                let comment = key.comment.map {
                    "COMMENT ON CONSTRAINT \(name) ON \(table) IS \(SQLText.literal($0))"
                }
                return ["ALTER TABLE \(table) ADD CONSTRAINT \(name) \(key.definition)"]
                    + (comment.map { [$0] } ?? [])
            }
            // Last: the server reads the tables to check foreign keys.
            + forced.map { "ALTER TABLE \(SQLText.qualified($0)) FORCE ROW LEVEL SECURITY" }
    }

    // MARK: What is there

    /// Their own foreign keys, and those that point to rows which are replaced.
    ///
    /// A partition has its whole's: the whole's is what can be taken away.
    private func foreignKeys() async throws -> [ForeignKey] {
        try await connection.rows(
            """
            WITH RECURSIVE keys(oid, parent) AS (
              SELECT oid, conparentid FROM pg_catalog.pg_constraint
              WHERE contype = 'f' AND (conrelid = ANY ($1::regclass[]::oid[])
                                       OR confrelid = ANY ($2::regclass[]::oid[]))
              UNION
              SELECT c.oid, c.conparentid FROM keys k
              JOIN pg_catalog.pg_constraint c ON c.oid = k.parent)
            SELECT n.nspname, r.relname, c.conname, pg_catalog.pg_get_constraintdef(c.oid),
                   pg_catalog.obj_description(c.oid, 'pg_constraint'),
                   pg_catalog.pg_has_role(r.relowner, 'USAGE'), fn.nspname, f.relname
            FROM keys k JOIN pg_catalog.pg_constraint c USING (oid)
            JOIN pg_catalog.pg_class r ON r.oid = c.conrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
            JOIN pg_catalog.pg_class f ON f.oid = c.confrelid
            JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
            WHERE k.parent = 0 ORDER BY 1, 2, 3
            """, [Self.array(tables), Self.array(emptied.map(\.table))]
        ).map { row in
            ForeignKey(
                table: TableName(schema: row[0] ?? "", name: row[1] ?? ""),
                referenced: TableName(schema: row[6] ?? "", name: row[7] ?? ""),
                name: row[2] ?? "", definition: row[3] ?? "", comment: row[4], isOurs: row[5] == "t"
            )
        }
    }

    /// Those that would fire; partitions have copies of their whole's, which PostgreSQL 14 calls internal.
    ///
    /// A constraint trigger has a constraint of its own, as the triggers of foreign keys have theirs.
    private func triggers() async throws -> [Trigger] {
        try await connection.rows(
            """
            SELECT n.nspname, r.relname, t.tgname,
                   CASE t.tgenabled WHEN 'A' THEN 'ENABLE ALWAYS TRIGGER'
                     WHEN 'R' THEN 'ENABLE REPLICA TRIGGER' ELSE 'ENABLE TRIGGER' END,
                   pg_catalog.pg_has_role(r.relowner, 'USAGE')
            FROM pg_catalog.pg_trigger t
            JOIN pg_catalog.pg_class r ON r.oid = t.tgrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
            WHERE t.tgrelid = ANY ($1::regclass[]::oid[]) AND t.tgenabled <> 'D'
              AND (NOT t.tgisinternal OR (t.tgparentid <> 0 AND NOT EXISTS (
                SELECT 1 FROM pg_catalog.pg_constraint c
                WHERE c.oid = t.tgconstraint AND c.contype <> 't')))
            ORDER BY 1, 2, 3
            """, [Self.array(tables)]
        ).map { row in
            Trigger(
                table: TableName(schema: row[0] ?? "", name: row[1] ?? ""), name: row[2] ?? "",
                activation: row[3] ?? "", isOurs: row[4] == "t")
        }
    }

    /// Tables whose policies hold for their owner too: COPY and the check of foreign keys refuse them.
    private func forcedTables(_ keys: [ForeignKey]) async throws -> [TableName] {
        let all = Set(tables + keys.flatMap { [$0.table, $0.referenced] })
        return try await connection.rows(
            """
            SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = ANY ($1::regclass[]::oid[]) AND c.relforcerowsecurity
              AND pg_catalog.row_security_active(c.oid)
            """, [Self.array(all.sorted())]
        ).map { TableName(schema: $0[0] ?? "", name: $0[1] ?? "") }
    }

    private static func array(_ tables: [TableName]) -> String {
        SQLText.array(tables.map(SQLText.qualified))
    }
}
