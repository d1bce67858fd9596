import BackupCore

/// What has the names in the target that entries of an archive need.
///
/// An index, that of a constraint too, and a sequence share their names with everything in their schema that a table
/// could have the name of, statistics with other statistics: a table that was renamed keeps them. Tables and views share
/// theirs with types besides, and functions with procedures and aggregates of the same arguments: such a name may have
/// come to something of another kind.
struct PostgresNameHolders {
    let archive: PostgresArchive
    let names: PostgresArchiveNames
    let presence: PostgresPresence

    /// Something that has such a name.
    struct Holder: Equatable {
        /// As SQL calls it: `INDEX`.
        let kind: String
        let name: TableName
        /// The table that an index, statistics or a sequence are of, as archives list it.
        let table: TableName?

        /// `index public.uq of public.users_old`.
        var words: String {
            let shown = isRoutine ? "\(name.schema).\(name.name)" : "\(name)"
            return "\(kind.lowercased()) \(shown)" + (table.map { " of \($0)" } ?? "")
        }

        /// The statement that frees the name, but for the other one.
        var renaming: String { "ALTER \(kind) \(qualifiedName) RENAME TO …;" }

        /// A routine is named with its arguments, which are SQL as they are.
        private var qualifiedName: String {
            guard isRoutine, let open = name.name.firstIndex(of: "(") else {
                return SQLText.qualified(name)
            }
            let own = TableName(schema: name.schema, name: String(name.name[..<open]))
            return "\(SQLText.qualified(own))\(name.name[open...])"
        }

        /// Whether it goes when these tables, views and sequences do, whose names types and routines may have, too.
        func goes(with dropped: Set<TableName>) -> Bool {
            if let table { return dropped.contains(table) }
            return !isRoutine && !PostgresNameHolders.types.contains(kind) && dropped.contains(name)
        }

        private var isRoutine: Bool { PostgresNameHolders.routines.contains(kind) }
    }

    private static let types = ["TYPE", "DOMAIN"]
    private static let routines = ["FUNCTION", "PROCEDURE", "AGGREGATE"]

    /// What has the name that an entry needs for what it makes; nil where nothing has, or only the same thing.
    ///
    /// For indexes, sequences and statistics whatever has it, as that may be another table's.
    func holder(of entry: PostgresArchive.Entry) -> Holder? {
        switch entry.kind {
        case "STATISTICS":
            let name = names.table(entry)
            return presence.table(ofStatistics: name).map {
                Holder(kind: "STATISTICS", name: name, table: PostgresPresence.asInList($0))
            }
        case "INDEX", "SEQUENCE": return relation(named: names.table(entry))
        case "CONSTRAINT":
            // Its name is that of the table and its own; that of a domain has no index.
            return names.nameOnTable(entry).flatMap { relation(named: $0.own) }
        case let kind where Self.types.contains(kind) || kind == "SHELL TYPE" || entry.isRelation:
            return presence.holds(entry) ? nil : holder(ofRelationOrType: entry)
        case let kind where Self.routines.contains(kind):
            return presence.holds(entry) ? nil : holder(ofRoutine: entry)
        default: return nil
        }
    }

    /// What of another kind has the name of a table, a view or a type; each of them makes a type.
    private func holder(ofRelationOrType entry: PostgresArchive.Entry) -> Holder? {
        let name = names.table(entry)
        // The type that a shell becomes has an entry of its own, which decides what becomes of one that is there.
        let kind = entry.kind == "SHELL TYPE" ? "TYPE" : entry.kind
        // Of types only those of columns share their names with indexes and sequences, but archives do not tell these.
        let sharesWithAll = entry.isRelation || entry.kind == "TYPE"
        if let holder = relation(named: name), holder.kind != kind,
            sharesWithAll || !["INDEX", "SEQUENCE"].contains(holder.kind)
        {
            return holder
        }
        return Self.types.first { $0 != kind && presence.holds($0, listedAs: name) }
            .map { Holder(kind: $0, name: name, table: nil) }
    }

    /// What of another kind has the name and the arguments of a function, a procedure or an aggregate.
    private func holder(ofRoutine entry: PostgresArchive.Entry) -> Holder? {
        let name = names.table(entry)
        // An aggregate that takes nothing is listed as one of all rows.
        let nothing = ["()", "(*)"].first { end in
            name.name.utf8.reversed().starts(with: end.utf8.reversed())
        }
        let own = String(
            decoding: name.name.utf8.dropLast(nothing?.utf8.count ?? 0), as: UTF8.self)
        return Self.routines.filter { $0 != entry.kind }.map { kind in
            let end = nothing == nil ? "" : kind == "AGGREGATE" ? "(*)" : "()"
            return Holder(
                kind: kind, name: TableName(schema: name.schema, name: own + end), table: nil)
        }.first { presence.holds($0.kind, listedAs: $0.name) }
    }

    /// What has a name that a table could have.
    private func relation(named name: TableName) -> Holder? {
        presence.relation(listedAs: name).map { relation in
            // A partition has its whole there.
            let isOfTable = ["i", "I", "S"].contains(relation.kind)
            return Holder(
                kind: Self.kinds[relation.kind] ?? "TABLE", name: name,
                table: isOfTable ? relation.parent.map { PostgresPresence.asInList($0) } : nil)
        }
    }

    /// Whether what has the name of an entry's index, sequence or statistics is there for another table than the entry's.
    ///
    /// Constraints are listed with their tables: those of others are other ones. A sequence of no table can become that
    /// of one by `OWNED BY`, but not that of an identity column, which makes its own.
    func isOfAnother(_ entry: PostgresArchive.Entry) -> Bool {
        guard ["INDEX", "SEQUENCE", "STATISTICS"].contains(entry.kind),
            let holder = holder(of: entry)
        else { return false }
        let own = tables(of: entry)
        guard !own.isEmpty else { return false }
        guard let table = holder.table else { return isOfIdentity(entry) }
        return !own.contains(table)
    }

    /// Whether a sequence that belongs to a table is that of an identity column: no entry says so of these.
    private func isOfIdentity(_ entry: PostgresArchive.Entry) -> Bool {
        entry.kind == "SEQUENCE"
            && !archive.entries.contains { other in
                other.kind == "SEQUENCE OWNED BY" && other.dependencies.contains(entry.id)
            }
    }

    private static let kinds = [
        "i": "INDEX", "I": "INDEX", "S": "SEQUENCE", "v": "VIEW", "m": "MATERIALIZED VIEW",
        "f": "FOREIGN TABLE", "c": "TYPE",
    ]

    /// A partition's index needs the whole's index, too, and one on an expression may need another table's type.
    private func tables(of entry: PostgresArchive.Entry) -> [TableName] {
        entry.dependencies.compactMap { archive[$0] }.filter { other in
            other.isRelation && other.kind != "INDEX" && other.kind != "SEQUENCE"
        }.map(names.table)
    }
}
