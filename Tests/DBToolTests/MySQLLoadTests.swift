import BackupTesting
import Foundation
import Testing

/// Restores into a server that allows `LOAD DATA LOCAL`, by which rows go into MySQL then.
///
/// MariaDB takes rows in a way of its own, and must come to the same.
@Suite struct MySQLLoadTests {
    private static func withLoading(
        into server: MySQLTestServer, _ body: (MySQLBench) async throws -> Void
    ) async throws {
        let settings = ["local_infile=1", "max_allowed_packet=67108864"]
        try await MySQLBench.withOwnServer(like: server, settings) { bench, _ in
            try await body(bench)
            // Otherwise something else was tested.
            let loads = try await bench.server.query("SHOW GLOBAL STATUS LIKE 'Com_load'")
            #expect((loads != "Com_load\t0") == !server.isMariaDB, "\(loads)")
        }
    }

    /// All of them, and the value that was never allowed; `NULL` in the end.
    private static let labels = #"""
        SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
        CREATE TABLE labels (id int AUTO_INCREMENT PRIMARY KEY,
          e enum('', '\\N', 'NULL', '\\x41', 'tab\there', 'line\nend', 'return\r', 'say "it''s"', 'a,b', '0', '2', '1', ' lead', '\\', 'é', '\\t')
            COLLATE utf8mb4_bin,
          l enum('', 'ł\\', '\\N', 'tab\there', '\\x41') CHARACTER SET latin2,
          b enum('a', 'A', '2') COLLATE utf8mb4_general_ci,
          s set('\\N', '\\x41', 'tab\there', 'line\nend', '"', '''', '1', '\\') COLLATE utf8mb4_bin,
          z set('', 'a', '03') COLLATE utf8mb4_general_ci) ENGINE = InnoDB;
        INSERT INTO labels WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 299)
          SELECT i, i % 17, i % 6, i % 4, i % 256, i % 8 FROM n;
        INSERT INTO labels VALUES (-1, NULL, NULL, NULL, NULL, NULL);
        """#

    @Test(arguments: MySQLTestServer.all)
    func `awkward labels are loaded as they are`(server: MySQLTestServer) async throws {
        try await Self.withLoading(into: server) { bench in
            try await bench.source.load(Self.labels)
            let backup = try await bench.backUp()
            let copy = try await bench.restored(backup.id, ["--check", "rows"])
            try await bench.expectEqual(bench.source, copy)
            #expect(try await copy.query("SELECT COUNT(*) FROM labels") == "301")
        }
    }

    /// Of each such row the server warns at every write, as it did in the source.
    private static let computed = """
        SET sql_mode = '';
        CREATE TABLE prices (id int PRIMARY KEY, v varchar(20), n int AS (v + 0) STORED, k int AS (v * 2) VIRTUAL, KEY (k)) ENGINE = InnoDB;
        INSERT INTO prices (id, v) VALUES (1, '12 EUR'), (2, '13'), (3, 'none'), (4, NULL), (5, '');
        CREATE TABLE narrow (id int PRIMARY KEY, b int) ENGINE = InnoDB;
        INSERT INTO narrow VALUES (1, 1), (2, 1000000), (3, -1000000);
        ALTER TABLE narrow ADD c smallint AS (b) VIRTUAL;
        CREATE TABLE checked (id int PRIMARY KEY, v varchar(20), CONSTRAINT small CHECK (v + 0 < 1000)) ENGINE = InnoDB;
        INSERT INTO checked VALUES (1, '12 EUR'), (2, '13'), (3, 'none');
        """

    /// `loads`: Whether MySQL takes rows by `LOAD DATA`.
    @Test(arguments: MySQLTestServer.all, [true, false])
    func `rows of which computed columns and conditions warn come back as they are`(
        server: MySQLTestServer, loads: Bool
    ) async throws {
        let settings = ["local_infile=\(loads ? 1 : 0)"]
        try await MySQLBench.withOwnServer(like: server, settings) { bench, _ in
            let onExpression = """
                CREATE TABLE indexed (id int, v varchar(20), UNIQUE KEY ((CAST(v AS SIGNED)))) ENGINE = InnoDB;
                INSERT INTO indexed (id, v) VALUES (1, '12 EUR'), (2, '13 EUR');
                """
            try await bench.source.load(Self.computed + (server.isMariaDB ? "" : onExpression))
            let backup = try await bench.backUp()
            let copy = try await bench.restored(backup.id, ["--check", "rows"])
            try await bench.expectEqual(bench.source, copy)
            #expect(
                try await copy.query("SELECT id, v, n FROM prices WHERE id < 3")
                    == "1\t12 EUR\t12\n2\t13\t13")
            // Into tables that are there, too.
            try await bench.restore(into: copy, ["--data-only", "--existing", "truncate", "--yes"])
                .requireCode(0)
            try await bench.expectEqual(bench.source, copy)
        }
    }

    /// In hexadecimal, or with what must be marked in it, such a line has forty million bytes. What is shorter than half of what the
    /// server takes at once, and has no character set of its own, goes in pieces.
    @Test(arguments: MySQLTestServer.all)
    func `a value of twenty million bytes is loaded as it is`(
        server: MySQLTestServer
    ) async throws {
        try await Self.withLoading(into: server) { bench in
            try await bench.source.query(
                """
                CREATE TABLE huge (id int PRIMARY KEY, b longblob, t longtext, j json) ENGINE = InnoDB;
                INSERT INTO huge VALUES (0, '', '', '1'), (1, REPEAT(UNHEX('00ff0a5c09'), 4000000), NULL, NULL),
                  (2, NULL, REPEAT(CONVERT(UNHEX('c3a9090a5c22') USING utf8mb4), 3500000), '"x"'),
                  (3, REPEAT(UNHEX('00ff0a5c09'), 2000000), 'é\\\\', '{"a": 12.50}'), (4, 'x', 'y', NULL);
                CREATE TABLE letters (id int PRIMARY KEY, t longtext CHARACTER SET latin2) ENGINE = InnoDB;
                INSERT INTO letters VALUES (0, ''), (1, REPEAT(CONVERT(UNHEX('b35c0a09') USING latin2), 5000000)), (2, 'x')
                """)
            let backup = try await bench.backUp()
            let copy = try await bench.restored(backup.id, ["--check", "rows"])
            let sums = """
                SELECT id, LENGTH(b), SHA2(b, 256), LENGTH(t), SHA2(t, 256), CAST(j AS CHAR) FROM huge ORDER BY id;
                SELECT id, LENGTH(t), SHA2(CAST(t AS BINARY), 256) FROM letters ORDER BY id
                """
            let expected = try await bench.source.query(sums)
            #expect(expected.contains("20000000") && expected.contains("21000000"), "\(expected)")
            #expect(try await copy.query(sums) == expected)
        }
    }

    /// `loads`: Whether MySQL takes rows by `LOAD DATA`, which cannot say that a number is a decimal.
    @Test(arguments: MySQLTestServer.all.filter { !$0.isMariaDB }, [true, false])
    func `a large row does not take the decimals of documents near it`(
        server: MySQLTestServer, loads: Bool
    ) async throws {
        let settings = ["local_infile=\(loads ? 1 : 0)"]
        try await MySQLBench.withOwnServer(like: server, settings) { bench, _ in
            // Large ones with and without a document, and one whose numbers take more room than a statement has usually.
            try await bench.source.query(
                """
                SET SESSION cte_max_recursion_depth = 100000;
                CREATE TABLE prices (id int PRIMARY KEY, j json, b longblob) ENGINE = InnoDB;
                INSERT INTO prices WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
                  SELECT i, JSON_OBJECT('price', 19.90, 'exact', 12345678901234567.89), IF(i IN (50, 150), REPEAT(x'00ff', 400000), NULL) FROM n;
                UPDATE prices SET j = NULL WHERE id = 150;
                INSERT INTO prices WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
                  SELECT 201, JSON_OBJECT('price', 0.10, 'all', JSON_ARRAYAGG(CAST(i / 8 AS DECIMAL(20, 4)))), 'v' FROM n
                """)
            let backup = try await bench.backUp()
            let copy = try await bench.restored(backup.id, ["--check", "rows"])
            try await bench.expectEqual(bench.source, copy)
            let decimals = """
                SELECT COUNT(*) FROM prices WHERE JSON_TYPE(j -> '$.price') = 'DECIMAL'
                """
            #expect(try await copy.query(decimals) == "200")
            let last = "SELECT JSON_TYPE(j -> '$.all[29999]') FROM prices WHERE id = 201"
            #expect(try await copy.query(last) == "DECIMAL")
            let count = try await bench.server.query("SHOW GLOBAL STATUS LIKE 'Com_load'")
            #expect((count != "Com_load\t0") == loads, "\(count)")
        }
    }

    @Test(arguments: MySQLTestServer.all.filter { !$0.isMariaDB }, [true, false])
    func `decimals for which no statement has room are told of`(
        server: MySQLTestServer, loads: Bool
    ) async throws {
        let settings = ["local_infile=\(loads ? 1 : 0)", "max_allowed_packet=2097152"]
        try await MySQLBench.withOwnServer(like: server, settings) { bench, _ in
            try await bench.source.query(
                """
                CREATE TABLE prices (id int PRIMARY KEY, j json, b longblob) ENGINE = InnoDB;
                INSERT INTO prices WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9)
                  SELECT i, JSON_OBJECT('price', 19.90), IF(i IN (3, 7), REPEAT(x'00ff', 300000), NULL) FROM n
                """)
            _ = try await bench.backUp()
            let copy = bench.other("copy")
            let end = try await bench.restore(into: copy, ["--create"])
            end.expect(
                code: 0, saying: "warning: decimals in JSON documents of ",
                "prices may have lost digits, in 2 rows")
            #expect(end.errors.split(separator: "may have lost digits").count == 2, "\(end)")
            let exact = """
                SELECT GROUP_CONCAT(id ORDER BY id) FROM prices WHERE JSON_TYPE(j -> '$.price') = 'DECIMAL'
                """
            #expect(try await copy.query(exact) == "1,2,4,5,6,8,9")
            let sums = "SELECT id, SHA2(b, 256) FROM prices ORDER BY id"
            #expect(try await copy.query(sums) == bench.source.query(sums))
        }
    }

    /// As text in a statement, of two digits a byte, such a row would be too long for the server that holds it.
    @Test(arguments: MySQLTestServer.all)
    func `a large value beside labels that look alike goes back into the server that it came from`(
        server: MySQLTestServer
    ) async throws {
        let settings = ["local_infile=0", "max_allowed_packet=4194304"]
        try await MySQLBench.withOwnServer(like: server, settings) { bench, _ in
            try await bench.source.query(
                """
                SET sql_mode = ''; CREATE TABLE t (id int PRIMARY KEY, e enum('a', 'A') COLLATE utf8mb4_general_ci,
                  s set('x', 'X', 'y') COLLATE utf8mb4_general_ci, j longtext CHARACTER SET sjis, b longblob) ENGINE = InnoDB;
                INSERT INTO t VALUES (1, 2, 6, REPEAT(_sjis x'815F', 9), REPEAT(x'ff', 3000000)), (2, 1, 1, 'j', 'b'),
                  (3, NULL, NULL, REPEAT(_sjis x'815F', 999999), NULL), (4, 1, 0, NULL, REPEAT(x'00', 3000000)),
                  (5, 2, 2, REPEAT('j', 3000000), ''), (6, 2, 4, REPEAT(_sjis x'415C', 999999), NULL)
                """)
            let copy = try await bench.restored(try await bench.backUp().id, ["--check", "rows"])
            let question = """
                SELECT id, e + 0, s + 0, SHA2(CAST(j AS BINARY), 256), SHA2(b, 256) FROM t ORDER BY id
                """
            #expect(try await copy.query(question) == bench.source.query(question))
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `rows that are alike, and keys that differ in their last bit, all come back`(
        server: MySQLTestServer
    ) async throws {
        try await Self.withLoading(into: server) { bench in
            let exact = server.isMariaDB ? "utf8mb4_nopad_bin" : "utf8mb4_0900_bin"
            try await bench.source.query(
                """
                CREATE TABLE loose (v int, t varchar(9)) ENGINE = InnoDB;
                INSERT INTO loose VALUES (1, 'a'), (1, 'a'), (NULL, NULL), (NULL, NULL), (1, 'a'), (1, 'A');
                CREATE TABLE keyed (k varchar(9) COLLATE \(exact) PRIMARY KEY, u varchar(9) COLLATE \(exact) UNIQUE) ENGINE = InnoDB;
                INSERT INTO keyed VALUES ('a', 'x'), ('A', 'X'), ('a ', 'x '), ('á', NULL), ('', NULL), (' ', ''), ('ss', ' '), ('ß', 'ẞ')
                """)
            let backup = try await bench.backUp()
            let copy = try await bench.restored(backup.id, ["--check", "rows"])
            try await bench.expectEqual(bench.source, copy)
            let counts = "SELECT (SELECT COUNT(*) FROM loose), (SELECT COUNT(*) FROM keyed)"
            #expect(try await copy.query(counts) == "6\t8")
        }
    }

    /// `LOAD DATA LOCAL` passes over a row whose key is there already, and goes on.
    @Test(arguments: MySQLTestServer.all)
    func `keys that a table takes for the same are an error, and the table is as it was`(
        server: MySQLTestServer
    ) async throws {
        try await Self.withLoading(into: server) { bench in
            let exact = server.isMariaDB ? "utf8mb4_nopad_bin" : "utf8mb4_0900_bin"
            let target = bench.other("target")
            for (values, collation) in [
                ("('a', 1), ('A', 2)", "utf8mb4_general_ci"),
                ("('a', 1), ('a ', 2)", "utf8mb4_bin"),
            ] {
                try await bench.source.query(
                    """
                    DROP TABLE IF EXISTS t;
                    CREATE TABLE t (k varchar(9) COLLATE \(exact) PRIMARY KEY, v int) ENGINE = InnoDB;
                    INSERT INTO t VALUES \(values), ('b', 3)
                    """)
                _ = try await bench.backUp(["full", "tables", "--tablename", "t"])
                for key in ["PRIMARY KEY (k)", "UNIQUE (k)"] {
                    try await bench.server.query(
                        """
                        DROP DATABASE IF EXISTS \(target.name);
                        CREATE DATABASE \(target.name) CHARACTER SET utf8mb4
                        """)
                    try await target.query(
                        "CREATE TABLE t (k varchar(9) COLLATE \(collation) NOT NULL, v int, \(key)) ENGINE = InnoDB"
                    )
                    try await expectRefused(["--data-only"], into: target, bench)
                    try await target.query("INSERT INTO t VALUES ('z', 9)")
                    for existing in ["append", "truncate"] {
                        try await expectRefused(
                            ["--existing", existing, "--yes"], into: target, bench)
                    }
                }
            }
        }
    }

    private func expectRefused(
        _ words: [String], into target: MySQLTestDatabase, _ bench: MySQLBench,
        location: SourceLocation = #_sourceLocation
    ) async throws {
        let before = try await bench.contents(of: target)
        try await bench.restore(into: target, ["-tablename", "t"] + words)
            .expect(code: 1, saying: "Duplicate entry", "as they were", location: location)
        let after = try await bench.contents(of: target)
        #expect(after == before, sourceLocation: location)
    }

    /// Its values are proven in a table beside it, which has no room for a column more.
    @Test(arguments: MySQLTestServer.all)
    func `rows as long as any may be come back beside what is computed with a warning`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.load(
                """
                SET sql_mode = '';
                CREATE TABLE longest (id int PRIMARY KEY, t varchar(20), s date AS (CAST(t AS DATE)) STORED, v varchar(65504))
                  ENGINE = InnoDB CHARSET = latin1;
                INSERT INTO longest (id, t, v) VALUES (1, '2021-02-31', REPEAT('x', 65504)), (2, '2020-01-01', NULL);
                """)
            let copy = try await bench.restored(try await bench.backUp().id, ["--check", "rows"])
            let sums = "SELECT id, t, s, SHA2(v, 256) FROM longest ORDER BY id"
            #expect(try await copy.query(sums) == bench.source.query(sums))
        }
    }
}
