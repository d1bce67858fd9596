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
        let own =
            try await connection.value(
                """
                SELECT COUNT(*) FROM information_schema.PROCESSLIST
                WHERE USER = (SELECT USER FROM information_schema.PROCESSLIST WHERE ID = CONNECTION_ID())
                """
            ).flatMap { Int($0) } ?? 1
        limit = limits[0]
        free = limits[1] > 0 ? min(limit - used, limits[1] - own) : limit - used
    }
}
