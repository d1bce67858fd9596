import BackupCore

/// Versions of what the server puts into words for pg_dump: it says what is there by then, whatever the snapshot.
///
/// Of a function that was dropped since it says nothing, and the archive holds half a statement. What was made since is in no
/// archive.
/// - SeeAlso: <https://www.postgresql.org/docs/current/functions-info.html>
struct PostgresDefinitionVersions: Sendable {
    /// One row of a catalog.
    struct Version: Sendable {
        /// `function total`.
        let thing: String
        /// Another one after every change.
        let number: String
    }

    /// By catalog and number.
    private let versions: [String: Version]

    init(_ versions: [String: Version]) {
        self.versions = versions
    }

    /// Reads those that a connection sees.
    ///
    /// Nothing of temporary tables, which come and go all the time.
    init(on connection: PostgresConnection) async throws {
        let rows = try await connection.rows(
            """
            SELECT 'function', p.oid, p.proname, p.xmin FROM pg_catalog.pg_proc p
            JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
            WHERE p.oid >= 16384 AND n.nspname !~ '^pg_temp_'
            UNION ALL
            SELECT 'trigger', t.oid, t.tgname, t.xmin FROM pg_catalog.pg_trigger t
            JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
            WHERE NOT t.tgisinternal AND c.relpersistence <> 't'
            UNION ALL
            SELECT 'view or rule', r.oid, c.relname, r.xmin FROM pg_catalog.pg_rewrite r
            JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
            WHERE r.oid >= 16384 AND c.relpersistence <> 't'
            UNION ALL
            SELECT 'statistics', s.oid, s.stxname, s.xmin FROM pg_catalog.pg_statistic_ext s
            """)
        let named = rows.map { row in
            (
                "\(row[0] ?? "") \(row[1] ?? "")",
                Version(thing: "\(row[0] ?? "") \(row[2] ?? "")", number: row[3] ?? "")
            )
        }
        versions = Dictionary(named) { first, _ in first }
    }

    /// - Throws: `BackupError.sourceChanged` that names what has changed or is gone.
    func requireKept(in later: PostgresDefinitionVersions) throws {
        let changed = versions.filter { key, version in
            later.versions[key].map { !$0.number.isExactly(version.number) } ?? true
        }.values.map(\.thing).sorted()
        guard !changed.isEmpty else { return }
        throw BackupError(
            .sourceChanged,
            "the definition was changed while pg_dump read it: \(PostgresPrivileges.list(changed))",
            hint: "Run the backup again.")
    }
}
