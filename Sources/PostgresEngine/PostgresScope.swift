import BackupCore

/// Which of a database's tables a request means.
struct PostgresScope: Sendable {
    /// The schema of names without one.
    static let defaultSchema = "public"

    /// To read and store.
    private(set) var stored: [PostgresCatalog.Relation] = []
    /// In scope, structure only.
    private(set) var excluded: [TableName] = []
    /// In scope and unreadable.
    private(set) var unreadable: [PostgresCatalog.Relation] = []
    /// Everything whose definition belongs to the backup, partitioned tables included.
    private(set) var inScope: [PostgresCatalog.Relation] = []
    /// Not readable and not in scope: pg_dump must not touch it.
    private(set) var untouchable: [PostgresCatalog.Relation] = []

    /// - Throws: `BackupError.usage` for a pattern that means nothing.
    init(
        _ request: SnapshotRequest, relations: [PostgresCatalog.Relation],
        ancestors: [String: [(table: TableName, mayMove: Bool)]], isStandby: Bool
    ) throws {
        let known = Self.known(request, relations)
        let wanted = try Self.matches(known.scope, relations, ancestors)
        let excludedNames = try Self.matches(patterns: known.excluded, relations, ancestors)
        for relation in relations {
            guard wanted.contains(relation.name) else {
                if !relation.isReadable { untouchable.append(relation) }
                continue
            }
            guard relation.isReadable else {
                unreadable.append(relation)
                continue
            }
            inScope.append(relation)
            guard !relation.isPartitioned else { continue }
            // A standby has no rows of unlogged tables, and refuses to read them.
            let isAbsent = isStandby && relation.isUnlogged
            if isAbsent || excludedNames.contains(relation.name) {
                excluded.append(relation.name)
            } else {
                stored.append(relation)
            }
        }
    }

    /// Without the patterns that mean nothing, where that is no mistake.
    private static func known(
        _ request: SnapshotRequest, _ relations: [PostgresCatalog.Relation]
    ) -> (scope: Scope, excluded: [TablePattern]) {
        guard request.allowsMissing else { return (request.scope, request.excluded) }
        func known(_ patterns: [TablePattern]) -> [TablePattern] {
            patterns.filter { pattern in
                relations.contains { pattern.matches($0.name, defaultSchema: defaultSchema) }
            }
        }
        return (
            request.scope.patterns.map { .tables(known($0)) } ?? .database, known(request.excluded)
        )
    }

    private static func matches(
        _ scope: Scope, _ relations: [PostgresCatalog.Relation],
        _ ancestors: [String: [(table: TableName, mayMove: Bool)]]
    ) throws -> Set<TableName> {
        switch scope {
        case .database: Set(relations.map(\.name))
        case .tables(let patterns): try matches(patterns: patterns, relations, ancestors)
        }
    }

    /// A partitioned table means its partitions too.
    private static func matches(
        patterns: [TablePattern], _ relations: [PostgresCatalog.Relation],
        _ ancestors: [String: [(table: TableName, mayMove: Bool)]]
    ) throws -> Set<TableName> {
        var matched: Set<TableName> = []
        for pattern in patterns {
            let direct = relations.map(\.name)
                .filter { pattern.matches($0, defaultSchema: defaultSchema) }
            guard !direct.isEmpty else { throw unknown(pattern, relations) }
            matched.formUnion(direct)
        }
        let partitions = relations.filter { relation in
            (ancestors[relation.oid] ?? []).contains { matched.contains($0.table) }
        }
        return matched.union(partitions.map(\.name))
    }

    private static func unknown(
        _ pattern: TablePattern, _ relations: [PostgresCatalog.Relation]
    ) -> BackupError {
        BackupError(
            .usage, "no table is called \(pattern.text)",
            hint: Nearest.hint(
                to: pattern, among: relations.map(\.name), defaultSchema: defaultSchema)
                ?? "Names are as stored; tables outside schema \(defaultSchema) need schema.table.")
    }
}
