import BackupCore

/// Schemas and names of an archive's entries.
///
/// pg_restore lists `TABLE public users shop` without saying where the schema ends and the owner
/// begins: known schemas tell, and where the owner of an entry is not known, known roles.
struct PostgresArchiveNames {
    private let archive: PostgresArchive
    private let owners: [String]
    private let schemas: [String]

    init(_ archive: PostgresArchive, _ request: TargetRequest) {
        self.archive = archive
        let owners = Self.owners(request)
        self.owners = owners
        let prefix = "SCHEMA - "
        let made = archive.entries.filter { $0.words.startsExactly(with: prefix) }.map { entry in
            Self.withoutOwner(
                String(decoding: entry.words.utf8.dropFirst(prefix.utf8.count), as: UTF8.self),
                of: entry, owners)
        }
        let all = made + request.storedTables.map(\.load.table.schema) + [request.defaultSchema]
        // Each once: every entry is compared with all of them.
        var known: Set<ExactText> = []
        schemas = all.filter { known.insert(ExactText($0)).inserted }
    }

    /// Every role that an entry of unknown owner can end with; the entries of an extension have none.
    static func owners(_ request: TargetRequest) -> [String] {
        request.definition.owners + request.definition.roles + ["pg_database_owner", ""]
    }

    /// The table that an entry makes.
    func table(_ entry: PostgresArchive.Entry) -> TableName {
        let words = Self.withoutOwner(entry.name, of: entry, owners)
        let schema = schemas.filter { words.startsExactly(with: "\($0) ") }
            .max { $0.utf8.count < $1.utf8.count }
        let own = schema ?? String(words.prefix { $0 != " " })
        return TableName(
            schema: own,
            name: String(decoding: words.utf8.dropFirst(own.utf8.count + 1), as: UTF8.self))
    }

    /// Schema and name for people: `public.users`, `users_pkey of public.users`.
    func name(of entry: PostgresArchive.Entry) -> String {
        let words = Self.withoutOwner(entry.name, of: entry, owners)
        guard !words.startsExactly(with: "- ") else { return String(words.dropFirst(2)) }
        let whole = table(entry)
        if entry.isA("PUBLICATION TABLE"),
            let table = archive.table(of: entry).flatMap({ archive[$0] }).map(self.table),
            whole.name.utf8.reversed().starts(with: " \(table.name)".utf8.reversed())
        {
            let own = whole.name.utf8.dropLast(table.name.utf8.count + 1)
            return "\(table) of \(String(decoding: own, as: UTF8.self))"
        }
        guard Self.kindsNamedAfterTables.contains(entry.kind) else {
            return entry.isRelation ? "\(whole)" : "\(whole.schema).\(whole.name)"
        }
        guard let (own, table) = nameOnTable(entry) else { return "\(whole.schema).\(whole.name)" }
        return "\(own.name) of \(table)"
    }

    /// What an entry that is listed by its table's name and its own is called, and that table; nil where none is named.
    func nameOnTable(_ entry: PostgresArchive.Entry) -> (own: TableName, table: TableName)? {
        let whole = table(entry)
        guard let id = archive.table(of: entry), let table = archive[id].map(self.table),
            whole.name.startsExactly(with: "\(table.name) ")
        else { return nil }
        let own = whole.name.utf8.dropFirst(table.name.utf8.count + 1)
        return (
            TableName(schema: whole.schema, name: String(decoding: own, as: UTF8.self)), table
        )
    }

    /// Of an entry with privileges: `what others than its owner granted on table shop.t`.
    func words(ofGrantsOfOthers entry: PostgresArchive.Entry) -> String {
        let thing = entry.dependencies.compactMap { archive[$0] }.first { !$0.isA("ACL") }
        let words = thing.map { "\($0.kind.lowercased()) \(name(of: $0))" } ?? entry.name
        return "what others than its owner granted on \(words)"
    }

    private static let kindsNamedAfterTables = [
        "CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT", "TRIGGER", "RULE", "POLICY", "DEFAULT",
    ]

    private static func withoutOwner(
        _ words: String, of entry: PostgresArchive.Entry, _ owners: [String]
    ) -> String {
        let fitting = (entry.owner.map { [$0] } ?? owners).filter { owner in
            words.utf8.reversed().starts(with: " \(owner)".utf8.reversed())
        }
        guard let owner = fitting.max(by: { $0.utf8.count < $1.utf8.count }) else { return words }
        return String(decoding: words.utf8.dropLast(owner.utf8.count + 1), as: UTF8.self)
    }
}
