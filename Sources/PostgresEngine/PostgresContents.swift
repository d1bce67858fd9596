import BackupCore

/// What is in scope, described under the locks: tables, how to read their rows, views to compute.
struct PostgresContents {
    var schema = Schema()
    private(set) var rows: [TableName: PostgresRows] = [:]
    /// What the meaning of rows depends on.
    private(set) var meaning = PostgresMeaning()

    init(
        _ scope: PostgresScope, isWhole: Bool, facts: PostgresMoment, user: String,
        on connection: PostgresConnection
    ) async throws {
        try await addTables(scope, facts, PostgresCatalog(connection: connection))
        guard isWhole else { return }
        schema.materializedViews = try await Self.materializedViews(on: connection)
        for (table, rows) in try await PostgresLargeObjects.tables(connection, user: user) {
            schema.tables.append(table)
            self.rows[table.name] = rows
        }
    }

    private mutating func addTables(
        _ scope: PostgresScope, _ facts: PostgresMoment, _ catalog: PostgresCatalog
    ) async throws {
        let oids = scope.stored.map(\.oid)
        let columns = try await catalog.columns(of: oids)
        let keys = try await catalog.keys(of: oids)
        let sizes = try await catalog.sizes(of: oids)
        let digests = try await catalog.textDigests(of: oids)
        let holdingNames = try await catalog.holdingNames(among: oids)
        let ancestors = try await catalog.ancestors()
        // The rows of smaller tables are read at once.
        let times = try await catalog.indexedTimes(
            of: oids.filter { sizes[$0].map(\.total) ?? 0 >= Self.largeBytes })
        let roots = Self.completeRoots(ancestors, among: Set(scope.inScope.map(\.oid)))
        meaning = try await catalog.meaning(of: oids)
        for relation in scope.stored {
            let size = sizes[relation.oid] ?? (0, 0)
            var table = Table(
                name: relation.name, columns: columns[relation.oid] ?? [],
                key: keys[relation.oid] ?? [],
                identity: TableIdentity(
                    object: relation.oid, storage: relation.fileNode,
                    textDigest: digests[relation.oid] ?? ""),
                // Rows may belong to another partition on another machine; the root knows to which.
                loadsThrough: ancestors[relation.oid]?
                    .last { $0.mayMove && roots.contains($0.table) }?.table,
                filter: relation.extensionFilter, estimatedBytes: size.total)
            if let columns = times[relation.oid] {
                table.latest = try await catalog.latest(of: columns, in: table.name)
            }
            let selected = PostgresRows(
                relation, columns: table.storedColumns.map(\.name), sizes: size,
                blockBytes: facts.blockBytes, holdsNames: holdingNames.contains(relation.oid))
            table.split = selected.split
            schema.tables.append(table)
            rows[table.name] = selected
        }
    }

    private static let largeBytes = 16 << 20

    /// The partitioned tables all of whose partitions are in scope: only these have a place for every
    /// row that they are given.
    private static func completeRoots(
        _ ancestors: [String: [(table: TableName, mayMove: Bool)]], among inScope: Set<String>
    ) -> Set<TableName> {
        let all = ancestors.values.joined().map(\.table)
        let incomplete = ancestors.filter { !inScope.contains($0.key) }.values.joined().map(\.table)
        return Set(all).subtracting(incomplete)
    }

    private static func materializedViews(
        on connection: PostgresConnection
    ) async throws -> [MaterializedView] {
        try await connection.rows(
            """
            SELECT n.nspname, c.relname, c.relispopulated
            FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'm' AND n.nspname !~ '^pg_'
              AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                              WHERE d.classid = 'pg_catalog.pg_class'::regclass
                                AND d.objid = c.oid AND d.deptype = 'e')
            ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
            """
        ).map {
            MaterializedView(schema: $0[0] ?? "", name: $0[1] ?? "", isPopulated: $0[2] == "t")
        }
    }
}
