import BackupCore

/// What a database holds, in the words of pg_dump's table of contents.
struct PostgresPresence: Sendable {
    /// `TABLE public users`, `FUNCTION public f(integer)`, `SCHEMA - sales`, and with what an archive does not list
    /// `OPERATOR public === (integer, integer)`.
    private var keys: Set<ExactText> = []
    /// Tables, views, sequences and everything else that shares their names, with its kind.
    private(set) var relations: [TableName: Relation] = [:]
    /// The same by the names that archives list.
    private var listed: [TableName: Relation] = [:]
    /// The tables whose defaults count by a sequence, by the name that archives list.
    private var users: [TableName: [TableName]] = [:]
    /// The tables of statistics on several columns, by the name that archives list.
    private var statistics: [TableName: TableName] = [:]
    /// All as archives list it.
    private var publications: [TableName: [String]] = [:]
    /// Whom the schema `public` belongs to, and whom the restoring role may give it to; none where it may not change it.
    private(set) var publicSchemaOwners: Set<ExactText> = []
    private let owners: [String]

    /// Something whose name a table could have.
    struct Relation: Sendable {
        let oid: String
        /// The letter of `pg_class.relkind`.
        let kind: String
        /// For sequences the table that owns it, for indexes their table, for partitions the whole.
        let parent: TableName?
        /// Whether a crash empties it.
        var isUnlogged = false

        /// Whether it can be loaded into.
        var isTable: Bool { kind == "r" || kind == "p" }
    }

    /// A database that holds nothing.
    init() { owners = [] }

    /// A database that the role will have created: the schema `public` is there, which a superuser may change in any case.
    init(ofNewDatabaseOn connection: PostgresConnection) async throws {
        self.owners = []
        let isSuperuser = try await connection.value(
            "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user")
        guard isSuperuser != "t" else { return }
        keys = [ExactText("SCHEMA - public")]
        let owners = try await connection.rows(Self.newPublicSchemaOwnersQuery)
        publicSchemaOwners = Set(owners.compactMap { $0[0].map(ExactText.init) })
    }

    /// `owners`: The roles that entries of the archive can end with whose owner is not known.
    init(_ connection: PostgresConnection, owners: [String]) async throws {
        self.owners = owners
        for row in try await connection.rows(Self.objects) {
            let words = row.map { $0 ?? "" }.joined(separator: " ")
            keys.insert(ExactText(Self.asInList(words)))
        }
        for row in try await connection.rows(Self.relationsQuery) {
            let parent = row[4].map { TableName(schema: row[5] ?? "", name: $0) }
            let name = TableName(schema: row[0] ?? "", name: row[1] ?? "")
            add(
                Relation(
                    oid: row[2] ?? "", kind: row[3] ?? "", parent: parent, isUnlogged: row[6] == "t"
                ), named: name)
        }
        for row in try await connection.rows(Self.statisticsQuery) {
            add(
                statistics: TableName(schema: row[0] ?? "", name: row[1] ?? ""),
                of: TableName(schema: row[2] ?? "", name: row[3] ?? ""))
        }
        for row in try await connection.rows(Self.usersQuery) {
            let sequence = TableName(schema: row[0] ?? "", name: row[1] ?? "")
            users[Self.asInList(sequence), default: []]
                .append(TableName(schema: row[2] ?? "", name: row[3] ?? ""))
        }
        let owners = try await connection.rows(Self.publicSchemaOwnersQuery)
        publicSchemaOwners = Set(owners.compactMap { $0[0].map(ExactText.init) })
        let knowsSchemas = try await connection.value(
            "SELECT pg_catalog.to_regclass('pg_catalog.pg_publication_namespace') IS NOT NULL")
        if knowsSchemas == "t" {
            for row in try await connection.rows(Self.publishedSchemas) {
                let words = row.map { $0 ?? "" }.joined(separator: " ")
                keys.insert(ExactText(Self.asInList(words)))
            }
        }
        for row in try await connection.rows(Self.publicationsQuery) {
            let table = TableName(schema: row[0] ?? "", name: row[1] ?? "")
            publications[Self.asInList(table), default: []].append(Self.asInList(row[2] ?? ""))
        }
    }

    /// Adds something whose name a table could have.
    mutating func add(_ relation: Relation, named name: TableName) {
        relations[name] = relation
        listed[Self.asInList(name)] = relation
    }

    /// Adds statistics on several columns of a table.
    mutating func add(statistics name: TableName, of table: TableName) {
        statistics[Self.asInList(name)] = table
    }

    /// - SeeAlso: <https://www.postgresql.org/docs/current/sql-alterschema.html>
    private static let publicSchemaOwnersQuery = """
        SELECT r.rolname FROM pg_catalog.pg_roles r, pg_catalog.pg_namespace n
        WHERE n.nspname = 'public' AND pg_catalog.pg_has_role(n.nspowner, 'USAGE')
          AND (r.oid = n.nspowner
               OR pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')
                  AND pg_catalog.pg_has_role(r.oid, \(PostgresServerCheck.rightToAct)))
        """

    /// Since version 15 it belongs to whoever owns the database, before to the superuser that made the server.
    private static let newPublicSchemaOwnersQuery = """
        SELECT r.rolname FROM pg_catalog.pg_roles r
        WHERE CASE WHEN pg_catalog.current_setting('server_version_num')::integer >= 150000
                THEN r.rolname = 'pg_database_owner'
                     OR pg_catalog.pg_has_role(r.oid, \(PostgresServerCheck.rightToAct))
                ELSE pg_catalog.pg_has_role(10::oid, 'USAGE')
                     AND pg_catalog.pg_has_role(r.oid, 'MEMBER') END
        """

    /// The tables whose defaults count by a sequence of the archive.
    func users(ofSequence name: TableName) -> [TableName] { users[name] ?? [] }

    /// The publications that name a table of the archive, in their order.
    func publications(of table: TableName) -> [String] { publications[table] ?? [] }

    /// Whether there is such a schema.
    func hasSchema(_ name: String) -> Bool {
        keys.contains(ExactText(Self.asInList("SCHEMA - \(name)")))
    }

    /// Whether the database holds what an entry makes.
    func holds(_ entry: PostgresArchive.Entry) -> Bool {
        let words = entry.words.utf8
        return (entry.owner.map { [$0] } ?? owners).contains { owner in
            let end = " \(owner)".utf8
            guard words.count > end.count, words.reversed().starts(with: end.reversed()) else {
                return false
            }
            let own = String(decoding: words.dropLast(end.count), as: UTF8.self)
            return keys.contains(ExactText(own + Self.asInList(entry.signature)))
        }
    }

    /// Whether there is something of a kind, by its name as archives list it.
    func holds(_ kind: String, listedAs name: TableName) -> Bool {
        keys.contains(ExactText("\(kind) \(name.schema) \(name.name)"))
    }

    /// pg_restore lists a name on one line, whatever it holds.
    static func asInList(_ words: String) -> String {
        words.replacing(scalar: "\n", with: " ").replacing(scalar: "\r", with: " ")
    }

    /// The name as archives list it.
    static func asInList(_ name: TableName) -> TableName {
        TableName(schema: asInList(name.schema), name: asInList(name.name))
    }

    /// What has the name that an entry of the archive has.
    func relation(listedAs name: TableName) -> Relation? { listed[name] }

    /// The table that the statistics of a name in the archive are of.
    func table(ofStatistics name: TableName) -> TableName? { statistics[name] }

    /// The table that owns a sequence of the archive, where it is there.
    func owner(ofSequence name: TableName) -> TableName? {
        listed[name].flatMap { $0.kind == "S" ? $0.parent : nil }
    }

    /// What `holds(_:listedAs:)` calls the default of a column, `users id`.
    ///
    /// Archives call it otherwise: where a default is there that an heir has got from its parent, the one that it has in
    /// the archive need not be.
    static let ownDefault = "COLUMN DEFAULT"

    // MARK: Questions

    private static let relationsQuery = """
        SELECT n.nspname, c.relname, c.oid, c.relkind, p.relname, pn.nspname,
               c.relpersistence = 'u'
        FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_depend d
          ON c.relkind = 'S' AND d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
            AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')
        LEFT JOIN pg_catalog.pg_index x ON x.indexrelid = c.oid
        LEFT JOIN pg_catalog.pg_inherits i
          ON c.relispartition AND i.inhrelid = c.oid AND x.indexrelid IS NULL
        LEFT JOIN pg_catalog.pg_class p
          ON p.oid = coalesce(i.inhparent, x.indrelid, d.refobjid)
        LEFT JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
        WHERE c.relkind <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        """

    private static let statisticsQuery = """
        SELECT n.nspname, s.stxname, cn.nspname, c.relname
        FROM pg_catalog.pg_statistic_ext s
        JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
        JOIN pg_catalog.pg_class c ON c.oid = s.stxrelid
        JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
        """

    private static let usersQuery = """
        SELECT sn.nspname, s.relname, n.nspname, c.relname
        FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_attrdef f ON f.oid = d.objid
        JOIN pg_catalog.pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
        JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
        JOIN pg_catalog.pg_class c ON c.oid = f.adrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass
          AND d.refclassid = 'pg_catalog.pg_class'::regclass
        """

    /// Since PostgreSQL 15; written as the other objects.
    private static let publishedSchemas = """
        SELECT 'PUBLICATION TABLES IN SCHEMA', n.nspname, p.pubname || ' ' || n.nspname
        FROM pg_catalog.pg_publication_namespace m
        JOIN pg_catalog.pg_publication p ON p.oid = m.pnpubid
        JOIN pg_catalog.pg_namespace n ON n.oid = m.pnnspid
        """

    private static let publicationsQuery = """
        SELECT n.nspname, c.relname, p.pubname
        FROM pg_catalog.pg_publication_rel r
        JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
        JOIN pg_catalog.pg_class c ON c.oid = r.prrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        ORDER BY p.pubname
        """

    /// The tags are written as `pg_dump.c` writes them.
    private static let objects = """
        SELECT o.kind, coalesce(n.nspname, '-'), o.tag FROM (
          SELECT CASE c.relkind WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'v' THEN 'VIEW'
                   WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                   WHEN 'i' THEN 'INDEX' WHEN 'I' THEN 'INDEX' WHEN 'c' THEN 'TYPE'
                   ELSE 'TABLE' END, c.relnamespace, c.relname::text
          FROM pg_catalog.pg_class c WHERE c.relkind <> 't'
          UNION ALL
          SELECT k.kind, t.typnamespace, t.typname FROM pg_catalog.pg_type t
          JOIN (VALUES ('d', 'DOMAIN'), ('e', 'TYPE'), ('r', 'TYPE'), ('b', 'TYPE'),
                       -- A range has one when a function makes its values canonical.
                       ('b', 'SHELL TYPE'), ('p', 'SHELL TYPE'), ('r', 'SHELL TYPE')) k(type, kind)
            ON k.type = t.typtype
          WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)
          UNION ALL
          SELECT CASE p.prokind WHEN 'a' THEN 'AGGREGATE' WHEN 'p' THEN 'PROCEDURE'
                   ELSE 'FUNCTION' END, p.pronamespace,
                 p.proname || '(' || CASE WHEN p.prokind = 'a' AND p.pronargs = 0 THEN '*'
                   ELSE pg_catalog.array_to_string(ARRAY(
                     SELECT pg_catalog.format_type(a.type, NULL)
                     FROM pg_catalog.unnest(p.proargtypes::oid[]) WITH ORDINALITY a(type, i)
                     ORDER BY a.i), ', ') END || ')'
          FROM pg_catalog.pg_proc p
          UNION ALL
          SELECT k.kind, c.connamespace, coalesce(r.relname, t.typname) || ' ' || c.conname
          FROM pg_catalog.pg_constraint c
          LEFT JOIN pg_catalog.pg_class r ON r.oid = c.conrelid
          LEFT JOIN pg_catalog.pg_type t ON t.oid = c.contypid
          JOIN (VALUES ('p', 'CONSTRAINT'), ('u', 'CONSTRAINT'), ('x', 'CONSTRAINT'),
                       ('n', 'CONSTRAINT'), ('n', 'CHECK CONSTRAINT'), ('c', 'CHECK CONSTRAINT'),
                       ('c', 'CONSTRAINT'), ('f', 'FK CONSTRAINT')) k(type, kind)
            ON k.type = c.contype
          -- What a key has for each part of a whole that it refers to comes with it, and may have the name of another key.
          WHERE NOT EXISTS (
            SELECT FROM pg_catalog.pg_constraint w
            WHERE c.contype = 'f' AND w.oid = c.conparentid AND w.conrelid = c.conrelid)
          UNION ALL
          SELECT '\(ownDefault)', r.relnamespace, r.relname || ' ' || a.attname
          FROM pg_catalog.pg_attrdef f JOIN pg_catalog.pg_class r ON r.oid = f.adrelid
          JOIN pg_catalog.pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
          WHERE a.attgenerated = ''
          UNION ALL
          SELECT 'TRIGGER', r.relnamespace, r.relname || ' ' || t.tgname
          FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class r ON r.oid = t.tgrelid
          -- A partition's copy comes with the trigger of its whole; its entry only sets its state.
          WHERE NOT t.tgisinternal AND t.tgparentid = 0
          UNION ALL
          SELECT 'RULE', r.relnamespace, r.relname || ' ' || w.rulename
          FROM pg_catalog.pg_rewrite w JOIN pg_catalog.pg_class r ON r.oid = w.ev_class
          UNION ALL
          SELECT 'POLICY', r.relnamespace, r.relname || ' ' || p.polname
          FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class r ON r.oid = p.polrelid
          UNION ALL
          SELECT 'PUBLICATION TABLE', r.relnamespace, p.pubname || ' ' || r.relname
          FROM pg_catalog.pg_publication_rel m
          JOIN pg_catalog.pg_publication p ON p.oid = m.prpubid
          JOIN pg_catalog.pg_class r ON r.oid = m.prrelid
          UNION ALL SELECT 'STATISTICS', stxnamespace, stxname FROM pg_catalog.pg_statistic_ext
          UNION ALL SELECT 'COLLATION', collnamespace, collname FROM pg_catalog.pg_collation
          UNION ALL SELECT 'CONVERSION', connamespace, conname FROM pg_catalog.pg_conversion
          -- One that others only mention has no function yet.
          UNION ALL SELECT 'OPERATOR', oprnamespace, oprname || ' (' || oprleft::regtype::text
                           || ', ' || oprright::regtype::text || ')'
                    FROM pg_catalog.pg_operator WHERE oprcode::oid <> 0
          UNION ALL SELECT 'OPERATOR CLASS', c.opcnamespace, c.opcname || ' USING ' || m.amname
                    FROM pg_catalog.pg_opclass c JOIN pg_catalog.pg_am m ON m.oid = c.opcmethod
          UNION ALL SELECT 'OPERATOR FAMILY', f.opfnamespace, f.opfname || ' USING ' || m.amname
                    FROM pg_catalog.pg_opfamily f JOIN pg_catalog.pg_am m ON m.oid = f.opfmethod
          UNION ALL SELECT 'TEXT SEARCH CONFIGURATION', cfgnamespace, cfgname
                    FROM pg_catalog.pg_ts_config
          UNION ALL SELECT 'TEXT SEARCH DICTIONARY', dictnamespace, dictname
                    FROM pg_catalog.pg_ts_dict
          UNION ALL SELECT 'TEXT SEARCH PARSER', prsnamespace, prsname FROM pg_catalog.pg_ts_parser
          UNION ALL SELECT 'TEXT SEARCH TEMPLATE', tmplnamespace, tmplname
                    FROM pg_catalog.pg_ts_template
          UNION ALL SELECT 'SCHEMA', NULL, nspname FROM pg_catalog.pg_namespace
          UNION ALL SELECT 'EXTENSION', NULL, extname FROM pg_catalog.pg_extension
          UNION ALL SELECT 'PROCEDURAL LANGUAGE', NULL, lanname FROM pg_catalog.pg_language
          UNION ALL SELECT 'ACCESS METHOD', NULL, amname FROM pg_catalog.pg_am WHERE oid >= 16384
          UNION ALL SELECT 'FOREIGN DATA WRAPPER', NULL, fdwname
                    FROM pg_catalog.pg_foreign_data_wrapper
          UNION ALL SELECT 'SERVER', NULL, srvname FROM pg_catalog.pg_foreign_server
          UNION ALL SELECT 'USER MAPPING', NULL,
                           'USER MAPPING ' || usename || ' SERVER ' || srvname
                    FROM pg_catalog.pg_user_mappings
          UNION ALL SELECT 'EVENT TRIGGER', NULL, evtname FROM pg_catalog.pg_event_trigger
          UNION ALL SELECT 'PUBLICATION', NULL, pubname FROM pg_catalog.pg_publication
          UNION ALL SELECT 'SUBSCRIPTION', NULL, subname FROM pg_catalog.pg_subscription s
                    JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
                    WHERE d.datname = pg_catalog.current_database()
          UNION ALL SELECT 'CAST', NULL, 'CAST (' || pg_catalog.format_type(castsource, NULL)
                           || ' AS ' || pg_catalog.format_type(casttarget, NULL) || ')'
                    FROM pg_catalog.pg_cast WHERE oid >= 16384
          UNION ALL SELECT 'TRANSFORM', NULL, 'TRANSFORM FOR '
                           || pg_catalog.format_type(t.trftype, NULL) || ' LANGUAGE ' || l.lanname
                    FROM pg_catalog.pg_transform t
                    JOIN pg_catalog.pg_language l ON l.oid = t.trflang
        ) o(kind, namespace, tag)
        LEFT JOIN pg_catalog.pg_namespace n ON n.oid = o.namespace
        WHERE n.nspname IS NULL
          OR (n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')
        """
}
