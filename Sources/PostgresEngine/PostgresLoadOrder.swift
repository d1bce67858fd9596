import BackupCore

/// The order in which tables of extensions are loaded: each after those that its foreign keys name.
enum PostgresLoadOrder {
    /// A foreign key between two tables.
    struct Reference: Sendable {
        let table: TableName
        let to: TableName
    }

    /// The foreign keys of what extensions have made and have rows in backups of.
    static func references(on connection: PostgresConnection) async throws -> [Reference] {
        try await connection.rows(
            """
            SELECT n.nspname, c.relname, m.nspname, r.relname FROM pg_catalog.pg_constraint k
            JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_class r ON r.oid = k.confrelid
            JOIN pg_catalog.pg_namespace m ON m.oid = r.relnamespace
            WHERE k.contype = 'f' AND EXISTS (
              SELECT 1 FROM pg_catalog.pg_extension e WHERE k.conrelid = ANY (e.extconfig))
            """
        ).map { row in
            Reference(
                table: TableName(schema: row[0] ?? "", name: row[1] ?? ""),
                to: TableName(schema: row[2] ?? "", name: row[3] ?? ""))
        }
    }

    /// Each table after those that it refers to; where they refer to each other in a circle, as they come.
    static func of(_ tables: [TableName], _ references: [Reference]) -> [TableName] {
        var rest = tables
        var ordered: [TableName] = []
        while !rest.isEmpty {
            let free = rest.filter { table in
                !references.contains {
                    $0.table == table && $0.to != table && rest.contains($0.to)
                }
            }
            ordered += free.isEmpty ? [rest[0]] : free
            rest.removeAll(where: ordered.contains)
        }
        return ordered
    }
}
