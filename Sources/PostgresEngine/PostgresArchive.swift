import BackupCore

/// The table of contents of pg_dump's custom format, as `pg_restore --list --verbose` prints it.
struct PostgresArchive: Sendable {
    /// One entry.
    struct Entry: Sendable {
        let id: Int
        /// The oids of the catalog and of the object in the source; `0` where there is none.
        let catalog: String
        let object: String
        /// Kind, schema, name and owner, as printed.
        let words: String
        var dependencies: [Int] = []

        /// Whether it is of a kind: `FK CONSTRAINT`.
        func isA(_ kind: String) -> Bool { words.startsExactly(with: kind + " ") }
    }

    let entries: [Entry]
    private let byID: [Int: Entry]

    init(list: String) {
        var entries: [Entry] = []
        // By bytes: names may hold every character that ends a line for anything but pg_restore.
        for bytes in list.utf8.split(separator: UInt8(ascii: "\n")) {
            let line = Substring(bytes)
            if line.utf8.starts(with: Self.dependencyMark.utf8) {
                let ids = line.utf8.dropFirst(Self.dependencyMark.utf8.count)
                let dependencies = Self.words(ids).compactMap { Int($0) }
                if !entries.isEmpty { entries[entries.count - 1].dependencies = dependencies }
            } else if let entry = Self.entry(line) {
                entries.append(entry)
            }
        }
        self.entries = entries
        byID = Dictionary(entries.map { ($0.id, $0) }) { first, _ in first }
    }

    private static let dependencyMark = ";\tdepends on: "

    /// Reads `2438; 2606 16407 FK CONSTRAINT public u u_t_fkey postgres`.
    private static func entry(_ line: Substring) -> Entry? {
        let parts = words(line.utf8, atMost: 4)
        guard parts.count == 4, parts[0].utf8.last == UInt8(ascii: ";"),
            let id = Int(parts[0].utf8.dropLast().map { String(UnicodeScalar($0)) }.joined())
        else { return nil }
        return Entry(id: id, catalog: parts[1], object: parts[2], words: parts[3])
    }

    private static func words(_ line: Substring.UTF8View, atMost count: Int = .max) -> [String] {
        line.split(separator: UInt8(ascii: " "), maxSplits: count - 1).map { String(Substring($0)) }
    }

    /// A list for `pg_restore --use-list` of these entries, in the archive's order.
    func list(of ids: Set<Int>) -> String {
        entries.filter { ids.contains($0.id) }.map { "\($0.id); \($0.catalog) \($0.object)\n" }
            .joined()
    }

    /// All entries' numbers.
    var all: Set<Int> { Set(entries.map(\.id)) }

    // MARK: Selections

    /// Entries of the given kinds, and whatever rests on them (their comments, for example).
    func entries(ofKinds kinds: [String], among ids: Set<Int>) -> Set<Int> {
        let roots = entries.filter { entry in
            ids.contains(entry.id) && kinds.contains { entry.isA($0) }
        }
        return dependents(of: Set(roots.map(\.id)), among: ids)
    }

    /// Indexes and constraints that may be made side by side, before everything else that follows rows.
    ///
    /// Triggers and rules are not among them: archives of some versions do not say which of them
    /// need each other, only their order does. Neither is what needs something that itself needs an
    /// index: a view grouped by a primary key, for example.
    func independent(among ids: Set<Int>) -> Set<Int> {
        let kinds = ["INDEX", "INDEX ATTACH", "CONSTRAINT", "FK CONSTRAINT", "STATISTICS"]
        let candidates = Set(
            entries.filter { entry in
                ids.contains(entry.id) && kinds.contains { entry.isA($0) }
            }.map(\.id))
        let late = dependents(of: candidates, among: ids).filter { id in
            !candidates.contains(id) && !(byID[id].map { $0.isA("COMMENT") } ?? false)
        }
        return candidates.subtracting(dependents(of: Set(late), among: ids))
    }

    /// What makes some tables again: them, what belongs to them, and what all that needs.
    ///
    /// A foreign key belongs to its table only when the table that it points to is there as well.
    func entries(making tables: Set<String>) -> Set<Int> {
        let isTable = Set(
            entries.filter { $0.catalog == Self.relations && tables.contains($0.object) }.map(\.id))
        // What belongs to the tables, and to what belongs to them: comments, attached indexes.
        let owned = Set(
            entries.filter { entry in Self.kindsOwnedByTables.contains { entry.isA($0) } }.map(\.id)
        )
        let wanted = dependents(of: isTable, among: owned)
        let optional = entries.filter { entry in
            wanted.contains(entry.id) && Self.kindsPointingElsewhere.contains { entry.isA($0) }
        }
        let certain = requirements(of: wanted.subtracting(optional.map(\.id)))
        let possible = optional.filter { entry in
            entry.dependencies.allSatisfy { certain.contains($0) }
        }
        let settings = entries.filter { entry in
            ["ENCODING", "STDSTRINGS", "SEARCHPATH"].contains {
                entry.isA($0) || entry.isA("- \($0)")
            }
        }
        let chosen = certain.union(possible.map(\.id)).union(settings.map(\.id))
        // Grants and comments of everything that came along.
        let decorations = entries(ofKinds: ["ACL", "COMMENT", "SECURITY LABEL"], among: all).filter
        {
            byID[$0]?.dependencies.allSatisfy(chosen.contains) ?? false
        }
        return chosen.union(decorations)
    }

    /// The foreign keys of some tables that `entries(making:)` leaves out: what they point to is not
    /// among the tables.
    func foreignKeysLeftOut(making tables: Set<String>) -> [String] {
        let chosen = entries(making: tables)
        let isTable = Set(
            entries.filter { $0.catalog == Self.relations && tables.contains($0.object) }.map(\.id))
        return entries.filter { entry in
            entry.isA("FK CONSTRAINT") && !chosen.contains(entry.id)
                && entry.dependencies.first.map(isTable.contains) ?? false
        }.map(\.words)
    }

    /// The oid of `pg_class`.
    private static let relations = "1259"

    private static let kindsOwnedByTables = [
        "DEFAULT", "CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT", "INDEX", "INDEX ATTACH",
        "TABLE ATTACH", "TRIGGER", "RULE", "POLICY", "ROW SECURITY", "STATISTICS",
        "SEQUENCE OWNED BY", "SEQUENCE", "COMMENT", "ACL", "SECURITY LABEL",
    ]

    private static let kindsPointingElsewhere = ["FK CONSTRAINT", "TABLE ATTACH", "INDEX ATTACH"]

    private func requirements(of ids: Set<Int>) -> Set<Int> {
        var required = ids
        var open = Array(ids)
        while let id = open.popLast() {
            for dependency in byID[id]?.dependencies ?? []
            where byID[dependency] != nil && required.insert(dependency).inserted {
                open.append(dependency)
            }
        }
        return required
    }

    private func dependents(of ids: Set<Int>, among candidates: Set<Int>) -> Set<Int> {
        var found = ids
        var grew = true
        while grew {
            let next = entries.filter { entry in
                candidates.contains(entry.id) && !found.contains(entry.id)
                    && !found.isDisjoint(with: entry.dependencies)
            }
            grew = !next.isEmpty
            found.formUnion(next.map(\.id))
        }
        return found
    }
}
