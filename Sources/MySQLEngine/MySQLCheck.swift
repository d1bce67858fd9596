import BackupCore

/// What a backup would meet, found out without taking one.
///
/// Queries of the catalogs; no lock waited for longer than a second, nothing written.
struct MySQLCheck {
    let settings: MySQLSettings
    let request: SnapshotRequest

    init(_ settings: MySQLSettings, _ request: SnapshotRequest) {
        self.settings = settings
        self.request = request
    }

    func run() async throws -> SourceCheck {
        let connection = try await connected()
        let server = try await MySQLServer(connection)
        do {
            let database = try await MySQLSource.database(of: connection)
            try await MySQLSession.limitLockWaits(of: connection, to: .seconds(1))
            var check = SourceCheck(database: database)
            check.findings = [
                await login(connection, server, database), await encryption(connection),
                try await session(connection, server), try await room(connection),
                Finding(.server, "version", .ok, "\(server.product.rawValue) \(server.version)"),
            ]
            let privileges = MySQLPrivileges(
                grants: try await MySQLGrants(connection, on: server), server: server,
                database: database)
            check.findings.append(try await moment(privileges, connection))
            if let lack = privileges.blindnessToTables {
                check.findings.append(
                    Finding(
                        .server, "column basis", .note, "account \(server.account) \(lack.cost)",
                        fix: [privileges.statement(lack.grant)]))
            }
            try await addContents(to: &check, privileges, connection)
            check.findings += try await activity(connection)
            return check
        } catch let error as MySQLError {
            throw error.backupError(while: "cannot check the source")
        }
    }

    /// What others could read is a finding, and said otherwise where there are none.
    private func connected() async throws -> MySQLConnection {
        let exposure = Exclusive<String?>(nil)
        let heard = settings.exposed { text in exposure.withValue { $0 = text } }
        do {
            return try await MySQLConnection(heard)
        } catch {
            if let text = exposure.withValue({ $0 }) { request.notes(text) }
            throw error
        }
    }

    // MARK: The way to the server

    private func login(
        _ connection: MySQLConnection, _ server: MySQLServer, _ database: String
    ) async -> Finding {
        Finding(
            .connection, "login", .ok,
            "account \(server.account) in \(database) at \(await connection.place)")
    }

    /// Whoever listens on the network, or stands in the server's place.
    private func encryption(_ connection: MySQLConnection) async -> Finding {
        let link = await connection.link
        let better = ["-- --sslmode verify-full --sslrootcert FILE, or DB_SSLMODE, DB_SSLROOTCERT"]
        guard let cipher = link.cipher else {
            return link.isLocal
                ? Finding(.connection, "encryption", .ok, "none, and the server is local")
                : Finding(
                    .connection, "encryption", .warning,
                    "none: rows cross the network as they are", fix: better)
        }
        guard settings.tls != .verifyFull, !link.isLocal else {
            return Finding(.connection, "encryption", .ok, cipher)
        }
        return Finding(
            .connection, "encryption", .note,
            "\(cipher), but sslmode \(settings.tls.rawValue) does not check who the server is",
            fix: better)
    }

    private func session(
        _ connection: MySQLConnection, _ server: MySQLServer
    ) async throws -> Finding {
        do {
            try await MySQLSession.pin(connection, on: server)
            return Finding(.connection, "session", .ok, "keeps its settings")
        } catch let error as BackupError {
            return Finding(
                .connection, "session", .problem, error.message,
                fix: (error.hint ?? "").split(separator: "\n").map { "-- \($0)" })
        }
    }

    /// Beside this connection: the other readers, and one for locks; one that watches them, where it can be had.
    private func room(_ connection: MySQLConnection) async throws -> Finding {
        let room = try await MySQLRoom(connection)
        // This one will have ended, and a reader will be in its place.
        let free = room.free + 1
        let needed = max(1, request.connections) + 1
        let words = "\(free) free (max_connections \(room.limit)), a backup uses \(needed)"
        guard free < needed else { return Finding(.connection, "connections", .ok, words) }
        return Finding(
            .connection, "connections", .problem, words,
            fix: [free > 2 ? "-- use --jobs \(free - 1)" : "-- end other sessions"])
    }

    private func moment(
        _ privileges: MySQLPrivileges, _ connection: MySQLConnection
    ) async throws -> Finding {
        let log = try await MySQLBinaryLog(server: privileges.server, connection: connection)
            .testimony()
        let way = privileges.way(connections: request.connections, log: log)
        return Finding(
            .server, "one moment", way.better.isEmpty ? .ok : .note, "by \(way.words)",
            fix: way.better)
    }

    // MARK: What would be backed up

    private func addContents(
        to check: inout SourceCheck, _ privileges: MySQLPrivileges, _ connection: MySQLConnection
    ) async throws {
        let catalog = MySQLCatalog(connection: connection, database: privileges.database)
        let scope = try MySQLScope(
            request, try await catalog.relations(), database: privileges.database)
        let locked = try await locked(in: scope, connection)
        if !locked.isEmpty { check.findings.append(Self.finding(ofLocked: locked)) }
        let objects = MySQLObjects(
            connection: connection, database: privileges.database, server: privileges.server)
        let busy = Set(locked.map(\.name))
        let answers = try await objects.answers(
            about: scope.inScope.filter { !busy.contains($0.name) })
        check.findings += Self.findings(ofUndescribed: answers.undescribed)
        check.findings += try await views(
            of: scope, besides: Set(answers.undescribed.map(\.relation.name)), privileges,
            connection)
        let isWhole = request.scope == .database
        let tables = "\(scope.stored.count) \(scope.stored.count == 1 ? "table" : "tables")"
        let lacks = privileges.lacks(
            of: scope, isWhole: isWhole, hidden: try await catalog.hiddenRoutines())
        check.findings.append(
            lacks.isEmpty
                ? Finding(
                    .contents, "privileges", .ok,
                    "account \(privileges.server.account) may read everything: \(tables)"
                )
                : Finding(
                    .contents, "privileges", lacks.contains(where: \.isFatal) ? .problem : .warning,
                    "account \(privileges.server.account) \(lacks.map(\.cost).joined(separator: "; "))",
                    fix: lacks.map { privileges.statement($0.grant) }))
        let bytes = scope.stored.reduce(0) { $0 + $1.bytes }
        check.estimatedBytes = bytes
        check.findings.append(
            Finding(
                .contents, "size", .ok,
                "\(tables), about \(ByteText(bytes))"))
        do {
            try await addTables(
                to: &check, scope, besides: busy.union(answers.undescribed.map(\.relation.name)),
                answers.statements, catalog)
        } catch let error as BackupError where error.code == .serverRefused {
            check.findings.append(
                Finding(
                    .contents, "columns", .problem, error.message,
                    fix: (error.hint ?? "").split(separator: "\n").map { "-- \($0)" }))
        }
    }

    /// Tables that a backup would have to wait for: it touches each of them like this.
    private func locked(
        in scope: MySQLScope, _ connection: MySQLConnection
    ) async throws -> [MySQLCatalog.Relation] {
        var locked: [MySQLCatalog.Relation] = []
        for relation in scope.stored {
            do {
                try await connection.executeInterruptibly(
                    "SELECT 1 FROM \(MySQLText.qualified(relation.name)) LIMIT 0")
            } catch let error as MySQLError where error.isLockTimeout {
                locked.append(relation)
            } catch let error as MySQLError where !error.isConnectionLoss {
                // What else is wrong with it is not this question's.
            }
        }
        return locked
    }

    /// Views that nobody can read: a backup keeps what makes them, and a restore may not be able to make them.
    ///
    /// The server looks up what each of them shows, and reads nothing.
    ///
    /// `named`: Those of which it is told already that the server does not say what makes them.
    private func views(
        of scope: MySQLScope, besides named: Set<TableName>, _ privileges: MySQLPrivileges,
        _ connection: MySQLConnection
    ) async throws -> [Finding] {
        var broken: [Broken] = []
        for view in scope.inScope where view.kind == .view && !named.contains(view.name) {
            let name = view.name
            // Who may not read it is told so elsewhere.
            guard privileges.grants.holds("SELECT", on: name.schema, table: name.name) else {
                continue
            }
            try Task.checkCancellation()
            do {
                try await connection.lookUp("SELECT 1 FROM \(MySQLText.qualified(name))")
            } catch let error as MySQLError where error.isLockTimeout {
                // Each further one might be waited for as long.
                return Self.findings(ofBroken: broken)
                    + [
                        Finding(
                            .contents, "views", .note,
                            "another session holds a lock on what view \(name.name) shows: the views behind it were not "
                                + "looked at")
                    ]
            } catch let error as MySQLError
                where MySQLMaker.leavesViewOut(error) && !error.isDamagedTable
            {
                broken.append(Broken(view: view, reason: error))
            } catch let error as MySQLError where !error.isConnectionLoss {
                // What else is wrong with it is not this question's.
            }
        }
        return Self.findings(ofBroken: broken)
    }

    /// A view that nobody can read, and why.
    private struct Broken {
        let view: MySQLCatalog.Relation
        let reason: MySQLError
    }

    private static func findings(ofBroken views: [Broken]) -> [Finding] {
        let absent = views.filter { MySQLMaker.tellsOfAbsence($0.reason) }
        let refused = views.filter { !MySQLMaker.tellsOfAbsence($0.reason) }
        let shows = absent.count == 1 ? "shows" : "show"
        return [
            finding(ofBroken: absent) { _ in "\(shows) what is not there, or may not be read" },
            finding(ofBroken: refused) { "cannot be read (\($0.words))" },
        ].compactMap(\.self)
    }

    private static func finding(
        ofBroken views: [Broken], _ words: (MySQLError) -> String
    ) -> Finding? {
        guard let first = views.first else { return nil }
        return Finding(
            .contents, "views", .warning,
            "\(list(views.map(\.view))) \(words(first.reason)): a backup keeps what makes such a view; a "
                + "restore or a drill that cannot make it lists it, and the exit code is 3",
            fix: views.map {
                "-- mend what it shows, or: DROP VIEW \(MySQLText.qualified($0.view.name));"
            })
    }

    /// Views that are refused in the words of a table come back with it.
    private static func findings(ofUndescribed tables: [MySQLObjects.Undescribed]) -> [Finding] {
        guard let first = tables.first else { return [] }
        let words = Set(
            tables.filter { $0.relation.kind == .table }.map { ExactText($0.reason.message) })
        let own = tables.filter {
            $0.relation.kind == .table || !words.contains(ExactText($0.reason.message))
        }
        return [
            Finding(
                .contents, "tables", .problem,
                "the server does not say what makes \(list(tables.map(\.relation))): \(first.reason.words)",
                fix: own.map {
                    let word = $0.relation.kind == .view ? "VIEW" : "TABLE"
                    return
                        "-- mend it, leave it out with --skip-unreadable, or: DROP \(word) \(MySQLText.qualified($0.relation.name));"
                })
        ]
    }

    private static func finding(ofLocked relations: [MySQLCatalog.Relation]) -> Finding {
        let them = relations.count == 1 ? "it" : "them"
        return Finding(
            .contents, "locks", .warning,
            "another session holds a lock on \(list(relations)): a backup waits for \(them) as long as --lock-timeout "
                + "says, and nothing more was looked up of \(them)",
            fix: ["-- SHOW PROCESSLIST lists the sessions"])
    }

    private func addTables(
        to check: inout SourceCheck, _ scope: MySQLScope, besides unread: Set<TableName>,
        _ statements: [ExactText: String], _ catalog: MySQLCatalog
    ) async throws {
        let stored = scope.stored.filter { !unread.contains($0.name) }
        // The server would wait for each that is not named and is locked.
        let names = unread.isEmpty ? nil : stored.map(\.name.name)
        let columns = try await catalog.columns(of: names)
        let indexes = try await catalog.uniqueIndexes(of: names)
        let keyless = stored.filter { relation in
            MySQLCatalog.key(
                among: indexes[relation.name] ?? [], of: columns[relation.name] ?? []
            ) == nil
        }
        if !keyless.isEmpty {
            check.findings.append(
                Finding(
                    .contents, "keys", .note,
                    "\(Self.list(keyless)) \(keyless.count == 1 ? "has" : "have") no key: every "
                        + "differential holds all rows, unless none has changed"))
        }
        let zoned = MySQLZonedTables(stored.map(\.name), statements)
        if let words = try await zoned.words(ofSource: catalog.connection) {
            check.findings.append(Finding(.contents, "time zone", .warning, words))
        }
        let versioned = stored.filter(\.isVersioned)
        if !versioned.isEmpty {
            check.findings.append(
                Finding(
                    .contents, "history", .warning,
                    "the history of \(Self.list(versioned)) is not in the backup: the rows of now are"
                ))
        }
        let others = stored.filter { !$0.isTransactional }
        if !others.isEmpty {
            check.findings.append(
                Finding(
                    .contents, "snapshot", .warning,
                    "no snapshot holds \(Self.list(others)): rows that are written while they are read "
                        + "may be missing or double",
                    fix: others.map {
                        "ALTER TABLE \(MySQLText.qualified($0.name)) ENGINE = InnoDB;"
                    }))
        }
    }

    private static func list(_ relations: [MySQLCatalog.Relation]) -> String {
        let names = relations.prefix(5).map(\.name.name).joined(separator: ", ")
        return relations.count > 5 ? "\(names) and \(relations.count - 5) more" : names
    }

    // MARK: Others

    /// Statements that take long, as far as the account may see them.
    private func activity(_ connection: MySQLConnection) async throws -> [Finding] {
        let busy = try await MySQLPeer.all(connection).filter { peer in
            peer.waitsForLock || (peer.hasStatement && peer.seconds > 60)
        }
        return busy.prefix(3).map { peer in
            Finding(
                .activity, "sessions", .note,
                "session \(peer.process) of \(peer.account ?? "") has been at work for \(peer.seconds) s "
                    + "(\(peer.state))")
        }
    }
}
