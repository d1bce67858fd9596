import BackupCore

/// Tables that are made as heirs of tables which were there before.
///
/// The server makes them with the constraints of these as valid ones, also with those that have let rows be, and takes none
/// away from an heir alone. So a table is nobody's heir while rows come that break one. Its columns and these constraints are its
/// own from then on: rows are tried first as it is, from a temporary table.
extension PostgresTarget {
    /// One that has constraints from others which have let rows be.
    struct Heir: Sendable {
        let table: String
        /// In the order in which it inherits from them.
        let parents: [TableName]
        /// As the parents have them.
        let constraints: [Constraint]

        struct Constraint: Sendable {
            let name: String
            let definition: String
            /// Whether the archive has it behind the rows, as one that has let some be.
            let isLate: Bool
        }

        var leaving: [String] {
            parents.map { "ALTER TABLE \(table) NO INHERIT \(SQLText.qualified($0))" }
                + constraints.map {
                    "ALTER TABLE \(table) DROP CONSTRAINT \(SQLText.identifier($0.name))"
                }
        }

        var resuming: [String] {
            constraints.map {
                "ALTER TABLE \(table) ADD CONSTRAINT \(SQLText.identifier($0.name)) \($0.definition)"
            }
        }

        /// Of those that its rows may keep to.
        var validating: [String] {
            constraints.filter { !$0.isLate }.map {
                "ALTER TABLE \(table) VALIDATE CONSTRAINT \(SQLText.identifier($0.name))"
            }
        }

        var returning: [String] {
            parents.map { "ALTER TABLE \(table) INHERIT \(SQLText.qualified($0))" }
        }
    }

    private static let waitingRows = "pg_temp.dbtool_rows"

    /// Nil where a table is no heir, where no such constraint came with it, and where it cannot do without for a while: others
    /// that inherit from it would lose the constraint as well.
    func heir(_ load: TableLoad) async throws -> Heir? {
        guard archive.plan.heirs.contains(PostgresPresence.asInList(load.table)) else { return nil }
        let table = SQLText.qualified(load.table)
        return try await connections.withOne { connection -> Heir? in
            let constraints = try await connection.rows(
                PostgresLenientConstraints.inheritedAsValid, [table])
            guard !constraints.isEmpty,
                try await connection.value(Self.mayLeave, [table]) == "t"
            else { return nil }
            let late = Set(
                lateConstraints(of: [PostgresPresence.asInList(load.table)]).map {
                    ExactText($0.name)
                })
            return Heir(
                table: table, parents: try await Self.parents(of: table, on: connection),
                constraints: constraints.map { row in
                    let name = row[0] ?? ""
                    return Heir.Constraint(
                        name: name, definition: row[1] ?? "", isLate: late.contains(ExactText(name))
                    )
                })
        }
    }

    private static let mayLeave = """
        SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY')
          AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_inherits WHERE inhparent = $1::regclass)
        """

    /// What a table inherits from, in this order.
    static func parents(
        of table: String, on connection: PostgresConnection
    ) async throws -> [TableName] {
        try await connection.rows(
            """
            SELECT n.nspname, c.relname FROM pg_catalog.pg_inherits i
            JOIN pg_catalog.pg_class c ON c.oid = i.inhparent
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE i.inhrelid = $1::regclass ORDER BY i.inhseqno
            """, [table]
        ).map { TableName(schema: $0[0] ?? "", name: $0[1] ?? "") }
    }

    /// A constraint that an archive has behind the rows.
    struct LateConstraint: Sendable {
        let entry: Int
        let name: String
        let table: TableName
    }

    /// Those of some tables, by their names in the backup.
    func lateConstraints(of tables: Set<TableName>) -> [LateConstraint] {
        let names = PostgresArchiveNames(archive.archive, request)
        return archive.archive.entries.compactMap { entry in
            // That a column holds no NULL is listed like a key, since version 18.
            guard archive.plan.chosen.contains(entry.id),
                ["CHECK CONSTRAINT", "CONSTRAINT"].contains(where: entry.isA),
                let (own, table) = names.nameOnTable(entry), tables.contains(table)
            else { return nil }
            return LateConstraint(entry: entry.id, name: own.name, table: table)
        }
    }

    /// Those that heirs have as their own by now.
    func lateConstraintsThere() async throws -> Set<Int> {
        let constraints = archive.plan.heirs.isEmpty ? [] : lateConstraints(of: archive.plan.heirs)
        guard !constraints.isEmpty else { return [] }
        do {
            return try await connections.withOne { connection in
                var there: Set<Int> = []
                for constraint in constraints {
                    let isOwn = try await connection.value(
                        """
                        SELECT conislocal FROM pg_catalog.pg_constraint
                        WHERE conrelid = pg_catalog.to_regclass($1) AND conname = $2
                        """, [SQLText.qualified(constraint.table), constraint.name])
                    if isOwn == "t" { there.insert(constraint.entry) }
                }
                return there
            }
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot create every index and constraint")
        }
    }

    /// Makes constraints valid that all rows keep to, as the server has those that come with a table; others stay as they are.
    static func validate(
        _ validations: [String], on connection: PostgresConnection
    ) async throws {
        for sql in validations {
            try await connection.execute("SAVEPOINT validation")
            do {
                try await connection.executeInterruptibly(sql)
            } catch let error as PostgresError
                where !error.isConnectionLoss && !PostgresError.isCircumstantial(error.sqlState)
            {
                // Whatever it says of a row: a condition may fail to be computed.
                try await connection.execute("ROLLBACK TO SAVEPOINT validation")
            }
        }
    }

    /// Loads an heir, in one transaction.
    func load(
        _ load: TableLoad, into heir: Heir,
        next: @escaping @Sendable () async throws -> RowBatch?,
        agrees: @Sendable (Int) async throws -> Void
    ) async throws {
        let list = SQLText.columnList(load.columns)
        let columns = load.columns.map(SQLText.identifier).joined(separator: ", ")
        let insertion = """
            INSERT INTO \(heir.table)\(list) OVERRIDING SYSTEM VALUE
            SELECT \(columns) FROM \(Self.waitingRows)
            """
        try await connections.withOne { connection in
            try await Self.inTransaction(on: connection) {
                try await connection.execute(
                    """
                    CREATE TEMPORARY TABLE \(Self.waitingRows) ON COMMIT DROP
                    AS SELECT \(columns) FROM \(heir.table) WITH NO DATA
                    """)
                let copy = "COPY \(Self.waitingRows)\(list) FROM STDIN (FORMAT csv)"
                try await agrees(try await connection.copyIn(copy, from: next))
                try await connection.execute("SAVEPOINT heir")
                do {
                    try await connection.executeInterruptibly(insertion)
                } catch let error as PostgresError
                    where error.sqlState == "23514" || error.sqlState == "23502"
                {
                    try await connection.execute("ROLLBACK TO SAVEPOINT heir")
                    for sql in heir.leaving + [insertion] + heir.resuming {
                        try await connection.executeInterruptibly(sql)
                    }
                    try await Self.validate(heir.validating, on: connection)
                    for sql in heir.returning { try await connection.executeInterruptibly(sql) }
                    request.notes(
                        "warning: \(load.table) has rows that constraints of what it inherits from "
                            + "have let be: its columns and these constraints are its own as well")
                }
                try await noteLoaded(load, on: connection)
            }
        }
    }
}
