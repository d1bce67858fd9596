import BackupCore

/// What types a target has.
extension PostgresTypeCheck {
    /// Those of types, and of the rows of some relations, where they are there.
    func shapes(
        ofRowsOf relations: [PostgresArchive.Entry]
    ) async throws -> [TableName: PostgresTypeShape] {
        guard let connection else { return [:] }
        let names = PostgresArchiveNames(archive.archive, request)
        let relations = PostgresParts.names(of: relations.map(names.table))
        var attributes: [TableName: [PostgresTypeShape.Attribute]] = [:]
        for row in try await connection.rows(Self.attributesQuery, relations) {
            attributes[Self.name(row), default: []].append(
                .init(name: row[2] ?? "", type: row[3] ?? ""))
        }
        var shapes: [TableName: PostgresTypeShape] = [:]
        for row in try await connection.rows(Self.typesQuery, relations) {
            let (name, type) = (Self.name(row), row[3] ?? "")
            switch row[2] ?? "" {
            case "d": shapes[name] = .domain(base: type)
            case "c": shapes[name] = .composite(attributes[name] ?? [])
            default: shapes[name] = .range(subtype: type)
            }
        }
        return shapes
    }

    private static func name(_ row: [String?]) -> TableName {
        TableName(schema: row[0] ?? "", name: row[1] ?? "")
    }

    /// Types are written as pg_dump writes them: those of a range without limits.
    private static let typesQuery = """
        SELECT n.nspname, t.typname, t.typtype,
               CASE t.typtype WHEN 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod)
                 ELSE pg_catalog.format_type(r.rngsubtype, NULL) END
        FROM pg_catalog.pg_type t
        JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
        LEFT JOIN pg_catalog.pg_range r ON t.oid IN (r.rngtypid, r.rngmultitypid)
        WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          AND (t.typtype IN ('d', 'r', 'm') OR \(isMeant))
        """

    private static let attributesQuery = """
        SELECT n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)
        FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
        WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          AND \(isMeant) AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attrelid, a.attnum
        """

    /// Rows of tables are types as well, which hardly any of them is used as.
    private static let isMeant = """
        (c.relkind = 'c' OR c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.oid IN (
          SELECT c.oid FROM \(PostgresParts.named)))
        """
}
