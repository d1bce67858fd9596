/// What tells servers apart.
///
/// MySQL has a number of its own for each; of MariaDB it is where it runs, and where its data lie.
enum MySQLIdentity {
    static func read(
        _ connection: MySQLConnection, _ server: MySQLServer
    ) async throws -> [String: String] {
        let names =
            ["server_id", "hostname", "port", "datadir"] + (server.isMariaDB ? [] : ["server_uuid"])
        let list = names.map { "@@GLOBAL.\($0)" }.joined(separator: ", ")
        let row = try await connection.rows("SELECT \(list)").first ?? []
        return Dictionary(zip(names, row.map { $0 ?? "" })) { first, _ in first }
    }

    /// When, in UTC, the oldest transaction began that is open now, or now.
    static let oldestTransaction = "oldest_transaction"

    /// Nil where that cannot be known: it needs the privilege `PROCESS`, and on a replica rows come whose time another
    /// server's clock told.
    static func clock(
        _ connection: MySQLConnection, _ server: MySQLServer
    ) async throws -> String? {
        guard try await !isReplica(connection, server) else { return nil }
        // The server keeps these times by its own clock.
        try await connection.execute("SET SESSION time_zone = 'SYSTEM'")
        let age: String?
        do {
            age = try await connection.value(
                """
                SELECT COALESCE(MAX(TIMESTAMPDIFF(SECOND, trx_started, NOW())), 0)
                FROM information_schema.INNODB_TRX
                """)
        } catch let error as MySQLError where !error.isConnectionLoss {
            // Refused, or MySQL lacks letters for what others run just now.
            age = nil
        }
        try await connection.execute("SET SESSION time_zone = '+00:00'")
        guard let seconds = age.flatMap({ Int($0) }) else { return nil }
        return try await connection.value(
            "SELECT DATE_FORMAT(UTC_TIMESTAMP() - INTERVAL \(max(0, seconds) + 1) SECOND, '%Y-%m-%d %H:%i:%s')"
        )
    }

    /// Whether rows come from another server, now or when that is started again; as far as the account may see that.
    private static func isReplica(
        _ connection: MySQLConnection, _ server: MySQLServer
    ) async throws -> Bool {
        let statement =
            server.isMariaDB
            ? "SHOW ALL SLAVES STATUS"
            : server.number >= 80022 ? "SHOW REPLICA STATUS" : "SHOW SLAVE STATUS"
        do {
            if try await !connection.rows(statement).isEmpty { return true }
        } catch let error as MySQLError where !error.isConnectionLoss {
            // Refused, or the server does not know the statement. The threads that apply changes are seen with PROCESS, without which there is no clock either.
            let peers = try? await MySQLPeer.all(connection)
            let applies = peers?.contains { $0.account == "system user" && $0.command != "Daemon" }
            if applies == true { return true }
        }
        // Galera applies what other nodes have written.
        let cluster = try await connection.rows("SHOW GLOBAL VARIABLES LIKE 'wsrep_on'")
        return cluster.first?[1] == "ON"
    }

    /// Whether two servers are one, as far as they tell.
    static func isSame(_ one: [String: String], _ other: [String: String]) -> Bool {
        if let number = one["server_uuid"], let theirs = other["server_uuid"] {
            return number == theirs
        }
        return ["hostname", "port", "datadir"].allSatisfy { one[$0] == other[$0] }
    }
}
