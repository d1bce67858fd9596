import BackupCore

/// Names of constraints that a database has once, and that tables which stay may have already.
///
/// A table takes them along when it is renamed. The server would refuse them in the middle: a condition with its
/// table, when others have been dropped; a foreign key when all rows are there.
///
/// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/create-table.html>
struct MySQLConstraintNames {
    /// Each has names of its own.
    enum Kind: String, Sendable {
        case foreignKey = "FOREIGN KEY"
        case check = "CHECK"
    }

    /// A constraint of a table that is there.
    struct Holder: Hashable, Sendable {
        let kind: Kind
        let name: String
        let table: String

        /// `foreign key orders_customer of table orders`.
        var words: String { "\(kind.rawValue.lowercased()) \(name) of table \(table)" }

        /// The statement that makes its name free.
        func removal(in database: String) -> String {
            let place = MySQLText.qualified(TableName(schema: database, name: table))
            return "ALTER TABLE \(place) DROP \(kind.rawValue) \(MySQLText.identifier(name));"
        }
    }

    /// The servers compare these names without regard to case.
    private struct Name: Hashable {
        let kind: Kind
        let text: ExactText

        init(_ kind: Kind, _ name: String) {
            self.kind = kind
            text = ExactText(name.lowercased())
        }
    }

    private let wanted: Set<Name>
    /// Tables that go, or that a restore which is gone on with has made itself.
    private let replaced: Set<ExactText>

    /// Those whose names a database has once; a table has all others once.
    ///
    /// - SeeAlso: <https://mariadb.org/per-table-unique-foreign-key-constraint-names-new-feature-in-mariadb-12-1>
    static func kinds(isMariaDB: Bool, number: Int) -> Set<Kind> {
        guard isMariaDB else { return [.foreignKey, .check] }
        return number < 120100 ? [.foreignKey] : []
    }

    /// `source`: The schema of names without one.
    init(_ plan: MySQLPlan, _ kinds: Set<Kind>, source: String) throws {
        let made = plan.chosen.filter { $0.kind == .table }
        let dropped = plan.drops.filter { $0.kind == .table }
        replaced = Set(
            made.map { ExactText(plan.place(of: $0.name)) } + dropped.map { ExactText($0.name) })
        var wanted: Set<Name> = []
        // A copy beside the original has no foreign keys, and its conditions get names of their own.
        for table in plan.renamed == nil ? made : [] {
            let statement = try MySQLTableStatement(table.statement, database: source)
            let keys = statement.foreignKeys.filter { key in
                !plan.leftOut.contains(
                    .init(table: ExactText(table.name), key: ExactText(key.name)))
            }
            wanted.formUnion(keys.map { Name(.foreignKey, $0.name) })
            wanted.formUnion(statement.checks.map { Name(.check, $0) })
        }
        self.wanted = wanted.filter { kinds.contains($0.kind) }
    }

    /// Those of tables that stay, under names that the backup has on tables that are made.
    func inTheWay(_ holders: [Holder]) -> [Holder] {
        holders.filter { holder in
            wanted.contains(Name(holder.kind, holder.name))
                && !replaced.contains(ExactText(holder.table))
        }
    }

    /// Asks only where something is to be made that has such a name: MariaDB opens every table for the answer.
    ///
    /// - Throws: `BackupError.targetUnsuitable` naming those that are in the way.
    func check(_ connection: MySQLConnection, database: String) async throws {
        guard !wanted.isEmpty else { return }
        let rows = try await connection.rows(
            """
            SELECT CONSTRAINT_TYPE, CONSTRAINT_NAME, TABLE_NAME FROM information_schema.TABLE_CONSTRAINTS
            WHERE TABLE_SCHEMA = \(MySQLText.literal(database))
              AND CONSTRAINT_TYPE IN ('FOREIGN KEY', 'CHECK')
            ORDER BY TABLE_NAME, CONSTRAINT_NAME
            """)
        let taken = inTheWay(
            rows.compactMap { row in
                guard let kind = row[0].flatMap(Kind.init(rawValue:)), let name = row[1],
                    let table = row[2]
                else { return nil }
                return Holder(kind: kind, name: name, table: table)
            })
        guard let first = taken.first else { return }
        throw BackupError(
            .targetUnsuitable,
            "\(database) has \(MySQLTargetPlanner.list(taken.map(\.words))), "
                + "and the backup has it on another table",
            hint: """
                A database has one constraint of a name, which a renamed table takes along: drop it if it is not needed \
                (\(first.removal(in: database))), restore beside the table with --as NAME, or into another database.
                """)
    }
}
