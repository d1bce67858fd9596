import BackupCore

/// How a target is found, checked and, once that has been approved, made ready.
struct PostgresTargetOpening {
    private let request: TargetRequest
    private let settings: PostgresSettings
    private let preparation: PostgresTargetPreparation

    init(_ request: TargetRequest, settings: PostgresSettings) {
        self.request = request
        let settings = settings.exposed(to: request.notes)
        self.settings = settings
        preparation = PostgresTargetPreparation(request: request, settings: settings)
    }

    /// What the target is before it is touched.
    struct Found {
        var connection: PostgresConnection
        var presence = PostgresPresence()
        var mark: PostgresRestoreMark.Contents?
        var exists = false
    }

    /// Connects, checks and asks; nil when the plan is not approved.
    func target(approves: (TargetPlan) async throws -> Bool) async throws -> PostgresTarget? {
        guard request.definer == nil else {
            throw BackupError(
                .usage, "PostgreSQL has no definers",
                hint: "--no-owner lets everything belong to the restoring role.")
        }
        guard let dump = request.definition.dump else {
            throw BackupError(.damaged, "the backup has no schema.dump")
        }
        let oldest = request.definition.dumpVersion ?? request.sourceVersion
        let programs = try await PostgresPrograms.find(
            atLeast: Int(oldest.prefix { $0.isNumber }) ?? 0, named: settings.pgDump)
        do {
            let found = try await look()
            let server = try await PostgresServer(found.connection)
            var archive = try await PostgresArchiveRestore(dump, request, programs: programs)
            var planner = PostgresTargetPlanner(
                request, archive: archive.archive, presence: found.presence)
            let asked = try planner.plan(continuing: found.mark)
            planner.forbidden = try await PostgresServerCheck(request: request).forbidden(
                of: archive, on: found.connection, server)
            archive.plan =
                try planner.forbidden.isEmpty ? asked : planner.plan(continuing: found.mark)
            // The role may have been none when it began.
            if !server.isSuperuser || found.mark != nil { deferComments(&archive) }
            if !server.isSuperuser {
                try await leaveOutDefaults(&archive, on: found.connection, server)
                try await PostgresServerCheck(request: request).leaveOutGrants(
                    of: &archive, on: found.connection, major: server.major)
            }
            // A table with another name shares no names with the archive's entries; its indexes
            // are made all at once.
            if found.mark != nil, archive.plan.renamed == nil {
                archive.made = planner.made
            }
            try await PostgresPlanCheck(
                request: request, preparation: preparation, found: found, archive: archive
            ).run(server)
            var shown = archive.plan.target
            shown.createsDatabase = !found.exists
            let made = Set(planner.describe(archive.made))
            shown.made = shown.creates.filter(made.contains)
            guard try await approves(shown) else { return nil }
            return try await prepared(found, archive, asked, server)
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot prepare database \(request.database)")
        }
    }

    // MARK: Looking

    private func look() async throws -> Found {
        let lasting = PostgresTargetPreparation.lastingDatabases(settings)
        try await PostgresPooler.refuse(
            settings,
            databases: request.creates
                ? lasting + [request.database] : [request.database] + lasting)
        guard try await preparation.databaseExists() else {
            let connection = try await administration()
            return Found(
                connection: connection,
                presence: try await PostgresPresence(ofNewDatabaseOn: connection))
        }
        let connection = try await connect()
        try await claim(connection)
        let mark = try await PostgresRestoreMark.read(connection)
        if let mark {
            try checkContinuation(mark)
        } else {
            try await checkEmptiness(connection)
        }
        let owners = PostgresArchiveNames.owners(request)
        return Found(
            connection: connection,
            presence: try await PostgresPresence(connection, owners: owners), mark: mark,
            exists: true)
    }

    private func administration() async throws -> PostgresConnection {
        try await PostgresTargetPreparation.administrativeConnection(
            settings, orElse: request.database)
    }

    /// One restore at a time works on a database.
    private func claim(_ connection: PostgresConnection) async throws {
        let isFree = try await connection.value(
            "SELECT pg_catalog.pg_try_advisory_lock(1146242895, 7)")
        guard isFree == "t" else {
            throw BackupError(
                .locked, "another restore into \(request.database) is under way",
                hint: "Wait until it has ended.")
        }
        try await endOrphans(connection)
    }

    /// Ends what a killed restore left at work: its sessions go on for as long as one statement
    /// takes, and what they make would be in the way.
    ///
    /// No other restore is under way here, so these have nobody any more.
    private func endOrphans(_ connection: PostgresConnection) async throws {
        let name = SQLText.literal(PostgresArchiveRestore.sessionName)
        let orphans = """
            FROM pg_catalog.pg_stat_activity
            WHERE datname = pg_catalog.current_database()
              AND pg_catalog.starts_with(application_name, \(name))
            """
        _ = try await connection.rows("SELECT pg_catalog.pg_terminate_backend(pid) \(orphans)")
        for _ in 0..<Self.orphanPatience {
            guard try await connection.value("SELECT 1 \(orphans) LIMIT 1") != nil else { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw BackupError(
            .locked,
            "sessions of an interrupted restore into \(request.database) are still at work",
            hint: "Wait until they have ended, and run the same restore again.")
    }

    /// In tenths of a second.
    private static let orphanPatience = 300

    private func checkContinuation(_ mark: PostgresRestoreMark.Contents) throws {
        let isSame =
            mark.backup == request.backup
            && mark.request.isExactly(PostgresRestoreMark.words(request))
        guard !isSame else { return }
        let command = RestoreWords(mark.request).command(of: mark.backup, into: request.database)
        throw BackupError(
            .targetUnsuitable,
            "\(request.database) holds an unfinished restore of \(mark.backup)",
            hint: """
                It was: \(command); run it again like that, and it goes on. Or forget it, keeping what it \
                made: DROP SCHEMA \(PostgresRestoreMark.schema) CASCADE;
                """)
    }

    private func checkEmptiness(_ connection: PostgresConnection) async throws {
        let wantsNothing =
            request.isWhole && request.existing == nil && !request.drops
            && request.content != .rows
        guard request.creates || wantsNothing else { return }
        try await preparation.checkEmptiness(connection, isNew: request.creates)
        if request.creates { try await preparation.checkLikeness(connection) }
    }

    // MARK: Planning and checking

    /// An extension belongs to who made it, unless the server has it otherwise; commenting on another's is refused, and
    /// with it all that is made by the same script.
    private func deferComments(_ archive: inout PostgresArchiveRestore) {
        let comments = archive.archive.entries.filter {
            $0.words.startsExactly(with: "COMMENT - EXTENSION ")
        }.map(\.id)
        archive.plan.extensionComments = archive.plan.chosen.intersection(comments)
        archive.plan.chosen.subtract(comments)
    }

    /// What a role gives away of all that it will make only itself, its members and superusers may say.
    ///
    /// Owners that are left out leave these statements as they are.
    private func leaveOutDefaults(
        _ archive: inout PostgresArchiveRestore, on connection: PostgresConnection,
        _ server: PostgresServer
    ) async throws {
        guard !request.omitsPrivileges else { return }
        let chosen = archive.plan.chosen
        let defaults = archive.archive.entries.filter {
            chosen.contains($0.id) && $0.isA("DEFAULT ACL")
        }
        let roles = try await PostgresServerCheck(request: request).rolesWithForeignDefaults(
            among: defaults.compactMap(\.owner), connection, major: server.major)
        let foreign = Set(roles.map(ExactText.init))
        archive.plan.chosen.subtract(
            defaults.filter { $0.owner.map { foreign.contains(ExactText($0)) } ?? false }
                .map(\.id))
        archive.plan.target.leftOut += roles.map {
            "default privileges of role \($0): the restoring role may not change them"
        }
    }

    // MARK: Making ready

    /// `asked`: The plan before what the role may not make is taken out of it, which the mark has.
    private func prepared(
        _ found: Found, _ archive: PostgresArchiveRestore, _ asked: PostgresPlan,
        _ server: PostgresServer
    ) async throws -> PostgresTarget {
        var found = found
        if !found.exists {
            try await preparation.create()
            found.connection = try await connect()
            try await claim(found.connection)
        }
        var all = [found.connection]
        for _ in 1..<max(1, request.connections) { all.append(try await connect()) }
        for connection in all { try await PostgresSession.quieten(connection, on: server) }
        try await drop(archive, on: found.connection, server)
        let mark = try await leaveMark(found, asked)
        var archive = archive
        archive.login = await found.connection.programLogin
        archive.givesPrivilegesLate = !server.isSuperuser
        // The server takes a superuser for the owner.
        archive.actsForOwners = !server.isSuperuser
        // A database that was made just now has event triggers as soon as an extension brings some.
        archive.settings =
            server.isSuperuser
            ? [PostgresSession.quietEventTriggers(major: server.major)] : []
        return PostgresTarget(
            request: request, connections: ConnectionPool(all), archive: archive,
            server: server, settings: preparation.targetSettings,
            computing: try await PostgresComputing(request, on: found.connection),
            loginSettings: PostgresLoginSettings(request, preparation.targetSettings),
            presence: found.presence,
            mark: mark, hasBegun: found.mark?.hasBegun ?? false,
            hasStructure: found.mark?.hasStructure ?? false,
            hasIndexes: found.mark?.hasIndexes ?? false)
    }

    private func connect() async throws -> PostgresConnection {
        try await PostgresSession.toTarget(preparation.targetSettings, for: request)
    }

    /// In one transaction: what cannot be dropped keeps everything.
    private func drop(
        _ archive: PostgresArchiveRestore, on connection: PostgresConnection,
        _ server: PostgresServer
    ) async throws {
        var script = try await archive.drops(major: server.major)
        if archive.plan.dropsCopy, let name = archive.plan.renamed?.to {
            script = PostgresScript(text: "DROP TABLE \(SQLText.qualified(name))")
        }
        guard !archive.plan.target.continues, !script.bytes.isEmpty else { return }
        do {
            script = script.limitingLockWaits(to: PostgresPatience.limit)
            try await connection.execute(
                "BEGIN; SET LOCAL lock_timeout = '\(PostgresPatience.limit)'")
            try await PostgresPatience.run(
                "\(request.database) is as it was: cannot drop what the backup holds",
                on: connection, preparation.targetSettings
            ) { [script] in
                try await script.send(on: connection)
            }
            try await connection.execute("COMMIT; SET lock_timeout = 0")
        } catch {
            // A connection that cannot roll back is gone, and its transaction with it.
            try? await connection.execute("ROLLBACK")
            guard let error = error as? PostgresError else { throw error }
            var failure = error.backupError(
                while: "\(request.database) is as it was: cannot drop what the backup holds")
            if error.sqlState == "2BP01" { failure.hint = PostgresDropCheck.hint }
            throw failure
        }
    }

    /// None when the role may not leave a mark: then an interrupted restore cannot be gone on with.
    private func leaveMark(
        _ found: Found, _ plan: PostgresPlan
    ) async throws -> PostgresTarget.Mark {
        if let mark = found.mark {
            let statements =
                (mark.knowsTransactions ? [] : [PostgresRestoreMark.transactionsAreKnown])
                + (mark.isPublishable ? [] : [PostgresRestoreMark.rowIsIdentified])
                + (mark.hasLostUnlogged
                    ? PostgresRestoreMark.areLost(plan.lost, in: plan.target) : [])
            if !statements.isEmpty {
                try await found.connection.execute(
                    (["BEGIN"] + statements + ["COMMIT"]).joined(separator: ";\n"))
            }
            return .written
        }
        let hasObjects = plan.target.tables.keys.contains(PostgresLargeObjects.objects)
        let isPermitted = try await found.connection.value(
            """
            SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')
            """)
        guard isPermitted == "t" else {
            if hasObjects || plan.target.tables.values.contains(where: { $0.treatment == .append })
            {
                request.notes(
                    "warning: the role may not make a schema in \(request.database), which would tell how far "
                        + "this restore is: if it is interrupted, look whether the rows are there already"
                )
            }
            return .none
        }
        let statements = PostgresRestoreMark.statements(request, plan)
        // Large objects are committed before tables that are there change, and cannot be made twice.
        guard !plan.target.creates.isEmpty || hasObjects else {
            // Sequences follow the rows, and adding these twice would double them.
            return plan.target.tables.isEmpty ? .none : .withChange(statements)
        }
        try await found.connection.execute(
            (["BEGIN"] + statements + ["COMMIT"]).joined(separator: ";\n"))
        return .written
    }
}
