import BackupCore
import BackupTesting

extension MySQLBench {
    /// The same as `with`, on a server of the test's own.
    static func withOwnServer(
        like server: MySQLTestServer, _ settings: [String] = [],
        _ body: (MySQLBench, MySQLOwnServer) async throws -> Void
    ) async throws {
        try await Workbench.gate.pass {
            try await MySQLOwnServer.with(like: server, settings) { own in
                try await inTurn(own.server) { try await body($0, own) }
            }
        }
    }
}

extension MySQLTestServer {
    /// What a server of its product is started with to have tables of ARCHIVE.
    func archive() async throws -> [String] {
        guard isMariaDB else { return [] }
        return [
            "plugin_dir=\(try await MySQLOwnServer.plugins(of: self))",
            "plugin_load_add=ha_archive",
        ]
    }
}
