import BackupTesting
import Foundation
import Testing

/// Tables of MySQL and MariaDB that became others between an interrupted restore and the one that goes on with it.
@Suite struct MySQLContinuationTests {
    /// A view that the account may not make ends a restore when all rows are there.
    @Test(arguments: MySQLTestServer.all)
    func `what was loaded and is lost is loaded again`(server: MySQLTestServer) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                """
                CREATE TABLE quick (id int PRIMARY KEY) ENGINE = MEMORY; INSERT INTO quick VALUES (1), (2);
                CREATE TABLE gone (id int PRIMARY KEY) ENGINE = InnoDB; INSERT INTO gone VALUES (1), (2);
                CREATE TABLE kept (id int PRIMARY KEY, g int, CONSTRAINT of_gone FOREIGN KEY (g)
                  REFERENCES gone (id)) ENGINE = InnoDB; INSERT INTO kept VALUES (1, 1), (2, 2);
                CREATE VIEW v AS SELECT id FROM kept; CREATE PROCEDURE p() SELECT 1;
                ALTER DATABASE COLLATE utf8mb4_unicode_520_ci
                """)
            _ = try await bench.backUp()
            let target = bench.other("target")
            // The procedure is of another collation, for which the account may alter its tables and not the database.
            try await server.query(
                "CREATE DATABASE \(target.name) COLLATE utf8mb4_unicode_520_ci")
            let tables = ["quick", "gone", "kept"].map { "CREATE, ALTER ON {}.\($0)" }
            let account = try await target.createAccount(
                "maker",
                tables + [
                    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, INDEX, REFERENCES, CREATE VIEW, CREATE ROUTINE ON {}.*"
                ])
            func restore(as user: String) async throws -> ProgramEnd {
                try await bench.dbtool(
                    [
                        "restore", "latest", "-path", bench.repository, "--into", target.name,
                        "--no-owner",
                    ], as: user)
            }
            let refused = try await restore(as: account)
            #expect(refused.code != 0 && refused.errors.contains("denied"), "\(refused)")
            #expect(try await target.query("SELECT COUNT(*) FROM quick") == "2")
            #expect(try await target.query("SELECT COUNT(*) FROM gone") == "2")
            // A restart leaves as much of a table in memory.
            try await target.query(
                "DELETE FROM quick; SET SESSION foreign_key_checks = 0; DROP TABLE gone; UPDATE kept SET g = 1"
            )
            let end = try await restore(as: "root")
            try end.requireCode(0)
            #expect(!end.errors.contains("warning: rows of"), "\(end)")
            for table in ["quick", "gone", "v"] {
                #expect(try await target.query("SELECT id FROM \(table) ORDER BY id") == "1\n2")
            }
            // What is there is left as it is.
            #expect(try await target.query("SELECT g FROM kept ORDER BY id") == "1\n1")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `rows that others wrote into a table that was only made are not deleted`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let setting =
                server.isMariaDB ? "max_recursive_iterations" : "cte_max_recursion_depth"
            // The largest is loaded first.
            try await bench.source.query(
                """
                CREATE TABLE large (id int PRIMARY KEY, v varchar(200)) ENGINE = InnoDB;
                SET SESSION \(setting) = 1000000;
                INSERT INTO large WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
                  SELECT i, REPEAT('x', 180) FROM n;
                CREATE TABLE small (id int PRIMARY KEY) ENGINE = InnoDB; INSERT INTO small VALUES (1)
                """)
            _ = try await bench.backUp()
            let target = bench.other("target")
            let words = ["--create", "--jobs", "1"]
            let end = try await bench.restore(into: target, words) { running in
                try await eventually("both tables are made") {
                    try await server.attempt("SELECT 1 FROM \(target.name).small").code == 0
                }
                try running.send(SIGKILL)
            }
            #expect(end.code == 128 + SIGKILL, "\(end)")
            func goOn() async throws -> ProgramEnd {
                var end = try await bench.restore(into: target, words)
                for _ in 1...5 where end.code == 6 {
                    end = try await bench.restore(into: target, words)
                }
                return end
            }
            try await target.query("INSERT INTO small VALUES (99)")
            try await goOn().expect(
                code: 1, saying: "the interrupted restore did not load: small", "DELETE FROM")
            #expect(try await target.query("SELECT id FROM small") == "99")
            try await target.query("DELETE FROM small")
            try await goOn().requireCode(0)
            try await bench.expectEqual(bench.source, target)
        }
    }
}
