import BackupCore

/// `CHECK` and `NOT NULL` constraints that have let rows be which were there before (`NOT VALID`).
///
/// Such rows of a backup go back where they were only while the constraint is away.
struct PostgresLenientConstraints {
    /// Those that go meanwhile, each once, wholes before their parts.
    private let constraints: [Constraint]

    /// One of a table, or what the table has of another one's.
    private struct Constraint {
        let object: String
        let table: TableName
        let name: String
        let definition: String
        let comment: String?
        /// Whether it is the table's own, so that it does not go with another one's.
        let isLocal: Bool
        let isValid: Bool
        /// How many tables it has come through.
        let depth: Int
        let mayGo: Bool
        /// Whether whatever gives it to its table has it under this name.
        ///
        /// `NOT NULL` of a part that had it before it was attached has another one, and so has one that comes from several parents
        /// which name it differently.
        let isNamedAsAbove: Bool

        func isAsStrict(as other: Constraint) -> Bool {
            strictness.isExactly(other.strictness)
        }

        private var strictness: String { definition.replacing(" NOT VALID", with: "") }
    }

    /// Those of tables whose rows change.
    ///
    /// One that other tables have as well, or that is not the role's, stays where it is.
    init(of tables: [TableName], on connection: PostgresConnection) async throws {
        guard !tables.isEmpty else {
            constraints = []
            return
        }
        let rows = try await connection.rows(Self.query, [SQLText.array(tables)])
        let trees = Dictionary(grouping: rows) { $0[0] ?? "" }
            .mapValues { $0.map(Self.constraint) }
        let going = Self.going(among: Array(trees.values))
        let each = Dictionary(going.joined().map { ($0.object, $0) }) {
            $0.depth < $1.depth ? $1 : $0
        }
        constraints = each.values.sorted {
            ($0.depth, $0.table, $0.name) < ($1.depth, $1.table, $1.name)
        }
    }

    /// Whatever inherits from one that stays cannot go either.
    private static func going(among trees: [[Constraint]]) -> [[Constraint]] {
        var going = trees
        var staying: Set<String> = []
        while true {
            let more = going.filter { tree in
                isMixed(tree) || tree.contains { !$0.mayGo || staying.contains($0.object) }
            }
            guard !more.isEmpty else { return going }
            staying.formUnion(more.joined().map(\.object))
            going.removeAll { tree in tree.contains { staying.contains($0.object) } }
        }
    }

    /// Whether what a part has of its whole would come back as another one: as strict as that.
    private static func isMixed(_ tree: [Constraint]) -> Bool {
        guard let root = tree.min(by: { $0.depth < $1.depth }) else { return false }
        return tree.contains { !$0.isLocal && !$0.isAsStrict(as: root) }
    }

    /// The tables that are changed for that.
    var tables: Set<TableName> { Set(constraints.map(\.table)) }

    /// Takes them away, and with them what parts have of their whole's.
    var suspending: [String] {
        constraints.filter(\.isLocal).map { constraint in
            "\(Self.alteration(of: constraint)) "
                + "DROP CONSTRAINT \(SQLText.identifier(constraint.name))"
        }
    }

    /// Makes them again: of parts before those of their wholes, which take what is there for their own.
    ///
    /// What is made for its name is the part's own then besides.
    var resuming: [String] {
        let made = constraints.reversed().filter { $0.isLocal || !$0.isNamedAsAbove }
        let making = made.map { constraint in
            "\(Self.alteration(of: constraint)) "
                + "ADD CONSTRAINT \(SQLText.identifier(constraint.name)) \(constraint.definition)"
        }
        // All rows of a part may have been looked at, though not those of its whole.
        let proving = constraints.filter { $0.isValid && !$0.isLocal }.map { constraint in
            "\(Self.alteration(of: constraint)) "
                + "VALIDATE CONSTRAINT \(SQLText.identifier(constraint.name))"
        }
        let commenting = constraints.compactMap { constraint in
            constraint.comment.map { comment in
                "COMMENT ON CONSTRAINT \(SQLText.identifier(constraint.name)) "
                    + "ON \(SQLText.qualified(constraint.table)) IS \(SQLText.literal(comment))"
            }
        }
        return making + proving + commenting
    }

    /// Makes them valid, each by looking at all rows.
    var validating: [String] {
        constraints.filter(\.isLocal).map { constraint in
            "\(Self.alteration(of: constraint)) "
                + "VALIDATE CONSTRAINT \(SQLText.identifier(constraint.name))"
        }
    }

    private static func alteration(of constraint: Constraint) -> String {
        "ALTER TABLE \(SQLText.qualified(constraint.table))"
    }

    // MARK: What is there

    private static func constraint(_ row: [String?]) -> Constraint {
        Constraint(
            object: row[1] ?? "", table: TableName(schema: row[2] ?? "", name: row[3] ?? ""),
            name: row[4] ?? "", definition: row[5] ?? "", comment: row[6], isLocal: row[7] == "t",
            isValid: row[8] == "t", depth: Int(row[9] ?? "") ?? 0, mayGo: row[10] == "t",
            isNamedAsAbove: row[11] == "t")
    }

    /// Constraints of parts are those of their whole by their names, those of columns by these; a condition may follow.
    static let named = """
        SELECT c.oid, c.conrelid, c.contype, c.conname, c.convalidated, c.connoinherit, c.conislocal,
               CASE c.contype WHEN 'n' THEN a.attname ELSE c.conname END AS name
        FROM pg_catalog.pg_constraint c
        LEFT JOIN pg_catalog.pg_attribute a
          ON c.contype = 'n' AND a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE c.contype IN ('c', 'n')
        """

    /// What a new table has as valid ones from tables that it inherits from alone, what these have, and of which column it is
    /// where it says that this one is not NULL.
    ///
    /// One that is its own as well was made with it, as the backup has it: its rows keep to that.
    static let inheritedAsValid = """
        WITH constraints AS (
          \(named)
            AND (c.conrelid = $1::regclass OR c.conrelid IN (
              SELECT inhparent FROM pg_catalog.pg_inherits WHERE inhrelid = $1::regclass)))
        SELECT own.conname, pg_catalog.min(pg_catalog.pg_get_constraintdef(other.oid)),
               CASE own.contype WHEN 'n' THEN own.name END
        FROM constraints own
        JOIN constraints other ON other.contype = own.contype AND other.name = own.name
        WHERE own.conrelid = $1::regclass AND NOT own.conislocal
          AND other.conrelid <> own.conrelid AND NOT other.connoinherit
        GROUP BY own.conname, own.contype, own.name
        HAVING pg_catalog.bool_and(
          NOT other.convalidated AND pg_catalog.pg_get_constraintdef(other.oid) LIKE '% NOT VALID')
        ORDER BY own.conname
        """

    /// Those of some tables, with all that have them from each other.
    ///
    /// First whatever is tied to those that are looked for, then each with all that has it from there; `OFFSET 0` has the
    /// server go by tables, of which there may be thousands, and not by names. Wholes have no rows. Keys, and what tells rows
    /// apart for replication, rest on columns that are not NULL, and so do columns that count.
    private static let query = """
        WITH RECURSIVE changed(oid) AS MATERIALIZED (
          SELECT DISTINCT pg_catalog.unnest($1::regclass[]::oid[])),
        named AS MATERIALIZED (\(named) AND c.conrelid <> 0),
        inherited(whole, part, is_alike) AS MATERIALIZED (
          SELECT whole.oid, part.oid, whole.conname = part.conname
          FROM (SELECT i.inhrelid, w.* FROM pg_catalog.pg_inherits i
                JOIN named w ON w.conrelid = i.inhparent OFFSET 0) whole
          JOIN named part ON part.conrelid = whole.inhrelid
          WHERE part.contype = whole.contype AND part.name = whole.name
            AND NOT whole.connoinherit AND NOT part.connoinherit),
        ties(one, other) AS MATERIALIZED (
          SELECT whole, part FROM inherited UNION ALL SELECT part, whole FROM inherited),
        found(oid) AS (
          SELECT c.oid FROM changed t JOIN pg_catalog.pg_constraint c ON c.conrelid = t.oid
          WHERE c.contype IN ('c', 'n') AND NOT c.convalidated
            AND pg_catalog.pg_get_constraintdef(c.oid) LIKE '% NOT VALID'
          UNION
          SELECT t.other FROM found f JOIN ties t ON t.one = f.oid),
        paths(root, oid, depth) AS (
          SELECT f.oid, f.oid, 0 FROM found f JOIN pg_catalog.pg_constraint c ON c.oid = f.oid
          WHERE c.coninhcount = 0
          UNION
          SELECT p.root, i.part, p.depth + 1 FROM paths p JOIN inherited i ON i.whole = p.oid),
        trees AS (SELECT root, oid, pg_catalog.max(depth) AS depth FROM paths GROUP BY root, oid),
        names AS (SELECT part, pg_catalog.bool_and(is_alike) AS are_alike FROM inherited GROUP BY part)
        SELECT t.root, c.oid, n.nspname, r.relname, c.conname,
               pg_catalog.pg_get_constraintdef(c.oid),
               d.description, c.conislocal, c.convalidated,
               t.depth,
               (r.relkind = 'p' OR r.oid IN (SELECT oid FROM changed))
                 AND \(PostgresTableLocks.isPermitted("r", in: "n"))
                 AND pg_catalog.pg_has_role(r.relowner, 'USAGE')
                 AND NOT (c.contype = 'n' AND (EXISTS (
                   SELECT 1 FROM pg_catalog.pg_index x
                   WHERE x.indrelid = r.oid AND (x.indisreplident OR x.indisprimary)
                     AND c.conkey[1] = ANY (x.indkey))
                   OR EXISTS (
                     SELECT 1 FROM pg_catalog.pg_attribute a
                     WHERE a.attrelid = r.oid AND a.attnum = c.conkey[1] AND a.attidentity <> ''))),
               coalesce(above.are_alike, true)
        FROM trees t
        LEFT JOIN names above ON above.part = t.oid
        JOIN pg_catalog.pg_constraint c ON c.oid = t.oid
        JOIN pg_catalog.pg_class r ON r.oid = c.conrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
        LEFT JOIN pg_catalog.pg_description d
          ON d.classoid = 'pg_catalog.pg_constraint'::regclass AND d.objoid = c.oid
        """
}
