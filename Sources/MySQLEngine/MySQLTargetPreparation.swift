import BackupCore

/// Makes sure that a server and a database can take a backup, before anything in it is changed.
struct MySQLTargetPreparation {
    let request: TargetRequest
    let settings: MySQLSettings

    /// A connection to the server, in no database: the target may not be there yet.
    func administration() async throws -> (MySQLConnection, MySQLServer) {
        var settings = settings
        settings.database = nil
        let connection = try await MySQLConnection(settings)
        let server = try await MySQLServer(connection)
        try await MySQLSession.pin(connection, on: server, side: .target)
        return (connection, server)
    }

    /// A connection to the target, which is on that server.
    ///
    /// - Throws: `BackupError.connectionFailed`, also for one that comes to another server.
    func connect(to server: MySQLServer) async throws -> MySQLConnection {
        var settings = settings
        settings.database = request.database
        settings.sendsRows = true
        let connection = try await MySQLConnection(settings)
        try await MySQLSession.pin(connection, on: server, side: .target)
        return connection
    }

    /// Whether the database exists.
    ///
    /// - Throws: `BackupError.targetUnsuitable` when it does not and is not to be created, or when
    ///   the server is the one that must not be used.
    func databaseExists(_ connection: MySQLConnection, _ server: MySQLServer) async throws -> Bool {
        if let forbidden = request.forbiddenSource,
            MySQLIdentity.isSame(forbidden, try await MySQLIdentity.read(connection, server))
        {
            throw BackupError(
                .targetUnsuitable, "this is the server that the backup was taken from",
                hint:
                    "Name another one with --url or DB_DRILL_URL, or allow this one: --same-server."
            )
        }
        guard try await !MySQLSystemDatabase.isMeant(by: request.database, on: connection) else {
            throw BackupError(
                .targetUnsuitable, "\(request.database) is the server's own database",
                hint: "Name another one with --into.")
        }
        let exists =
            try await connection.value(
                """
                SELECT 1 FROM information_schema.SCHEMATA
                WHERE SCHEMA_NAME = \(MySQLText.literal(request.database))
                """) != nil
        guard exists || request.creates else {
            throw BackupError(
                .targetUnsuitable, "database \(request.database) does not exist",
                hint:
                    "\(request.creationHint) An account without any privilege on it does not see it."
            )
        }
        return exists
    }

    /// Creates the database, like the source's.
    func create(_ connection: MySQLConnection) async throws {
        let words = [
            ("CHARACTER SET", request.databaseProperties["character_set"]),
            ("COLLATE", request.databaseProperties["collation"]),
        ].compactMap { word, name in name.map { "\(word) \(MySQLText.identifier($0))" } }
        try await connection.execute(
            "CREATE DATABASE \(MySQLText.identifier(request.database)) "
                + words.joined(separator: " "))
    }

    /// - Throws: `BackupError.targetUnsuitable` for a database that holds anything.
    func checkEmptiness(_ presence: MySQLPresence) throws {
        guard !presence.things.isEmpty else { return }
        guard !request.creates else {
            throw BackupError(
                .targetUnsuitable,
                "database \(request.database) exists already, and is not empty",
                hint: "Leave out --create to restore into it: --existing and --clean say how.")
        }
        let first = presence.things.prefix(3).map { "\($0.kind.rawValue.lowercased()) \($0.name)" }
        let more = presence.things.count > 3 ? " and \(presence.things.count - 3) more" : ""
        throw BackupError(
            .targetUnsuitable,
            "database \(request.database) is not empty: it holds \(first.joined(separator: ", "))\(more)",
            hint: """
                Restore into a new database with --into NAME --create, or say what becomes of what is \
                there: --existing fail, truncate or append, --clean, -tablename.
                """)
    }

    /// Everything at once that the server itself lacks.
    ///
    /// - Throws: `BackupError.targetUnsuitable`.
    func checkServer(
        _ connection: MySQLConnection, _ server: MySQLServer, _ plan: MySQLPlan,
        createsDatabase: Bool
    ) async throws {
        guard !plan.chosen.isEmpty else { return }
        try await checkProduct(connection, server, plan)
        try await checkNames(connection, plan)
        try await checkRights(connection, server, plan, createsDatabase: createsDatabase)
        try await checkSettings(connection, server, plan)
        let missing = try await missingAccounts(connection, plan)
        guard missing.isEmpty else {
            throw BackupError(
                .targetUnsuitable,
                "the server is not ready: accounts do not exist: \(missing.joined(separator: ", "))",
                hint: (["Run as an administrator:"]
                    + missing.map { "  CREATE USER \($0) ACCOUNT LOCK;" } + [
                        "Or let everything act for another account: --definer NAME@HOST, or for the restoring one: --no-owner."
                    ]).joined(separator: "\n"))
        }
    }

    /// The products print tables in words that the other does not know, or takes for something else.
    private func checkProduct(
        _ connection: MySQLConnection, _ server: MySQLServer, _ plan: MySQLPlan
    ) async throws {
        let product = request.databaseProperties["product"] ?? server.product.rawValue
        let isTheirs = product == MySQLServer.Product.mariaDB.rawValue
        guard isTheirs != server.isMariaDB else { return }
        let obstacle = try await MySQLObstacle(server, connection).first(in: plan.chosen)
        throw BackupError(
            .targetUnsuitable,
            "the backup is of \(product), and the server is \(server.product.rawValue): \(obstacle)",
            hint: """
                Make the tables yourself, from schema.sql of the backup, and restore their rows with \
                --data-only.
                """)
    }

    /// What a session may not set for itself everywhere, and would make other tables.
    private func checkSettings(
        _ connection: MySQLConnection, _ server: MySQLServer, _ plan: MySQLPlan
    ) async throws {
        let rows = try await connection.rows(
            """
            SHOW SESSION VARIABLES WHERE Variable_name IN
              ('sql_generate_invisible_primary_key', 'explicit_defaults_for_timestamp')
            """)
        let values = Dictionary(rows.map { ($0[0] ?? "", $0[1] ?? "") }) { one, _ in one }
        let addsKeys = values["sql_generate_invisible_primary_key"] == "ON"
        let addsDefaults = values["explicit_defaults_for_timestamp"] == "OFF"
        guard addsKeys || addsDefaults else { return }
        let tables = try plan.chosen.filter { $0.kind == .table }.map {
            try MySQLTableStatement($0.statement, database: request.defaultSchema)
        }
        let found: (table: MySQLTableStatement, setting: String, does: String)? =
            if addsKeys, let table = tables.first(where: { !$0.hasPrimaryKey }) {
                (table, "sql_generate_invisible_primary_key = OFF", "adds a key to tables without")
            } else if addsDefaults, let table = tables.first(where: \.hasBareTimestamp) {
                (table, "explicit_defaults_for_timestamp = ON", "adds defaults to times without")
            } else {
                nil
            }
        guard let found else { return }
        let grant =
            server.isMariaDB
            ? "" : "GRANT SESSION_VARIABLES_ADMIN ON *.* TO the account that restores, or: "
        throw BackupError(
            .targetUnsuitable,
            "the server \(found.does): table \(found.table.name) would become another one",
            hint: "Run as an administrator: \(grant)SET GLOBAL \(found.setting);")
    }

    /// A server that writes all names of tables in small letters makes other tables than are asked for, or the same one twice.
    ///
    /// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/identifier-case-sensitivity.html>
    private func checkNames(_ connection: MySQLConnection, _ plan: MySQLPlan) async throws {
        let relations = plan.chosen.filter { MySQLObject.Kind.relations.contains($0.kind) }
        let names = [request.database] + relations.map { plan.place(of: $0.name) }
        guard let changed = names.first(where: { !$0.lowercased().isExactly($0) }),
            try await connection.value("SELECT @@GLOBAL.lower_case_table_names") == "1"
        else { return }
        throw BackupError(
            .targetUnsuitable,
            "the server writes names in small letters, and \(changed) has others",
            hint: "Restore into a server with lower_case_table_names = 0.")
    }

    /// The accounts that views and bodies will act for, but for the restoring one where nobody else is meant.
    private func definers(_ plan: MySQLPlan) -> Set<String> {
        let theirs = plan.chosen.compactMap { MySQLStatementHead($0.statement)?.definer }
        return switch MySQLDefiner(request) {
        case .kept: Set(theirs)
        case .omitted: []
        case .account(let account): theirs.isEmpty ? [] : [account]
        }
    }

    /// What the account and the server lack for all that is made, before anything is changed.
    ///
    /// - Throws: `BackupError.permissionDenied` with the statements that help.
    private func checkRights(
        _ connection: MySQLConnection, _ server: MySQLServer, _ plan: MySQLPlan,
        createsDatabase: Bool
    ) async throws {
        let privileges = MySQLPrivileges(
            grants: try await MySQLGrants(connection, on: server), server: server,
            database: request.database)
        let rights = MySQLTargetRights(privileges: privileges, request: request)
        let here = try rights.lackHere(plan, createsDatabase: createsDatabase)
        let acting = rights.lack(toActFor: definers(plan))
        var lacks = try await certain(
            [here].compactMap(\.self) + rights.lacksElsewhere(plan), connection, server)
        lacks += [acting].compactMap(\.self)
        let trust = rights.lack(ofTrustIn: plan.chosen)
        if let trust, try await trustsNobody(connection, server) { lacks.append(trust) }
        guard !lacks.isEmpty else { return }
        let way =
            acting == nil ? [] : ["Or let everything act for the restoring account: --no-owner."]
        throw BackupError(
            .permissionDenied,
            "account \(server.account) \(lacks.map(\.cost).joined(separator: "; "))",
            hint: (["Run as an administrator:"] + lacks.map { "  " + $0.remedy } + way)
                .joined(separator: "\n"))
    }

    /// Those for which nothing makes up that the server does not show; of the others it is told, without a statement:
    /// what is granted to the account itself hides what another host gives.
    ///
    /// Whoever may do nothing in a database is not let in, whether it is there or not.
    private func certain(
        _ lacks: [MySQLTargetRights.Lack], _ connection: MySQLConnection, _ server: MySQLServer
    ) async throws -> [MySQLTargetRights.Lack] {
        var certain: [MySQLTargetRights.Lack] = []
        for lack in lacks {
            if let database = lack.doubtIn, try await isLet(into: database, connection) {
                request.notes(
                    "warning: account \(server.account) \(lack.cost), unless a grant to the same name under another host "
                        + "gives it")
            } else {
                certain.append(lack)
            }
        }
        return certain
    }

    private func isLet(into database: String, _ connection: MySQLConnection) async throws -> Bool {
        do {
            try await connection.execute("USE \(MySQLText.identifier(database))")
            return true
        } catch let error as MySQLError where error.isRefusal {
            return false
        } catch let error as MySQLError where error.number == Self.noSuchDatabase {
            return true
        }
    }

    private static let noSuchDatabase: UInt32 = 1049

    private func trustsNobody(
        _ connection: MySQLConnection, _ server: MySQLServer
    ) async throws -> Bool {
        guard server.logsChanges else { return false }
        return try await connection.value("SELECT @@GLOBAL.log_bin_trust_function_creators") == "0"
    }

    /// Those that do not exist; none where the account may not know.
    private func missingAccounts(
        _ connection: MySQLConnection, _ plan: MySQLPlan
    ) async throws -> [String] {
        let definers = definers(plan)
        guard !definers.isEmpty,
            let rows = try? await connection.rows("SELECT User, Host FROM mysql.user")
        else { return [] }
        let known = Set(
            rows.flatMap { row in
                let name = MySQLText.identifier(row[0] ?? "")
                // MariaDB lets roles be definers, which have no host.
                return ["\(name)@\(MySQLText.identifier(row[1] ?? ""))", name].map(ExactText.init)
            })
        return definers.filter { !known.contains(ExactText($0)) }.sorted()
    }
}
