import CMariaDB

/// The server that a login has led to, as far as it tells.
///
/// Behind one name there may be several: those of a cluster, or of a proxy, which leads each login to one of its choice.
struct MySQLNode: Sendable, Equatable, CustomStringConvertible {
    /// What tells servers apart; none knows all of these.
    ///
    /// MySQL has a number of its own for each, newer MariaDB too, and Aurora a name. Of others it is where they run, and
    /// where their data lie.
    private static let names = [
        "server_uuid", "server_uid", "aurora_server_id", "server_id", "hostname", "port", "datadir",
    ]

    private let values: [String: String]

    /// Asks it.
    ///
    /// - Throws: `MySQLError`.
    init(_ connection: UnsafeMutablePointer<MYSQL>) throws {
        // It is the first question of a session, which may begin with limits that leave out rows of the answer.
        let noLimits = "SET SESSION sql_select_limit = 18446744073709551615, sql_big_selects = 1"
        guard mysql_query(connection, noLimits) == 0 else { throw MySQLError(connection) }
        let list = Self.names.map { "'\($0)'" }.joined(separator: ", ")
        let question = "SHOW GLOBAL VARIABLES WHERE Variable_name IN (\(list))"
        guard mysql_query(connection, question) == 0,
            let result = mysql_store_result(connection)
        else { throw MySQLError(connection) }
        defer { mysql_free_result(result) }
        var values: [String: String] = [:]
        while let row = mysql_fetch_row(result) {
            guard let name = row[0], let value = row[1] else { continue }
            values[String(cString: name)] = String(cString: value)
        }
        self.values = values
    }

    /// `db1:3306`.
    var description: String { "\(values["hostname"] ?? ""):\(values["port"] ?? "")" }
}
