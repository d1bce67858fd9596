import BackupCore

/// What a backup would meet, found out without taking one.
///
/// Catalog queries, one short sample of rows, no lock waited for, nothing written.
struct PostgresCheck {
    let settings: PostgresSettings
    let request: SnapshotRequest

    init(_ settings: PostgresSettings, _ request: SnapshotRequest) {
        self.settings = settings
        self.request = request
        // Everything that is missing is to be found, not the first of it.
        var tolerant = request
        tolerant.skipsUnreadable = true
        tolerantRequest = tolerant
    }

    private let tolerantRequest: SnapshotRequest

    func run() async throws -> SourceCheck {
        let connection = try await connected()
        let link = await connection.link
        do {
            let server = try await PostgresServer(connection)
            try await PostgresSession.pin(
                connection, encoding: server.clientEncoding, side: .source)
            var check = SourceCheck(database: link.database)
            check.findings = try await way(to: server, over: connection, link)
            try await connection.execute(
                "SET lock_timeout = '100ms'; SET statement_timeout = '30s'")
            check.findings += try await serverFindings(server, connection)
            try await addContents(to: &check, server, connection)
            return check
        } catch let error as PostgresError {
            throw error.backupError(while: "cannot check the source")
        }
    }

    /// What others could read is a finding, and said otherwise where there are none.
    private func connected() async throws -> PostgresConnection {
        let exposure = Exclusive<String?>(nil)
        let heard = settings.exposed { text in exposure.withValue { $0 = text } }
        do {
            return try await PostgresConnection(heard)
        } catch {
            if let text = exposure.withValue({ $0 }) { request.notes(text) }
            throw error
        }
    }

    // MARK: The way to the server

    private func way(
        to server: PostgresServer, over connection: PostgresConnection, _ link: PostgresLink
    ) async throws -> [Finding] {
        // Counted before the check of the session connects a second time: what has been closed keeps its
        // place until the server has seen it go.
        let room = try await room(connection)
        return [
            login(server, link), Self.encryption(link), try await session(connection, server), room,
        ]
    }

    private func login(_ server: PostgresServer, _ link: PostgresLink) -> Finding {
        let place =
            link.isSocket ? "socket in \(link.host)" : "\(link.host), port \(link.port)"
        let password = link.usedPassword ? "with a password" : "no password was asked for"
        return Finding(
            .connection, "login", .ok,
            "role \(server.user) in \(link.database) at \(place); \(password)")
    }

    /// Whoever listens on the network, or stands in the server's place.
    static func encryption(_ link: PostgresLink) -> Finding {
        let better = ["-- --sslmode verify-full --sslrootcert FILE, or DB_SSLMODE, DB_SSLROOTCERT"]
        guard let encryption = link.encryption else {
            guard !link.isLocal else {
                return Finding(.connection, "encryption", .ok, "none, and the server is local")
            }
            let password = link.usedPassword ? "password and rows" : "rows"
            return Finding(
                .connection, "encryption", .warning,
                "none: \(password) cross the network as they are", fix: better)
        }
        guard !["verify-full", "verify-ca"].contains(link.sslMode), !link.isLocal else {
            return Finding(
                .connection, "encryption", .ok, "\(encryption), sslmode \(link.sslMode)")
        }
        return Finding(
            .connection, "encryption", .note,
            "\(encryption), but sslmode \(link.sslMode) does not check who the server is",
            fix: better)
    }

    /// A pooler in transaction mode lends one session to several connections.
    private func session(
        _ connection: PostgresConnection, _ server: PostgresServer
    ) async throws -> Finding {
        do {
            let mine = try await connection.process()
            if let other = try? await PostgresConnection(settings) {
                try await PostgresSession.liftTimeouts(of: other)
                try await other.execute("BEGIN")
                let its = try await other.process()
                let mineNow = try await connection.process()
                guard mine != its, mine == mineNow else { throw PostgresPooler.refusal }
            }
            try await connection.execute("BEGIN")
            try await PostgresSession.confirm(connection)
            try await connection.execute("ROLLBACK")
            return Finding(.connection, "session", .ok, "keeps its settings")
        } catch let error as BackupError where error.code == .connectionFailed {
            return Finding(
                .connection, "session", .problem, error.message,
                fix: (error.hint ?? "").split(separator: "\n").map { "-- \($0)" })
        }
    }

    /// Beside this connection: the other readers and the one that checks at the end, before them
    /// pg_dump; and one that watches the locks, where it can be had.
    private func room(_ connection: PostgresConnection) async throws -> Finding {
        let room = try await PostgresRoom(connection)
        let jobs = request.connections
        // This one will have ended, and the leader will be in its place.
        let words = "\(room.free + 1) free (\(room.limit)), a backup uses \(jobs + 2)"
        if room.free > jobs { return Finding(.connection, "connections", .ok, words) }
        if room.free == jobs {
            return Finding(
                .connection, "connections", .note, "\(words), one less without watching locks")
        }
        let fewer = room.free >= 1 ? ["-- use --jobs \(room.free)"] : []
        return Finding(
            .connection, "connections", .problem, words,
            fix: fewer + ["-- or raise the limit, or end other sessions"])
    }

    // MARK: What would be backed up

    private func addContents(
        to check: inout SourceCheck, _ server: PostgresServer, _ connection: PostgresConnection
    ) async throws {
        let catalog = PostgresCatalog(connection: connection)
        let scope = try await PostgresScope(
            tolerantRequest, relations: catalog.relations(), ancestors: catalog.ancestors(),
            isStandby: server.isStandby)
        let contents = PostgresContentsCheck(
            scope: scope, isWhole: request.scope == .database, server: server,
            connection: connection)
        let activity = PostgresActivityCheck(
            scope: scope, server: server, connection: connection)
        let locked = try await activity.lockedTables()
        check.findings += try await contents.privileges()
        check.findings += try await contents.surprises()
        let size = try await contents.size(without: Set(locked.map(\.oid)))
        check.findings += size.findings
        check.estimatedBytes = size.bytes
        check.findings += try await activity.findings(locked)
    }
}
