import BackupCore

/// What a database holds before it is restored into.
struct MySQLPresence: Sendable {
    /// Something in it.
    struct Thing: Hashable, Sendable {
        let kind: MySQLObject.Kind
        let name: ExactText
    }

    /// A trigger of a table.
    struct Trigger: Sendable {
        let name: String
        /// What it fires at: `INSERT`, `UPDATE`, `DELETE`; since MariaDB 12 one trigger may fire at several.
        private(set) var events: Set<String>

        /// `manipulation`: The server's words, divided by commas.
        init(name: String, manipulation: String) {
            self.name = name
            events = Self.events(manipulation)
        }

        private static func events(_ manipulation: String) -> Set<String> {
            Set(
                manipulation.uppercased().split(separator: ",").map { event in
                    String(event.filter { !$0.isWhitespace })
                })
        }

        /// Takes in what another row of the catalog says of the same trigger.
        mutating func add(_ manipulation: String) {
            events.formUnion(Self.events(manipulation))
        }

        /// Whether rows that come into its table make it fire, or rows that go where they are replaced.
        func fires(at treatment: TargetPlan.Treatment) -> Bool {
            events.contains("INSERT") || events.contains("DELETE") && treatment == .truncate
        }
    }

    /// Tables, views and sequences share their names.
    private(set) var relations: [ExactText: MySQLObject.Kind] = [:]
    private(set) var things: [(kind: MySQLObject.Kind, name: String)] = []
    /// The triggers of each table.
    private(set) var triggers: [ExactText: [Trigger]] = [:]
    /// Tables that hold the rows that they had too (MariaDB).
    private(set) var versioned: Set<ExactText> = []
    private var owners: [ExactText: String] = [:]
    private var storages: [ExactText: String] = [:]

    /// A database that is not there yet.
    init() {}

    init(_ connection: MySQLConnection, database: String) async throws {
        let here = MySQLText.literal(database)
        let rows = try await connection.rows(
            """
            SELECT TABLE_TYPE, TABLE_NAME, NULL, ENGINE FROM information_schema.TABLES
            WHERE TABLE_SCHEMA = \(here)
            UNION ALL
            SELECT ROUTINE_TYPE, ROUTINE_NAME, NULL, NULL FROM information_schema.ROUTINES
            WHERE \(MySQLText.isDatabase("ROUTINE_SCHEMA", database))
            UNION ALL
            SELECT 'TRIGGER', TRIGGER_NAME, EVENT_OBJECT_TABLE, EVENT_MANIPULATION
            FROM information_schema.TRIGGERS
            WHERE \(MySQLText.isDatabase("TRIGGER_SCHEMA", database))
            UNION ALL
            SELECT 'EVENT', EVENT_NAME, NULL, NULL FROM information_schema.EVENTS
            WHERE \(MySQLText.isDatabase("EVENT_SCHEMA", database))
            """)
        self.init(rows)
    }

    /// Rows of the catalogs: the server's word for what it is, its name, the table of a trigger, and the trigger's events or a
    /// table's storage engine.
    init(_ rows: [[String?]]) {
        for row in rows {
            guard let type = row[0], let name = row[1], name != MySQLRestoreMark.table else {
                continue
            }
            let isTable = type == "BASE TABLE" || type == "SYSTEM VERSIONED"
            let kind: MySQLObject.Kind =
                isTable ? .table : MySQLObject.Kind(rawValue: type) ?? .view
            if let table = row[2], addsEvent(row[3] ?? "", to: name, of: table) { continue }
            things.append((kind, name))
            if MySQLObject.Kind.relations.contains(kind) { relations[ExactText(name)] = kind }
            if isTable { storages[ExactText(name)] = row[3] }
            if type == "SYSTEM VERSIONED" { versioned.insert(ExactText(name)) }
            if let table = row[2] {
                triggers[ExactText(table), default: []].append(
                    Trigger(name: name, manipulation: row[3] ?? ""))
                owners[ExactText(name)] = table
            }
        }
        things.sort { ($0.kind, ExactText($0.name)) < ($1.kind, ExactText($1.name)) }
    }

    /// Whether a trigger is known already, and was listed once more for another event.
    private mutating func addsEvent(_ event: String, to name: String, of table: String) -> Bool {
        let known = triggers[ExactText(table)]?.firstIndex { $0.name.isExactly(name) }
        guard let known else { return false }
        triggers[ExactText(table)]?[known].add(event)
        return true
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

    /// Whether a table's rows stay where they are when it is dropped, as it shows those of others.
    ///
    /// Not those of CONNECT and S3, of which some go with it.
    /// - SeeAlso: <https://mariadb.com/kb/en/connect-table-types-data-files/>,
    ///   <https://mariadb.com/kb/en/using-the-s3-storage-engine/>
    func keepsRows(ofDropped table: String) -> Bool {
        storages[ExactText(table)].map { Self.windows.contains($0.lowercased()) } ?? false
    }

    private static let windows: Set<String> = [
        "mrg_myisam", "federated", "federatedx", "spider", "sphinx", "oqgraph",
    ]

    /// Whether what was committed into a table outlasts the server.
    func isDurable(_ table: String) -> Bool {
        storages[ExactText(table)]?.lowercased() == "innodb"
    }

    /// Whether a table takes rows and lets none go, by `DELETE` or by `TRUNCATE`.
    func isAppendOnly(_ table: String) -> Bool {
        storages[ExactText(table)]?.lowercased() == "archive"
    }

    /// The table that has a trigger of this name, of which a database has one.
    func table(ofTrigger name: String) -> String? { owners[ExactText(name)] }
}
