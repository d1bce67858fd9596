import BackupCore

/// What is made, dropped and loaded: decided from the backup's definition and what the target holds.
struct MySQLPlan: Sendable {
    /// For people, and for the operation.
    var target = TargetPlan()
    /// What is made, in order.
    var chosen: [MySQLObject] = []
    /// Foreign keys that are not made, by their table: what they refer to is not there.
    var leftOut: Set<ForeignKeyName> = []
    /// Tables that foreign keys which are made refer to, but for their own.
    var parents: Set<TableName> = []
    /// Tables, by their names in the backup, of which an interrupted restore may have left a part of the rows.
    var begun: Set<ExactText> = []
    /// Tables, by their names in the backup, that the mark of an interrupted restore calls loaded or begun, and that have
    /// nothing of that any more: it must forget them before a row is written.
    private(set) var lost: [String] = []
    /// What is dropped first.
    var drops: [MySQLObject] = []
    /// Counters to set, by their names in the backup; those that were there before may only go forward.
    var counters: [ExactText: CounterMove] = [:]
    /// The new name of the one table.
    var renamed: (from: String, to: String)?

    /// A foreign key has its name within a table.
    struct ForeignKeyName: Hashable, Sendable {
        let table: ExactText
        let key: ExactText
    }

    /// How a counter is set.
    enum CounterMove: Sendable {
        /// To where it stood.
        case exactly
        /// To where it stood, unless it is further already.
        case forward
    }

    /// Whether an interruption must be gone on with: replacing rows twice comes to the same, making things and adding
    /// rows twice does not.
    var leavesMark: Bool {
        !chosen.isEmpty || target.tables.values.contains { $0.treatment == .append }
    }

    /// Loads a table, by its name in the backup, as if for the first time: nothing is left of it.
    mutating func loadAnew(_ name: TableName) {
        let isBegun = begun.remove(ExactText(name.name)) != nil
        if isBegun || target.tables[name]?.isLoaded ?? false { lost.append(name.name) }
        target.tables[name]?.isLoaded = false
    }

    /// Drops a table, by its name in the backup, that an interrupted restore has made, and makes it again.
    ///
    /// Nobody is asked: what it has is a part of what it will have.
    mutating func makeAnew(_ name: TableName) {
        drops.append(MySQLObject(kind: .table, name: place(of: name.name), statement: ""))
        lost.append(name.name)
        target.tables[name]?.isLoaded = false
        begun.remove(ExactText(name.name))
    }

    /// Lets one connection load each table that counts, beside others that load other tables.
    ///
    /// MariaDB keeps the counter of InnoDB in the first page of the key, and whoever inserts a row with a number holds that
    /// page: with two connections a quarter of the server's time was spent waiting for it.
    mutating func loadCountingTablesAlone(source: String) throws {
        for object in chosen where object.kind == .table {
            let table = TableName(schema: source, name: object.name)
            let statement = try MySQLTableStatement(object.statement, database: source)
            guard statement.counts, statement.isTransactional else { continue }
            target.tables[table]?.takesOneConnection = true
        }
    }

    /// The name that a table of the backup has in the target.
    func place(of name: String) -> String {
        renamed.flatMap { $0.from.isExactly(name) ? $0.to : nil } ?? name
    }
}
