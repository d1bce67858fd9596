import BackupCore

/// A server being backed up: takes snapshots of it.
struct PostgresSource {
    /// How often structure may change between listing and locking before we give up.
    private static let attempts = 5
    private static let tablesPerLock = 300

    private let settings: PostgresSettings
    private let leader: PostgresConnection
    private let encoding: String
    private let user: String
    private let isStandby: Bool
    private let definitionSettings: [String]
    private let programs: PostgresPrograms
    /// Knows who waits for this backup, and whom it waits for.
    let watch: PostgresLockWatch
    private let told = Exclusive<Set<String>>([])

    /// Connects, and finds a pg_dump that fits the server.
    init(_ settings: PostgresSettings, for request: SnapshotRequest) async throws {
        let settings = settings.exposed(to: request.notes)
        self.settings = settings
        leader = try await PostgresConnection(settings)
        let server = try await PostgresServer(leader)
        encoding = server.clientEncoding
        user = server.user
        isStandby = server.isStandby
        definitionSettings = server.definitionSettings
        programs = try await PostgresPrograms.find(atLeast: server.major, named: settings.pgDump)
        try await PostgresSession.pin(leader, encoding: encoding, side: .source)
        watch = await PostgresLockWatch(
            settings, beside: leader, encoding: encoding, request: request)
        try await watch.include(leader)
    }

    /// Takes a snapshot, and starts over when structure changed before the locks were held.
    func takeSnapshot(of request: SnapshotRequest) async throws -> PostgresSnapshot {
        var attempt = 1
        while true {
            do {
                return try await attemptSnapshot(of: request)
            } catch let error as PostgresError {
                let isGone = ["42P01", "3F000"].contains(error.sqlState)
                guard isGone, attempt < Self.attempts else {
                    throw error.backupError(while: "cannot take a snapshot")
                }
            } catch let overtaken as Overtaken {
                guard attempt < Self.attempts else { throw overtaken.failure }
            } catch let error as BackupError {
                guard error.code == .sourceChanged, attempt < Self.attempts else { throw error }
            }
            attempt += 1
            // The connection may be in a transaction that failed, or in none.
            try? await leader.execute("ROLLBACK")
        }
    }

    /// What is true in each attempt is told once.
    private func warn(_ words: String, _ request: SnapshotRequest) {
        if told.withValue({ $0.insert(words).inserted }) { request.notes("warning: \(words)") }
    }

    /// Somebody who wants a table for itself came between this backup's locks and pg_dump's.
    ///
    /// It waits for this backup, and pg_dump waits behind it: starting over lets it through, and more patience does not.
    private struct Overtaken: Error {
        let failure: BackupError

        /// `error`: What pg_dump said.
        init(_ error: BackupError, by blocked: PostgresBlocked?) {
            var failure = error
            if let blocked {
                failure.message =
                    "pg_dump could not lock the tables in \(PostgresSource.attempts) attempts: "
                    + blocked.words
            }
            failure.hint =
                blocked?.ending ?? """
                    Run the backup again when no migration is under way: statements that change tables were ahead \
                    of pg_dump in every attempt. "dbtool check" and pg_stat_activity show whose they are.
                    """
            self.failure = failure
        }
    }

    private func attemptSnapshot(of request: SnapshotRequest) async throws -> PostgresSnapshot {
        let before = try await scope(of: request)
        try checkNames(before)
        let oldest = try await PostgresMoment.oldestTransaction(on: leader)
        try await lock(before, timeout: request.lockTimeout)
        // This query takes the snapshot: no statement before it did.
        let facts = try await PostgresMoment.read(
            on: leader, encoding: encoding, oldestTransaction: oldest)
        try await PostgresSession.confirm(leader)
        let scope = try await scope(of: request)
        guard scope.inScope.map(\.signature) == before.inScope.map(\.signature) else {
            throw BackupError(
                .sourceChanged, "tables were created, dropped or rewritten while they were locked",
                hint: "Run the backup again.")
        }
        try checkHiddenRows(scope)
        if try await PostgresRestoreMark.isIn(leader) {
            warn(
                "\(facts.moment.database) holds an unfinished restore: the backup is of what it has made so far",
                request)
        }
        return try await snapshot(scope, request, facts)
    }

    /// - Throws: `BackupError.permissionDenied` naming everything that cannot be read, with the statements that grant it.
    private func scope(of request: SnapshotRequest) async throws -> PostgresScope {
        let catalog = PostgresCatalog(connection: leader)
        let scope = try await PostgresScope(
            request, relations: catalog.relations(), ancestors: catalog.ancestors(),
            isStandby: isStandby)
        guard !scope.unreadable.isEmpty, !request.skipsUnreadable else { return scope }
        let isWhole = request.scope == .database
        let tables = (scope.inScope + scope.unreadable).map(\.oid)
        let sequences = try await PostgresSequences.names(
            tables: isWhole ? nil : tables, on: leader)
        let objects = isWhole ? try await PostgresLargeObjects.unreadable(leader) : []
        throw PostgresPrivileges.missing(
            tables: scope.unreadable,
            sequences: sequences.filter { !$0.isUnknown && !$0.isReadable },
            largeObjects: objects, for: user, maySkip: request.maySkipUnreadable)
    }

    /// Where the server knows no encoding a name may be bytes that are no text, and then it cannot be asked for.
    private func checkNames(_ scope: PostgresScope) throws {
        guard encoding == "SQL_ASCII" else { return }
        let names = scope.inScope.map(\.name).filter { table in
            [table.schema, table.name].contains { $0.unicodeScalars.contains("\u{FFFD}") }
        }
        guard !names.isEmpty else { return }
        throw BackupError(
            .serverRefused,
            "the name of a table or of its schema is no UTF-8: "
                + PostgresPrivileges.list(names.map { "\($0)" }),
            hint: "Give it another one with ALTER TABLE … RENAME TO or ALTER SCHEMA … RENAME TO.")
    }

    // MARK: Locks

    /// Holds ACCESS SHARE on everything that will be read, until the transaction ends.
    ///
    /// Without it a TRUNCATE, a rewrite or an exchange of names after the snapshot reads as an empty
    /// or another table, without an error. LOCK itself takes no snapshot.
    ///
    /// - SeeAlso: <https://www.postgresql.org/docs/current/sql-lock.html>
    private func lock(_ scope: PostgresScope, timeout: Duration) async throws {
        let tables = scope.inScope
        try await leader.execute("SET lock_timeout = \(Self.milliseconds(timeout))")
        try await leader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for start in stride(from: 0, to: tables.count, by: Self.tablesPerLock) {
            let some = tables[start..<min(start + Self.tablesPerLock, tables.count)]
            let names = some.map { "ONLY \(SQLText.qualified($0.name))" }.joined(separator: ", ")
            do {
                try await leader.executeInterruptibly(
                    "LOCK TABLE \(names) IN ACCESS SHARE MODE")
            } catch let error as PostgresError where error.sqlState == "55P03" {
                throw await blocked(error, some.map(\.oid))
            }
        }
        try await leader.execute("SET lock_timeout = 0")
    }

    /// Says who was in the way when we last looked; the queue of locks is gone by now.
    private func blocked(_ error: PostgresError, _ tables: [String]) async -> BackupError {
        if let blocked = watch.blocked {
            return BackupError(.locked, blocked.words, hint: blocked.remedy)
        }
        if let holder = await holder(of: tables) { return holder }
        var failure = error.backupError(while: "cannot lock the tables")
        failure.code = .locked
        return failure
    }

    /// Whoever holds an exclusive lock now: on a busy machine the timeout can be over before the
    /// watch has looked once.
    private func holder(of tables: [String]) async -> BackupError? {
        // Only to say more: without an answer the error stands as it is.
        try? await leader.execute("ROLLBACK")
        guard let held = try? await PostgresLocks(connection: leader).exclusive(on: tables).first
        else { return nil }
        return BackupError(
            .locked, "table \(held.table) is locked by \(held.peer.description)",
            hint: held.peer.remedy)
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return max(1, seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }

    // MARK: Under the locks

    private func checkHiddenRows(_ scope: PostgresScope) throws {
        let hidden = scope.stored.filter(\.hidesRows).map(\.name)
        guard hidden.isEmpty else { throw PostgresPrivileges.hidden(hidden, from: user) }
    }

    private func snapshot(
        _ scope: PostgresScope, _ request: SnapshotRequest, _ facts: PostgresMoment
    ) async throws -> PostgresSnapshot {
        let isWhole = request.scope == .database
        let inScope = scope.inScope.map(\.oid)
        let leftOut = scope.unreadable + scope.untouchable
        let numbering =
            try await isWhole ? PostgresSequences.numbering(leftOut.map(\.oid), on: leader) : []
        let id = try await leader.value("SELECT pg_catalog.pg_export_snapshot()") ?? ""
        // pg_dump asks the catalogs for as long as the leader does: beside it.
        async let definition = definition(
            at: id, request, tables: isWhole ? nil : Set(inScope),
            unreadable: leftOut.map(\.name) + numbering.map(\.name))
        let sequences = try await readableSequences(
            request, tables: isWhole ? nil : inScope, leftOut: leftOut.map(\.oid),
            omitted: numbering.map(\.oid))
        // Held from now on; their values are read again at the end.
        _ = try await PostgresSequences.read(sequences.map(\.name), on: leader)
        var contents = try await PostgresContents(
            scope, isWhole: isWhole, facts: facts, user: user, on: leader)
        contents.schema.excluded = scope.excluded
        contents.schema.unreadable = scope.unreadable.map(\.name)
        contents.schema.scopeObjects = isWhole ? [] : inScope
        let joining = PostgresJoining(
            snapshotID: id, settings: settings, encoding: encoding, watch: watch)
        let readers = try await PostgresReaders(leader, joining, for: request)
        let sql, dump: [UInt8], list: [UInt8]?, warnings: [String]
        do {
            (sql, dump, list, warnings) = try await definition
        } catch let error as BackupError where error.code == .serverRefused {
            // Of a view that is gone pg_dump says that it is empty.
            try await confirmDefinition()
            throw error
        }
        try await confirmDefinition()
        for warning in warnings { warn("pg_dump: \(warning)", request) }
        let roles = try await PostgresMoment.roles(
            of: list.map(Self.objects), without: leftOut.map(\.oid) + numbering.map(\.oid),
            on: leader)
        var description = SchemaDefinition(
            sql: sql, dump: dump, roles: roles.all, owners: roles.owners,
            extensions: isWhole ? facts.extensions : [])
        description.dumpVersion = "\(programs.major)"
        description.list = list
        return PostgresSnapshot(
            moment: facts.moment, schema: contents.schema, definition: description,
            leader: leader, readers: readers,
            rows: contents.rows, definedSequences: sequences, settings: settings,
            writtenUpTo: facts.writtenUpTo, meaning: contents.meaning,
            trustsRestart: request.trustsRestart)
    }

    /// What the server has said to pg_dump of things as they were by then must be what they were at the snapshot.
    private func confirmDefinition() async throws {
        let versions = try await PostgresDefinitionVersions(on: leader)
        let fresh = try await PostgresSession.another(settings, encoding: encoding)
        try versions.requireKept(in: try await PostgresDefinitionVersions(on: fresh))
    }

    private func definition(
        at snapshotID: String, _ request: SnapshotRequest, tables: Set<String>?,
        unreadable: [TableName]
    ) async throws -> PostgresDefinition.Definition {
        var login = await leader.programLogin
        login.environment["PGAPPNAME"] = PostgresLockWatch.programName(
            leader: try await leader.process())
        // Older poolers refuse sessions that begin with settings: where there is none to change, none is given.
        for setting in definitionSettings { login.set(setting) }
        do {
            return try await PostgresDefinition(
                programs: programs, login: login, snapshotID: snapshotID,
                encoding: encoding, lockTimeout: request.lockTimeout
            ).read(tables: tables, unreadable: unreadable)
        } catch let error as BackupError where error.code == .locked {
            throw Overtaken(error, by: watch.blocked)
        }
    }

    /// The oids of catalog and object in every line of a list.
    private static func objects(in list: [UInt8]) -> [(catalog: String, object: String)] {
        list.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let words = line.split(separator: UInt8(ascii: " "))
                .map { String(decoding: $0, as: UTF8.self) }
            return words.count == 3 ? (words[1], words[2]) : nil
        }
    }

    /// Those whose places are not to be had begin anew in a restore: the backup has been told to leave out what may not be
    /// read, and their tables with it.
    private func readableSequences(
        _ request: SnapshotRequest, tables: [String]?, leftOut: [String], omitted: [String]
    ) async throws -> [PostgresSequences.Sequence] {
        let all = try await PostgresSequences.names(
            tables: tables, leftOut: leftOut, omitted: omitted, on: leader)
        let sequences = all.filter { !$0.isUnknown }
        let (hidden, unreadable) = (
            sequences.filter { !$0.isReadable && $0.isOfLeftOut },
            sequences.filter { !$0.isReadable && !$0.isOfLeftOut }
        )
        warnOfNewBeginnings(
            "unlogged sequences, which a standby knows nothing of", all.filter(\.isUnknown), request
        )
        warnOfNewBeginnings(
            "sequences of tables that are left out, which others need and the role may not read",
            hidden, request)
        guard unreadable.isEmpty else {
            let isWhole = tables == nil
            let objects = isWhole ? try await PostgresLargeObjects.unreadable(leader) : []
            throw PostgresPrivileges.missing(
                sequences: unreadable, largeObjects: objects, for: user)
        }
        return sequences.filter(\.isReadable)
    }

    private func warnOfNewBeginnings(
        _ what: String, _ sequences: [PostgresSequences.Sequence], _ request: SnapshotRequest
    ) {
        guard !sequences.isEmpty else { return }
        let names = PostgresPrivileges.list(sequences.map { "\($0.name)" })
        warn("\(what), begin anew in a restore: \(names)", request)
    }
}
