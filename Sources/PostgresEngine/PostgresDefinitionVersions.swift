import BackupCore

/// What the server puts into words for pg_dump: it says what is there by then, whatever the snapshot.
///
/// Of a function that was dropped since it says nothing, and the archive holds half a statement. What was made since is in no
/// archive; owners, privileges, and what is only switched on and off come from the snapshot.
/// - SeeAlso: <https://www.postgresql.org/docs/current/functions-info.html>
struct PostgresDefinitionVersions: Sendable {
    /// One row of a catalog.
    struct Version: Sendable {
        /// `function total`.
        let thing: String
        /// A hash of what it says.
        let content: String
    }

    /// By kind and number.
    private let versions: [String: Version]

    init(_ versions: [String: Version]) {
        self.versions = versions
    }

    /// Reads those that a connection sees.
    ///
    /// Nothing of temporary tables, which come and go all the time, nor of extensions, which make their own things.
    init(on connection: PostgresConnection) async throws {
        let rows = try await connection.rows(
            """
            SELECT 'function', p.oid, p.proname,
                   \(SQLText.digest(of: "p", but: ["proowner", "proacl"]))
            FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
            WHERE p.oid >= 16384 AND n.nspname !~ '^pg_temp_'
              AND \(Self.isOfNoExtension("pg_proc", "p.oid"))
            UNION ALL
            SELECT 'trigger', t.oid, t.tgname, \(SQLText.digest(of: "t", but: ["tgenabled"]))
            FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
            WHERE NOT t.tgisinternal AND c.relpersistence <> 't'
            UNION ALL
            SELECT 'view or rule', r.oid, c.relname, \(SQLText.digest(of: "r", but: ["ev_enabled"]))
            FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
            WHERE r.oid >= 16384 AND c.relpersistence <> 't'
              AND \(Self.isOfNoExtension("pg_class", "c.oid"))
            UNION ALL
            SELECT 'statistics', s.oid, s.stxname,
                   \(SQLText.digest(of: "s", but: ["stxowner", "stxstattarget"]))
            FROM pg_catalog.pg_statistic_ext s
            JOIN pg_catalog.pg_class c ON c.oid = s.stxrelid
            WHERE c.relpersistence <> 't'
            UNION ALL
            SELECT 'index', c.oid, c.relname, c.relname
            FROM pg_catalog.pg_class c
            WHERE c.oid >= 16384 AND c.relkind IN ('i', 'I') AND c.relpersistence <> 't'
              AND c.relnamespace <> 'pg_toast'::regnamespace
            UNION ALL
            SELECT 'type', t.oid, t.typname, pg_catalog.concat_ws(' ', t.typnamespace, t.typname)
            FROM pg_catalog.pg_type t
            WHERE t.oid >= 16384 AND t.typrelid = 0
              AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_type e
                              WHERE e.oid = t.typelem AND e.typarray = t.oid)
              AND \(Self.isOfNoExtension("pg_type", "t.oid"))
            """)
        let named = rows.map { row in
            (
                "\(row[0] ?? "") \(row[1] ?? "")",
                Version(thing: "\(row[0] ?? "") \(row[2] ?? "")", content: row[3] ?? "")
            )
        }
        versions = Dictionary(named) { first, _ in first }
    }

    private static func isOfNoExtension(_ catalog: String, _ oid: String) -> String {
        """
        NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.\(catalog)'::regclass AND d.objid = \(oid)
                      AND d.deptype = 'e')
        """
    }

    /// - Throws: `BackupError.sourceChanged` that names what has changed or is gone.
    func requireKept(in later: PostgresDefinitionVersions) throws {
        let changed = versions.filter { key, version in
            later.versions[key].map { !$0.content.isExactly(version.content) } ?? true
        }.values.map(\.thing).sorted()
        guard !changed.isEmpty else { return }
        throw BackupError(
            .sourceChanged,
            "the definition was changed while pg_dump read it: \(PostgresPrivileges.list(changed))",
            hint: "Run the backup again.")
    }
}
