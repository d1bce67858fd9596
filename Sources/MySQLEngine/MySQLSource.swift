import BackupCore

/// A server being backed up: takes snapshots of one of its databases.
struct MySQLSource {
    /// How often structure may change between listing and reading before we give up.
    private static let attempts = 5

    private let settings: MySQLSettings
    private let leader: MySQLConnection
    private let guardian: MySQLConnection
    private let more: [MySQLConnection]
    private let server: MySQLServer
    private let database: String
    private let rangeSize: MySQLRangeSize
    /// Knows who waits for this backup, and whom it waits for.
    let watch: MySQLLockWatch

    /// Connects as often as the request wants, and once more for locks.
    init(
        _ settings: MySQLSettings, for request: SnapshotRequest,
        rangeSize: MySQLRangeSize = MySQLRangeSize()
    ) async throws {
        let settings = settings.exposed(to: request.notes)
        let leader = try await MySQLConnection(settings)
        let server = try await MySQLServer(leader)
        try await MySQLSession.pin(leader, on: server)
        let database = try await Self.database(of: leader)
        func another() async throws -> MySQLConnection {
            let connection = try await MySQLConnection(settings)
            try await MySQLSession.pin(connection, on: server)
            return connection
        }
        let guardian = try await another()
        var more: [MySQLConnection] = []
        for _ in 1..<max(1, request.connections) { more.append(try await another()) }
        (self.settings, self.leader, self.guardian, self.more) = (settings, leader, guardian, more)
        (self.server, self.database, self.rangeSize) = (server, database, rangeSize)
        watch = await MySQLLockWatch(
            settings, beside: [leader, guardian] + more, on: server, request: request)
    }

    /// The database that a session is in, which must be one of somebody's.
    ///
    /// - Throws: `BackupError.usage` for none, and for one of the server's own.
    static func database(of connection: MySQLConnection) async throws -> String {
        do {
            guard let database = try await connection.value("SELECT DATABASE()") else {
                throw BackupError(.usage, "no database is named", hint: "Name it with --database.")
            }
            guard try await !MySQLSystemDatabase.isMeant(by: database, on: connection) else {
                throw BackupError(
                    .usage, "\(database) is the server's own database, which no backup is made of",
                    hint: "Name another one with --database.")
            }
            return database
        } catch let error as MySQLError {
            throw error.backupError(while: "cannot ask for the database")
        }
    }

    /// Takes a snapshot, and starts over when structure changed while it was taken.
    func takeSnapshot(of request: SnapshotRequest) async throws -> MySQLSnapshot {
        var attempt = 1
        while true {
            do {
                return try await attemptSnapshot(of: request)
            } catch let error as MySQLError {
                let failure = error.backupError(while: "cannot take a snapshot")
                guard failure.code == .sourceChanged, attempt < Self.attempts else {
                    throw watch.explained(failure)
                }
            } catch let error as BackupError {
                guard error.code == .sourceChanged, attempt < Self.attempts else {
                    throw watch.explained(error)
                }
            }
            attempt += 1
            for connection in [leader] + more { try? await connection.execute("ROLLBACK") }
        }
    }

    private func attemptSnapshot(of request: SnapshotRequest) async throws -> MySQLSnapshot {
        let catalog = MySQLCatalog(connection: leader, database: database)
        var objects = MySQLObjects(
            connection: leader, database: database, server: server,
            maySkip: request.maySkipUnreadable, lockTimeout: request.lockTimeout)
        // Who makes a table anew keeps others from asking what it is, too.
        let deadline = ContinuousClock.now + request.lockTimeout
        try await MySQLSession.limitLockWaits(of: leader, to: request.lockTimeout)
        let (before, known) = try await self.scope(of: request, catalog, objects)
        watch.begin(before.stored.map(\.name))
        let blindness = try await checkPrivileges(before, request, catalog)
        try await MySQLSession.limitLockWaits(
            of: leader, to: ContinuousClock.now.duration(to: deadline))
        let statements = try await objects.statements(
            of: before.stored.map(\.name), known: known)
        let numbers = await catalog.numbers(of: before.namesOfStored)
        // Before the snapshots: what begins later began after this, and what was done before is in them.
        let clock = try await MySQLIdentity.clock(guardian, server)
        let time = try await guardian.value(
            "SELECT DATE_FORMAT(UTC_TIMESTAMP(6), '%Y-%m-%dT%H:%i:%s.%f+00:00')")
        let moment = try await MySQLMomentTaker(
            server: server, connections: [leader] + more, guardian: guardian,
            tables: before.stored.map(\.name), deadline: deadline
        ).take()
        for (index, connection) in moment.connections.enumerated() {
            // Whoever waits for the first to let go of a table is waited for by the others: a moment only.
            let left = max(.seconds(1), ContinuousClock.now.duration(to: deadline))
            try await hold(
                before.stored.map(\.name), on: connection,
                index == 0 ? left : min(left, Self.patience), request.lockTimeout,
                isFirst: index == 0)
            watch.hold()
        }
        let (scope, knownNow) = try await self.scope(of: request, catalog, objects)
        guard scope.isUnchanged(since: before),
            await catalog.numbers(of: before.namesOfStored) == numbers,
            try await objects.statements(of: scope.stored.map(\.name), known: knownNow)
                == statements
        else {
            throw BackupError(
                .sourceChanged, "tables were created, dropped or altered while they were looked at",
                hint: "Run the backup again.")
        }
        tellWhatHasNoSnapshot(scope, request)
        try await tellWhatIsZoned(scope, statements, request)
        try await tellWhyOneReads(moment, request)
        let unlike =
            server.isMariaDB
            ? []
            : try await MySQLWideLabels(connection: leader, database: database)
                .unlike(in: scope.stored.map(\.name))
        if !unlike.isEmpty {
            request.notes(
                "warning: the server prints other labels for \(unlike.joined(separator: ", ")) than its rows have: they "
                    + "would be restored as others")
        }
        let doubtful = try await MySQLLostLabels(connection: leader, database: database)
            .doubtful(in: scope.inScope.filter { $0.kind == .table }.map(\.name))
        if !doubtful.isEmpty {
            request.notes(
                "warning: labels of \(doubtful.joined(separator: ", ")) have question marks, which the server also prints for "
                    + "signs that UTF-8 has none for: such a label would be restored as one with a question mark"
            )
        }
        if try await MySQLRestoreMark.isIn(database, leader) {
            request.notes(
                "warning: \(database) holds an unfinished restore: the backup is of what it has made so far"
            )
        }
        objects.collation = try await leader.value("SELECT @@collation_database") ?? ""
        var snapshot = try await snapshot(
            scope, catalog, objects, statements, moment.known(to: clock), time, request,
            numbers.map { MySQLTableNumbers($0, of: database) })
        snapshot.blindness = blindness
        return snapshot
    }

    /// - Returns: What the account does not see, of which nobody knows whether it is there.
    /// - Throws: `BackupError.permissionDenied` with everything that is missing.
    private func checkPrivileges(
        _ scope: MySQLScope, _ request: SnapshotRequest, _ catalog: MySQLCatalog
    ) async throws -> [MySQLBlindness] {
        let privileges = try await privileges()
        let lacks = privileges.lacks(
            of: scope, isWhole: request.scope == .database,
            hidden: try await catalog.hiddenRoutines())
        // Tables that the account does not even see cannot be named as missing: nothing skips them.
        let fatal = lacks.filter(\.isFatal)
        guard fatal.isEmpty else {
            throw BackupError(
                .permissionDenied,
                "account \(server.account) \(fatal.map(\.cost).joined(separator: "; "))",
                hint: (["Run as an administrator:"]
                    + fatal.map { "  " + privileges.statement($0.grant) }).joined(separator: "\n"))
        }
        for lack in lacks {
            request.notes(
                "warning: account \(server.account) \(lack.cost); \(privileges.statement(lack.grant))"
            )
        }
        return lacks.map {
            MySQLBlindness(kinds: $0.hides, remedy: privileges.statement($0.grant))
        }
    }

    /// - Returns: Besides, what makes tables, as far as that had to be asked for.
    private func scope(
        of request: SnapshotRequest, _ catalog: MySQLCatalog, _ objects: MySQLObjects
    ) async throws -> (MySQLScope, [ExactText: String]) {
        var scope = try MySQLScope(request, try await catalog.relations(), database: database)
        guard request.skipsUnreadable else { return (scope, [:]) }
        scope.leaveOut(try await privileges().unreadable(in: scope))
        let answers = try await objects.answers(about: scope.inScope)
        scope.leaveOut(answers.undescribed.map(\.relation.name))
        return (scope, answers.statements)
    }

    private func privileges() async throws -> MySQLPrivileges {
        MySQLPrivileges(
            grants: try await MySQLGrants(leader, on: server), server: server, database: database)
    }

    /// Touches every table, so that the transaction has its metadata lock: whoever alters one now waits
    /// until the rows have been read, instead of changing what is read.
    ///
    /// A row is asked for, as only that tells of a table that was made anew since the snapshot.
    ///
    /// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/metadata-locking.html>
    private func hold(
        _ tables: [TableName], on connection: MySQLConnection, _ timeout: Duration,
        _ whole: Duration, isFirst: Bool
    ) async throws {
        try await MySQLSession.limitLockWaits(of: connection, to: timeout)
        for table in tables {
            do {
                try await connection.executeInterruptibly(
                    "SELECT 1 FROM \(MySQLText.qualified(table)) LIMIT 1")
            } catch let error as MySQLError where error.isLockTimeout && isFirst {
                throw BackupError(
                    .locked,
                    "another session holds a lock on table \(table), and was waited for \(whole.components.seconds) s",
                    hint:
                        "Wait until it has ended, or raise --lock-timeout. SHOW PROCESSLIST lists the sessions."
                )
            } catch let error as MySQLError where error.isLockTimeout || error.isDeadlock {
                throw BackupError(
                    .sourceChanged, "table \(table) is about to be altered by another session",
                    hint: "Run the backup again.")
            }
        }
    }

    /// How long a statement that alters a table is let wait for us while we wait for it.
    private static let patience = Duration.seconds(5)

    private func tellWhatHasNoSnapshot(_ scope: MySQLScope, _ request: SnapshotRequest) {
        if !scope.windows.isEmpty {
            let names = scope.windows.map { "\($0.name.name) (\($0.storage))" }.joined(
                separator: ", ")
            request.notes("rows that are elsewhere are not in the backup: \(names)")
        }
        let versioned = scope.stored.filter(\.isVersioned).map(\.name.name)
        if !versioned.isEmpty {
            request.notes(
                "warning: the history of \(versioned.joined(separator: ", ")) is not in the backup: the rows of now are"
            )
        }
        let others = scope.stored.filter { !$0.isTransactional }
        guard !others.isEmpty else { return }
        let names = others.map { "\($0.name.name) (\($0.storage))" }.joined(separator: ", ")
        request.notes(
            "warning: no snapshot holds \(names): rows that are written while they are read may be missing or double"
        )
    }

    private func tellWhatIsZoned(
        _ scope: MySQLScope, _ statements: [ExactText: String], _ request: SnapshotRequest
    ) async throws {
        let tables = MySQLZonedTables(scope.stored.map(\.name), statements)
        if let words = try await tables.words(ofSource: leader) {
            request.notes("warning: \(words)")
        }
    }

    private func tellWhyOneReads(
        _ moment: MySQLMoment, _ request: SnapshotRequest
    ) async throws {
        guard !more.isEmpty, moment.connections.count == 1 else { return }
        let log = try await MySQLBinaryLog(server: server, connection: guardian).testimony()
        let better = try await privileges().way(connections: more.count + 1, log: log).better
        guard !better.isEmpty else { return }
        request.notes(
            "one connection reads instead of \(more.count + 1): nothing shows that several see the same moment. "
                + better.joined(separator: ", or "))
    }

    // MARK: Within the moment

    private func snapshot(
        _ scope: MySQLScope, _ catalog: MySQLCatalog, _ objects: MySQLObjects,
        _ statements: [ExactText: String], _ moment: MySQLMoment, _ time: String?,
        _ request: SnapshotRequest, _ numbers: MySQLTableNumbers?
    ) async throws -> MySQLSnapshot {
        var schema = Schema()
        (schema.excluded, schema.unreadable) = (scope.excluded, scope.unreadable)
        let isWhole = request.scope == .database
        if !isWhole { schema.scopeObjects = scope.inScope.map(\.name.name) }
        // A type that nobody knows stands in the way of its own table only.
        let isAll = isWhole && scope.excluded.isEmpty && scope.unreadable.isEmpty
        let columns = try await catalog.columns(of: isAll ? nil : scope.stored.map(\.name.name))
        let indexes = try await catalog.uniqueIndexes()
        let digests = try await catalog.textDigests()
        var rows: [TableName: MySQLRows] = [:]
        for relation in scope.stored {
            let own = columns[relation.name] ?? []
            let key = MySQLCatalog.key(among: indexes[relation.name] ?? [], of: own)
            let selected = MySQLRows(
                relation.name, columns: own, key: key,
                ranges: try await MySQLRanges.find(
                    of: relation, key, own, on: leader, server, size: rangeSize))
            var table = Table(
                name: relation.name, columns: own.map(\.column), key: key?.columns ?? [],
                identity: TableIdentity(
                    object: relation.isTransactional
                        ? numbers?.number(of: relation.name.name) ?? "" : "",
                    storage: relation.created, textDigest: digests[relation.name] ?? ""),
                estimatedBytes: relation.bytes)
            table.split = selected.split
            schema.tables.append(table)
            rows[relation.name] = selected
        }
        let made = try await objects.all(
            scope.inScope, isWhole: isWhole, others: scope.otherSequences, known: statements)
        let libraries = isWhole ? await catalog.libraries() : []
        if !libraries.isEmpty {
            request.notes(
                "warning: libraries are not in the backup: \(libraries.joined(separator: ", "))")
        }
        return MySQLSnapshot(
            moment: try await description(moment, time), schema: schema,
            definition: SchemaDefinition(sql: try Self.script(made, objects.collation), dump: nil),
            leader: leader, readers: ConnectionPool(moment.connections), rows: rows,
            statements: statements, objects: objects, knowsTables: numbers != nil,
            sequenceNames: Set(made.filter { $0.kind == .sequence }.map { ExactText($0.name) }))
    }

    /// What cannot be read back could not be restored, nor what is there twice.
    ///
    /// - Throws: `BackupError.serverRefused`.
    static func script(_ objects: [MySQLObject], _ collation: String) throws -> [UInt8] {
        var labels: Set<ExactText> = []
        if let twice = objects.first(where: {
            !labels.insert(MySQLRestoreMark.label(of: $0)).inserted
        }) {
            throw BackupError(
                .serverRefused,
                "the server names \(twice.kind.rawValue.lowercased()) \(twice.name) twice")
        }
        let text = Array(MySQLScript.text(of: objects, collation: collation).utf8)
        let read = try MySQLDefinition(text).objects
        let known = Dictionary(read.map { (MySQLRestoreMark.label(of: $0), $0) }) { _, last in last
        }
        guard
            let lost = objects.first(where: { object in
                guard let read = known[MySQLRestoreMark.label(of: object)] else { return true }
                guard let own = object.table?.lowercased() else { return false }
                // Some servers do not tell names of tables by their case.
                let table = MySQLStatementHead(read.statement)?.table?.lowercased() ?? ""
                return !table.isExactly(own)
            })
        else { return text }
        let what = "\(lost.kind.rawValue.lowercased()) \(lost.name)"
        throw BackupError(.serverRefused, "what the server says of \(what) is not understood")
    }

    private func description(
        _ moment: MySQLMoment, _ time: String?
    ) async throws -> SnapshotMoment {
        let row =
            try await leader.rows(
                """
                SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME
                FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = DATABASE()
                """
            ).first ?? []
        var identity = moment.position
        identity.merge(try await MySQLIdentity.read(leader, server)) { _, own in own }
        return SnapshotMoment(
            time: time.flatMap { Timestamp($0) } ?? .now, database: database,
            defaultSchema: database,
            serverVersion: server.version, consistency: moment.words, encoding: "UTF8",
            identity: identity,
            databaseProperties: [
                "product": server.product.rawValue, "character_set": row[0] ?? "",
                "collation": row[1] ?? "",
            ])
    }
}
