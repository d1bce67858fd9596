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

    // MARK: While they change

    /// The rows `c` of `pg_class` that tables have, with their schemas `n`, in the `FROM` of a query with `names(of:)`.
    ///
    /// A role can have a part of a whole in whose schema it may find nothing: a cast to `regclass` is refused there.
    static let named = """
        ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) w(schema, name)
        JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
        JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
        """

    /// Schemas and names, as arrays.
    static func names(of tables: [TableName]) -> [String?] {
        [SQLText.array(tables.map(\.schema)), SQLText.array(tables.map(\.name))]
    }

    /// Rows of a part that came since would stay beside those of the backup.
    func requireKnown(
        around tables: [TableName], in database: String, on connection: PostgresConnection
    ) async throws {
        let rows = try await connection.rows(
            """
            SELECT m.nspname, p.relname FROM \(Self.named)
            JOIN pg_catalog.pg_inherits i ON i.inhparent = c.oid
            JOIN pg_catalog.pg_class p ON p.oid = i.inhrelid
            JOIN pg_catalog.pg_namespace m ON m.oid = p.relnamespace
            WHERE p.relkind IN ('r', 'p')
            ORDER BY 1, 2
            """, Self.names(of: wholes(of: tables)))
        let unknown = rows.map { TableName(schema: $0[0] ?? "", name: $0[1] ?? "") }
            .filter { !contains($0) }
        guard unknown.isEmpty else {
            let list = unknown.map { "\($0)" }.joined(separator: ", ")
            throw BackupError(
                .targetUnsuitable,
                "partitions of \(database) were attached during the restore: \(list)",
                hint: "Nothing of the tables was changed. Run the same restore again.")
        }
    }
}

extension TargetRequest {
    /// Whether rows that are there already would be in the way.
    var mustBeEmpty: Bool { (existing ?? .fail) == .fail }
}
