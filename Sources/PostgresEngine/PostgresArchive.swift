import BackupCore

/// The table of contents of pg_dump's custom format, as `pg_restore --list --verbose` prints it.
struct PostgresArchive: Sendable {
    private(set) var entries: [Entry]
    private var byID: [Int: Entry]
    /// What partitions are attached to, by their numbers.
    private(set) var wholesOfParts: [Int: Set<Int>] = [:]
    /// Comments on constraints that tables have from other tables alone.
    private(set) var commentsOnInherited: Set<Int> = []

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
        separatePartitions()
    }

    /// A partition is made as a table and attached later: it needs its whole only for that, whatever
    /// the archive says.
    private mutating func separatePartitions() {
        var wholes: [Int: Set<Int>] = [:]
        for attachment in entries where attachment.isA("TABLE ATTACH") {
            guard let part = owner(of: attachment) else { continue }
            wholes[part, default: []].formUnion(attachment.dependencies.filter { $0 != part })
        }
        for index in entries.indices {
            guard let whole = wholes[entries[index].id] else { continue }
            entries[index].dependencies.removeAll(where: whole.contains)
            byID[entries[index].id] = entries[index]
        }
        wholesOfParts = wholes
    }

    /// Adds what archives do not say: that some entries need another one.
    mutating func add(dependency: Int, of ids: Set<Int>) {
        for index in entries.indices where ids.contains(entries[index].id) {
            entries[index].dependencies.append(dependency)
            byID[entries[index].id] = entries[index]
        }
    }

    /// Removes that an entry needs another one.
    mutating func remove(dependency: Int, of id: Int) {
        for index in entries.indices where entries[index].id == id {
            entries[index].dependencies.removeAll { $0 == dependency }
            byID[id] = entries[index]
        }
    }

    /// Adds whom the entries belong to, as a verbose script of all of them says.
    mutating func addOwners(from script: [UInt8]) {
        let owners = PostgresArchiveOwners(script: script)
        for index in entries.indices {
            entries[index].owner = owners.owner(of: entries[index])
            byID[entries[index].id] = entries[index]
        }
    }

    /// Adds what tells entries of one kind and name apart, as a verbose script of all of them says.
    mutating func addSignatures(from script: [UInt8]) {
        let places = entries.indices.filter { index in
            PostgresArchiveSignatures.catalogs.contains(entries[index].catalog)
        }
        let signatures = PostgresArchiveSignatures(
            script: script, of: Set(places.map { entries[$0].id }))
        for index in places {
            entries[index].signature = signatures.signature(of: entries[index]) ?? ""
            byID[entries[index].id] = entries[index]
        }
    }

    /// Adds which tables comments are on whose constraints are no entries, as a verbose script of all of them says.
    ///
    /// What these need is the number of nothing. Owners must be known.
    mutating func addTablesOfComments(from script: [UInt8]) {
        let places = entries.indices.filter { index in
            let entry = entries[index]
            return entry.isA("COMMENT") && !entry.dependencies.isEmpty
                && entry.dependencies.allSatisfy { byID[$0] == nil }
        }
        let comments = PostgresArchiveComments(
            script: script, of: Set(places.map { entries[$0].id }))
        for index in places {
            let id = entries[index].id
            guard let table = comments.table(of: id, among: entries) else { continue }
            commentsOnInherited.insert(id)
            entries[index].dependencies.append(table)
            byID[id] = entries[index]
        }
    }

    /// The roles that entries belong to, but for those that every server has.
    var owners: [String] {
        var seen: Set<ExactText> = []
        return entries.compactMap(\.owner).filter { owner in
            !owner.isEmpty && !owner.startsExactly(with: "pg_")
                && seen.insert(ExactText(owner)).inserted
        }
    }

    /// An entry by its number.
    subscript(id: Int) -> Entry? { byID[id] }

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

    /// Entries of one kind, without what rests on them.
    func entries(of kind: String, among ids: Set<Int>) -> Set<Int> {
        Set(entries.filter { ids.contains($0.id) && $0.isA(kind) }.map(\.id))
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
    /// What points to other tables (a foreign key) belongs to its table only when all that it needs
    /// is among the tables or `present`.
    func entries(
        making tables: Set<String>, present: Set<Int> = [], omitting omitted: [String] = []
    ) -> Set<Int> {
        let selected = self.tables(tables)
        let all = belongings(of: selected)
        let wanted = all.subtracting(entries(ofKinds: omitted, among: all))
        let pointers = entries.filter { wanted.contains($0.id) && Self.pointsElsewhere($0) }
        // What rests on them, as a comment does, must not bring them in by the back door.
        let pointing = dependents(of: Set(pointers.map(\.id)), among: wanted)
        let certain = withOperatorClasses(requirements(of: wanted.subtracting(pointing)))
        let optional = pointers + attachments(ofWholesAbove: selected, among: certain)
        // A foreign key to a partitioned table needs the attachments of its partitions' indexes.
        var possible = certain.union(present)
        var grew = true
        while grew {
            let more = optional.filter { entry in
                !possible.contains(entry.id) && entry.dependencies.allSatisfy(possible.contains)
            }
            possible.formUnion(more.map(\.id))
            grew = !more.isEmpty
        }
        let settings = entries.filter { entry in
            ["ENCODING", "STDSTRINGS", "SEARCHPATH"].contains {
                entry.isA($0) || entry.isA("- \($0)")
            }
        }
        let chosen = certain.union(optional.map(\.id).filter(possible.contains))
            .union(settings.map(\.id))
        // Grants and comments of everything that came along.
        return chosen.union(decorations(of: chosen))
    }

    /// With the operator classes of the types: archives do not say which of them constraints need.
    private func withOperatorClasses(_ required: Set<Int>) -> Set<Int> {
        let types = required.filter { byID[$0].map { $0.catalog == "1247" } ?? false }
        let classes = entries.filter { entry in
            entry.isA("OPERATOR CLASS") && !types.isDisjoint(with: requirements(of: [entry.id]))
        }
        return classes.isEmpty ? required : requirements(of: required.union(classes.map(\.id)))
    }

    /// What points from some tables to others, and their triggers, rules and policies, that `chosen` leaves out.
    func leftOut(making tables: Set<String>, chosen: Set<Int>) -> [Entry] {
        let own = self.tables(tables)
        return entries.filter { entry in
            Self.kindsMissed.contains(entry.kind)
                && !chosen.contains(entry.id) && table(of: entry).map(own.contains) ?? false
        }
    }

    private static let kindsMissed = [
        "FK CONSTRAINT", "TABLE ATTACH", "TRIGGER", "RULE", "PUBLICATION TABLE", "POLICY",
    ]

    /// The tables themselves.
    func tables(_ objects: Set<String>) -> Set<Int> {
        Set(entries.filter { $0.isRelation && objects.contains($0.object) }.map(\.id))
    }

    /// Tables, and what belongs to them alone: defaults, indexes, constraints, triggers, comments.
    ///
    /// A foreign key belongs to the table that has it, an attachment to the partition, a place in a publication to
    /// the table that has it.
    func belongings(of tables: Set<Int>) -> Set<Int> {
        let owned = Set(
            entries.filter { entry in
                Self.kindsOwnedByTables.contains { entry.isA($0) } && !Self.pointsElsewhere(entry)
                    && (!Self.isNamedAfterTable(entry)
                        || table(of: entry).map(tables.contains) ?? false)
                    && !isIndexOfOthers(entry, than: tables)
            }.map(\.id))
        let found = dependents(of: tables, among: owned)
        let pointers = entries.filter { entry in
            Self.pointsElsewhere(entry) && owner(of: entry).map(found.contains) ?? false
        }.map(\.id)
        return found.union(dependents(of: Set(pointers), among: owned).union(pointers))
    }

    /// With the sequences that belong to columns: their defaults come from them.
    func withSequences(_ belongings: Set<Int>) -> Set<Int> {
        let owned = entries.filter { belongings.contains($0.id) && $0.isA("SEQUENCE OWNED BY") }
        let sequences = owned.flatMap(\.dependencies).filter { id in
            byID[id].map { $0.isRelation && $0.isA("SEQUENCE") } ?? false
        }
        return belongings.union(sequences).union(
            decorations(of: belongings.union(sequences)))
    }

    /// The partitions of some partitioned tables, at any depth, themselves included.
    func withPartitions(_ tables: Set<Int>) -> Set<Int> {
        var found = tables
        var grew = true
        while grew {
            let more = entries.filter { entry in
                entry.isA("TABLE ATTACH") && !found.isDisjoint(with: entry.dependencies)
            }.compactMap(owner).filter { !found.contains($0) }
            // A root is among the dependencies of its partitions' attachments, and never the owner.
            found.formUnion(more)
            grew = !more.isEmpty
        }
        return found
    }

    /// Comments, grants and labels of what is chosen.
    func decorations(of chosen: Set<Int>) -> Set<Int> {
        entries(ofKinds: ["ACL", "COMMENT", "SECURITY LABEL"], among: all).filter { id in
            byID[id]?.dependencies.allSatisfy(chosen.contains) ?? false
        }
    }

    private static let kindsOwnedByTables = [
        "DEFAULT", "CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT", "INDEX", "INDEX ATTACH",
        "TABLE ATTACH", "TRIGGER", "RULE", "POLICY", "ROW SECURITY", "STATISTICS",
        "SEQUENCE OWNED BY", "SEQUENCE", "COMMENT", "ACL", "SECURITY LABEL", "PUBLICATION TABLE",
    ]

    /// A rule or policy may mention other tables than its own.
    private static func isNamedAfterTable(_ entry: Entry) -> Bool {
        ["RULE", "POLICY", "TRIGGER"].contains { entry.isA($0) }
    }

    /// A partition's index needs its whole's, and is not the whole's for that.
    private func isIndexOfOthers(_ entry: Entry, than tables: Set<Int>) -> Bool {
        guard entry.isIndexOrKey else { return false }
        let own = entry.dependencies.filter { byID[$0]?.isTable ?? false }
        return !own.isEmpty && tables.isDisjoint(with: own)
    }

    private static func pointsElsewhere(_ entry: Entry) -> Bool {
        ["FK CONSTRAINT", "TABLE ATTACH", "INDEX ATTACH", "PUBLICATION TABLE"]
            .contains { entry.isA($0) }
    }

    // MARK: What belongs to what

    /// The table that an entry with a name like `schema table name` is of.
    func table(of entry: Entry) -> Int? {
        nearest(to: entry, among: entry.dependencies.compactMap { byID[$0] }.filter(\.isRelation))
    }

    /// What has a pointer: the table of a foreign key, the part that is attached to a whole.
    func owner(of entry: Entry) -> Int? {
        let attached = entry.isA("INDEX ATTACH") ? attachedIndex(entry) : nil
        return attached ?? nearest(to: entry, among: entry.dependencies.compactMap { byID[$0] })
    }

    /// The entry whose name has the most words in common with the beginning of another's.
    ///
    /// Archives do not say which of its dependencies a constraint is of.
    private func nearest(to entry: Entry, among candidates: [Entry]) -> Int? {
        let words = entry.name.utf8.split(
            separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        func common(_ other: Entry) -> Int {
            let others = other.name.utf8.split(
                separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            return zip(words, others).prefix { $0.elementsEqual($1) }.count
        }
        return candidates.max { left, right in
            (common(left), right.name.utf8.count) < (common(right), left.name.utf8.count)
        }?.id
    }

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

    /// Some entries, and what rests on them.
    func dependents(of ids: Set<Int>, among candidates: Set<Int>) -> Set<Int> {
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
