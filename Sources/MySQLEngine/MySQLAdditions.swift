import BackupCore

/// What is added to tables once their rows are there: indexes on words one by one, as the server wants it, and first,
/// because it writes the rows anew for them, with all other indexes; these in one statement, which reads the rows once;
/// foreign keys last.
///
/// Tables of ARCHIVE that take rows in order only become such tables here.
struct MySQLAdditions {
    /// A table, and what alters it.
    struct Table {
        struct Statement {
            let name: String
            let activity: String
            let sql: String
            /// Whether its table computes days, which it must not do anew for rows that are there.
            var computes = false
        }

        var statements: [Statement] = []
        /// The same one by one, of what the server may refuse for one of them.
        var single: [Statement] = []
        /// Whether days are computed while they are made: into indexes, or into those that are there already.
        var computesKeys = false
        /// Whether anything is computed while rows are written anew.
        var computesValues = false
        /// Whether a row may be there only because a day was computed that no calendar has.
        var mayNeedDays = false
        /// Finds a row with a day that no calendar has; nil where no column keeps days.
        var rowWithLackingDay: String?
        /// The same with one that has zeros.
        var rowWithZeros: String?

        /// Nothing of a table yet.
        init(_ computation: MySQLComputation, of table: TableName) {
            computesValues = computation.computesValues
            mayNeedDays = computation.mayNeedDays
            func row(_ condition: (_ column: String) -> String) -> String? {
                let conditions = computation.dayColumns.map(MySQLText.identifier).map(condition)
                guard !conditions.isEmpty else { return nil }
                return """
                    SELECT 1 FROM \(MySQLText.qualified(table)) \
                    WHERE \(conditions.joined(separator: " OR ")) LIMIT 1
                    """
            }
            rowWithLackingDay = row { "DAYOFMONTH(\($0)) > DAYOFMONTH(LAST_DAY(\($0)))" }
            rowWithZeros = row { "DAYOFMONTH(\($0)) = 0 OR MONTH(\($0)) = 0" }
        }
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
            var statements = groups(indexes, words, table.computation).map { additions in
                Table.Statement(
                    name: "\(additions.map(\.name).joined(separator: ", ")) of \(place)",
                    activity: "building", sql: alter(place, additions.map(\.definition)),
                    computes: table.computation.computesDays)
            }
            if table.takesRowsInOrder {
                statements.append(
                    Table.Statement(
                        name: "rows of \(place)", activity: "archiving",
                        sql: Self.archiving(TableName(schema: database, name: place))))
            }
            let keys = table.computation.keysOfDays
            var made = empty(table)
            made.statements = statements
            made.computesKeys =
                !keys.isDisjoint(with: indexes.map { ExactText($0.name) })
                || !words.isEmpty && !keys.isEmpty
            return made
        }.filter { !$0.statements.isEmpty }.sorted { $0.statements.count > $1.statements.count }
    }

    /// What one statement makes, in their order.
    ///
    /// Keys on expressions would make the server write all rows anew if others came with them that it makes without (MySQL);
    /// those that are found by a hash make it do so whatever comes with or after them (MariaDB), and stand last among unique ones.
    private func groups(
        _ indexes: [MySQLTableStatement.Addition], _ words: [MySQLTableStatement.Addition],
        _ computation: MySQLComputation
    ) -> [[MySQLTableStatement.Addition]] {
        let hashed = indexes.filter { computation.hashedKeys.contains(ExactText($0.name)) }
        let onExpressions = indexes.filter {
            computation.keysOnExpressions.contains(ExactText($0.name))
        }
        // On both sides of the keys on expressions: the server keeps the order in which they come.
        let start = indexes.firstIndex { onExpressions.contains($0) } ?? indexes.endIndex
        func others(_ some: ArraySlice<MySQLTableStatement.Addition>)
            -> [MySQLTableStatement.Addition]
        {
            some.filter { !hashed.contains($0) && !onExpressions.contains($0) }
        }
        let groups = [
            others(indexes[..<start]), onExpressions, others(indexes[start...]), hashed,
        ]
        return words.map { [$0] } + groups.filter { !$0.isEmpty }
    }

    private func empty(_ table: MySQLTableStatement) -> Table {
        Table(
            table.computation, of: TableName(schema: database, name: plan.place(of: table.name)))
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
            var made = empty(table)
            guard !keys.isEmpty else { return made }
            let computes = table.computation.computesDays
            made.statements = [
                Table.Statement(
                    name: "foreign keys of \(place)", activity: "creating",
                    sql: alter(place, keys.map(\.definition)), computes: computes)
            ]
            made.single = keys.map { key in
                Table.Statement(
                    name: "foreign key \(key.name) of \(place)", activity: "creating",
                    sql: alter(place, [key.definition]), computes: computes)
            }
            return made
        }.filter { !$0.statements.isEmpty }
    }

    private func alter(_ table: String, _ definitions: [String]) -> String {
        "ALTER TABLE \(MySQLText.qualified(TableName(schema: database, name: table))) "
            + definitions.map { "ADD \($0)" }.joined(separator: ", ")
    }
}
