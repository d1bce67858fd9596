import BackupCore

/// How many more connections an account may have.
struct MySQLRoom: Sendable {
    let free: Int
    /// How many the server has at all.
    let limit: Int

    /// `connection` is one of those that are there.
    ///
    /// - Throws: `MySQLError`.
    init(_ connection: MySQLConnection) async throws {
        let limits =
            try await connection.rows(
                "SELECT @@GLOBAL.max_connections, @@SESSION.max_user_connections"
            ).first?.map { $0.flatMap { Int($0) } ?? 0 } ?? [0, 0]
        let used =
            try await connection.rows("SHOW GLOBAL STATUS LIKE 'Threads_connected'")
            .first?[1].flatMap { Int($0) } ?? 1
        // Everybody sees the sessions of their own account; those of its name from other hosts may be counted as well.
        let peers = try await MySQLPeer.all(connection)
        let me = try await connection.value("SELECT CONNECTION_ID()")
        let account = peers.first { $0.process == me }?.account
        let own = max(1, peers.count { $0.account == account })
        limit = limits[0]
        free = limits[1] > 0 ? min(limit - used, limits[1] - own) : limit - used
    }
}
