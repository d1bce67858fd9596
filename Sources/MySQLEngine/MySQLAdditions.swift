import BackupCore

/// What is added to tables once their rows are there: indexes of a table in one statement, which reads
/// the rows once; those on words one by one, as the server wants it; foreign keys last.
///
/// Tables of ARCHIVE that take rows in order only become such tables here.
struct MySQLAdditions {
    /// A table, and what alters it.
    struct Table {
        struct Statement {
            let name: String
            let activity: String
            let sql: String
            /// Whether it is to compute no day that no calendar has.
            var computes = false
        }

        var statements: [Statement] = []
        /// The same one by one, of what the server may refuse for one of them.
        var single: [Statement] = []
    }

    /// What is there, by table: an index and a foreign key may have one name.
    struct Built: Sendable {
        var indexes: [ExactText: Set<ExactText>] = [:]
        var foreignKeys: [ExactText: Set<ExactText>] = [:]
    }

    private let tables: [MySQLTableStatement]
    private let plan: MySQLPlan
    private let continues: Bool
    private let database: String
    private let source: String

    init(
        _ tables: [MySQLTableStatement], _ plan: MySQLPlan, continues: Bool, database: String,
        source: String
    ) {
        (self.tables, self.plan, self.continues) = (tables, plan, continues)
        (self.database, self.source) = (database, source)
    }

    /// How many statements there are.
    var count: Int {
        (indexes(missing: Built()) + foreignKeys(missing: Built())).reduce(0) {
            $0 + $1.statements.count
        }
    }

    /// What an interrupted restore has made already.
    func built(_ connection: MySQLConnection) async throws -> Built {
        var built = Built()
        guard continues else { return built }
        let here = MySQLText.literal(database)
        let rows = try await connection.rows(
            """
            SELECT 'index', TABLE_NAME, INDEX_NAME FROM information_schema.STATISTICS
            WHERE TABLE_SCHEMA = \(here)
            UNION ALL
            SELECT 'key', TABLE_NAME, CONSTRAINT_NAME FROM information_schema.TABLE_CONSTRAINTS
            WHERE TABLE_SCHEMA = \(here) AND CONSTRAINT_TYPE = 'FOREIGN KEY'
            """)
        for row in rows {
            let (table, name) = (ExactText(row[1] ?? ""), ExactText(row[2] ?? ""))
            if row[0] == "key" {
                built.foreignKeys[table, default: []].insert(name)
            } else {
                built.indexes[table, default: []].insert(name)
            }
        }
        return built
    }

    /// Tables in their order, those first that have most to do.
    func indexes(missing built: Built) -> [Table] {
        tables.map { table in
            let place = plan.place(of: table.name)
            let known = built.indexes[ExactText(place)] ?? []
            let indexes = table.indexes.filter { !known.contains(ExactText($0.name)) }
            let words = table.wordIndexes.filter { !known.contains(ExactText($0.name)) }
            let groups = (indexes.isEmpty ? [] : [indexes]) + words.map { [$0] }
            var statements = groups.map { additions in
                Table.Statement(
                    name: "\(additions.map(\.name).joined(separator: ", ")) of \(place)",
                    activity: "building", sql: alter(place, additions.map(\.definition)),
                    computes: additions.contains {
                        table.keysOfDays.contains(ExactText($0.name))
                    })
            }
            if table.takesRowsInOrder {
                statements.append(
                    Table.Statement(
                        name: "rows of \(place)", activity: "archiving",
                        sql: Self.archiving(TableName(schema: database, name: place))))
            }
            return Table(statements: statements)
        }.filter { !$0.statements.isEmpty }.sorted { $0.statements.count > $1.statements.count }
    }

    /// Gives a table that takes rows in any order for as long as it is loaded.
    static func loading(_ table: TableName) -> String {
        "ALTER TABLE \(MySQLText.qualified(table)) ENGINE = InnoDB"
    }

    /// The engine that it has in the backup: rows go there in the order of the key.
    ///
    /// The counter would begin where it stands otherwise, and all rows be behind it.
    private static func archiving(_ table: TableName) -> String {
        "ALTER TABLE \(MySQLText.qualified(table)) ENGINE = ARCHIVE, AUTO_INCREMENT = 1"
    }

    func foreignKeys(missing built: Built) -> [Table] {
        tables.map { table in
            let place = plan.place(of: table.name)
            let known = built.foreignKeys[ExactText(place)] ?? []
            let keys = table.foreignKeys.filter { key in
                !known.contains(ExactText(key.name))
                    && !plan.leftOut.contains(
                        .init(table: ExactText(table.name), key: ExactText(key.name)))
            }
            guard !keys.isEmpty else { return Table() }
            let all = Table.Statement(
                name: "foreign keys of \(place)", activity: "creating",
                sql: alter(place, keys.map(\.definition)))
            return Table(
                statements: [all],
                single: keys.map { key in
                    Table.Statement(
                        name: "foreign key \(key.name) of \(place)", activity: "creating",
                        sql: alter(place, [key.definition]))
                })
        }.filter { !$0.statements.isEmpty }
    }

    private func alter(_ table: String, _ definitions: [String]) -> String {
        "ALTER TABLE \(MySQLText.qualified(TableName(schema: database, name: table))) "
            + definitions.map { "ADD \($0)" }.joined(separator: ", ")
    }
}
