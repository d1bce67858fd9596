import BackupCore

/// The triggers of a foreign key that somebody has disabled, or enabled for replicas: `DISABLE TRIGGER ALL`.
///
/// A key that is made again has others, which are enabled and have other names.
struct PostgresKeyTriggers: Sendable {
    /// The table that has the key, or the whole that it is a part of.
    private let table: TableName
    private let key: String
    private let changed: [Trigger]

    /// One that is not as it would be made.
    private struct Trigger: Sendable {
        let table: TableName
        let name: String
        /// What it runs: each of a key's triggers on one table does something else.
        let function: String
        let state: String
    }

    /// `foreign key pets_owner_fkey of public.pets`.
    var name: String { "foreign key \(key) of \(table)" }

    /// What the triggers of keys are now, of those keys that have any that are not as they would be made.
    static func changed(
        of keys: [(table: TableName, name: String)], on connection: PostgresConnection
    ) async throws -> [PostgresKeyTriggers] {
        var all: [PostgresKeyTriggers] = []
        for (table, name) in keys {
            let changed = try await triggers(of: name, of: table, on: connection)
                .filter { $0.state != "O" }
            guard !changed.isEmpty else { continue }
            all.append(PostgresKeyTriggers(table: table, key: name, changed: changed))
        }
        return all
    }

    /// What makes those of the key as they were, once it is made again.
    ///
    /// These triggers are the server's own, so that it lets superusers alone do that.
    func statements(on connection: PostgresConnection) async throws -> [String] {
        try await Self.triggers(of: key, of: table, on: connection).compactMap { trigger in
            let before = changed.first {
                $0.table == trigger.table && $0.function == trigger.function
            }
            return before.map { before in
                "ALTER TABLE ONLY \(SQLText.qualified(trigger.table)) "
                    + "\(Self.words(before.state)) \(SQLText.identifier(trigger.name))"
            }
        }
    }

    private static func words(_ state: String) -> String {
        switch state {
        case "D": "DISABLE TRIGGER"
        case "R": "ENABLE REPLICA TRIGGER"
        case "A": "ENABLE ALWAYS TRIGGER"
        default: "ENABLE TRIGGER"
        }
    }

    /// Those of a key and of what partitions have of it, on either side.
    private static func triggers(
        of key: String, of table: TableName, on connection: PostgresConnection
    ) async throws -> [Trigger] {
        try await connection.rows(
            """
            WITH RECURSIVE keys(oid) AS (
              SELECT oid FROM pg_catalog.pg_constraint
              WHERE contype = 'f' AND conrelid = $1::regclass AND conname = $2::name
              UNION
              SELECT c.oid FROM keys k JOIN pg_catalog.pg_constraint c ON c.conparentid = k.oid)
            SELECT n.nspname, r.relname, t.tgname, t.tgfoid, t.tgenabled
            FROM keys k JOIN pg_catalog.pg_trigger t ON t.tgconstraint = k.oid
            JOIN pg_catalog.pg_class r ON r.oid = t.tgrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
            ORDER BY 1, 2, 3
            """, [SQLText.qualified(table), key]
        ).map { row in
            Trigger(
                table: TableName(schema: row[0] ?? "", name: row[1] ?? ""), name: row[2] ?? "",
                function: row[3] ?? "", state: row[4] ?? "")
        }
    }
}
