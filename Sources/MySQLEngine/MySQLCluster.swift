/// What a cluster demands of those who write to it: each of its members takes a transaction as a whole, up to a size.
enum MySQLCluster {
    /// Far below every usual limit, as small numbers take less room in CSV than in what members send each other.
    private static let mostBytes = 8 << 20
    private static let part = 16

    private static let names = [
        "group_replication_group_name", "group_replication_transaction_size_limit", "wsrep_on",
        "wsrep_provider", "wsrep_max_ws_size",
    ]

    /// After how many bytes of CSV rows should be committed; nil where one transaction may have any size.
    ///
    /// - Throws: `MySQLError`.
    static func commitBytes(_ connection: MySQLConnection) async throws -> Int? {
        let list = names.map(MySQLText.literal).joined(separator: ", ")
        return commitBytes(
            of: try await connection.rows("SHOW VARIABLES WHERE Variable_name IN (\(list))"))
    }

    /// The same of variables and their values.
    ///
    /// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/group-replication-limitations.html>,
    ///   <https://mariadb.com/kb/en/galera-cluster-system-variables/>
    static func commitBytes(of variables: [[String?]]) -> Int? {
        let values = Dictionary(variables.map { ($0[0] ?? "", $0[1] ?? "") }) { one, _ in one }
        func number(_ name: String) -> Int { values[name].flatMap { Int($0) } ?? .max }
        var limits: [Int] = []
        if !(values["group_replication_group_name"] ?? "").isEmpty {
            limits.append(number("group_replication_transaction_size_limit"))
        }
        if values["wsrep_on"] == "ON", !["none", ""].contains(values["wsrep_provider"] ?? "") {
            limits.append(number("wsrep_max_ws_size"))
        }
        // Zero is no limit.
        return limits.filter { $0 > 0 }.min().map { max(1, min(mostBytes, $0 / part)) }
    }
}
