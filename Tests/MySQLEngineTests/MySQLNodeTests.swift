import BackupCore
import BackupTesting
import Testing

@testable import MySQLEngine

/// Two servers of one product, as one name may lead to either.
@Suite struct MySQLNodeTests {
    @Test(arguments: MySQLTestServer.all)
    func `a session on another server is not taken for one of this`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            try await MySQLOwnServer.with(like: server) { own in
                let here = try await database.connection()
                #expect(try await database.connection().node == here.node)
                let settings = MySQLTestDatabase(name: "mysql", server: own.server).settings()
                let there = try await MySQLConnection(settings)
                let known = try await MySQLServer(here)
                let error = await #expect(throws: BackupError.self) {
                    try await MySQLSession.pin(there, on: known)
                }
                #expect(error?.code == .connectionFailed)
                #expect(error?.message.contains("several servers") ?? false)
            }
        }
    }

    /// Else two servers would be taken for one, of which the first row of the answer says the same.
    @Test(arguments: MySQLTestServer.all)
    func `limits of rows leave nothing out of what a server is known by`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLOwnServer.with(like: server) { own in
            try await own.server.query(
                "SET GLOBAL sql_select_limit = 1; SET GLOBAL max_join_size = 1")
            let there = MySQLTestDatabase(name: "mysql", server: own.server).settings()
            let node = try await MySQLConnection(there).node
            #expect(node.description.hasSuffix(":\(own.server.port)"), "\(node)")
        }
    }

    /// Its number may be that of a stranger's session.
    @Test(arguments: MySQLTestServer.all)
    func `a statement on another server is not ended`(server: MySQLTestServer) async throws {
        try await server.withDatabase { database in
            try await MySQLOwnServer.with(like: server) { own in
                let settings = MySQLTestDatabase(name: "mysql", server: own.server).settings()
                let theirs = try await MySQLConnection(settings)
                let text = try await theirs.value("SELECT CONNECTION_ID()") ?? ""
                let session = try #require(UInt(text))
                let other = try await database.connection().node
                async let whole = theirs.value("SELECT SLEEP(2)")
                try await Task.sleep(for: .milliseconds(500))
                MySQLKiller(settings, session: session, on: other).killAndWait()
                #expect(try await whole == "0")
                // On its own server it is.
                let begin = ContinuousClock.now
                async let ended = theirs.value("SELECT SLEEP(1200)")
                try await eventually("the server sleeps") {
                    try await own.server.query(
                        """
                        SELECT COUNT(*) FROM information_schema.PROCESSLIST
                        WHERE info = 'SELECT SLEEP(1200)'
                        """) == "1"
                }
                MySQLKiller(settings, session: session, on: theirs.node).killAndWait()
                // The products say it in different ways.
                let answer = try? await ended
                #expect(answer != "0")
                #expect(ContinuousClock.now - begin < .seconds(600))
            }
        }
    }
}
