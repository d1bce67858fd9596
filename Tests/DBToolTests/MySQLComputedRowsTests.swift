import BackupTesting
import Foundation
import Testing

/// Rows of tables that compute days come each in the mode that it needs, whatever is sent with it.
@Suite struct MySQLComputedRowsTests {
    private static let noDay = "'2021-02-31'"

    /// Restores into a copy, and expects the same answers of it.
    ///
    /// - Returns: The restore.
    @discardableResult private func expectSame(
        _ bench: MySQLBench, _ questions: [String], holding words: String = "NULL"
    ) async throws -> ProgramEnd {
        _ = try await bench.backUp()
        let copy = bench.other("copy")
        let end = try await bench.restore(into: copy, ["--create", "--check", "rows"])
        end.expect(code: 0)
        for question in questions {
            let expected = try await bench.source.query(question)
            #expect(expected.contains(words), "\(question)")
            #expect(try await copy.query(question) == expected, "\(question): \(end)")
        }
        return end
    }

    /// `loads`: Whether MySQL takes rows by `LOAD DATA`.
    private static func with(
        _ server: MySQLTestServer, loads: Bool, _ more: [String] = [],
        _ body: (MySQLBench) async throws -> Void
    ) async throws {
        let settings = ["local_infile=\(loads ? 1 : 0)"] + more
        try await MySQLBench.withOwnServer(like: server, settings) { bench, _ in
            try await body(bench)
        }
    }

    @Test(arguments: MySQLTestServer.all, [true, false])
    func `a row with a day that no calendar has leaves the rows beside it as they were`(
        server: MySQLTestServer, loads: Bool
    ) async throws {
        try await Self.with(server, loads: loads) { bench in
            try await bench.source.load(
                """
                CREATE TABLE u (id int PRIMARY KEY, t varchar(20), d date, s date AS (CAST(t AS DATE)) STORED, UNIQUE KEY us (s)) ENGINE = InnoDB;
                SET sql_mode = '';
                INSERT INTO u (id, t) VALUES (1, \(Self.noDay)), (2, \(Self.noDay)), (5, '2020-01-01'), (6, NULL);
                SET sql_mode = 'ALLOW_INVALID_DATES';
                INSERT INTO u (id, t, d) VALUES (4, '2020-01-02', \(Self.noDay)), (7, \(Self.noDay), \(Self.noDay));
                """)
            let end = try await expectSame(bench, ["SELECT id, d, s FROM u ORDER BY id"])
            #expect(end.errors.contains("warning: 2 rows of "), "\(end)")
        }
    }

    /// The one row is taken only where the day is computed, one never is any, and the others were nothing.
    @Test(arguments: MySQLTestServer.all.filter { !$0.isMariaDB }, [true, false])
    func `a column that is never NULL leaves the rows beside it as they were`(
        server: MySQLTestServer, loads: Bool
    ) async throws {
        try await Self.with(server, loads: loads) { bench in
            let days = "k varchar(20), s date AS (CAST(k AS DATE)) STORED"
            try await bench.source.load(
                """
                CREATE TABLE n (id int PRIMARY KEY, t varchar(20), \(days), c date AS (CAST(t AS DATE)) STORED NOT NULL) ENGINE = InnoDB;
                CREATE TABLE q (id int PRIMARY KEY, a int, b int, \(days), q int AS (a DIV b) STORED NOT NULL) ENGINE = InnoDB;
                CREATE TABLE one LIKE q;
                SET sql_mode = 'ALLOW_INVALID_DATES';
                INSERT INTO n (id, t, k) VALUES (1, \(Self.noDay), '2020-01-01');
                SET sql_mode = '';
                INSERT INTO n (id, t, k) VALUES (2, '2020-01-01', \(Self.noDay)), (4, '2020-01-01', \(Self.noDay));
                INSERT IGNORE INTO n (id, t, k) VALUES (3, 'abc', \(Self.noDay));
                INSERT IGNORE INTO q (id, a, b, k) VALUES (1, 1, 1, \(Self.noDay)), (2, 1, 0, \(Self.noDay)), (3, 1, 1, \(Self.noDay));
                INSERT IGNORE INTO one (id, a, b, k) VALUES (1, 1, 0, \(Self.noDay));
                """)
            let end = try await expectSame(
                bench,
                ["n", "q", "one"].map { "SELECT * FROM \($0) ORDER BY id" })
            #expect(end.errors.contains("warning: 1 rows of "), "\(end)")
            #expect(end.errors.components(separatedBy: "no calendar").count == 2, "\(end)")
        }
    }

    /// MariaDB lets rows past conditions where that is demanded.
    @Test(arguments: MySQLTestServer.all)
    func `a row that its conditions would refuse leaves the rows beside it as they were`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.load(
                """
                CREATE TABLE c (id int PRIMARY KEY, n int, t varchar(20), k varchar(20), s date AS (CAST(k AS DATE)) STORED,
                  CHECK (n > 0), CHECK (t IS NULL OR CAST(t AS DATE) IS NOT NULL)) ENGINE = InnoDB;
                SET sql_mode = '';
                INSERT INTO c (id, n, k) VALUES (1, 1, \(Self.noDay)), (2, 1, '2020-01-01'), (3, 1, \(Self.noDay));
                SET sql_mode = 'ALLOW_INVALID_DATES';
                INSERT INTO c (id, n, t) VALUES (4, 1, \(Self.noDay));
                """)
            if server.isMariaDB {
                try await bench.source.load(
                    """
                    SET sql_mode = '', check_constraint_checks = 0;
                    INSERT INTO c (id, n, k) VALUES (5, -1, \(Self.noDay)), (6, 1, \(Self.noDay));
                    """)
            }
            let end = try await expectSame(bench, ["SELECT id, n, s FROM c ORDER BY id"])
            #expect(end.errors.contains("warning: 1 rows of "), "\(end)")
        }
    }

    /// The server counts no more warnings than that.
    @Test(arguments: MySQLTestServer.all.filter { !$0.isMariaDB }, [true, false])
    func `texts that are no days stay none where the server has more to say than it counts`(
        server: MySQLTestServer, loads: Bool
    ) async throws {
        try await Self.with(server, loads: loads) { bench in
            let columns = ["a", "b", "c", "d"].map { "\($0) date AS (CAST(t AS DATE)) STORED" }
            try await bench.source.load(
                """
                CREATE TABLE w (id int PRIMARY KEY, t varchar(12), \(columns.joined(separator: ", "))) ENGINE = InnoDB;
                SET sql_mode = '', cte_max_recursion_depth = 20000;
                INSERT INTO w (id, t) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
                  SELECT i, \(Self.noDay) FROM n;
                """)
            let end = try await expectSame(
                bench, ["SELECT COUNT(*), COUNT(a), COUNT(d) FROM w"], holding: "20000")
            #expect(!end.errors.contains("no calendar"), "\(end)")
        }
    }

    /// MySQL begins its sessions with modes against them.
    @Test(arguments: MySQLTestServer.all, [true, false])
    func `texts that are days with zeros stay none where the server is against them`(
        server: MySQLTestServer, loads: Bool
    ) async throws {
        let against = "NO_ZERO_DATE,NO_ZERO_IN_DATE"
        try await Self.with(server, loads: loads, ["sql_mode=\(against)"]) { bench in
            try await bench.source.load(
                """
                SET sql_mode = '';
                CREATE TABLE z (id int PRIMARY KEY, t varchar(20), d date, m timestamp NULL, s date AS (CAST(t AS DATE)) STORED,
                  UNIQUE KEY us (s)) ENGINE = InnoDB;
                CREATE TABLE x (id int PRIMARY KEY, t varchar(20), k varchar(20), s date AS (CAST(k AS DATE)) STORED,
                  CHECK (t IS NULL OR CAST(t AS DATE) IS NOT NULL)) ENGINE = InnoDB;
                INSERT INTO z (id, t, d, m) VALUES (4, '0000-00-00', '0000-00-00', NULL), (5, '2020-01-01', '2021-00-10', NULL),
                  (9, '2020-01-03', NULL, '0000-00-00 00:00:00');
                INSERT INTO x (id, t) VALUES (1, '2021-00-10');
                SET sql_mode = '\(against)';
                INSERT INTO z (id, t) VALUES (1, '0000-00-00'), (2, '2021-00-10'), (3, '0000-00-00'), (7, \(Self.noDay));
                INSERT INTO x (id, k) VALUES (2, '2021-00-10');
                SET sql_mode = 'ALLOW_INVALID_DATES';
                INSERT INTO z (id, t, d) VALUES (6, '2020-01-02', \(Self.noDay));
                SET sql_mode = 'ALLOW_INVALID_DATES,\(against)';
                INSERT INTO z (id, t, d) VALUES (8, '0000-00-00', \(Self.noDay));
                """)
            let end = try await expectSame(
                bench, ["z", "x"].map { "SELECT * FROM \($0) ORDER BY id" })
            #expect(end.errors.contains("warning: 2 rows of "), "\(end)")
            #expect(end.errors.components(separatedBy: "no calendar").count == 2, "\(end)")
        }
    }

    /// Days or none, by `LOAD DATA` or not: all of them go by the modes of the server.
    @Test(arguments: MySQLTestServer.all.filter { !$0.isMariaDB }, [true, false])
    func `what is computed by modes of the server is computed by them again`(
        server: MySQLTestServer, loads: Bool
    ) async throws {
        let modes = "PAD_CHAR_TO_FULL_LENGTH,TIME_TRUNCATE_FRACTIONAL"
        try await Self.with(server, loads: loads, ["sql_mode=\(modes)"]) { bench in
            try await bench.source.load(
                """
                SET sql_mode = '\(modes)';
                CREATE TABLE a (id int PRIMARY KEY, c char(5), p varchar(20) AS (CONCAT(c, '|')) STORED, dt datetime(6), d datetime AS (dt) STORED,
                  t time AS (dt) STORED) ENGINE = InnoDB;
                CREATE TABLE b (id int PRIMARY KEY, c char(5), p varchar(20) AS (CONCAT(c, '|')) STORED) ENGINE = InnoDB;
                CREATE TABLE k (id int PRIMARY KEY, c char(5), p varchar(20) AS (CONCAT(c, '|')) STORED, UNIQUE KEY u ((CONCAT(c, '!'))),
                  KEY e ((CONCAT(c, '?')))) ENGINE = InnoDB;
                CREATE TABLE e (id int PRIMARY KEY, c char(5), p varchar(20) AS (CONCAT(c, '|')) STORED, dt datetime(6), d datetime AS (dt) STORED)
                  ENGINE = MyISAM;
                INSERT INTO a (id, c, dt) VALUES (1, 'ab', '2020-01-01 23:59:59.9');
                INSERT INTO b (id, c) VALUES (1, 'ab');
                INSERT INTO k (id, c) VALUES (1, 'ab');
                INSERT INTO e (id, c, dt) SELECT id, c, dt FROM a;
                """)
            try await expectSame(
                bench, ["a", "b", "k", "e"].map { "SELECT * FROM \($0)" }, holding: "ab   |")
        }
    }

    /// Whether it came as it is has to be looked at, for which it is sent once more.
    @Test(arguments: MySQLTestServer.all.filter { !$0.isMariaDB }, [true, false])
    func `a huge row comes back where a condition or a key warns of it`(
        server: MySQLTestServer, loads: Bool
    ) async throws {
        try await Self.with(server, loads: loads) { bench in
            let day = "CAST(LEFT(t, 10) AS DATE)"
            try await bench.source.load(
                """
                SET sql_mode = '';
                CREATE TABLE c (id int PRIMARY KEY, t longtext, CHECK (COALESCE(\(day), '2021-01-01') > '1900-01-01')) ENGINE = InnoDB;
                CREATE TABLE k (id int PRIMARY KEY, t longtext, KEY f ((\(day)))) ENGINE = InnoDB;
                INSERT INTO c VALUES (1, REPEAT('x', 10000000)), (2, '2021-01-02'), (3, 'x');
                INSERT INTO k SELECT * FROM c;
                """)
            let questions = ["c", "k"].map {
                "SELECT id, LENGTH(t), SHA2(t, 256) FROM \($0) ORDER BY id"
            }
            try await expectSame(bench, questions, holding: "10000000")
            // Into tables that are there, too, whose keys are.
            let copy = bench.other("copy")
            let again = try await bench.restore(
                into: copy, ["--data-only", "--existing", "truncate", "--yes"])
            again.expect(code: 0)
            for question in questions {
                #expect(try await copy.query(question) == bench.source.query(question))
            }
        }
    }
}
