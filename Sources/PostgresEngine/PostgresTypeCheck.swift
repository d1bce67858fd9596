import BackupCore

/// Whether types that a target has, and that are used as they are, keep the values of a backup.
///
/// A column's type is known by its name alone: a domain of that name whose base is narrower rounds what goes into it,
/// without a word.
struct PostgresTypeCheck {
    let request: TargetRequest
    let archive: PostgresArchiveRestore
    /// Nil where the database is not there yet.
    let connection: PostgresConnection?

    /// Tells what cannot be made as it was.
    ///
    /// - Throws: `BackupError.targetUnsuitable` naming every type that differs too much.
    func run(major: Int) async throws {
        guard request.content != .structure else { return }
        let (used, made) = (typesOfColumns, madeOfOthers)
        guard !(used.isEmpty && made.isEmpty) else { return }
        let relations = relationsOfTypes
        let found = try await shapes(ofRowsOf: relations)
        guard !(found.isEmpty && made.isEmpty) else { return }
        let entries = entries.union((relations + made).map(\.id))
        let definitions = PostgresTypeDefinitions(
            try await archive.script(entries, sections: ["pre-data"], major: major),
            stored: storedColumns)
        let again = names(of: archive.plan.chosen.union(archive.plan.drops))
        let there = found.filter { type in
            let name = definitions.ranges[type.key] ?? type.key
            return !again.contains(PostgresPresence.asInList(name))
        }
        let fitting = PostgresTypeFitting(definitions, there: there)
        let types = definitions.withParts(used).sorted()
        try requireFit(
            types.flatMap { fitting.problems(of: $0) } + problemsOfNewTables(fitting))
        try tellOrders(fitting, found)
        for name in types where definitions.unknown.contains(name) && there[name] != nil {
            request.notes(
                "warning: type \(name) of \(request.database) is used as it is, and was not "
                    + "compared with that of the backup")
        }
    }

    private func requireFit(_ problems: [String]) throws {
        guard problems.isEmpty else {
            throw BackupError(
                .targetUnsuitable,
                "the rows do not fit: \(problems.joined(separator: "; "))",
                hint:
                    "A type that exists is used as it is, and so is a table that others inherit from: "
                    + "change it, or restore into another database.")
        }
    }

    /// Why rows do not go into tables that are made: these get columns from what is there.
    private func problemsOfNewTables(_ fitting: PostgresTypeFitting) -> [String] {
        archive.plan.target.tables.sorted { $0.key < $1.key }.flatMap { name, table -> [String] in
            table.treatment == .create && !table.isLoaded
                ? fitting.problems(of: table.load, named: name) : []
        }
    }

    /// Those that somebody has made, of the columns that rows are loaded into.
    private var typesOfColumns: Set<TableName> {
        let tables = archive.plan.target.tables.values.filter { !$0.isLoaded }
        return Set(
            tables.flatMap(\.load.types).compactMap { PostgresTypeDefinitions.name(in: $0) })
    }

    /// Those of tables whose rows are in the backup: `format_type` has written their types, too.
    private var storedColumns: [TableName: [PostgresTypeShape.Attribute]] {
        let columns = request.storedTables.filter { !$0.columns.isEmpty }.map { stored in
            (
                stored.load.table,
                stored.columns.map { PostgresTypeShape.Attribute(name: $0.name, type: $0.type) }
            )
        }
        return Dictionary(columns) { first, _ in first }
    }

    /// What makes the types of the backup.
    private var entries: Set<Int> {
        let all = archive.archive.all
        return archive.archive.entries(of: "DOMAIN", among: all)
            .union(archive.archive.entries(of: "TYPE", among: all))
    }

    /// Tables and views that tables and types are made of, as the type of a column or by inheritance.
    private var relationsOfTypes: [PostgresArchive.Entry] {
        let made = archive.archive.entries.filter { entry in
            Self.isType(entry) && Self.kindsMadeOfOthers.contains { entry.isA($0) }
        }
        let parts = Set(made.flatMap(\.dependencies))
        return archive.archive.entries.filter { entry in
            parts.contains(entry.id) && entry.isRelation
                && Self.kindsWithRows.contains { entry.isA($0) }
        }
    }

    /// Tables that are made, and may have columns of others or be of a type.
    private var madeOfOthers: [PostgresArchive.Entry] {
        let ids = Set(archive.archive.entries.filter(Self.isType).map(\.id))
        return archive.archive.entries.filter { entry in
            entry.isTable && archive.plan.chosen.contains(entry.id)
                && !ids.isDisjoint(with: entry.dependencies)
        }
    }

    /// The types among some entries, as an archive lists them.
    private func names(of ids: Set<Int>) -> Set<TableName> {
        let names = PostgresArchiveNames(archive.archive, request)
        let types = archive.archive.entries.filter { ids.contains($0.id) && Self.isType($0) }
        return Set(types.map(names.table))
    }

    /// Attachments of parts have words that begin like those of tables.
    private static func isType(_ entry: PostgresArchive.Entry) -> Bool {
        entry.isRelation
            ? kindsWithRows.contains { entry.isA($0) } : entry.isA("TYPE") || entry.isA("DOMAIN")
    }

    private static let kindsWithRows = ["TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW"]
    private static let kindsMadeOfOthers = ["TABLE", "FOREIGN TABLE", "TYPE", "DOMAIN"]

    // MARK: The order of columns

    /// Tells of values that are read in another order than that in which they were written.
    ///
    /// - Throws: `BackupError.targetUnsuitable` where a table would be dropped that has them in order.
    private func tellOrders(
        _ fitting: PostgresTypeFitting, _ found: [TableName: PostgresTypeShape]
    ) throws {
        let turned = fitting.definitions.rows.compactMap { row in
            fitting.turned(row.name).map { (name: row.name, order: $0) }
        }
        guard !turned.isEmpty else { return }
        let dropped = names(of: archive.plan.drops)
        let columns = columnsByType(fitting.definitions)
        for (name, order) in turned {
            guard let holders = columns[name] else { continue }
            let words =
                "columns of \(name) in the order (\(order.were.joined(separator: ", "))): the server puts those "
                + "first that it inherits, (\(order.are.joined(separator: ", "))), and reads values of "
                + "\(PostgresTargetPlanner.list(holders)) in this order"
            if dropped.contains(PostgresPresence.asInList(name)),
                fitting.isAsItWas(name, in: found)
            {
                throw BackupError(
                    .targetUnsuitable, "cannot be made as it was once it is dropped: \(words)",
                    hint: "Leave out --clean: --existing truncate replaces the rows, and keeps the "
                        + "tables as they are.")
            }
            request.notes("warning: cannot be made as it was: \(words)")
            request.unmade(words)
        }
    }

    /// Those that are restored and hold values, by the types that these are and are made of; nobody knows of one whether all
    /// are NULL.
    private func columnsByType(
        _ definitions: PostgresTypeDefinitions
    ) -> [TableName: [String]] {
        let empty = Set(request.storedTables.filter { $0.rowCount == 0 }.map(\.load.table))
        let tables = archive.plan.target.tables.filter { !empty.contains($0.key) }
            .sorted { $0.key < $1.key }
        var columns: [TableName: [String]] = [:]
        for load in tables.map(\.value.load) {
            for (column, type) in zip(load.columns, load.types) {
                guard let used = PostgresTypeDefinitions.name(in: type) else { continue }
                for part in definitions.withParts([used]) {
                    columns[part, default: []].append("\(column) of \(load.table)")
                }
            }
        }
        return columns
    }
}
