import BackupCore

/// What would act on rows of tables while these change: foreign keys, constraints that have let rows be, triggers, and policies
/// that hold for owners too.
///
/// Keys and constraints are taken away and made again, the others switched off and on again as they were.
struct PostgresRowGuards {
    let keys: [ForeignKey]
    let triggers: [Trigger]
    /// Keys whose own triggers are not as they would be made.
    let keyTriggers: [PostgresKeyTriggers]
    /// Nil where nobody asks for what goes meanwhile.
    private let lenient: PostgresLenientConstraints?
    private let forced: [TableName]

    /// Those of some tables, some of which are emptied.
    init(
        of tables: [TableName], emptied: [TableName], _ lenient: PostgresLenientConstraints?,
        on connection: PostgresConnection
    ) async throws {
        self.lenient = lenient
        keys = try await Self.foreignKeys(of: tables, emptied: emptied, on: connection)
        triggers = try await Self.triggers(of: tables, on: connection)
        forced = try await Self.forcedTables(
            among: Set(tables + keys.flatMap { [$0.table, $0.referenced] }), on: connection)
        keyTriggers = try await PostgresKeyTriggers.changed(
            of: keys.map { ($0.table, $0.name) }, on: connection)
    }

    /// A foreign key, as it is made again.
    struct ForeignKey {
        let table: TableName
        let referenced: TableName
        let name: String
        let definition: String
        let comment: String?
        let isOurs: Bool
    }

    /// A trigger that would fire, and the words that switch it on again.
    struct Trigger {
        let table: TableName
        let name: String
        let activation: String
        let isOurs: Bool
    }

    // MARK: Off and on

    /// Switches the policies off: a session that is to have all rows or none may not even look for one before.
    var unforcing: [String] {
        forced.map { "ALTER TABLE \(SQLText.qualified($0)) NO FORCE ROW LEVEL SECURITY" }
    }

    /// Takes keys and constraints away and switches the triggers off.
    var suspending: [String] {
        keys.map { key in
            "ALTER TABLE \(SQLText.qualified(key.table)) "
                + "DROP CONSTRAINT \(SQLText.identifier(key.name))"
        }
            + triggers.map { trigger in
                "ALTER TABLE ONLY \(SQLText.qualified(trigger.table)) "
                    + "DISABLE TRIGGER \(SQLText.identifier(trigger.name))"
            }
            + (lenient?.suspending ?? [])
    }

    /// Makes the constraints again, and the keys, which checks all rows; switches triggers and policies on.
    var resuming: [String] {
        let switching = triggers.map { trigger in
            "ALTER TABLE ONLY \(SQLText.qualified(trigger.table)) "
                + "\(trigger.activation) \(SQLText.identifier(trigger.name))"
        }
        let forcing = forced.map {
            "ALTER TABLE \(SQLText.qualified($0)) FORCE ROW LEVEL SECURITY"
        }
        // Policies last: the server reads the tables to check foreign keys.
        return (lenient?.resuming ?? []) + switching + keys.flatMap(Self.making) + forcing
    }

    private static func making(_ key: ForeignKey) -> [String] {
        let name = SQLText.identifier(key.name)
        let table = SQLText.qualified(key.table)
        let comment = key.comment.map {
            "COMMENT ON CONSTRAINT \(name) ON \(table) IS \(SQLText.literal($0))"
        }
        return ["ALTER TABLE \(table) ADD CONSTRAINT \(name) \(key.definition)"]
            + (comment.map { [$0] } ?? [])
    }

    // MARK: What is there

    /// Their own foreign keys, and those that point to rows which are replaced.
    ///
    /// A partition has its whole's: the whole's is what can be taken away.
    private static func foreignKeys(
        of tables: [TableName], emptied: [TableName], on connection: PostgresConnection
    ) async throws -> [ForeignKey] {
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
            """, [SQLText.array(tables), SQLText.array(emptied)]
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
    private static func triggers(
        of tables: [TableName], on connection: PostgresConnection
    ) async throws -> [Trigger] {
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
            """, [SQLText.array(tables)]
        ).map { row in
            Trigger(
                table: TableName(schema: row[0] ?? "", name: row[1] ?? ""), name: row[2] ?? "",
                activation: row[3] ?? "", isOurs: row[4] == "t")
        }
    }

    /// Tables whose policies hold for their owner too: COPY and the check of foreign keys refuse them.
    private static func forcedTables(
        among tables: Set<TableName>, on connection: PostgresConnection
    ) async throws -> [TableName] {
        try await connection.rows(
            """
            SELECT n.nspname, c.relname FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = ANY ($1::regclass[]::oid[]) AND c.relforcerowsecurity
              AND pg_catalog.row_security_active(c.oid)
            """, [SQLText.array(tables.sorted())]
        ).map { TableName(schema: $0[0] ?? "", name: $0[1] ?? "") }
    }
}
