import BackupCore

/// Computes materialized views again, those that others are computed from first.
struct PostgresViewRefresh {
    let connection: PostgresConnection
    let tell: @Sendable (StepProgress) -> Void
    /// Whether a view holds what its owner may see.
    ///
    /// If not, its owner is another than in the source, and hidden rows are an error.
    let hidesRows: Bool

    /// - Returns: What could not be computed, and why.
    func refresh(_ views: [MaterializedView]) async throws -> [String] {
        var waiting = try await ordered(
            views.filter(\.isPopulated).map { TableName(schema: $0.schema, name: $0.name) })
        let steps = StepCounter(waiting.count, tell: tell)
        if hidesRows { try await connection.execute("SET row_security = on") }
        // A function may read another view unseen by the catalogs: what fails is tried again as
        // long as others succeed.
        while true {
            var failures: [(view: TableName, words: String)] = []
            for view in waiting {
                do {
                    try await steps.take("\(view)") {
                        try await connection.executeInterruptibly(
                            "REFRESH MATERIALIZED VIEW \(SQLText.qualified(view))")
                        try await connection.executeInterruptibly(
                            "ANALYZE \(SQLText.qualified(view))")
                    }
                } catch let error as PostgresError {
                    failures.append((view, error.message))
                }
            }
            guard !failures.isEmpty, failures.count < waiting.count else {
                return failures.map { "materialized view \($0.view): \($0.words)" }
            }
            waiting = failures.map(\.view)
        }
    }

    /// By the catalogs' own dependencies, through plain views too.
    private func ordered(_ views: [TableName]) async throws -> [TableName] {
        let rows = try await connection.rows(
            """
            WITH RECURSIVE uses(view, used) AS (
              SELECT r.ev_class, d.refobjid FROM pg_catalog.pg_rewrite r
              JOIN pg_catalog.pg_class c ON c.oid = r.ev_class AND c.relkind = 'm'
              JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass
                AND d.objid = r.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass
                AND d.refobjid <> r.ev_class
              UNION
              SELECT u.view, d.refobjid FROM uses u
              JOIN pg_catalog.pg_rewrite r ON r.ev_class = u.used
              JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass
                AND d.objid = r.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass
                AND d.refobjid <> r.ev_class)
            SELECT n.nspname, c.relname,
                   (SELECT pg_catalog.count(*) FROM uses u
                    JOIN pg_catalog.pg_class m ON m.oid = u.used AND m.relkind = 'm'
                    WHERE u.view = c.oid)
            FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'm'
            """)
        // Whoever uses a view uses all that it uses, and itself besides: more, always.
        let depth = Dictionary(
            rows.map {
                (TableName(schema: $0[0] ?? "", name: $0[1] ?? ""), Int($0[2] ?? "") ?? 0)
            }
        ) { first, _ in first }
        return views.sorted { (depth[$0] ?? 0, $0) < (depth[$1] ?? 0, $1) }
    }
}
