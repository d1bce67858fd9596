import BackupCore

/// How a target is found, checked and, once that has been approved, made ready.
struct MySQLTargetOpening {
    private let request: TargetRequest
    private let preparation: MySQLTargetPreparation

    init(_ request: TargetRequest, settings: MySQLSettings) {
        self.request = request
        preparation = MySQLTargetPreparation(
            request: request, settings: settings.exposed(to: request.notes))
    }

    /// What the target is before it is touched.
    private struct Found {
        var administration: MySQLConnection
        var server: MySQLServer
        /// Nil while there is no database.
        var leader: MySQLConnection?
        var presence = MySQLPresence()
        var mark: MySQLRestoreMark.Contents?
    }

    /// Connects, checks and asks; nil when the plan is not approved.
    func target(approves: (TargetPlan) async throws -> Bool) async throws -> MySQLTarget? {
        let definition = try MySQLDefinition(request.definition.sql)
        do {
            let found = try await look()
            let planner = MySQLTargetPlanner(
                request: request, definition: definition, presence: found.presence)
            var plan = try planner.plan(continuing: found.mark)
            if found.server.isMariaDB {
                try plan.loadCountingTablesAlone(source: request.defaultSchema)
            }
            if let leader = found.leader, found.mark != nil {
                try await MySQLContinuation(
                    request: request, connection: leader, presence: found.presence
                ).check(&plan)
            }
            try await check(found, plan)
            try await tellWhatIsZoned(found, plan)
            var shown = plan.target
            shown.createsDatabase = found.leader == nil
            guard try await approves(shown) else { return nil }
            return try await prepared(found, plan)
        } catch let error as MySQLError {
            throw error.backupError(while: "cannot prepare database \(request.database)")
        }
    }

    private func look() async throws -> Found {
        let (administration, server) = try await preparation.administration()
        var found = Found(administration: administration, server: server)
        guard try await preparation.databaseExists(administration, server) else { return found }
        let leader = try await preparation.connect(to: server)
        found.leader = leader
        try await MySQLClaim(database: request.database).take(leader, notes: request.notes)
        found.presence = try await MySQLPresence(leader, database: request.database)
        found.mark = try await MySQLRestoreMark.read(leader, database: request.database)
        if let mark = found.mark {
            try checkContinuation(mark)
        } else {
            try await checkEmptiness(found.presence)
        }
        return found
    }

    private func checkContinuation(_ mark: MySQLRestoreMark.Contents) throws {
        let isSame =
            mark.backup == request.backup && mark.request.isExactly(MySQLRestoreMark.words(request))
        guard !isSame else { return }
        let command = RestoreWords(mark.request).command(of: mark.backup, into: request.database)
        throw BackupError(
            .targetUnsuitable,
            "\(request.database) holds an unfinished restore of \(mark.backup)",
            hint: """
                It was: \(command); run it again like that, and it goes on. Or forget it, keeping what it \
                made: \(MySQLRestoreMark.removal(in: request.database));
                """)
    }

    private func checkEmptiness(_ presence: MySQLPresence) async throws {
        let wantsNothing =
            request.isWhole && request.existing == nil && !request.drops
            && request.content != .rows
        guard request.creates || wantsNothing else { return }
        try preparation.checkEmptiness(presence)
    }

    private func check(_ found: Found, _ plan: MySQLPlan) async throws {
        try await preparation.checkServer(
            found.administration, found.server, plan, createsDatabase: found.leader == nil)
        guard let leader = found.leader else { return }
        let kinds = MySQLConstraintNames.kinds(
            isMariaDB: found.server.isMariaDB, number: found.server.number)
        try await MySQLConstraintNames(plan, kinds, source: request.defaultSchema)
            .check(leader, database: request.database)
        let privileges = MySQLPrivileges(
            grants: try await MySQLGrants(leader, on: found.server), server: found.server,
            database: request.database)
        let dropped = plan.drops.filter { $0.kind == .table }.map(\.name)
        if let lack = privileges.blindness(toTriggersOf: dropped) {
            request.notes(
                "warning: account \(found.server.account) \(lack.cost), which go with it; \(privileges.statement(lack.grant))"
            )
        }
        // What has not been changed yet when an interrupted restore is gone on with may have become another since.
        try await MySQLExistingTables(
            plan: plan, request: request, connection: leader, isMariaDB: found.server.isMariaDB
        ).check(found.presence, privileges, notes: request.notes)
    }

    /// What is computed in UTC, and was in the zone of whoever wrote the rows.
    private func tellWhatIsZoned(_ found: Found, _ plan: MySQLPlan) async throws {
        guard !request.isScratch else { return }
        let tables = try await MySQLZonedTables(plan, in: request.database, found.leader)
        if let words = try await tables.words(ofTarget: found.administration) {
            request.notes(words)
        }
    }

    // MARK: Making ready

    private func prepared(_ found: Found, _ plan: MySQLPlan) async throws -> MySQLTarget {
        let claim = MySQLClaim(database: request.database)
        var all: [MySQLConnection] = []
        if let leader = found.leader {
            all.append(leader)
        } else {
            try await preparation.create(found.administration)
            let leader = try await preparation.connect(to: found.server)
            try await claim.take(leader, notes: request.notes)
            all.append(leader)
        }
        for number in 1..<max(2, request.connections) where number < request.connections {
            let connection = try await preparation.connect(to: found.server)
            try await claim.join(connection, as: number)
            all.append(connection)
        }
        if found.mark == nil { try await leaveMark(plan, on: all[0]) }
        let presence = try await drop(plan, on: all[0], from: found)
        if !plan.lost.isEmpty {
            // A part of their rows may be committed before the mark can call them loaded again.
            try await all[0].execute(
                MySQLRestoreMark.haveLost(plan.lost, in: request.database))
        }
        return MySQLTarget(
            request: request, connections: ConnectionPool(all), work: plan, server: found.server,
            presence: presence, way: try await way(all[0]),
            commitBytes: try await MySQLCluster.commitBytes(all[0]),
            maker: MySQLMaker(
                settings: preparation, server: found.server, acting: MySQLDefiner(request),
                collation: found.mark?.collation))
    }

    /// One after another: the server has no way to drop all or nothing, so the mark tells what is still to be dropped.
    ///
    /// - Returns: What there is afterwards.
    private func drop(
        _ plan: MySQLPlan, on connection: MySQLConnection, from found: Found
    ) async throws -> MySQLPresence {
        guard !plan.drops.isEmpty else { return found.presence }
        for (index, object) in plan.drops.reversed().enumerated() {
            let name = MySQLText.qualified(
                TableName(schema: request.database, name: object.name))
            do {
                // MariaDB knows packages in the words of Oracle only.
                let isPackage = [.package, .packageBody].contains(object.kind)
                if isPackage { try await connection.execute("SET SESSION sql_mode = ORACLE") }
                try await connection.executeInterruptibly(
                    "DROP \(object.kind.rawValue) IF EXISTS \(name)")
                if isPackage {
                    try await connection.execute(
                        "SET SESSION sql_mode = '\(MySQLSession.Side.target.mode)'")
                }
            } catch {
                // Nothing has been changed yet: nothing is to be gone on with.
                if index == 0, found.mark == nil {
                    try? await connection.execute(MySQLRestoreMark.removal(in: request.database))
                }
                throw error
            }
            if plan.leavesMark {
                try await connection.execute(
                    MySQLRestoreMark.hasDropped(object, in: request.database))
            }
        }
        return try await MySQLPresence(connection, database: request.database)
    }

    private func leaveMark(_ plan: MySQLPlan, on connection: MySQLConnection) async throws {
        guard plan.leavesMark else { return }
        for statement in MySQLRestoreMark.statements(request, plan) {
            try await connection.execute(statement)
        }
    }

    private func way(_ connection: MySQLConnection) async throws -> MySQLTransfer.Way {
        let packet = try await connection.value("SELECT @@SESSION.max_allowed_packet")
        let limit = MySQLTransfer.Limit(packet: packet.flatMap { Int($0) } ?? 1 << 20)
        if await connection.takesManyRows { return .executing(limit) }
        let takesFiles = try await connection.value("SELECT @@GLOBAL.local_infile") == "1"
        let mayLoad = await connection.sendsFiles && takesFiles
        return mayLoad ? .loading(limit) : .inserting(limit)
    }
}
