import BackupCore
import BackupTesting
import Testing

@testable import MySQLEngine

/// Which rows go into a table of the target as they are.
@Suite struct MySQLTargetColumnsTests {
    @Test(arguments: MySQLTestServer.all)
    func `a column that was computed is computed there, or missing`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            try await database.load(
                """
                CREATE TABLE stored_one (n int, twice int AS (n * 2) STORED) ENGINE = InnoDB;
                CREATE TABLE virtual_one (n int, twice varchar(20) AS (n + n) VIRTUAL) ENGINE = InnoDB;
                CREATE TABLE without (n int) ENGINE = InnoDB;
                CREATE TABLE plain (n int, twice int) ENGINE = InnoDB;
                CREATE TABLE capitals (n int, TWICE int DEFAULT 7) ENGINE = InnoDB
                """)
            let request = TargetRequest(
                database: database.name, definition: SchemaDefinition(sql: [], dump: nil),
                sourceVersion: "", encoding: "UTF8", databaseProperties: [:])
            let columns = try await MySQLTargetColumns(database.connection(), of: request)
            for (name, fits) in [
                ("stored_one", true), ("virtual_one", true), ("without", true), ("plain", false),
                ("capitals", false),
            ] {
                var load = TableLoad(
                    table: TableName(schema: database.name, name: name), loadsThrough: nil,
                    columns: ["n"])
                load.types = ["int"]
                load.computed = ["twice"]
                #expect(columns.problems(of: load).isEmpty, "\(name)")
                let problems = columns.problemsOfComputed(load)
                let words = "column twice of \(load.table) is not computed, and was"
                #expect(problems == (fits ? [] : [words]), "\(name)")
            }
        }
    }
}
