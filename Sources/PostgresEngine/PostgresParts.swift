import BackupCore

/// The partitions of a database, and what they are parts of.
struct PostgresParts: Sendable {
    private let parts: [TableName: [TableName]]
    private let all: Set<TableName>

    /// Those that hold rows of their own, or have such parts.
    init(_ presence: PostgresPresence) {
        var parts: [TableName: [TableName]] = [:]
        for (name, relation) in presence.relations where relation.isTable {
            if let whole = relation.parent { parts[whole, default: []].append(name) }
        }
        self.parts = parts
        all = Set(parts.values.joined())
    }

    /// Whether a table is known as a part.
    func contains(_ table: TableName) -> Bool { all.contains(table) }

    /// The wholes that consist of some tables alone: whatever else became a part of one of them would go unnoticed.
    func wholes(of tables: [TableName]) -> [TableName] {
        let named = Set(tables)
        func consists(_ table: TableName) -> Bool {
            named.contains(table) || parts[table]?.allSatisfy(consists) ?? false
        }
        return parts.keys.filter(consists).sorted()
    }
}

extension TargetRequest {
    /// Whether rows that are there already would be in the way.
    var mustBeEmpty: Bool { (existing ?? .fail) == .fail }
}
