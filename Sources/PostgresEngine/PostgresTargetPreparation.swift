import BackupCore

/// Makes sure that a server and a database can take a backup, before anything in it is changed.
struct PostgresTargetPreparation {
    let request: TargetRequest
    let settings: PostgresSettings

    /// How to reach the target: as the user said, but for the database.
    var targetSettings: PostgresSettings {
        var target = settings
        target.database = request.database
        return target
    }

    /// Whether the database exists.
    ///
    /// - Throws: `BackupError.targetUnsuitable` when it does not and is not to be created, or when
    ///   the server is the one that must not be used.
    func databaseExists() async throws -> Bool {
        try await withAdministration { administration in
            try await checkIdentity(administration)
            let exists =
                try await administration.value(
                    "SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1", [request.database])
                != nil
            guard exists || request.creates else {
                throw BackupError(
                    .targetUnsuitable, "database \(request.database) does not exist",
                    hint: "Add --create to create it.")
            }
            return exists
        }
    }

    /// Creates the database.
    func create() async throws {
        try await withAdministration { try await create(on: $0) }
    }

    private func withAdministration<Result: Sendable>(
        _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        let administration = try await Self.administrativeConnection(
            settings, orElse: request.database)
        do {
            return try await body(administration)
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot prepare database \(request.database)")
        }
    }

    /// Databases that are surely there, the best first.
    ///
    /// While somebody is in `template1`, which may be for as long as a drill lasts, nobody else can create a database.
    static func lastingDatabases(_ settings: PostgresSettings) -> [String] {
        ["postgres", settings.databaseName, "template1"].compactMap(\.self)
    }

    /// A session in a database that is surely there, for as long as it is needed: the target itself may not be.
    static func administrativeConnection(
        _ settings: PostgresSettings, orElse target: String? = nil
    ) async throws -> PostgresConnection {
        var last: any Error = BackupError(.connectionFailed, "no database to connect to")
        for database in lastingDatabases(settings) + (target.map { [$0] } ?? []) {
            var settings = settings
            settings.database = database
            do {
                let connection = try await PostgresConnection(settings)
                try await PostgresSession.pin(connection, encoding: "UTF8", side: .target)
                return connection
            } catch let error as BackupError where error.code == .connectionFailed {
                last = error
            }
        }
        throw last
    }

    private func checkIdentity(_ connection: PostgresConnection) async throws {
        guard let forbidden = request.forbiddenSource?["system_identifier"] else { return }
        let own = try await connection.value(
            "SELECT system_identifier FROM pg_catalog.pg_control_system()")
        guard own == forbidden else { return }
        throw BackupError(
            .targetUnsuitable, "this is the server that the backup was taken from",
            hint: "Name another one with --url or DB_DRILL_URL, or allow this one: --same-server.")
    }

    // MARK: Roles, extensions, collations

    /// Looks for what the server itself must have.
    ///
    /// `major`: The server's version.
    /// `sql`: What will be run.
    /// `roles`: Those that are needed, and those of them that will own something.
    ///
    /// - Throws: `BackupError.targetUnsuitable` with everything that is missing.
    func checkServer(
        _ connection: PostgresConnection, major: Int, sql: PostgresScript,
        extensions wanted: [String], roles: (all: [String], owners: [String])
    ) async throws {
        var (problems, advice): ([String], [String]) = ([], [])
        func report(_ names: [String], _ problem: String, _ words: [String]) {
            guard !names.isEmpty else { return }
            problems.append("\(problem): \(names.joined(separator: ", "))")
            advice += words
        }
        let missing = try await missingRoles(roles.all, connection)
        let creation = missing.map { "  CREATE ROLE \(SQLText.identifier($0));" }
        report(
            missing,
            omitsRoles
                ? "roles do not exist that policies or user mappings name" : "roles do not exist",
            ["Run as a superuser:"] + creation)
        let user = try await connection.value("SELECT current_user") ?? ""
        report(
            try await foreignRoles(roles.owners, connection, major: major),
            "role \(user) may not give things to roles",
            ["Restore as a superuser, or as a role that may act for these roles."])
        if !problems.isEmpty, !omitsRoles {
            advice.append("Or restore without owners and grants: --no-owner --no-privileges.")
        }
        report(
            try await missingExtensions(wanted, connection),
            "extensions are not installed on the server",
            ["Install the extensions' packages on the server's machine."])
        report(
            try await missingCollations(sql.collations, connection), "collations do not exist",
            [
                "Install these locales on the server's machine, then run as a superuser:",
                "  SELECT pg_import_system_collations('pg_catalog');",
            ])
        let tablespaces = try await missingTablespaces(sql.tablespaces, connection)
        report(
            tablespaces, "tablespaces do not exist, or not for role \(user)",
            ["Run as a superuser, with folders of the server's machine:"]
                + tablespaces.map { "  CREATE TABLESPACE \(SQLText.identifier($0)) LOCATION '/…';" }
                + ["Or put everything where the database lies: --no-tablespaces."])
        guard !problems.isEmpty else { return }
        throw BackupError(
            .targetUnsuitable, "the server is not ready: " + problems.joined(separator: "; "),
            hint: advice.joined(separator: "\n"))
    }

    /// Whether owners and grants are left out: policies and user mappings name roles all the same.
    private var omitsRoles: Bool { request.omitsOwners && request.omitsPrivileges }

    /// The roles that a script needs, and those of them that will own something.
    ///
    /// `known`: Whom what is written down of the backup names, and whom its archive does.
    /// `isWhole`: Whether the script is of everything: then the roles that the backup knows of are needed, and owners
    ///   that it did not write down.
    func roles(
        of sql: PostgresScript, among known: [String], isWhole: Bool
    ) -> (all: [String], owners: [String]) {
        guard !omitsRoles else { return (sql.rolesOfPoliciesAndMappings, []) }
        let named = sql.roles(among: known)
        guard isWhole else { return named }
        return (
            Self.united(request.definition.roles, named.owners),
            request.omitsOwners ? [] : Self.united(request.definition.owners, named.owners)
        )
    }

    static func united(_ names: [String], _ others: [String]) -> [String] {
        let known = Set(names.map(ExactText.init))
        return names + others.filter { !known.contains(ExactText($0)) }
    }

    private func missingRoles(
        _ roles: [String], _ connection: PostgresConnection
    ) async throws -> [String] {
        let rows = try await connection.rows("SELECT rolname FROM pg_catalog.pg_roles")
        let known = Set(rows.compactMap { $0[0].map(ExactText.init) })
        return roles.filter { !known.contains(ExactText($0)) }
    }

    /// Owners that exist and that the restoring role may not act for.
    ///
    /// - SeeAlso: <https://www.postgresql.org/docs/current/sql-grant.html>, `WITH SET`, for memberships since version 16.
    private func foreignRoles(
        _ owners: [String], _ connection: PostgresConnection, major: Int
    ) async throws -> [String] {
        try await roles(owners, without: major >= 16 ? "SET" : "MEMBER", connection)
    }

    /// Roles whose default privileges the restoring role may not change.
    ///
    /// - SeeAlso: `src/backend/catalog/aclchk.c`, `ExecAlterDefaultPrivilegesStmt`: since version 16 by `has_privs_of_role`.
    func rolesWithForeignDefaults(
        among roles: [String], _ connection: PostgresConnection, major: Int
    ) async throws -> [String] {
        try await self.roles(roles, without: major >= 16 ? "USAGE" : "MEMBER", connection)
    }

    private func roles(
        _ names: [String], without right: String, _ connection: PostgresConnection
    ) async throws -> [String] {
        guard !names.isEmpty else { return [] }
        let rows = try await connection.rows(
            """
            SELECT rolname FROM pg_catalog.pg_roles
            WHERE rolname = ANY ($1::text[]) AND NOT pg_catalog.pg_has_role(oid, '\(right)')
            ORDER BY rolname
            """, [SQLText.array(names)])
        return rows.compactMap { $0[0] }
    }

    private func missingExtensions(
        _ wanted: [String], _ connection: PostgresConnection
    ) async throws -> [String] {
        let rows = try await connection.rows("SELECT name FROM pg_catalog.pg_available_extensions")
        let known = Set(rows.compactMap { $0[0] })
        return wanted.filter { !known.contains($0) }
    }

    /// Those of the server's own catalog: others come with the backup.
    private func missingCollations(
        _ wanted: [String], _ connection: PostgresConnection
    ) async throws -> [String] {
        let rows = try await connection.rows(
            """
            SELECT collname FROM pg_catalog.pg_collation
            WHERE collnamespace = 'pg_catalog'::regnamespace
            """)
        let known = Set(rows.compactMap { $0[0].map(ExactText.init) })
        return wanted.filter { !known.contains(ExactText($0)) }
    }

    /// For an index pg_restore only warns, and makes it elsewhere.
    private func missingTablespaces(
        _ wanted: [String], _ connection: PostgresConnection
    ) async throws -> [String] {
        guard !wanted.isEmpty else { return [] }
        // What lies where its database does needs no privilege.
        let rows = try await connection.rows(
            """
            SELECT t.spcname FROM pg_catalog.pg_tablespace t
            WHERE pg_catalog.has_tablespace_privilege(t.oid, 'CREATE')
              OR t.oid = (SELECT dattablespace FROM pg_catalog.pg_database
                          WHERE datname = pg_catalog.current_database())
            """)
        let known = Set(rows.compactMap { $0[0].map(ExactText.init) })
        return wanted.filter { !known.contains(ExactText($0)) }
    }

    // MARK: The database

    /// Nothing that a user made: no relation, function, type or schema, extensions' own aside.
    ///
    /// `isNew`: Whether it was to be created and is there already.
    func checkEmptiness(_ target: PostgresConnection, isNew: Bool) async throws {
        let rows = try await target.rows(
            """
            SELECT o.kind, o.schema, o.name FROM (
              SELECT 'relation', n.nspname, c.relname, c.oid, 'pg_catalog.pg_class'::regclass
              FROM pg_catalog.pg_class c
              JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE c.relkind NOT IN ('i', 'I', 't') AND c.relpersistence <> 't'
              UNION ALL
              SELECT 'function', n.nspname, p.proname, p.oid, 'pg_catalog.pg_proc'::regclass
              FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
              UNION ALL
              SELECT 'type', n.nspname, t.typname, t.oid, 'pg_catalog.pg_type'::regclass
              FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
              WHERE t.typrelid = 0 AND t.typelem = 0
              UNION ALL
              SELECT 'schema', nspname, nspname, oid, 'pg_catalog.pg_namespace'::regclass
              FROM pg_catalog.pg_namespace WHERE nspname <> 'public'
            ) o(kind, schema, name, oid, catalog)
            WHERE o.schema <> 'information_schema' AND o.schema !~ '^pg_'
              AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                              WHERE d.classid = o.catalog AND d.objid = o.oid AND d.deptype = 'e')
            ORDER BY 1, 2, 3
            """)
        let objects = try await target.value(
            "SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata")
        guard !rows.isEmpty || objects != "0" else { return }
        guard !isNew else {
            throw BackupError(
                .targetUnsuitable,
                "database \(request.database) exists already, and is not empty",
                hint: "Leave out --create to restore into it: --existing and --clean say how.")
        }
        let first = rows.prefix(3).map { row in
            row[0] == "schema"
                ? "schema \(row[1] ?? "")"
                : "\(row[0] ?? "") \(TableName(schema: row[1] ?? "", name: row[2] ?? ""))"
        }
        let shown = first.isEmpty ? ["large objects"] : first
        let more = rows.count > 3 ? " and \(rows.count - 3) more" : ""
        throw BackupError(
            .targetUnsuitable,
            "database \(request.database) is not empty: it holds \(shown.joined(separator: ", "))\(more)",
            hint: """
                Restore into a new database with --into NAME --create, or say what becomes of what is \
                there: --existing fail, truncate or append, --clean, -tablename.
                """)
    }

    /// An empty database takes the place of one to create when it is like the source's.
    func checkLikeness(_ target: PostgresConnection) async throws {
        let own = PostgresLocale(try await PostgresMoment.properties(on: target))
        guard own.isLike(PostgresLocale(request.databaseProperties)) else {
            throw BackupError(
                .targetUnsuitable,
                "database \(request.database) exists already, with another encoding or locale",
                hint: "Drop it, or leave out --create to restore into it as it is.")
        }
    }

    private func create(on connection: PostgresConnection) async throws {
        let server = try await PostgresServer(connection)
        do {
            try await connection.execute(
                PostgresDatabaseStatements.creation(request, targetMajor: server.major))
            guard request.isScratch else { return }
            try await connection.execute(
                "COMMENT ON DATABASE \(SQLText.identifier(request.database)) "
                    + "IS \(SQLText.literal(PostgresScratch.comment))")
        } catch let error as PostgresError where error.sqlState == "42P04" {
            // It was not there a moment ago: a killed restore's session may have been at it.
            throw BackupError(
                .targetUnsuitable, "database \(request.database) has just been created",
                hint: "Run the same restore again: it goes on where an interrupted one has ended.")
        } catch let error as PostgresError {
            throw BackupError(
                error.sqlState == "42501" ? .permissionDenied : .targetUnsuitable,
                "cannot create database \(request.database): \(error.message)",
                hint: error.hint
                    ?? "Create the database yourself and restore into it without --create.")
        }
    }

    /// - Throws: `BackupError.permissionDenied` where the role may not create databases: the server would say so when
    ///   all files have been read. `BackupError.targetUnsuitable` where the server is too old for the source's locale.
    func checkCreation(_ connection: PostgresConnection, major: Int) async throws {
        if let lack = PostgresLocale(request.databaseProperties).lack(major: major) {
            throw BackupError(
                .targetUnsuitable, "PostgreSQL \(major) has no \(lack), which the source has",
                hint: request.isScratch
                    ? "Drill on a server of the source's version."
                    : """
                    Create the database yourself with another locale and restore into it without \
                    --create: text then sorts, and changes its case, by that locale.
                    """)
        }
        let isPermitted = try await connection.value(
            "SELECT rolcreatedb OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user")
        guard isPermitted == "f" else { return }
        let user = try await connection.value("SELECT current_user") ?? ""
        let advice = [
            "Run as a superuser: ALTER ROLE \(SQLText.identifier(user)) CREATEDB;",
            request.isScratch
                ? nil : "Or create the database yourself and restore into it without --create.",
        ]
        throw BackupError(
            .permissionDenied, "role \(user) may not create database \(request.database)",
            hint: advice.compactMap(\.self).joined(separator: "\n"))
    }
}
