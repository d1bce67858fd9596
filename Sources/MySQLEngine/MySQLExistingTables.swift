import BackupCore

/// Tables that were there before a restore, while their rows change: in one transaction, so that all of
/// them change or none.
///
/// Foreign keys are not looked at while rows come, and hold again before the commit. Nothing here ends
/// a transaction by itself, as TRUNCATE and ALTER TABLE would.
struct MySQLExistingTables {
    let plan: MySQLPlan
    let request: TargetRequest
    let connection: MySQLConnection
    let isMariaDB: Bool

    /// The connection was lost after the commit had been asked for.
    struct OutcomeUnknown: Error {
        let words: String
    }

    private var database: String { request.database }

    private var changed: [TargetPlan.TablePlan] {
        plan.target.tables.values.filter { $0.treatment != .create && !$0.isLoaded }
            .sorted { $0.load.table < $1.load.table }
    }

    var emptied: [TableName] {
        changed.filter { $0.treatment == .truncate }.map(\.load.table)
    }

    // MARK: Before anything is changed

    /// Finds what the server would refuse in the middle, or do besides.
    ///
    /// `notes`: Gets what cannot be proven of the changed tables, and stands in nobody's way.
    /// - Throws: `BackupError.targetUnsuitable`.
    func check(
        _ presence: MySQLPresence, _ privileges: MySQLPrivileges, notes: (String) -> Void
    ) async throws {
        guard !changed.isEmpty else { return }
        try checkSight(privileges)
        _ = try await checkTables(presence)
        try await noteUncheckedKeys(notes)
        try await checkEmptiness()
        try await checkKeysOfDays()
    }

    /// What may become another while nothing keeps others from it.
    ///
    /// - Returns: The columns of the changed tables.
    private func checkTables(_ presence: MySQLPresence) async throws -> MySQLTargetColumns {
        let columns = try await MySQLTargetColumns(
            connection, of: request, changed.map(\.load.table.name))
        var problems: [String] = []
        for table in changed {
            problems += columns.problems(of: table.load)
            problems += columns.problemsOfComputed(table.load)
        }
        guard problems.isEmpty else {
            throw BackupError(
                .targetUnsuitable, "the rows do not fit: \(problems.joined(separator: "; "))",
                hint: "Restore the table beside it with --as NAME, and copy what you need.")
        }
        try checkTriggers(presence)
        try await checkStorage()
        return columns
    }

    /// Whether the rows of the backup are to be the only ones.
    private var mustBeEmpty: Bool {
        request.content == .rows && (request.existing ?? .fail) == .fail
    }

    /// `locks`: Whether rows that are not committed are waited for, and no others let in.
    private func checkEmptiness(locks: Bool = false) async throws {
        guard mustBeEmpty else { return }
        var filled: [String] = []
        for table in changed.map(\.load.table) {
            let rows = try await connection.rowsInterruptibly(
                "SELECT 1 FROM \(MySQLText.qualified(table)) LIMIT 1"
                    + (locks ? " LOCK IN SHARE MODE" : ""))
            if !rows.isEmpty { filled.append("\(table)") }
        }
        guard filled.isEmpty else {
            throw BackupError(
                .targetUnsuitable,
                "tables of \(database) hold rows: \(filled.joined(separator: ", "))",
                hint: "--existing truncate replaces them, --existing append adds to them.")
        }
    }

    /// Triggers that the account does not see would fire all the same.
    private func checkSight(_ privileges: MySQLPrivileges) throws {
        if let lack = privileges.blindness(toTriggersOf: changed.map(\.load.table.name)) {
            throw BackupError(
                .permissionDenied,
                "account \(privileges.server.account) \(lack.cost), which would fire",
                hint: "Run as an administrator: \(privileges.statement(lack.grant))")
        }
    }

    /// The server has no way to keep triggers from firing.
    private func checkTriggers(_ presence: MySQLPresence) throws {
        let found = changed.flatMap { table in
            (presence.triggers[ExactText(table.load.table.name)] ?? [])
                .filter { $0.fires(at: table.treatment) }
                .map { "\($0.name) of \(table.load.table.name)" }
        }
        guard found.isEmpty else {
            throw BackupError(
                .targetUnsuitable, "triggers would fire: \(found.joined(separator: ", "))",
                hint: """
                    Drop them and make them again afterwards (SHOW CREATE TRIGGER tells how), restore \
                    beside the table with --as NAME, or replace it with --clean.
                    """)
        }
    }

    private func checkStorage() async throws {
        let rows = try await connection.rows(
            """
            SELECT TABLE_NAME, ENGINE FROM information_schema.TABLES
            WHERE TABLE_SCHEMA = \(MySQLText.literal(database)) AND ENGINE <> 'InnoDB'
            """)
        let others = Set(rows.compactMap { $0[0].map(ExactText.init) })
        let found = changed.map(\.load.table.name).filter { others.contains(ExactText($0)) }
        guard found.isEmpty else {
            throw BackupError(
                .targetUnsuitable,
                "tables without transactions cannot be changed all or not at all: \(found.joined(separator: ", "))",
                hint: "Replace them with --clean, or restore beside them with --as NAME.")
        }
    }

    // MARK: The change

    /// Runs `body`; what it did is committed with `notes`.
    func change(
        noting notes: [String], by way: MySQLTransfer.Way,
        tell: @escaping @Sendable (StepProgress) -> Void,
        _ body: (
            _ load: (TableLoad, _ next: @escaping @Sendable () async throws -> RowBatch?)
                async throws -> Int
        ) async throws -> Void
    ) async throws {
        do {
            // Elsewhere rows are what they were; tables that were there have conditions of their own.
            try await checkConditions(true)
            try await connection.execute("START TRANSACTION")
            let columns = try await held()
            for table in emptied {
                try await connection.executeInterruptibly(
                    "DELETE FROM \(MySQLText.qualified(table))")
            }
            try await body { load, next in
                var load = load
                load.table = place(of: load)
                let delivery = try await connection.copyIn(
                    columns.transfer(of: load), by: way, from: next)
                request.tell(of: delivery, into: load.table)
                return delivery.count
            }
            try await checkKeys(tell)
            for note in notes { try await connection.execute(note) }
            do {
                try await connection.execute("COMMIT")
            } catch let error as MySQLError where error.isConnectionLoss {
                throw OutcomeUnknown(words: error.message)
            }
            try? await checkConditions(false)
        } catch let error as OutcomeUnknown {
            throw error
        } catch {
            // A connection that cannot roll back is gone, and its transaction with it.
            try? await connection.execute("ROLLBACK")
            try? await checkConditions(false)
            guard let error = error as? MySQLError else { throw error }
            var failure = error.backupError(
                while: "cannot change tables of \(database), which are as they were")
            if error.number == 1062 {
                failure.hint = "--existing truncate replaces the rows instead of adding to them."
            }
            throw failure
        }
    }

    /// Keeps others from altering the tables until the transaction ends, and looks at them once more: whoever looked
    /// before kept nobody from it.
    ///
    /// - Returns: The columns that they have.
    private func held() async throws -> MySQLTargetColumns {
        for table in changed {
            guard let column = table.load.columns.first else { continue }
            // No row, and the same lock as for many: a reader's would let a table be copied meanwhile.
            try await connection.executeInterruptibly(
                "INSERT INTO \(MySQLText.qualified(place(of: table.load))) (\(MySQLText.identifier(column))) "
                    + "SELECT NULL FROM DUAL WHERE 1 = 0")
        }
        let columns = try await checkTables(
            try await MySQLPresence(connection, database: database))
        try await checkEmptiness(locks: true)
        return columns
    }

    /// Its schema is the target's, whatever the backup's was.
    private func place(of load: TableLoad) -> TableName {
        TableName(schema: database, name: load.table.name)
    }

    private func checkConditions(_ isChecked: Bool) async throws {
        guard isMariaDB else { return }
        try await connection.execute("SET SESSION check_constraint_checks = \(isChecked ? 1 : 0)")
    }

    private func keys(_ foreignKeys: MySQLForeignKeys) async throws -> [MySQLForeignKeys.Key] {
        try await foreignKeys.keys(
            in: database, of: Set(changed.map { ExactText($0.load.table.name) }),
            referring: Set(emptied.map { ExactText($0.name) }))
    }

    /// What keeps the rows of a changed table's key from being looked at: it did so before the change.
    ///
    /// Rows of others that refer to a changed table must be seen: what they refer to may have gone.
    private func obstacle(
        to key: MySQLForeignKeys.Key, _ foreignKeys: MySQLForeignKeys
    ) async throws -> MySQLForeignKeys.Obstacle? {
        let isOfChanged =
            key.table.schema.isExactly(database)
            && changed.contains { $0.load.table.name.isExactly(key.table.name) }
        return isOfChanged ? try await foreignKeys.obstacle(to: key) : nil
    }

    private func noteUncheckedKeys(_ notes: (String) -> Void) async throws {
        guard !changed.isEmpty else { return }
        let foreignKeys = MySQLForeignKeys(connection: connection)
        for key in try await keys(foreignKeys) {
            guard let obstacle = try await obstacle(to: key, foreignKeys) else { continue }
            notes("warning: \(key.words(obstacle))")
        }
    }

    private func checkKeys(_ tell: @escaping @Sendable (StepProgress) -> Void) async throws {
        let foreignKeys = MySQLForeignKeys(connection: connection)
        var checkable: [MySQLForeignKeys.Key] = []
        for key in try await keys(foreignKeys) {
            guard try await obstacle(to: key, foreignKeys) == nil else { continue }
            checkable.append(key)
        }
        let steps = StepCounter(checkable.count, tell: tell)
        for key in checkable {
            let isBroken = try await steps.take(
                "foreign key \(key.name) of \(key.table)", activity: "checking rows"
            ) {
                try await foreignKeys.isBroken(key, locks: true)
            }
            guard !isBroken else {
                throw BackupError(
                    .serverRefused,
                    "rows of \(key.table) refer by \(key.name) to rows of \(key.referenced) that are not there; "
                        + "the tables are as they were",
                    hint:
                        "Restore the table that is referred to as well, or mend the rows that refer to it."
                )
            }
        }
    }
}
