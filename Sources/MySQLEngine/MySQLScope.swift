import BackupCore

/// Which of a database's tables a request means.
struct MySQLScope: Sendable {
    /// To read and store.
    private(set) var stored: [MySQLCatalog.Relation] = []
    /// In scope, structure only.
    private(set) var excluded: [TableName] = []
    /// In scope, and made of rows that are elsewhere.
    private(set) var windows: [MySQLCatalog.Relation] = []
    /// In scope, and left out because the account may not read them, or nobody can: tables, and views that show such.
    private(set) var unreadable: [TableName] = []
    /// Not in scope, but tables may count by them.
    private(set) var otherSequences: [MySQLCatalog.Relation] = []
    /// Everything whose definition belongs to the backup.
    private(set) var inScope: [MySQLCatalog.Relation] = []
    /// Whether the whole database was asked for.
    private let isWhole: Bool

    /// - Throws: `BackupError.usage` for a pattern that means nothing.
    init(_ request: SnapshotRequest, _ relations: [MySQLCatalog.Relation], database: String) throws
    {
        let tables = relations.filter { $0.kind == .table }.map(\.name)
        func matches(_ patterns: [TablePattern]) throws -> Set<TableName> {
            var matched: Set<TableName> = []
            for pattern in patterns {
                let found = tables.filter { pattern.matches($0, defaultSchema: database) }
                guard !found.isEmpty || request.allowsMissing else {
                    throw BackupError(
                        .usage, "no table is called \(pattern.text)",
                        hint: Nearest.hint(to: pattern, among: tables, defaultSchema: database)
                            ?? "Names are as stored.")
                }
                matched.formUnion(found)
            }
            return matched
        }
        let wanted = try request.scope.patterns.map(matches) ?? Set(relations.map(\.name))
        let left = try matches(request.excluded)
        isWhole = request.scope == .database
        otherSequences = relations.filter { $0.kind == .sequence && !wanted.contains($0.name) }
        for relation in relations where wanted.contains(relation.name) {
            inScope.append(relation)
            guard relation.kind == .table else { continue }
            guard !relation.isElsewhere else {
                windows.append(relation)
                continue
            }
            if left.contains(relation.name) {
                excluded.append(relation.name)
            } else {
                stored.append(relation)
            }
        }
    }

    /// The names of the stored tables where there are others besides; nil where they are all that there are.
    var namesOfStored: [String]? {
        isWhole && excluded.isEmpty && unreadable.isEmpty ? nil : stored.map(\.name.name)
    }

    /// Whether it has the same tables as before, and none of those that have snapshots was made anew.
    ///
    /// Two that are alike may have exchanged their names. Of other engines the time says nothing: ARCHIVE gives that of
    /// the last write, and what they hold is read as it is now.
    func isUnchanged(since before: MySQLScope) -> Bool {
        func made(_ scope: MySQLScope) -> [String] {
            scope.stored.filter(\.isTransactional).map(\.created)
        }
        return inScope.map(\.name) == before.inScope.map(\.name) && made(self) == made(before)
    }

    /// Leaves tables out, rows and structure, and views.
    mutating func leaveOut(_ tables: [TableName]) {
        unreadable += tables
        let left = Set(tables)
        stored.removeAll { left.contains($0.name) }
        windows.removeAll { left.contains($0.name) }
        excluded.removeAll { left.contains($0) }
        inScope.removeAll { left.contains($0.name) }
    }
}
