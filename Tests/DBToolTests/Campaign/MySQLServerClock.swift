import BackupTesting
import Foundation

/// The clock of a MySQL or MariaDB server, as sessions see it: `init_connect` gives each another time, which stands still until
/// it ends.
///
/// Not by a library, as on PostgreSQL: these servers wait for locks until a time of day, which the system takes by the real clock.
/// Administrators are not asked to begin with `init_connect`, and InnoDB tells by the real clock when transactions began.
struct MySQLServerClock: ServerClock {
    let server: MySQLTestServer

    /// MariaDB's `timestamp` ends with 31 bits, and so do columns of that type in both products.
    var furthest: Int { Int(Int32.max) - 86_400 - Int(Date().timeIntervalSince1970) }
    let columnType = "timestamp(6)"

    func set(_ offset: Int) async throws {
        try await server.query("SET GLOBAL init_connect = '\(Self.statement(offset))'")
    }

    func beginning(at offset: Int) -> String { "\(Self.statement(offset));" }

    private static func statement(_ offset: Int) -> String {
        "SET timestamp = @@timestamp + (\(offset))"
    }

    func seconds(of column: String) -> String { "UNIX_TIMESTAMP(\(column))" }
}
