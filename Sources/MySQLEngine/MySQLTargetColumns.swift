import BackupCore

/// The columns of a target's tables, and how rows of a backup go into them.
struct MySQLTargetColumns: Sendable {
    private let columns: [ExactText: [ExactText: MySQLColumn]]
    /// Whether the rows are of MariaDB, which calls its `JSON` a `longtext`.
    private let areOfMariaDB: Bool

    /// Reads those of all tables of a target, or of some.
    init(
        _ connection: MySQLConnection, of request: TargetRequest, _ tables: [String]? = nil
    ) async throws {
        let all = try await MySQLCatalog(connection: connection, database: request.database)
            .columns(of: tables)
        areOfMariaDB =
            request.databaseProperties["product"] == MySQLServer.Product.mariaDB.rawValue
        columns = Dictionary(
            all.map { table, columns in
                (
                    ExactText(table.name),
                    Dictionary(columns.map { (ExactText($0.column.name), $0) }) { one, _ in one }
                )
            }
        ) { one, _ in one }
    }

    func columns(of load: TableLoad) -> [MySQLColumn] {
        let own = columns[ExactText(load.table.name)] ?? [:]
        return load.columns.compactMap { own[ExactText($0)] }
    }

    /// How its rows go in; every column of the load must be there.
    func transfer(of load: TableLoad) -> MySQLTransfer {
        let types = Dictionary(zip(load.columns.map(ExactText.init), load.types)) { one, _ in one }
        return MySQLTransfer(
            table: load.table,
            columns: columns(of: load).map { column in
                MySQLTransfer.Column(
                    name: column.column.name, encoding: column.encoding,
                    replacesNull: column.counts
                        || column.encoding == .instant && !column.isNullable,
                    mayHoldError: column.isChoice, counts: column.counts,
                    characterSet: MySQLColumn.codedSet(ofType: column.column.type),
                    takesBytes: column.isASCII,
                    // A text, or MariaDB's, may name a member twice.
                    holdsDocuments: column.column.type == "json"
                        && types[ExactText(column.column.name)] == "json" && !areOfMariaDB,
                    places: column.places, number: MySQLNumber(ofType: column.column.type),
                    holdsDays: Self.holdsDays(column.column.type))
            })
    }

    private static func holdsDays(_ type: String) -> Bool {
        let words = type.lowercased()
        return words.hasPrefix("date") || words.hasPrefix("timestamp")
    }

    /// Why rows do not fit into a table.
    func problems(of load: TableLoad) -> [String] {
        let own = columns[ExactText(load.table.name)] ?? [:]
        let types: [String?] = load.types + load.columns.map { _ in nil }
        return zip(load.columns, types).compactMap { name, type in
            guard let column = own[ExactText(name)] else {
                return "\(load.table) has no column \(name)"
            }
            if column.column.isGenerated {
                return "column \(name) of \(load.table) is computed"
            }
            // Another type may hold the same values.
            guard let type, let written = MySQLColumn.encoding(ofType: type) else { return nil }
            let own = MySQLColumn.labels(ofType: column.column.type)
            let isSameSet =
                MySQLColumn.codedSet(ofType: type)
                == MySQLColumn.codedSet(ofType: column.column.type)
            // Places of labels say nothing of another list.
            let isSameList =
                type.isExactly(column.column.type)
                || !MySQLColumn.mayBlur(type) && column.places == nil
            let hasLabels =
                !column.isChoice || MySQLColumn.labels(ofType: type).isSubset(of: own)
            let fits = isSameSet && isSameList && hasLabels
            guard
                written != column.encoding || !fits
                    || !MySQLTypeFit.holds(
                        type, in: column.column.type, isOfMariaDB: areOfMariaDB)
            else { return nil }
            return "column \(name) of \(load.table) is \(column.column.type), and was \(type)"
        }
    }

    /// Why a table that was there does not take rows whose other columns were computed: such a column of the same name
    /// as one like any other would have its default in every row.
    ///
    /// Names of columns are the same in any case.
    func problemsOfComputed(_ load: TableLoad) -> [String] {
        let own = columns[ExactText(load.table.name)] ?? [:]
        let plain = Set(
            own.values.filter { !$0.column.isGenerated }
                .map { ExactText($0.column.name.lowercased()) })
        return load.computed.filter { plain.contains(ExactText($0.lowercased())) }
            .map { "column \($0) of \(load.table) is not computed, and was" }
    }
}
