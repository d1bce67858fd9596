import BackupCore
import BackupTesting
import Testing

@testable import MySQLEngine

@Suite struct MySQLRestoreMarkTests {
    /// What is loaded is not loaded again: rows of the other table would be missing.
    @Test(arguments: MySQLTestServer.all)
    func `a loaded table is not taken for one whose name only looks the same`(
        server: MySQLTestServer
    ) async throws {
        let (loaded, other) = ("é", "e\u{301}")
        try await server.withDatabase { database in
            try await database.query(
                """
                CREATE TABLE dbtool_restore (what text, name text, value text);
                INSERT INTO dbtool_restore VALUES ('backup', '', 'b'), ('request', '', 'r'),
                  ('table', '\(other)', 'create'), ('table', '\(loaded)', 'create'), ('loaded', '\(loaded)', '')
                """)
            let mark = try await MySQLRestoreMark.read(
                database.connection(), database: database.name)
            let tables = try #require(mark).tables
            #expect(tables[ExactText(loaded)]?.isLoaded == true)
            #expect(tables[ExactText(other)]?.isLoaded == false)
        }
    }
}
