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
            /// As it came from a parent.
            let name: String
            let definition: String
            /// Where the archive has it behind the rows, as one that has let some be.
            let lateName: String?
        }

        /// Whether its own ones have other names: the server makes no second one of a column, and renames none that
        /// is another one's.
        var hasOtherNames: Bool {
            constraints.contains { !($0.lateName?.isExactly($0.name) ?? true) }
        }

        var leaving: [String] {
            parents.map { "ALTER TABLE \(table) NO INHERIT \(SQLText.qualified($0))" }
                + constraints.map {
                    "ALTER TABLE \(table) DROP CONSTRAINT \(SQLText.identifier($0.name))"
                }
        }

        var resuming: [String] {
            constraints.map { constraint in
                let name = SQLText.identifier(constraint.lateName ?? constraint.name)
                return "ALTER TABLE \(table) ADD CONSTRAINT \(name) \(constraint.definition)"
            }
        }

        /// Of those that its rows may keep to.
        var validating: [String] {
            constraints.filter { $0.lateName == nil }.map {
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
            let late = lateConstraints(of: [PostgresPresence.asInList(load.table)])
            return Heir(
                table: table, parents: try await Self.parents(of: table, on: connection),
                constraints: constraints.map { row in
                    let name = row[0] ?? ""
                    let own = late.first { $0.replaces(name, ofColumn: row[2]) }
                    return Heir.Constraint(
                        name: name, definition: row[1] ?? "", lateName: own?.name)
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
        /// That which it says is not NULL.
        let column: String?

        /// Whether it is what a table has from another one, by whatever name where that is of a column.
        func replaces(_ name: String, ofColumn column: String?) -> Bool {
            guard let column, let own = self.column else { return self.name.isExactly(name) }
            return own.isExactly(column)
        }
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
            return LateConstraint(
                entry: entry.id, name: own.name, table: table,
                column: archive.columnsNotNull[entry.id])
        }
    }

    /// Those that heirs have as their own by now.
    func lateConstraintsThere() async throws -> Set<Int> {
        let constraints = archive.plan.heirs.isEmpty ? [] : lateConstraints(of: archive.plan.heirs)
        guard !constraints.isEmpty else { return [] }
        do {
            return try await connections.withOne { connection in
                let rows = try await connection.rows(
                    Self.ownAmongLate,
                    [
                        SQLText.array(constraints.map { String($0.entry) }),
                        SQLText.array(constraints.map { $0.table }),
                        SQLText.array(constraints.map { $0.name }),
                    ])
                return Set(rows.compactMap { Int($0[0] ?? "") })
            }
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot create every index and constraint")
        }
    }

    private static let ownAmongLate = """
        SELECT late.entry
        FROM ROWS FROM (pg_catalog.unnest($1::integer[]), pg_catalog.unnest($2::text[]),
                        pg_catalog.unnest($3::name[])) late(entry, relation, name)
        JOIN pg_catalog.pg_constraint c
          ON c.conrelid = pg_catalog.to_regclass(late.relation) AND c.conname = late.name
        WHERE c.conislocal
        """

    /// Makes constraints valid that all rows keep to, as the server has those that come with a table; others stay as they are.
    static func validate(
        _ validations: [String], on connection: PostgresConnection
    ) async throws {
        for sql in validations {
            try await connection.execute("SAVEPOINT validation")
            do {
                try await connection.executeInterruptibly(sql)
            } catch let error as PostgresError
                where !error.isOfServer
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
                try await connection.execute(computing.timeZoneOfTransaction)
                try await connection.execute(
                    """
                    CREATE TEMPORARY TABLE \(Self.waitingRows) ON COMMIT DROP
                    AS SELECT \(columns) FROM \(heir.table) WITH NO DATA
                    """)
                let copy = "COPY \(Self.waitingRows)\(list) FROM STDIN (FORMAT csv)"
                try await agrees(try await connection.copyIn(copy, from: next))
                if try await !Self.takes(heir, insertion, on: connection) {
                    try await Self.load(alone: heir, insertion, on: connection)
                    let reason =
                        heir.hasOtherNames
                        ? "constraints under other names than what it inherits from"
                        : "rows that constraints of what it inherits from have let be"
                    request.notes(
                        "warning: \(load.table) has \(reason): its columns and these constraints "
                            + "are its own as well")
                }
                try await noteLoaded(load, on: connection)
            }
        }
    }

    /// Whether rows go into an heir as it is.
    private static func takes(
        _ heir: Heir, _ insertion: String, on connection: PostgresConnection
    ) async throws -> Bool {
        guard !heir.hasOtherNames else { return false }
        try await connection.execute("SAVEPOINT heir")
        do {
            try await connection.executeInterruptibly(insertion)
            return true
        } catch let error as PostgresError where error.isOfConstraint {
            try await connection.execute("ROLLBACK TO SAVEPOINT heir")
            return false
        }
    }

    /// Lets one heir at a time return to its parents, each of which the server locks until the end of the transaction, in the
    /// heir's order.
    ///
    /// Not by a lock of the parents in an order that is the same for all: an owner may have given up the rights for that.
    private static let oneReturns = "SELECT pg_catalog.pg_advisory_xact_lock(1146242895, 8)"

    private static func load(
        alone heir: Heir, _ insertion: String, on connection: PostgresConnection
    ) async throws {
        for sql in heir.leaving + [insertion] + heir.resuming {
            try await connection.executeInterruptibly(sql)
        }
        try await validate(heir.validating, on: connection)
        for sql in [oneReturns] + heir.returning { try await connection.executeInterruptibly(sql) }
    }

    /// Why a table does not take its rows, and what to do about it where a constraint refuses them that has let rows be in a
    /// table above it.
    func refusal(of load: TableLoad, _ error: PostgresError) async -> BackupError {
        var refusal = error.backupError(while: "cannot load \(load.table)")
        // Large objects are committed some at a time, and not made twice.
        let isOfObjects = load.table.schema == PostgresLargeObjects.objects.schema
        if isOfObjects { refusal.mayDependOnOtherTables = false }
        if isOfObjects, error.isLackOfPrivilege {
            refusal.hint = await adviceOnLargeObjects() ?? refusal.hint
        }
        // What cannot be asked by now tells nothing more; the first error counts.
        guard error.isOfConstraint, (try? await heir(load)) == nil,
            let above = try? await connections.withOne({ connection in
                try await connection.rows(
                    Self.lenientAbove,
                    [SQLText.qualified(load.table), error.sqlState == "23514" ? "c" : "n"])
            }), !above.isEmpty
        else { return refusal }
        var (dropping, adding): ([String], [String]) = ([], [])
        for row in above {
            let table = SQLText.qualified(TableName(schema: row[0] ?? "", name: row[1] ?? ""))
            let (name, definition) = (SQLText.identifier(row[2] ?? ""), row[3] ?? "")
            dropping.append("  ALTER TABLE \(table) DROP CONSTRAINT \(name);")
            adding.insert("  ALTER TABLE \(table) ADD CONSTRAINT \(name) \(definition);", at: 0)
        }
        let taking = "What it inherits from has let such rows be. Take that constraint away:"
        let making = "Run the same restore again, which goes on, and make it again:"
        let lines = [taking] + dropping + [making] + adding
        refusal.hint = lines.joined(separator: "\n")
        return refusal
    }

    private func adviceOnLargeObjects() async -> String? {
        // What cannot be asked by now tells nothing more; the first error counts.
        try? await connections.withOne { connection in
            try await PostgresServerCheck(request: request).adviceOnLargeObjects(
                connection, major: server.major)
        }
    }

    /// Those of everything that a table inherits from which it has, too; the highest first, which others may have it from.
    private static let lenientAbove = """
        WITH RECURSIVE above(oid, depth) AS (
          SELECT inhparent, 1 FROM pg_catalog.pg_inherits WHERE inhrelid = $1::regclass
          UNION
          SELECT i.inhparent, a.depth + 1
          FROM above a JOIN pg_catalog.pg_inherits i ON i.inhrelid = a.oid),
        constraints AS (\(PostgresLenientConstraints.named))
        SELECT n.nspname, r.relname, c.conname, pg_catalog.pg_get_constraintdef(c.oid)
        FROM above a
        JOIN constraints c ON c.conrelid = a.oid
        JOIN constraints own
          ON own.conrelid = $1::regclass AND own.contype = c.contype AND own.name = c.name
        JOIN pg_catalog.pg_class r ON r.oid = c.conrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
        WHERE c.contype = $2::"char" AND c.conislocal AND NOT c.convalidated AND NOT c.connoinherit
          AND pg_catalog.pg_get_constraintdef(c.oid) LIKE '% NOT VALID'
        GROUP BY n.nspname, r.relname, c.conname, c.oid
        ORDER BY pg_catalog.max(a.depth) DESC, n.nspname, r.relname, c.conname
        """
}

extension PostgresError {
    /// Whether a row breaks a `CHECK` or `NOT NULL` constraint.
    fileprivate var isOfConstraint: Bool { ["23514", "23502"].contains(sqlState) }
}
