import BackupCore

/// The time zone that a new session of a server is in.
///
/// Nothing tells in which zones rows were written; this one is the best guess.
struct MySQLZone: Sendable {
    /// What `SET time_zone` takes for it.
    let name: String
    /// For people.
    let words: String
    /// Whether it is UTC, then and now.
    let isUTC: Bool

    /// - Throws: `MySQLError`.
    init(of connection: MySQLConnection) async throws {
        let row =
            try await connection.rows("SELECT @@GLOBAL.time_zone, @@GLOBAL.system_time_zone").first
            ?? []
        name = row[0] ?? "SYSTEM"
        words = name == "SYSTEM" ? "SYSTEM (\(row[1] ?? ""))" : name
        try await connection.execute("SET SESSION time_zone = @@GLOBAL.time_zone")
        let answer: String?
        do {
            answer = try await connection.value(
                """
                SELECT FROM_UNIXTIME(15552000) = '1970-06-30 00:00:00'
                  AND FROM_UNIXTIME(1577836800) = '2020-01-01 00:00:00'
                  AND FROM_UNIXTIME(1593561600) = '2020-07-01 00:00:00'
                """)
        } catch {
            // The error is what is reported.
            try? await connection.execute("SET SESSION time_zone = '+00:00'")
            throw error
        }
        try await connection.execute("SET SESSION time_zone = '+00:00'")
        isUTC = answer == "1"
    }
}
