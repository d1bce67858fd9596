import BackupCore

/// Large objects, as two tables: their pages, and what is known about each.
///
/// - SeeAlso: <https://www.postgresql.org/docs/current/catalog-pg-largeobject.html>
enum PostgresLargeObjects {
    static let pages = TableName(schema: "pg_catalog", name: "pg_largeobject")
    static let objects = TableName(schema: "pg_catalog", name: "pg_largeobject_metadata")

    private static let pageColumns = ["loid", "pageno", "data"]
    private static let objectColumns = ["loid", "owner", "acl", "comment"]

    /// Their tables and how to read them; none when the database has no large objects.
    ///
    /// - Throws: `BackupError.permissionDenied` naming those that cannot be read.
    static func tables(
        _ connection: PostgresConnection, user: String
    ) async throws -> [(table: Table, rows: PostgresRows)] {
        let count = try await connection.value(
            "SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata")
        guard count != "0" else { return [] }
        let readsPages = try await readsPages(connection)
        let unreadable = try await unreadable(connection)
        guard unreadable.isEmpty else {
            throw PostgresPrivileges.missing(largeObjects: unreadable, for: user)
        }
        let query = readsPages ? queryOfPages : queryThroughFunctions
        let size = try await connection.value(
            "SELECT pg_catalog.pg_relation_size('pg_catalog.pg_largeobject')")
        return [
            (
                table(
                    pages, columns: pageColumns, types: ["oid", "integer", "bytea"],
                    key: ["loid", "pageno"], bytes: Int(size ?? "") ?? 0),
                PostgresRows(query: query)
            ),
            (
                table(
                    objects, columns: objectColumns, types: ["oid", "text", "text", "text"],
                    key: ["loid"], bytes: 0),
                PostgresRows(query: queryOfObjects)
            ),
        ]
    }

    /// How to read one of the two tables.
    static func rows(
        of table: TableName, _ connection: PostgresConnection
    ) async throws -> PostgresRows {
        guard table == pages else { return PostgresRows(query: queryOfObjects) }
        let readsPages =
            try await connection.value(
                "SELECT pg_catalog.has_table_privilege('pg_catalog.pg_largeobject', 'SELECT')")
            == "t"
        return PostgresRows(query: readsPages ? queryOfPages : queryThroughFunctions)
    }

    private static let queryOfPages =
        "SELECT loid, pageno, data FROM pg_catalog.pg_largeobject"

    /// Reads through the functions that check privileges; holes read as zeros.
    private static let queryThroughFunctions = """
        SELECT o.oid AS loid, p.pageno,
               pg_catalog.lo_get(o.oid, p.pageno::bigint * 2048, 2048) AS data
        FROM (SELECT m.oid, pg_catalog.lo_lseek64(f.fd, 0, 2) AS bytes,
                     pg_catalog.lo_close(f.fd) AS closed
              FROM pg_catalog.pg_largeobject_metadata m
              CROSS JOIN LATERAL (SELECT pg_catalog.lo_open(m.oid, 262144) AS fd OFFSET 0) f
              OFFSET 0) o
        CROSS JOIN LATERAL
          pg_catalog.generate_series(0, ((o.bytes + 2047) / 2048)::integer - 1) p(pageno)
        """

    private static let queryOfObjects = """
        SELECT m.oid AS loid, pg_catalog.pg_get_userbyid(m.lomowner) AS owner,
               m.lomacl::text AS acl,
               pg_catalog.obj_description(m.oid, 'pg_largeobject') AS comment
        FROM pg_catalog.pg_largeobject_metadata m
        """

    private static func readsPages(_ connection: PostgresConnection) async throws -> Bool {
        try await connection.value(
            "SELECT pg_catalog.has_table_privilege('pg_catalog.pg_largeobject', 'SELECT')") == "t"
    }

    /// Those that the role may not read.
    static func unreadable(_ connection: PostgresConnection) async throws -> [String] {
        guard try await !readsPages(connection) else { return [] }
        return try await connection.rows(
            """
            SELECT m.oid FROM pg_catalog.pg_largeobject_metadata m
            WHERE NOT pg_catalog.pg_has_role(m.lomowner, 'USAGE') AND NOT EXISTS (
              SELECT 1 FROM pg_catalog.aclexplode(m.lomacl) a
              WHERE a.privilege_type = 'SELECT'
                AND (a.grantee = 0 OR pg_catalog.pg_has_role(a.grantee, 'USAGE')))
            ORDER BY m.oid
            """
        ).compactMap(\.first).compactMap(\.self)
    }

    private static func table(
        _ name: TableName, columns: [String], types: [String], key: [String], bytes: Int
    ) -> Table {
        var table = Table(
            name: name,
            columns: zip(columns, types).enumerated().map { index, column in
                Column(name: column.0, type: column.1, number: index + 1)
            },
            key: key,
            identity: TableIdentity(object: name.name, storage: "", textDigest: ""),
            estimatedBytes: bytes)
        table.fileName = name.name
        table.isTakenWhole = true
        return table
    }

    // MARK: Restoring

    static let temporaryTable = "pg_temp.dbtool_large_objects"

    /// So many are made in one transaction.
    private static let batchCount = 500

    /// Where the rows go first, from which large objects are made: objects in several transactions, pages in one.
    static func createTemporaryTable(for table: TableName) -> String {
        table == pages
            ? """
            CREATE TEMPORARY TABLE dbtool_large_objects (loid oid, pageno integer, data bytea)
            ON COMMIT DROP
            """
            : """
            CREATE TEMPORARY TABLE dbtool_large_objects
              (loid oid PRIMARY KEY, owner text, acl text, comment text)
            """
    }

    /// Writes the pages that the temporary table holds.
    static let pagesStatement = """
        SELECT pg_catalog.count(pg_catalog.lo_put(loid, pageno::bigint * 2048, data))
        FROM \(temporaryTable) WHERE pageno >= 0
        """

    /// Takes those out of the temporary table that are there.
    static let leaveOutExisting = """
        DELETE FROM \(temporaryTable) t USING pg_catalog.pg_largeobject_metadata m
        WHERE m.oid = t.loid
        """

    private static func batch(after done: String) -> String {
        """
        (SELECT * FROM \(temporaryTable) WHERE loid > \(SQLText.literal(done))::oid
         ORDER BY loid LIMIT \(batchCount)) b
        """
    }

    /// Gives the number of the last object that the next transaction makes; NULL when there is none.
    static func lastOfBatch(after done: String) -> String {
        "SELECT pg_catalog.max(loid) FROM \(batch(after: done))"
    }

    /// Makes the next large objects of those that the temporary table holds; each statement gives statements to
    /// run, or does the work itself and gives a number.
    static func objectStatements(
        after done: String, omitsOwners: Bool, omitsPrivileges: Bool
    ) -> [String] {
        let batch = batch(after: done)
        var statements = ["SELECT pg_catalog.count(pg_catalog.lo_create(loid)) FROM \(batch)"]
        statements.append(
            """
            SELECT pg_catalog.format('COMMENT ON LARGE OBJECT %s IS %L', loid, comment)
            FROM \(batch) WHERE comment IS NOT NULL
            """)
        if !omitsOwners {
            statements.append(
                """
                SELECT pg_catalog.format('ALTER LARGE OBJECT %s OWNER TO %I', loid, owner)
                FROM \(batch) WHERE owner <> current_user
                """)
        }
        if !omitsPrivileges { statements.append(grants(batch, omitsOwners: omitsOwners)) }
        return statements
    }

    /// The owner's own privileges go first, for they may have been revoked; then all are given in
    /// their order, each by who gave it.
    ///
    /// Where the role may not act for one of those who passed something on, what others than the owner gave is left out.
    private static func grants(_ batch: String, omitsOwners: Bool) -> String {
        // Not as CURRENT_USER, who is another one where somebody else grants.
        let name = owner(omitsOwners)
        let owner = "pg_catalog.quote_ident(\(name))"
        let becomingOwner = """
            CASE WHEN \(name) <> current_user
                   AND pg_catalog.pg_has_role(\(name)::pg_catalog.name, \(PostgresServerCheck.rightToAct))
                 THEN pg_catalog.format('SET ROLE %I; ', \(name)) END
            """
        return """
            SELECT s.statement FROM \(batch) CROSS JOIN LATERAL (
              SELECT 0, pg_catalog.format(
                '%sREVOKE ALL ON LARGE OBJECT %s FROM %s; RESET ROLE', \(becomingOwner), loid, \(owner))
              UNION ALL
              SELECT g.position, pg_catalog.format(
                '%sGRANT %s ON LARGE OBJECT %s TO %s%s; RESET ROLE',
                CASE WHEN g.grantor = \(name) THEN \(becomingOwner)
                     ELSE pg_catalog.format('SET ROLE %I; ', g.grantor) END,
                g.privilege_type, loid,
                CASE WHEN g.grantee = 0 THEN 'PUBLIC'
                     WHEN pg_catalog.pg_get_userbyid(g.grantee) = \(name) THEN \(owner)
                     ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END,
                CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
              FROM (
                SELECT i.position, a.privilege_type, a.grantee, a.is_grantable,
                       pg_catalog.pg_get_userbyid(a.grantor) AS grantor,
                       pg_catalog.bool_or(\(isOfStranger(name))) OVER () AS is_without_others
                FROM \(items(omitsOwners))
                CROSS JOIN LATERAL pg_catalog.aclexplode(ARRAY[i.item]) a
              ) g
              WHERE g.grantor = \(name) OR NOT g.is_without_others
            ) s(position, statement)
            WHERE acl IS NOT NULL ORDER BY loid, s.position
            """
    }

    /// Gives how many come without what others than their owners granted, and who of these is why; nothing where none does.
    static func withoutOthers(omitsOwners: Bool) -> String {
        """
        SELECT pg_catalog.count(DISTINCT loid),
               pg_catalog.string_agg(DISTINCT pg_catalog.pg_get_userbyid(a.grantor)::text, ', ')
        FROM \(temporaryTable) CROSS JOIN LATERAL \(items(omitsOwners))
        CROSS JOIN LATERAL pg_catalog.aclexplode(ARRAY[i.item]) a
        WHERE \(isOfStranger(owner(omitsOwners)))
        HAVING pg_catalog.count(*) > 0
        """
    }

    private static func owner(_ omitsOwners: Bool) -> String {
        omitsOwners ? "current_user" : "owner"
    }

    private static func items(_ omitsOwners: Bool) -> String {
        omitsOwners
            ? itemsOfNewOwner
            : "pg_catalog.unnest(acl::pg_catalog.aclitem[]) WITH ORDINALITY i(item, position)"
    }

    private static func isOfStranger(_ owner: String) -> String {
        """
        pg_catalog.pg_get_userbyid(a.grantor) <> \(owner)
        AND NOT pg_catalog.pg_has_role(a.grantor, \(PostgresServerCheck.rightToAct))
        """
    }

    /// What was given, with the restoring role in the place of the owner, who need not exist: `grantee=r/grantor`, of which
    /// a name is in double quotes where it has more than letters, digits and underscores.
    private static let itemsOfNewOwner = """
        (SELECT (CASE WHEN pg_catalog.right(g.item, pg_catalog.length(owner) + 1) = '/' || owner
                   THEN pg_catalog.left(g.item, -pg_catalog.length(owner)) || n.own
                 WHEN pg_catalog.right(g.item, pg_catalog.length(n.quoted) + 1) = '/' || n.quoted
                   THEN pg_catalog.left(g.item, -pg_catalog.length(n.quoted)) || n.own
                 ELSE g.item END)::pg_catalog.aclitem, e.position
         FROM pg_catalog.unnest(acl::pg_catalog.text[]) WITH ORDINALITY e(item, position)
         CROSS JOIN LATERAL (
           SELECT '"' || pg_catalog.replace(owner, '"', '""') || '"',
                  '"' || pg_catalog.replace(current_user::pg_catalog.text, '"', '""') || '"'
         ) n(quoted, own)
         CROSS JOIN LATERAL (
           SELECT CASE WHEN pg_catalog.starts_with(e.item, owner || '=')
                    THEN n.own || pg_catalog.substr(e.item, pg_catalog.length(owner) + 1)
                  WHEN pg_catalog.starts_with(e.item, n.quoted || '=')
                    THEN n.own || pg_catalog.substr(e.item, pg_catalog.length(n.quoted) + 1)
                  ELSE e.item END
         ) g(item)) i(item, position)
        """
}
