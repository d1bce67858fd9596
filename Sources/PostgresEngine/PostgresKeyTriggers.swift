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
        let triggers = try await triggers(of: keys, on: connection)
        return keys.enumerated().compactMap { number, key in
            let changed = (triggers[number] ?? []).filter { $0.state != "O" }
            guard !changed.isEmpty else { return nil }
            return PostgresKeyTriggers(table: key.table, key: key.name, changed: changed)
        }
    }

    /// What makes those of keys as they were, once these are made again.
    ///
    /// These triggers are the server's own, so that it lets superusers alone do that.
    static func statements(
        for keys: [PostgresKeyTriggers], on connection: PostgresConnection
    ) async throws -> [String] {
        let made = try await triggers(of: keys.map { ($0.table, $0.key) }, on: connection)
        return keys.enumerated().flatMap { number, key in key.statements(for: made[number] ?? []) }
    }

    private func statements(for made: [Trigger]) -> [String] {
        made.compactMap { trigger in
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

    /// Those of some keys and of what partitions have of them, on either side, by the place of the key.
    private static func triggers(
        of keys: [(table: TableName, name: String)], on connection: PostgresConnection
    ) async throws -> [Int: [Trigger]] {
        guard !keys.isEmpty else { return [:] }
        let rows = try await connection.rows(
            """
            WITH RECURSIVE keys(place, oid) AS (
              SELECT k.place, c.oid
              FROM ROWS FROM (pg_catalog.unnest($1::regclass[]::oid[]), pg_catalog.unnest($2::name[]))
                WITH ORDINALITY k(relation, name, place)
              JOIN pg_catalog.pg_constraint c
                ON c.contype = 'f' AND c.conrelid = k.relation AND c.conname = k.name
              UNION
              SELECT k.place, c.oid FROM keys k
              JOIN pg_catalog.pg_constraint c ON c.conparentid = k.oid)
            SELECT k.place - 1, n.nspname, r.relname, t.tgname, t.tgfoid, t.tgenabled
            FROM keys k JOIN pg_catalog.pg_trigger t ON t.tgconstraint = k.oid
            JOIN pg_catalog.pg_class r ON r.oid = t.tgrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
            ORDER BY 1, 2, 3, 4
            """, [SQLText.array(keys.map { $0.table }), SQLText.array(keys.map { $0.name })])
        return rows.reduce(into: [:]) { triggers, row in
            triggers[Int(row[0] ?? "") ?? 0, default: []].append(
                Trigger(
                    table: TableName(schema: row[1] ?? "", name: row[2] ?? ""), name: row[3] ?? "",
                    function: row[4] ?? "", state: row[5] ?? ""))
        }
    }
}
