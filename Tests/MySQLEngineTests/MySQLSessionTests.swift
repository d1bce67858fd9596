import BackupCore
import BackupTesting
import Testing

@testable import MySQLEngine

/// Sessions have their own settings, whatever the server's are, and are refused where they do not keep them.
@Suite struct MySQLSessionTests {
    private static let sides: [MySQLSession.Side] = [.source, .target]

    /// Each would read or write other rows or values.
    private static func strange(on server: MySQLTestServer) -> [(name: String, value: String)] {
        let own: [(name: String, value: String)] =
            server.isMariaDB
            ? [
                ("tx_isolation", "'READ-UNCOMMITTED'"), ("max_statement_time", "50000"),
                ("system_versioning_asof", "'2000-01-01 00:00:00'"),
            ]
            : [
                ("transaction_isolation", "'READ-UNCOMMITTED'"),
                ("max_execution_time", "50000000"), ("information_schema_stats_expiry", "86400"),
                ("show_gipk_in_create_table_and_information_schema", "0"),
            ]
        return own + [
            ("time_zone", "'+09:00'"),
            ("sql_mode", "'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'"),
            ("sql_select_limit", "1"), ("group_concat_max_len", "1024"), ("autocommit", "0"),
            ("completion_type", "1"), ("character_set_results", "latin1"),
            ("foreign_key_checks", "1"), ("unique_checks", "0"),
        ]
    }

    /// These change no row, and may end a restore on its way.
    private static func hindering(
        on server: MySQLTestServer
    ) -> [(name: String, value: String)] {
        let own: [(name: String, value: String)] =
            server.isMariaDB
            ? [("alter_algorithm", "'INSTANT'"), ("idle_write_transaction_timeout", "50000")]
            : [("old_alter_table", "1")]
        return own + [("sql_buffer_result", "1")]
    }

    private static let ofTargets = [
        "foreign_key_checks", "unique_checks", "alter_algorithm", "old_alter_table",
    ]

    @Test(arguments: MySQLTestServer.all)
    func `a server whose defaults are others changes nothing`(
        server: MySQLTestServer
    ) async throws {
        try await Workbench.gate.pass {
            try await MySQLOwnServer.with(like: server) { own in
                // What the server is known by to its own client must stay.
                let globals =
                    Self.strange(on: server).filter { $0.name != "character_set_results" }
                    + Self.hindering(on: server)
                let sets = globals.map { "SET GLOBAL \($0.name) = \($0.value)" }
                try await own.server.query(sets.joined(separator: "; "))
                let names = globals.map { "@@SESSION.\($0.name)" }.joined(separator: ", ")
                let settings = MySQLTestDatabase(name: "mysql", server: own.server).settings()
                for side in Self.sides {
                    let connection = try await MySQLConnection(settings)
                    let known = try await MySQLServer(connection)
                    let before = try await connection.rows("SELECT \(names)").first ?? []
                    await #expect(throws: BackupError.self) {
                        try await MySQLSession.confirm(connection, on: known, side: side)
                    }
                    try await MySQLSession.pin(connection, on: known, side: side)
                    let after = try await connection.rows("SELECT \(names)").first ?? []
                    for (index, global) in globals.enumerated() {
                        // A source writes nothing; the first question of any session is rid of a limit of rows.
                        let isLeft =
                            side == .source && Self.ofTargets.contains(global.name)
                            || global.name == "sql_select_limit"
                        #expect(
                            isLeft || before[index] != after[index],
                            "\(global.name) \(before[index] ?? "NULL")")
                    }
                    try await MySQLSession.confirm(connection, on: known, side: side)
                }
            }
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a session that has lost a setting is refused by its name`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            for side in Self.sides {
                let connection = try await MySQLConnection(database.settings())
                let known = try await MySQLServer(connection)
                for (name, value) in Self.strange(on: server) {
                    try await MySQLSession.pin(connection, on: known, side: side)
                    try await connection.execute("SET SESSION \(name) = \(value)")
                    if side == .source, Self.ofTargets.contains(name) {
                        try await MySQLSession.confirm(connection, on: known, side: side)
                        continue
                    }
                    let error = await #expect(throws: BackupError.self) {
                        try await MySQLSession.confirm(connection, on: known, side: side)
                    }
                    #expect(error?.code == .serverRefused)
                    #expect(
                        error?.message.contains("\(name) is '") == true,
                        "\(name): \(error?.message ?? "")")
                }
            }
        }
    }
}
