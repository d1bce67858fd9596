import BackupCore

/// What the system catalogs say about tables: the queries, and their rows as values.
///
/// Every name is qualified and no user's function is called.
struct PostgresCatalog {
    let connection: PostgresConnection

    /// A table, partitioned table or table of an extension whose rows belong to the backup.
    struct Relation: Sendable {
        let oid: String
        let name: TableName
        let isPartitioned: Bool
        let isUnlogged: Bool
        let fileNode: String
        let isHeap: Bool
        let rowEstimate: Int?
        let mayRead: Bool
        let maySeeSchema: Bool
        let hidesRows: Bool
        /// The condition of an extension's configuration table; nil for ordinary tables.
        let extensionFilter: String?

        var isReadable: Bool { mayRead && maySeeSchema }

        /// What must not change between listing a table and holding its lock.
        var signature: [String] { [oid, name.schema, name.name, fileNode] }
    }

    // MARK: Tables

    /// - SeeAlso: <https://www.postgresql.org/docs/current/extend-extensions.html>,
    ///   "Extension Configuration Tables", for the rows of extensions that a dump must hold.
    func relations() async throws -> [Relation] {
        try await connection.rows(
            """
            SELECT c.oid, n.nspname, c.relname, c.relkind = 'p', c.relpersistence = 'u',
                   c.relfilenode, coalesce(am.amname = 'heap', false),
                   CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint END,
                   pg_catalog.has_table_privilege(c.oid, 'SELECT'),
                   pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
                   pg_catalog.row_security_active(c.oid),
                   e.extcondition[pg_catalog.array_position(e.extconfig, c.oid)]
            FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
            LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::regclass
              AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e'
            LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
            WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
              AND n.nspname NOT IN ('information_schema', '\(PostgresRestoreMark.schema)')
              AND n.nspname !~ '^pg_'
              AND (e.oid IS NULL OR c.oid = ANY (e.extconfig))
            ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
            """
        ).map { row in
            Relation(
                oid: row[0] ?? "", name: TableName(schema: row[1] ?? "", name: row[2] ?? ""),
                isPartitioned: row[3] == "t", isUnlogged: row[4] == "t", fileNode: row[5] ?? "",
                isHeap: row[6] == "t", rowEstimate: row[7].flatMap { Int($0) },
                mayRead: row[8] == "t", maySeeSchema: row[9] == "t",
                hidesRows: row[10] == "t", extensionFilter: row[11])
        }
    }

    /// The bytes of each table's own rows, and with the values that are stored outside of them.
    ///
    /// For locked tables only: the function waits for whoever holds a table exclusively.
    func sizes(of oids: [String]) async throws -> [String: (heap: Int, total: Int)] {
        let rows = try await connection.rows(
            """
            SELECT s.oid, s.own, s.own + coalesce(pg_catalog.pg_relation_size(s.outside), 0)
            FROM (SELECT c.oid, pg_catalog.pg_relation_size(c.oid) AS own,
                         nullif(c.reltoastrelid, 0) AS outside
                  FROM pg_catalog.pg_class c WHERE c.oid = ANY ($1::oid[]) OFFSET 0) s
            """, [Self.array(oids)])
        return Self.dictionary(rows) { (Int($0[1] ?? "") ?? 0, Int($0[2] ?? "") ?? 0) }
    }

    func columns(of oids: [String]) async throws -> [String: [Column]] {
        let rows = try await connection.rows(
            """
            SELECT attrelid, attname, pg_catalog.format_type(atttypid, atttypmod), attnum,
                   attgenerated <> ''
            FROM pg_catalog.pg_attribute
            WHERE attrelid = ANY ($1::oid[]) AND attnum > 0 AND NOT attisdropped
            ORDER BY attrelid, attnum
            """, [Self.array(oids)])
        return Self.groups(rows) { row in
            Column(
                name: row[1] ?? "", type: row[2] ?? "", number: Int(row[3] ?? "") ?? 0,
                isGenerated: row[4] == "t")
        }
    }

    /// The columns that identify a row: the primary key, else the shortest unique index that is
    /// valid, unconditional and on columns that are certainly not null.
    ///
    /// Types whose text may be shared by two values (overloaded functions and operators) do not
    /// identify.
    func keys(of oids: [String]) async throws -> [String: [String]] {
        let rows = try await connection.rows(
            """
            SELECT DISTINCT ON (i.indrelid) i.indrelid, i.indexrelid
            FROM pg_catalog.pg_index i
            WHERE i.indrelid = ANY ($1::oid[]) AND i.indisunique AND i.indisvalid
              AND i.indpred IS NULL AND i.indexprs IS NULL
              AND NOT EXISTS (
                SELECT 1
                FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, position)
                JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                WHERE k.position <= i.indnkeyatts
                  AND (NOT a.attnotnull OR a.attgenerated <> ''
                       OR a.atttypid IN ('regproc'::regtype, 'regoper'::regtype)
                       OR EXISTS (SELECT 1 FROM pg_catalog.pg_constraint n
                                  WHERE n.conrelid = i.indrelid AND n.contype = 'n'
                                    AND a.attnum = ANY (n.conkey) AND NOT n.convalidated)))
            ORDER BY i.indrelid, i.indisprimary DESC, i.indnkeyatts, i.indexrelid
            """, [Self.array(oids)])
        let indexes = Self.dictionary(rows) { $0[1] ?? "" }
        return try await keyColumns(of: indexes)
    }

    private func keyColumns(of indexes: [String: String]) async throws -> [String: [String]] {
        let rows = try await connection.rows(
            """
            SELECT i.indrelid, a.attname
            FROM pg_catalog.pg_index i
            CROSS JOIN LATERAL
              pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, position)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
            WHERE i.indexrelid = ANY ($1::oid[]) AND k.position <= i.indnkeyatts
            ORDER BY i.indrelid, k.position
            """, [Self.array(Array(indexes.values))])
        return Self.groups(rows) { $0[1] ?? "" }
    }

    /// The columns of times that an index can tell the greatest value of at once.
    func indexedTimes(of oids: [String]) async throws -> [String: [String]] {
        let rows = try await connection.rows(
            """
            SELECT DISTINCT i.indrelid, a.attname
            FROM pg_catalog.pg_index i
            JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
            JOIN pg_catalog.pg_am m ON m.oid = c.relam AND m.amname = 'btree'
            JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
            WHERE i.indrelid = ANY ($1::oid[]) AND i.indisvalid AND i.indpred IS NULL
              AND a.atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype)
            """, [Self.array(oids)])
        return Self.groups(rows) { $0[1] ?? "" }
    }

    /// The greatest value of each column of a table; columns without one are left out.
    func latest(of columns: [String], in table: TableName) async throws -> [String: String] {
        let greatest = columns.map {
            "(SELECT pg_catalog.max(\(SQLText.identifier($0)))::text FROM ONLY "
                + "\(SQLText.qualified(table)))"
        }
        let row =
            try await connection.rows("SELECT \(greatest.joined(separator: ", "))").first ?? []
        // Two names that only look alike would be told one from the other nowhere: neither is known.
        return Dictionary(zip(columns, row).map { ($0, $1) }) { _, _ in nil }
            .compactMapValues(\.self)
    }

    // MARK: Partitions

    /// The ancestors of each partition, the nearest first, and whether their rows may belong to other partitions elsewhere.
    ///
    /// Hashes differ between machines, and so does the order of text, but for that of its bytes. Foreign partitions are
    /// among them: through a root that has one, rows could end up on another server.
    func ancestors() async throws -> [String: [(table: TableName, mayMove: Bool)]] {
        let rows = try await connection.rows(
            """
            WITH RECURSIVE up(leaf, parent, depth) AS (
              SELECT c.oid, i.inhparent, 1 FROM pg_catalog.pg_class c
              JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid
              WHERE c.relispartition AND c.relkind IN ('r', 'p', 'f')
              UNION ALL
              SELECT up.leaf, i.inhparent, up.depth + 1 FROM up
              JOIN pg_catalog.pg_class c ON c.oid = up.parent AND c.relispartition
              JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid)
            SELECT up.leaf, n.nspname, c.relname,
                   p.partstrat = 'h' OR (p.partstrat = 'r' AND EXISTS (
                     SELECT 1 FROM pg_catalog.unnest(p.partcollation::oid[]) k(oid)
                     JOIN pg_catalog.pg_collation o ON o.oid = k.oid
                     WHERE o.collprovider <> 'b'
                       AND (o.collprovider <> 'c' OR o.collcollate NOT IN ('C', 'POSIX'))))
            FROM up
            JOIN pg_catalog.pg_class c ON c.oid = up.parent
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = c.oid
            ORDER BY up.leaf, up.depth
            """)
        return Self.groups(rows) {
            (TableName(schema: $0[1] ?? "", name: $0[2] ?? ""), $0[3] == "t")
        }
    }

    // MARK: Meaning of rows

    /// For each table a digest of everything that the text of its rows depends on beside the rows:
    /// its columns' types, and recursively domains, elements, subtypes of ranges, attributes of
    /// composites, labels of enums, output functions and versions of extensions.
    ///
    /// Of their bytes in UTF-8; where nobody knows an encoding, of the bytes as they are.
    func textDigests(of oids: [String]) async throws -> [String: String] {
        let rows = try await connection.rows(
            """
            \(Self.usedTypes), described(type, words) AS MATERIALIZED (
              SELECT t.oid, pg_catalog.concat_ws(
                ' ', n.nspname, t.typname, t.typtype, t.typdelim, t.typtypmod, f.proname, f.prosrc,
                f.probin, e.extname, e.extversion,
                (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(l.enumlabel), ','
                                              ORDER BY l.enumsortorder)
                 FROM pg_catalog.pg_enum l WHERE l.enumtypid = t.oid),
                (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(
                          ' ', a.attnum, pg_catalog.quote_ident(a.attname), a.atttypid, a.atttypmod),
                        ',' ORDER BY a.attnum)
                 FROM pg_catalog.pg_attribute a
                 WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0
                   AND NOT a.attisdropped))
              FROM (SELECT DISTINCT type FROM uses) u
              JOIN pg_catalog.pg_type t ON t.oid = u.type
              JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
              LEFT JOIN pg_catalog.pg_proc f ON f.oid = t.typoutput
              LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_type'::regclass
                AND d.objid = t.oid AND d.deptype = 'e'
              LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
            )
            SELECT u.relation, pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
              pg_catalog.string_agg(d.words, E'\\n' ORDER BY d.type),
              CASE pg_catalog.getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END)),
              'hex')
            FROM uses u JOIN described d USING (type)
            GROUP BY u.relation
            """, [Self.array(oids)])
        return Self.dictionary(rows) { $0[1] ?? "" }
    }

    /// Tables whose rows hold names of other things: their text changes without the rows.
    func holdingNames(among oids: [String]) async throws -> Set<String> {
        let rows = try await connection.rows(
            """
            \(Self.usedTypes)
            SELECT DISTINCT u.relation FROM uses u
            JOIN pg_catalog.pg_type t ON t.oid = u.type
            WHERE t.typnamespace = 'pg_catalog'::regnamespace
              AND (t.typname LIKE 'reg%' OR t.typname = 'aclitem')
            """, [Self.array(oids)])
        return Set(rows.compactMap { $0[0] })
    }

    /// What has a version in the catalogs and decides what the text of rows means: the schemas of
    /// the tables, which a rename exchanges without a lock on the tables; the types of the columns
    /// and what they are made of; and, where a table holds names of other things, those things.
    ///
    /// Versions tell what was changed back and forth from what was not changed.
    func meaning(of oids: [String]) async throws -> PostgresMeaning {
        let rows = try await connection.rows(
            """
            \(Self.usedTypes), used(type) AS (SELECT DISTINCT type FROM made),
            versions(thing, number, content, access) AS (
              SELECT \(Self.version(of: "n", "'schema', n.oid", access: ["nspowner", "nspacl"]))
              FROM pg_catalog.pg_namespace n
              WHERE n.oid IN (SELECT relnamespace FROM pg_catalog.pg_class
                              WHERE oid = ANY ($1::oid[]))
              UNION
              SELECT \(Self.version(of: "t", "'type', t.oid", access: ["typowner", "typacl"]))
              FROM used u JOIN pg_catalog.pg_type t ON t.oid = u.type
              UNION
              SELECT \(Self.version(of: "f", "'type', t.oid, 'output', f.oid", access: ["proowner", "proacl"]))
              FROM used u JOIN pg_catalog.pg_type t ON t.oid = u.type
              JOIN pg_catalog.pg_proc f ON f.oid = t.typoutput
              UNION
              SELECT \(Self.version(of: "l", "'label', l.oid", access: []))
              FROM used u JOIN pg_catalog.pg_enum l ON l.enumtypid = u.type
              UNION
              SELECT pg_catalog.concat_ws(' ', 'attribute', a.attrelid, a.attnum), a.xmin::text,
                     pg_catalog.concat_ws(' ', a.atttypid, a.atttypmod, a.attisdropped, a.attname),
                     pg_catalog.concat_ws(' ', a.attacl)
              FROM used u JOIN pg_catalog.pg_type t ON t.oid = u.type AND t.typtype = 'c'
              JOIN pg_catalog.pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0
              UNION
              SELECT \(Self.version(of: "p", "'function', p.oid", access: ["proowner", "proacl"]))
              FROM pg_catalog.pg_proc p
              WHERE p.oid >= 16384 AND EXISTS (
                SELECT 1 FROM used WHERE type IN ('regproc'::regtype, 'regprocedure'::regtype))
              UNION
              SELECT \(Self.version(of: "o", "'operator', o.oid", access: ["oprowner"]))
              FROM pg_catalog.pg_operator o
              WHERE o.oid >= 16384 AND EXISTS (
                SELECT 1 FROM used WHERE type IN ('regoper'::regtype, 'regoperator'::regtype))
              UNION
              SELECT \(Self.version(of: "t", "'named type', t.oid", access: ["typowner", "typacl"]))
              FROM pg_catalog.pg_type t
              WHERE t.oid >= 16384 AND t.typrelid = 0
                AND EXISTS (SELECT 1 FROM used WHERE type = 'regtype'::regtype)
              UNION
              SELECT \(Self.version(of: "n", "'named schema', n.oid", access: ["nspowner", "nspacl"]))
              FROM pg_catalog.pg_namespace n
              WHERE n.oid >= 16384 AND n.nspname !~ '^pg_'
                AND EXISTS (SELECT 1 FROM used WHERE type::regtype::text LIKE 'reg%')
              UNION
              SELECT pg_catalog.concat_ws(' ', 'relation', c.oid),
                     pg_catalog.concat_ws(' ', c.relnamespace, c.relname),
                     pg_catalog.concat_ws(' ', c.relnamespace, c.relname), ''
              FROM pg_catalog.pg_class c
              WHERE c.oid >= 16384 AND c.relpersistence <> 't' AND c.relkind <> 't'
                AND EXISTS (SELECT 1 FROM used WHERE type = 'regclass'::regtype)
            )
            SELECT thing, number, content, access FROM versions
            """, [Self.array(oids)])
        return PostgresMeaning(
            versions: Self.dictionary(rows) { row in
                PostgresMeaning.Version(
                    number: row[1] ?? "", content: row[2] ?? "", access: row[3] ?? "")
            })
    }

    /// The columns of a `PostgresMeaning.Version`, of a row of a catalog.
    ///
    /// `access`: The columns that say whose it is.
    private static func version(of row: String, _ thing: String, access: [String]) -> String {
        let owners = (["' '"] + access.map { "\(row).\($0)" }).joined(separator: ", ")
        return """
            pg_catalog.concat_ws(' ', \(thing)), \(row).xmin::text,
            \(SQLText.digest(of: row, but: access)),
            \(access.isEmpty ? "''" : "pg_catalog.concat_ws(\(owners))")
            """
    }

    /// Begins a query with `uses`: the types of the tables' columns, and recursively what these are
    /// made of.
    ///
    /// `$1` is an array of the tables. What a type is made of is looked up once, however many tables
    /// use it.
    private static let usedTypes = """
        WITH RECURSIVE columns(relation, type) AS MATERIALIZED (
          SELECT DISTINCT attrelid, atttypid FROM pg_catalog.pg_attribute
          WHERE attrelid = ANY ($1::oid[]) AND attnum > 0 AND NOT attisdropped),
        made(whole, type) AS (
          SELECT DISTINCT type, type FROM columns
          UNION
          SELECT m.whole, part.type FROM made m
          JOIN pg_catalog.pg_type t ON t.oid = m.type
          CROSS JOIN LATERAL (
            SELECT t.typbasetype WHERE t.typtype = 'd'
            UNION ALL SELECT t.typelem WHERE t.typelem <> 0
            UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range r
              WHERE t.oid IN (r.rngtypid, r.rngmultitypid)
            UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute a
              WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0
                AND NOT a.attisdropped
          ) part(type)
        ), uses(relation, type) AS (
          SELECT DISTINCT c.relation, m.type FROM columns c JOIN made m ON m.whole = c.type
        )
        """

    // MARK: Rows as values

    /// An array of oids in the server's own text.
    static func array(_ oids: [String]) -> String { "{\(oids.joined(separator: ","))}" }

    private static func groups<Value>(
        _ rows: [[String?]], _ value: ([String?]) -> Value
    ) -> [String: [Value]] {
        rows.reduce(into: [:]) { $0[$1[0] ?? "", default: []].append(value($1)) }
    }

    private static func dictionary<Value>(
        _ rows: [[String?]], _ value: ([String?]) -> Value
    ) -> [String: Value] {
        rows.reduce(into: [:]) { $0[$1[0] ?? ""] = value($1) }
    }
}
