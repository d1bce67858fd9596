import BackupCore

/// What a server tells about its binary log.
struct MySQLBinaryLog: Sendable {
    let server: MySQLServer
    /// Who asks.
    let connection: MySQLConnection

    /// The place that a session's own snapshot belongs to; empty where the server does not tell.
    func snapshotPosition(
        of reader: MySQLConnection
    ) async throws -> [String: String] {
        guard server.product != .mysql else { return [:] }
        let rows = try await reader.rows("SHOW STATUS LIKE 'binlog_snapshot_%'")
        let pairs = rows.compactMap { row in
            row[0].flatMap { name in row[1].map { (name.lowercased(), $0) } }
        }.filter { !$0.1.isEmpty }
        return Dictionary(pairs) { first, _ in first }
    }

    /// Where the log is now; empty where there is none, or the account may not know.
    func position() async throws -> [String: String] {
        guard server.logsChanges else { return [:] }
        var position: [String: String] = [:]
        if server.isMariaDB {
            position["gtid_current_pos"] = try await connection.value(
                "SELECT @@GLOBAL.gtid_current_pos")
        } else if try await numbersTransactions() {
            position[Self.executed] = try await connection.value("SELECT @@GLOBAL.gtid_executed")
        }
        // Without it the set of transactions has to do.
        let row = try await status()
        if row.count >= 2 { (position["file"], position["position"]) = (row[0], row[1]) }
        return position
    }

    /// Whether MySQL numbers all transactions: one is in the set of those that were executed only once others can see it.
    func numbersTransactions() async throws -> Bool {
        guard server.logsChanges, !server.isMariaDB else { return false }
        return try await connection.value("SELECT @@GLOBAL.gtid_mode") == "ON"
    }

    /// The name of that set.
    static let executed = "gtid_executed"

    /// Whether several connections can be shown by it that they see one moment.
    enum Testimony: Sendable {
        /// Every change moves it.
        case moments
        /// The account may not see whether it leaves databases out, whose changes would not move it.
        case unseen
        case nothing
    }

    /// The one opinion of it that a backup and a check have.
    func testimony() async throws -> Testimony {
        guard server.logsChanges, try await arrivals() != nil, try await hasPrepared() != true
        else { return .nothing }
        // Its file is written long before a change of MySQL can be seen.
        if server.product == .mysql, try await !numbersTransactions() { return .nothing }
        let status = try await self.status()
        guard status.count >= 4 else { return .unseen }
        return status[2...3].allSatisfy { ($0 ?? "").isEmpty } ? .moments : .nothing
    }

    /// What has come from other servers past the log, as a text that changes when more comes; nil while anything may.
    ///
    /// MariaDB leaves out of its log what it takes from a primary or a cluster, unless it is told otherwise, and tells
    /// everybody whether anything can come.
    func arrivals() async throws -> String? {
        if server.logsReplicated { return "" }
        guard server.isMariaDB else { return nil }
        let cluster = try await connection.rows("SHOW GLOBAL VARIABLES LIKE 'wsrep_provider'").first
        let replicas = try await connection.rows("SHOW GLOBAL STATUS LIKE 'Slaves_running'").first
        guard ["none", ""].contains(cluster?[1] ?? ""), replicas?[1] == "0" else { return nil }
        return try await connection.value("SELECT @@GLOBAL.gtid_slave_pos") ?? ""
    }

    /// Whether there are prepared transactions, which wait for their end; nil where the account may not know.
    func hasPrepared() async throws -> Bool? {
        do {
            return try await !connection.rows("XA RECOVER").isEmpty
        } catch let error as MySQLError where error.isRefusal || error.number == Self.mayNotRecover
        {
            return nil
        }
    }

    /// MySQL's code for an account without `XA_RECOVER_ADMIN`.
    private static let mayNotRecover: UInt32 = 1401

    /// File, position, `binlog-do-db` and `binlog-ignore-db`; empty where the account may not know.
    private func status() async throws -> [String?] {
        let statement =
            server.isMariaDB
            ? "SHOW MASTER STATUS"
            : server.number >= 80200 ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS"
        do {
            return try await connection.rows(statement).first ?? []
        } catch let error as MySQLError where error.isRefusal {
            return []
        }
    }
}
