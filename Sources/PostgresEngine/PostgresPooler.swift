import BackupCore

/// A pooler in transaction mode, which lends one session of the server to several connections.
///
/// What a restore sets would stay for whoever gets the session next, and so would its locks.
enum PostgresPooler {
    static var refusal: BackupError {
        BackupError(
            .connectionFailed, "the server's session changes between transactions",
            hint: "A connection pooler in transaction mode does that; connect to the server itself."
        )
    }

    /// Refuses one, before anything is set.
    ///
    /// `databases`: The first that can be reached is asked.
    static func refuse(_ settings: PostgresSettings, databases: [String]) async throws {
        for database in databases {
            var own = settings
            own.database = database
            var isShared = false
            do {
                isShared = try await sharesSessions(own)
            } catch let error as BackupError where error.code == .passwordRequired {
                throw error
            } catch {
                // Whatever else is wrong with a connection, the one that is used will tell.
                try Task.checkCancellation()
                continue
            }
            guard !isShared else { throw refusal }
            return
        }
    }

    /// Sets nothing, and names everything with its schema: the sessions may be somebody else's.
    private static func sharesSessions(_ settings: PostgresSettings) async throws -> Bool {
        let first = try await PostgresConnection(settings, searchPath: .session)
        let own = try await first.process()
        let second = try await PostgresConnection(settings, searchPath: .session)
        try await second.execute("BEGIN")
        let its = try await second.process()
        // A pool of one session would let the first wait for the second.
        var isShared = own == its
        if !isShared { isShared = try await first.process() != own }
        try await second.execute("ROLLBACK")
        return isShared
    }
}
