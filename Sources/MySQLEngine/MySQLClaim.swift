import BackupCore

/// Who works on a database: locks by name, which a session holds until it ends.
///
/// Each connection of a restore holds one. A killed restore's statements go on for as long as they
/// take, and what they make would be in the way: their locks tell that they are there.
struct MySQLClaim {
    /// No restore has more connections.
    private static let places = 64
    /// For how long a killed restore is waited for; its leader has the least to do.
    private static let patience = (leader: Duration.seconds(10), others: Duration.seconds(30))

    let database: String

    /// One restore at a time works on a database, where the server has locks by name.
    ///
    /// Some nodes of clusters refuse them; they would hold on one node only.
    /// - Throws: `BackupError.locked`.
    func take(_ leader: MySQLConnection, notes: (String) -> Void) async throws {
        do {
            try await claim(leader)
        } catch let error as MySQLError where error.refusesNamedLocks {
            notes(
                "warning: the server has no locks by name: nothing keeps another restore into \(database) from running at "
                    + "the same time")
        }
    }

    private func claim(_ leader: MySQLConnection) async throws {
        guard try await comes(within: Self.patience.leader, { try await lock(leader, 0) }) else {
            throw BackupError(
                .locked, "another restore into \(database) is under way",
                hint: "Wait until it has ended.")
        }
        let others = (1..<Self.places).map { "IS_USED_LOCK(\(name($0)))" }
        let sql = "SELECT COALESCE(\(others.joined(separator: ", ")))"
        guard try await comes(within: Self.patience.others, { try await leader.value(sql) == nil })
        else {
            throw BackupError(
                .locked, "sessions of an interrupted restore into \(database) are still at work",
                hint: "Wait until they have ended, and run the same restore again.")
        }
    }

    private func comes(
        within patience: Duration, _ condition: () async throws -> Bool
    ) async throws -> Bool {
        let end = ContinuousClock.now + patience
        while try await !condition() {
            guard ContinuousClock.now < end else { return false }
            try await Task.sleep(for: .milliseconds(100))
        }
        return true
    }

    /// Takes part in the work.
    func join(_ connection: MySQLConnection, as number: Int) async throws {
        do {
            _ = try await lock(connection, number % Self.places)
        } catch let error as MySQLError where error.refusesNamedLocks {
            // Told when the leader was refused.
        }
    }

    private func lock(_ connection: MySQLConnection, _ number: Int) async throws -> Bool {
        try await connection.value("SELECT GET_LOCK(\(name(number)), 0)") == "1"
    }

    /// Names of locks are short.
    private func name(_ number: Int) -> String {
        "CONCAT('dbtool ', LEFT(SHA2(\(MySQLText.literal(database)), 256), 40), ' \(number)')"
    }
}
