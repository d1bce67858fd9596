import BackupCore

/// Databases that are the server's own: no backup is of one, and nothing is restored into one.
enum MySQLSystemDatabase {
    /// What the server computes, whose names have no case anywhere.
    private static let computed = ["information_schema", "performance_schema"]
    /// What lies in tables.
    private static let stored = ["mysql", "sys"]

    /// Whether a name means one of them.
    ///
    /// `distinguishesCase`: Whether `Sys` is another database than `sys` (`lower_case_table_names = 0`).
    static func isMeant(by name: String, distinguishesCase: Bool) -> Bool {
        let small = name.lowercased()
        return computed.contains(small)
            || stored.contains { $0.isExactly(distinguishesCase ? name : small) }
    }

    /// The same on a server.
    ///
    /// - Throws: `MySQLError`.
    static func isMeant(by name: String, on connection: MySQLConnection) async throws -> Bool {
        guard isMeant(by: name, distinguishesCase: false) else { return false }
        let names = try await connection.value("SELECT @@GLOBAL.lower_case_table_names")
        return isMeant(by: name, distinguishesCase: names == "0")
    }
}
