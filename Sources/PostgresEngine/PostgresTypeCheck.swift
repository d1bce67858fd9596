import BackupCore

/// Whether types that a target has, and that are used as they are, keep the values of a backup.
///
/// A column's type is known by its name alone: a domain of that name whose base is narrower rounds what goes into it,
/// without a word.
struct PostgresTypeCheck {
    let request: TargetRequest
    let archive: PostgresArchiveRestore
    let connection: PostgresConnection

    /// - Throws: `BackupError.targetUnsuitable` naming every type that differs too much.
    func run(major: Int) async throws {
        let used = typesOfColumns
        guard request.content != .structure, !used.isEmpty else { return }
        let relations = relationsOfTypes
        let there = try await shapes(ofRowsOf: relations)
        guard !there.isEmpty else { return }
        let entries = entries.union(relations.map(\.id))
        let definitions = PostgresTypeDefinitions(
            try await archive.script(entries, sections: ["pre-data"], major: major),
            stored: storedColumns)
        let all = definitions.withParts(used).sorted()
        let problems = all.flatMap { name -> [String] in
            guard let was = definitions.shapes[name], let shape = there[name] else { return [] }
            return was.problems(in: shape, named: name)
        }
        guard problems.isEmpty else {
            throw BackupError(
                .targetUnsuitable,
                "the rows do not fit: \(problems.joined(separator: "; "))",
                hint: "A type that exists is used as it is: change it, or restore into another "
                    + "database.")
        }
        for name in all where definitions.unknown.contains(name) && there[name] != nil {
            request.notes(
                "warning: type \(name) of \(request.database) is used as it is, and was not "
                    + "compared with that of the backup")
        }
    }

    /// Those that somebody has made, of the columns that rows are loaded into.
    private var typesOfColumns: Set<TableName> {
        let tables = archive.plan.target.tables.values.filter { !$0.isLoaded }
        return Set(
            tables.flatMap(\.load.types).compactMap { PostgresTypeDefinitions.name(in: $0) })
    }

    /// Those of tables whose rows are in the backup: `format_type` has written their types, too.
    private var storedColumns: [TableName: [PostgresTypeShape.Attribute]] {
        let columns = request.storedTables.filter { !$0.columns.isEmpty }.map { stored in
            (
                stored.load.table,
                stored.columns.map { PostgresTypeShape.Attribute(name: $0.name, type: $0.type) }
            )
        }
        return Dictionary(columns) { first, _ in first }
    }

    /// What makes the types of the backup, but for those that are dropped and made again.
    private var entries: Set<Int> {
        let all = archive.archive.all.subtracting(archive.plan.drops)
        return archive.archive.entries(of: "DOMAIN", among: all)
            .union(archive.archive.entries(of: "TYPE", among: all))
    }

    /// Tables and views that tables and types are made of, as the type of a column or by inheritance; but for those that are
    /// dropped and made again.
    private var relationsOfTypes: [PostgresArchive.Entry] {
        let made = archive.archive.entries.filter { entry in
            Self.kindsMadeOfOthers.contains { entry.isA($0) }
        }
        let parts = Set(made.flatMap(\.dependencies)).subtracting(archive.plan.drops)
        return archive.archive.entries.filter { entry in
            parts.contains(entry.id) && entry.isRelation
                && Self.kindsWithRows.contains { entry.isA($0) }
        }
    }

    private static let kindsWithRows = ["TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW"]
    private static let kindsMadeOfOthers = ["TABLE", "FOREIGN TABLE", "TYPE", "DOMAIN"]

    // MARK: What is there

    /// Those of types, and of the rows of some relations, where they are there.
    private func shapes(
        ofRowsOf relations: [PostgresArchive.Entry]
    ) async throws -> [TableName: PostgresTypeShape] {
        let names = PostgresArchiveNames(archive.archive, request)
        let relations = SQLText.array(relations.map(names.table))
        var attributes: [TableName: [PostgresTypeShape.Attribute]] = [:]
        for row in try await connection.rows(Self.attributesQuery, [relations]) {
            attributes[Self.name(row), default: []].append(
                .init(name: row[2] ?? "", type: row[3] ?? ""))
        }
        var shapes: [TableName: PostgresTypeShape] = [:]
        for row in try await connection.rows(Self.typesQuery, [relations]) {
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
          SELECT pg_catalog.to_regclass(used.name) FROM pg_catalog.unnest($1::text[]) used(name)))
        """
}
