import BackupCore

/// What has the names in the target that indexes, sequences and statistics of an archive need.
///
/// An index, that of a constraint too, and a sequence share their names with everything in their schema that a table
/// could have the name of, statistics with other statistics: a table that was renamed keeps them.
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
            "\(kind.lowercased()) \(name)" + (table.map { " of \($0)" } ?? "")
        }

        /// The statement that frees the name, but for the other one.
        var renaming: String { "ALTER \(kind) \(SQLText.qualified(name)) RENAME TO …;" }

        /// Whether it goes when these tables, views and sequences do.
        func goes(with dropped: Set<TableName>) -> Bool {
            if let table { return dropped.contains(table) }
            return dropped.contains(name)
        }
    }

    /// What has the name of the index, sequence or statistics that an entry makes; nil for entries that make none.
    func holder(of entry: PostgresArchive.Entry) -> Holder? {
        guard let name = name(neededBy: entry) else { return nil }
        guard entry.kind != "STATISTICS" else {
            return presence.table(ofStatistics: name).map {
                Holder(kind: "STATISTICS", name: name, table: PostgresPresence.asInList($0))
            }
        }
        return presence.relation(listedAs: name).map { relation in
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

    private func name(neededBy entry: PostgresArchive.Entry) -> TableName? {
        switch entry.kind {
        case "INDEX", "SEQUENCE", "STATISTICS": return names.table(entry)
        case "CONSTRAINT":
            // Its name is that of the table and its own; that of a domain has no index.
            return names.nameOnTable(entry)?.own
        default: return nil
        }
    }

    /// A partition's index needs the whole's index, too, and one on an expression may need another table's type.
    private func tables(of entry: PostgresArchive.Entry) -> [TableName] {
        entry.dependencies.compactMap { archive[$0] }.filter { other in
            other.isRelation && other.kind != "INDEX" && other.kind != "SEQUENCE"
        }.map(names.table)
    }
}
