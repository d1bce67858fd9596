import BackupTesting

/// A server that nobody else uses, so that it may end at any moment.
protocol OwnServer: Sendable {
    /// Ends it at once, as a loss of power does.
    func crash() async throws

    /// Ends it as an administrator does.
    func stop() async throws

    /// Starts it again, however it ended.
    func restart() async throws
}

extension PostgresOwnServer: OwnServer {}

extension MySQLOwnServer: OwnServer {}
