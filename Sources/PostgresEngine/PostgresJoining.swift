import BackupCore

/// How connections come to see what the leader of a snapshot sees.
struct PostgresJoining: Sendable {
    /// What the leader has exported: it can be joined as long as the leader's transaction lives.
    let snapshotID: String
    let settings: PostgresSettings
    let encoding: String
    let watch: PostgresLockWatch

    /// As long as the server may take to see that a session has ended, whose place the next one needs.
    private static let patience = Duration.seconds(5)

    /// A connection that has joined.
    ///
    /// - Throws: `BackupError`; `PostgresError`, also when the leader's transaction has ended.
    func connection() async throws -> PostgresConnection {
        let connection = try await PostgresConnection(settings)
        try await PostgresSession.pin(connection, encoding: encoding, side: .source)
        try await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try await connection.execute("SET TRANSACTION SNAPSHOT \(SQLText.literal(snapshotID))")
        try await PostgresSession.confirm(connection)
        try await watch.include(connection)
        return connection
    }

    /// The same in the place of one that was lost.
    func replacement() async throws -> PostgresConnection {
        var pauses = GrowingPauses(for: Self.patience)
        while true {
            do {
                return try await connection()
            } catch let error as BackupError where error.code == .connectionFailed {
                guard try await pauses.wait() else { throw error }
            }
        }
    }
}
