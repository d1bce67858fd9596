import BackupTesting
import Foundation
import Testing

/// SQL of people on MySQL and MariaDB: `dbtool sql`, the console, extracts and completed names.
@Suite struct MySQLConsoleTests {
    /// Each of them writes, or keeps others from something, on one of the products at least.
    private static let tricks = [
        "DELETE FROM t", "TRUNCATE t", "CALL does()", "SELECT writes()", "DO writes()",
        "SET @a = writes()", "SELECT 1; DELETE FROM t", "COMMIT; DELETE FROM t",
        "START TRANSACTION READ WRITE; DELETE FROM t; COMMIT",
        "SET SESSION TRANSACTION READ WRITE; DELETE FROM t", "/*!50000 DELETE FROM t */",
        "/*M!100000 DELETE FROM t */", "PREPARE x FROM 'DELETE FROM t'; EXECUTE x",
        "EXPLAIN ANALYZE DELETE FROM t", "ANALYZE DELETE FROM t",
        "WITH x AS (SELECT 1) DELETE FROM t", "BEGIN NOT ATOMIC DELETE FROM t; END",
        "SELECT * FROM t FOR UPDATE", "CREATE TABLE copied AS SELECT * FROM t",
        "SELECT * FROM t INTO OUTFILE '/tmp/dbtool-mysql-console-test'", "FLUSH TABLES",
        "SET GLOBAL max_connections = 50", "SELECT GET_LOCK('dbtool', 0)", "HANDLER t OPEN",
        "RENAME TABLE t TO gone", "LOCK TABLES t WRITE", "SELECT 1 # \n; DELETE FROM t",
    ]

    private func withTable(
        _ server: MySQLTestServer, _ body: (MySQLBench) async throws -> Void
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                """
                CREATE TABLE t (id int PRIMARY KEY, v varchar(30), b varbinary(10), n decimal(10, 2)) ENGINE = InnoDB;
                INSERT INTO t VALUES (1, 'a', x'00ff', 1.50), (2, NULL, NULL, NULL), (3, 'q"uote, \\\\ back', '', -0.5);
                CREATE PROCEDURE does() DELETE FROM t
                """)
            // The server asks for proof of innocence where there is a binary log; this one only looks innocent.
            try await bench.source.load(
                """
                DELIMITER //
                CREATE FUNCTION writes() RETURNS int DETERMINISTIC BEGIN DELETE FROM t; RETURN 1; END//
                DELIMITER ;
                """)
            try await body(bench)
        }
    }

    private func sql(
        _ bench: MySQLBench, _ statement: String, _ words: [String] = []
    ) async throws -> ProgramEnd {
        try await bench.dbtool(["sql", statement, "--database", bench.source.name] + words)
    }

    @Test(arguments: MySQLTestServer.all)
    func `nothing is written without consent`(server: MySQLTestServer) async throws {
        try await withTable(server) { bench in
            let before = try await bench.contents(of: bench.source)
            let limit = try await server.query("SELECT @@GLOBAL.max_connections")
            for trick in Self.tricks {
                let end = try await sql(bench, trick)
                #expect(end.code == 1, "\(end)")
                let isRefused = end.errors.contains("skipped: ")
                #expect(isRefused || end.errors.contains("error 1064"), "\(end)")
            }
            #expect(try await bench.contents(of: bench.source) == before)
            #expect(try await server.query("SELECT @@GLOBAL.max_connections") == limit)
            #expect(!FileManager.default.fileExists(atPath: "/tmp/dbtool-mysql-console-test"))
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `with consent lines run in one session, transactions included`(
        server: MySQLTestServer
    ) async throws {
        try await withTable(server) { bench in
            let lines = """
                SQL BEGIN; DELETE FROM t WHERE id > 1
                SQL SELECT count(*) AS inside FROM t
                SQL SELEC 1
                SQL ROLLBACK
                SQL SELECT count(*) AS later FROM t -format jsonl
                """
            let file = "\(bench.folder)/lines"
            try lines.write(toFile: file, atomically: true, encoding: .utf8)
            let words = [
                "backup", "--db", "mysql", "--host", "127.0.0.1", "--port", "\(server.port)",
                "--user", "root", "--database", bench.source.name, "--allow-writes",
                "--keep-going",
            ]
            let program = "'\(try DBToolBinary.path())' \(words.joined(separator: " "))"
            let end = try await Program.run(
                "/bin/sh", ["-c", "\(program) <'\(file)'"], environment: bench.environment,
                folder: bench.folder)
            #expect(end.output.contains("inside\n------\n     1"), "\(end)")
            #expect(end.errors.contains("error 1064"), "\(end)")
            #expect(end.output.contains("{\"later\": 3}"), "\(end)")
            let open = try await sql(bench, "BEGIN; DELETE FROM t", ["--allow-writes"])
            open.expect(code: 1, saying: "the transaction that was open is rolled back")
            #expect(try await bench.source.query("SELECT count(*) FROM t") == "3")
            try await sql(bench, "DELETE FROM t WHERE id = 3", ["--allow-writes"]).requireCode(0)
            #expect(try await bench.source.query("SELECT count(*) FROM t") == "2")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `an extract is what a backup would write, in each form`(
        server: MySQLTestServer
    ) async throws {
        try await withTable(server) { bench in
            let query = "SELECT * FROM t ORDER BY id"
            let csv = #"""
                id,v,b,n
                1,a,\x00ff,1.50
                2,,,
                3,"q""uote, \ back",\x,-0.50

                """#
            #expect(try await sql(bench, query, ["-format", "csv"]).output == csv)
            let lines = try await sql(bench, query, ["-format", "jsonl"]).output
            #expect(lines.hasPrefix(#"{"id": 1, "v": "a", "b": "\\x00ff", "n": 1.50}"#), "\(lines)")
            let folder = "\(bench.folder)/extracts"
            try await sql(bench, query, ["-extract", "-path", "\(folder)/"]).requireCode(0)
            let files = try FileManager.default.contentsOfDirectory(atPath: folder)
            let file = try #require(files.first)
            #expect(files.count == 1 && file.hasPrefix("t_") && file.hasSuffix(".csv"), "\(files)")
            #expect(try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8) == csv)
            try await sql(bench, "DELETE FROM t", ["-extract", "-path", folder])
                .expect(code: 2, saying: "only what reads")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a shell completes names of tables`(server: MySQLTestServer) async throws {
        try await withTable(server) { bench in
            try await bench.source.query(
                "CREATE TABLE people (id int); CREATE TABLE pets (id int); CREATE VIEW peeks AS SELECT 1 AS x"
            )
            let script = try await bench.dbtool(exactly: ["completions", "bash"])
            try script.output.write(
                toFile: "\(bench.folder)/dbtool.bash", atomically: true, encoding: .utf8)
            let url = "mysql://root@127.0.0.1:\(server.port)/\(bench.source.name)"
            var offered: [String] = []
            // A busy machine may not answer in the time that a person waits: then nothing is offered.
            for _ in 1...20 where offered.isEmpty {
                let end = try await Program.run(
                    "/bin/bash",
                    [
                        "--norc", "-c",
                        """
                        . ./dbtool.bash
                        COMP_WORDS=("$0" full tables --url "$1" -tablename pe)
                        COMP_LINE="${COMP_WORDS[*]}" COMP_POINT=${#COMP_LINE} COMP_CWORD=6
                        COMP_POINT=${#COMP_LINE}
                        _dbtool dbtool pe -tablename
                        printf '%s\\n' "${COMPREPLY[@]}"
                        """, try DBToolBinary.path(), url,
                    ], environment: bench.environment, folder: bench.folder)
                offered = end.output.split(separator: "\n").map(String.init)
            }
            #expect(offered.sorted() == ["people", "pets"])
        }
    }
}
