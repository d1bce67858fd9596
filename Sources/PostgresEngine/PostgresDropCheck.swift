import BackupCore

/// What stays and depends on what `--clean` drops: the server would say so only when that is dropped.
struct PostgresDropCheck {
    static let hint =
        "--existing truncate replaces the rows of tables that others refer to; or drop what depends on them yourself."

    let request: TargetRequest
    let archive: PostgresArchiveRestore
    let presence: PostgresPresence
    let connection: PostgresConnection

    /// Looks for what depends on tables, views and sequences; what depends on types and functions the server tells.
    ///
    /// - Throws: `BackupError.targetUnsuitable`.
    func run() async throws {
        let goers = goers
        guard !goers.isEmpty else { return }
        let rows = try await connection.rows(Self.query, [PostgresCatalog.array(goers)])
        guard !rows.isEmpty else { return }
        let words = rows.map { "\($0[0] ?? "") depends on \($0[1] ?? "")" }
        throw BackupError(
            .targetUnsuitable,
            "\(request.database) is as it was: cannot drop what the backup holds: "
                + PostgresTargetPlanner.list(words),
            hint: Self.hint)
    }

    /// Their numbers in the target.
    private var goers: [String] {
        if archive.plan.dropsCopy {
            return archive.plan.renamed.flatMap { presence.relations[$0.to]?.oid }.map { [$0] }
                ?? []
        }
        let names = PostgresArchiveNames(archive.archive, request)
        return archive.archive.entries.filter { entry in
            archive.plan.drops.contains(entry.id) && entry.isRelation && entry.kind != "INDEX"
        }.compactMap { presence.relation(listedAs: names.table($0))?.oid }
    }

    /// Partitions and sequences that tables own go with these, and whatever depends on its own table.
    ///
    /// - SeeAlso: <https://www.postgresql.org/docs/current/catalog-pg-depend.html>
    private static let query = """
        WITH RECURSIVE tables(oid) AS (
          SELECT g.oid FROM pg_catalog.unnest($1::oid[]) g(oid)
          UNION
          SELECT i.inhrelid FROM tables t
          JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid
          JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relispartition
        ), goers(oid) AS (
          SELECT t.oid FROM tables t
          UNION
          SELECT s.oid FROM tables t
          JOIN pg_catalog.pg_depend d
            ON d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = t.oid
              AND d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')
          JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
        )
        SELECT DISTINCT pg_catalog.pg_describe_object(o.class, o.object, 0),
               pg_catalog.pg_describe_object('pg_catalog.pg_class'::regclass, o.goer, 0)
        FROM (
          -- A key to partitions has one for each of them besides.
          SELECT 'pg_catalog.pg_constraint'::regclass::oid, c.oid, c.conrelid, c.confrelid
          FROM pg_catalog.pg_constraint c WHERE c.contype = 'f' AND c.conparentid = 0
          UNION ALL
          -- A view is such a rule.
          SELECT CASE w.rulename WHEN '_RETURN' THEN 'pg_catalog.pg_class'::regclass::oid
                   ELSE d.classid END,
                 CASE w.rulename WHEN '_RETURN' THEN w.ev_class ELSE w.oid END,
                 w.ev_class, d.refobjid
          FROM pg_catalog.pg_rewrite w
          JOIN pg_catalog.pg_depend d
            ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = w.oid
              AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'n'
          UNION ALL
          \(dependents(in: "pg_policy", table: "polrelid"))
          UNION ALL
          \(dependents(in: "pg_attrdef", table: "adrelid"))
          UNION ALL
          SELECT 'pg_catalog.pg_class'::regclass::oid, i.inhrelid, i.inhrelid, i.inhparent
          FROM pg_catalog.pg_inherits i
        ) o(class, object, place, goer)
        WHERE o.goer IN (SELECT oid FROM goers) AND o.place NOT IN (SELECT oid FROM goers)
        ORDER BY 1, 2
        """

    /// Parts of tables that read others; `table`: the column of the catalog that says of which table each is.
    private static func dependents(in catalog: String, table: String) -> String {
        """
        SELECT d.classid, p.oid, p.\(table), d.refobjid
        FROM pg_catalog.\(catalog) p
        JOIN pg_catalog.pg_depend d
          ON d.classid = 'pg_catalog.\(catalog)'::regclass AND d.objid = p.oid
            AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'n'
        """
    }
}
