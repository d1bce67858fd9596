import BackupCore

/// Looks whether a server has what a restore needs of it: roles, extensions, collations, tablespaces.
struct PostgresServerCheck {
    let request: TargetRequest

    /// Looks for what the server itself must have.
    ///
    /// `major`: The server's version.
    /// `sql`: What will be run.
    /// `roles`: Those that are needed, and those of them that will own something.
    /// `acting`: Those of the owners whose rights are needed besides.
    ///
    /// - Throws: `BackupError.targetUnsuitable` with everything that is missing.
    func check(
        _ connection: PostgresConnection, major: Int, sql: PostgresScript,
        extensions wanted: [String], roles: (all: [String], owners: [String]), acting: [String]
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
        let foreign = try await foreignRoles(roles.owners, connection, major: major)
        report(
            foreign, "role \(user) may not give things to roles",
            ["Restore as a superuser, or as a role that may act for these roles."])
        let others = Set(foreign.map(ExactText.init))
        let unused = try await self.roles(acting, without: "USAGE", connection)
            .filter { !others.contains(ExactText($0)) }
        report(
            unused, "role \(user) has no rights on what it gives to roles",
            ["Run as a superuser, or as whoever may grant these roles:"]
                + Self.inheritance(of: unused, by: user, major: major))
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
    /// `hasLargeObjects`: Whether there are some: no statement of the script names their owners, nor whom they are granted
    ///   to. Then all roles that the backup knows of are needed, without owners those that are none; else only those that the
    ///   script names, as backups of older dbtools know of roles that own nothing which comes back.
    func roles(
        of sql: PostgresScript, among known: [String], hasLargeObjects: Bool
    ) -> (all: [String], owners: [String]) {
        let inside = sql.rolesOfPoliciesAndMappings
        guard !omitsRoles else { return (inside, []) }
        let named = sql.roles(among: known)
        guard hasLargeObjects else { return (Self.united(named.all, inside), named.owners) }
        guard !request.omitsOwners else {
            let owners = Set(request.definition.owners.map(ExactText.init))
            let others = request.definition.roles.filter { !owners.contains(ExactText($0)) }
            return (Self.united(Self.united(others, named.all), inside), [])
        }
        return (
            Self.united(request.definition.roles, named.owners),
            Self.united(request.definition.owners, named.owners)
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
    func foreignRoles(
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

    func roles(
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
}
