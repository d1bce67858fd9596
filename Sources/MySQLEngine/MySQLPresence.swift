import BackupCore

/// What a database holds before it is restored into.
struct MySQLPresence: Sendable {
    /// Something in it.
    struct Thing: Hashable, Sendable {
        let kind: MySQLObject.Kind
        let name: ExactText
    }

    /// Tables, views and sequences share their names.
    private(set) var relations: [ExactText: MySQLObject.Kind] = [:]
    private(set) var things: [(kind: MySQLObject.Kind, name: String)] = []
    /// The triggers of each table, with what they fire at: `INSERT`, `UPDATE` or `DELETE`.
    private(set) var triggers: [ExactText: [(name: String, event: String)]] = [:]
    private var owners: [ExactText: String] = [:]

    /// A database that is not there yet.
    init() {}

    init(_ connection: MySQLConnection, database: String) async throws {
        let here = MySQLText.literal(database)
        let rows = try await connection.rows(
            """
            SELECT TABLE_TYPE, TABLE_NAME, NULL, NULL FROM information_schema.TABLES
            WHERE TABLE_SCHEMA = \(here)
            UNION ALL
            SELECT ROUTINE_TYPE, ROUTINE_NAME, NULL, NULL FROM information_schema.ROUTINES
            WHERE ROUTINE_SCHEMA = \(here)
            UNION ALL
            SELECT 'TRIGGER', TRIGGER_NAME, EVENT_OBJECT_TABLE, EVENT_MANIPULATION
            FROM information_schema.TRIGGERS
            WHERE TRIGGER_SCHEMA = \(here)
            UNION ALL
            SELECT 'EVENT', EVENT_NAME, NULL, NULL FROM information_schema.EVENTS
            WHERE EVENT_SCHEMA = \(here)
            """)
        for row in rows {
            guard let type = row[0], let name = row[1], name != MySQLRestoreMark.table else {
                continue
            }
            let isTable = type == "BASE TABLE" || type == "SYSTEM VERSIONED"
            let kind: MySQLObject.Kind =
                isTable ? .table : MySQLObject.Kind(rawValue: type) ?? .view
            things.append((kind, name))
            if MySQLObject.Kind.relations.contains(kind) { relations[ExactText(name)] = kind }
            if let table = row[2] {
                triggers[ExactText(table), default: []].append((name, row[3] ?? ""))
                owners[ExactText(name)] = table
            }
        }
        things.sort { ($0.kind, ExactText($0.name)) < ($1.kind, ExactText($1.name)) }
    }

    /// Whether there is one of its kind and name; a trigger's is that of its table.
    func holds(_ object: MySQLObject) -> Bool {
        if MySQLObject.Kind.relations.contains(object.kind) {
            return relations[ExactText(object.name)] == object.kind
        }
        if object.kind == .trigger {
            guard let table = MySQLStatementHead(object.statement)?.table else { return false }
            return self.table(ofTrigger: object.name)?.isExactly(table) ?? false
        }
        return things.contains { $0.kind == object.kind && $0.name.isExactly(object.name) }
    }

    /// The table that has a trigger of this name, of which a database has one.
    func table(ofTrigger name: String) -> String? { owners[ExactText(name)] }
}
