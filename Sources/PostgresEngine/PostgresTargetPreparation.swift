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
                    hint: request.creationHint)
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
        } catch let error as PostgresError where ["42P04", "23505"].contains(error.sqlState) {
            // It was not there a moment ago: a killed restore's session may have been at it. Whoever waits for that
            // session to end learns of the name by the index on it.
            throw BackupError(
                .targetUnsuitable, "database \(request.database) has just been created",
                hint: "Run the same restore again: it goes on where an interrupted one has ended.")
        } catch let error as PostgresError {
            throw BackupError(
                error.isLackOfPrivilege ? .permissionDenied : .targetUnsuitable,
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
