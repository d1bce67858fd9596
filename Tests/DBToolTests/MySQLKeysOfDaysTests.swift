import BackupTesting
import Testing

/// Indexes come after the rows, and hold what these had been computed to; making them computes nothing else anew.
@Suite struct MySQLKeysOfDaysTests {
    @Test(arguments: MySQLTestServer.all)
    func `indexes on words leave keys on what is computed as they are`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let columns = """
                id int PRIMARY KEY, t text, v date AS (CAST(LEFT(t, 10) AS DATE)) VIRTUAL,
                s date AS (CAST(LEFT(t, 10) AS DATE)) STORED
                """
            let rows = """
                (id, t) VALUES (1, '2021-02-31'), (2, '2021-02-31'), (3, '2021-03-01')
                """
            try await bench.source.load(
                """
                SET sql_mode = '';
                CREATE TABLE words (\(columns), FULLTEXT KEY f (t), KEY v (v)) ENGINE = InnoDB;
                CREATE TABLE once (\(columns), FULLTEXT KEY f (t), UNIQUE KEY v (v)) ENGINE = InnoDB;
                INSERT INTO words \(rows);
                INSERT INTO once \(rows);
                """)
            _ = try await bench.backUp()
            let copy = bench.other("copy")
            let end = try await bench.restore(into: copy, ["--create", "--check", "rows"])
            end.expect(code: 0)
            #expect(!end.errors.contains("no calendar"), "\(end)")
            try await bench.expectEqual(bench.source, copy)
            for table in ["words", "once"] {
                let none = "SELECT COUNT(*) FROM \(table) FORCE INDEX (v) WHERE v IS NULL"
                #expect(try await bench.source.query(none) == "2")
                #expect(try await copy.query(none) == "2", "\(table)")
                #expect(
                    try await copy.query("SELECT COUNT(*) FROM \(table) WHERE s IS NULL") == "2")
            }
        }
    }

    /// MySQL ended where it could not find what a key had of a row.
    @Test(arguments: MySQLTestServer.all)
    func `rows with keys that depend on the session are not deleted by MySQL`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let columns =
                "id int PRIMARY KEY, t varchar(40), v int AS (YEAR(t)) VIRTUAL, KEY kv (v)"
            try await bench.source.load(
                """
                SET sql_mode = '';
                CREATE TABLE odd (\(columns)) ENGINE = InnoDB; CREATE TABLE even (\(columns)) ENGINE = InnoDB;
                INSERT INTO odd (id, t) VALUES (1, '2024-02-31'), (2, '2024-02-31'), (3, '2024-02-01');
                INSERT INTO even (id, t) VALUES (1, '2024-02-28'), (2, '2024-02-29'), (3, NULL);
                """)
            _ = try await bench.backUp()
            let copy = bench.other("copy")
            try await bench.restore(into: copy, ["--create"]).expect(code: 0)
            try await bench.restore(
                into: copy, ["--existing", "truncate", "-tablename", "even", "--check", "rows"]
            ).expect(code: 0)
            let end = try await bench.restore(into: copy, ["--existing", "truncate"])
            end.expect(code: server.isMariaDB ? 0 : 1)
            if !server.isMariaDB {
                #expect(end.errors.contains("odd cannot be deleted safely"), "\(end)")
                try await bench.restore(into: copy, ["--clean", "--yes"]).expect(code: 0)
            }
            try await bench.expectEqual(bench.source, copy)
        }
    }

    /// Whatever alters a table with a key that is found by a hash makes MariaDB write its rows anew.
    @Test(arguments: MySQLTestServer.all)
    func `counters and foreign keys leave stored columns as they are`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let length = server.isMariaDB ? "" : "(20)"
            try await bench.source.load(
                """
                SET sql_mode = '';
                CREATE TABLE p (id int PRIMARY KEY) ENGINE = InnoDB; INSERT INTO p VALUES (1), (2);
                CREATE TABLE counted (id int AUTO_INCREMENT PRIMARY KEY, body text, t varchar(30),
                  g date AS (CAST(t AS DATE)) STORED, UNIQUE KEY ub (body\(length))) ENGINE = InnoDB;
                CREATE TABLE refers (id int PRIMARY KEY, body text, t varchar(30),
                  g date AS (CAST(t AS DATE)) STORED, UNIQUE KEY ub (body\(length)),
                  CONSTRAINT fk FOREIGN KEY (id) REFERENCES p (id)) ENGINE = InnoDB;
                INSERT INTO counted (id, body, t) VALUES (1, 'a', '2024-02-31'), (2, 'b', '2024-02-10'), (9, 'c', NULL);
                INSERT INTO refers (id, body, t) VALUES (1, 'a', '2024-02-31'), (2, 'b', '2024-02-10');
                DELETE FROM counted WHERE id = 9;
                """)
            _ = try await bench.backUp()
            let copy = bench.other("copy")
            try await bench.restore(into: copy, ["--create", "--check", "rows"]).expect(code: 0)
            try await bench.expectEqual(bench.source, copy)
            for table in ["counted", "refers"] {
                let stored = "SELECT GROUP_CONCAT(IFNULL(g, 'none') ORDER BY id) FROM \(table)"
                #expect(try await bench.source.query(stored) == "none,2024-02-10")
                #expect(try await copy.query(stored) == "none,2024-02-10", "\(table)")
            }
        }
    }

    /// In expressions such days are named by who takes them for none at all.
    @Test(arguments: MySQLTestServer.all)
    func `expressions name days with zeros, and keys hold them as rows do`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.load(
                """
                SET sql_mode = '';
                CREATE TABLE gone (id int PRIMARY KEY, d datetime NOT NULL DEFAULT '0000-00-00 00:00:00', e varchar(20),
                  a varchar(20) AS (IF(d = '0000-00-00 00:00:00', e, NULL)) VIRTUAL, UNIQUE KEY u (a)) ENGINE = InnoDB;
                INSERT INTO gone (id, d, e) VALUES (1, '2024-01-01', 'q'), (2, '0000-00-00', 'q');
                CREATE TABLE days (id int PRIMARY KEY, d date, t varchar(20), v date AS (CAST(t AS DATE)) VIRTUAL, KEY k (v))
                  ENGINE = InnoDB;
                INSERT INTO days (id, d, t) VALUES (1, '0000-00-00', '2024-02-00'), (2, '2024-01-01', '2024-01-02');
                """)
            _ = try await bench.backUp()
            let copy = bench.other("copy")
            try await bench.restore(into: copy, ["--create", "--check", "rows"]).expect(code: 0)
            try await bench.expectEqual(bench.source, copy)
            let zeros = "SELECT COUNT(*) FROM days FORCE INDEX (k) WHERE v IS NULL"
            #expect(try await copy.query(zeros) == "0")
            let found = "SET sql_mode = ''; SELECT COUNT(*) FROM gone WHERE a = 'q'"
            #expect(try await copy.query(found) == "1")
        }
    }

    private static let stored =
        "id int PRIMARY KEY, t varchar(20), s date AS (CAST(t AS DATE)) STORED"

    /// Together these would make the server write all rows anew, and compute what is stored with them.
    private static let tables: KeyValuePairs = [
        "lowered": "\(stored), w int, UNIQUE KEY u ((LOWER(CONCAT(t, id)))), KEY w (w))",
        "once": "\(stored), w int, UNIQUE KEY u ((CAST(t AS DATE))), KEY w (w))",
        "mixed": "\(stored), w int, KEY u ((CAST(t AS DATE))), UNIQUE KEY w (w, id))",
        "beside":
            "\(stored), w int, UNIQUE KEY u ((CAST(t AS DATE)), id), KEY e ((LOWER(t))), KEY w (w))",
        "counted":
            "\(stored), c int NOT NULL AUTO_INCREMENT, KEY u (c, (LOWER(t))), KEY e ((UPPER(t))))",
        "ordered":
            "\(stored), w int, v date AS (CAST(t AS DATE)) VIRTUAL, KEY v (v), KEY e ((LOWER(t))), KEY x (v, w))",
        "divided":
            "\(stored), KEY fx ((CAST(t AS DATE))), KEY w (t)) PARTITION BY HASH (id) PARTITIONS 3",
        "placed":
            """
        \(stored), g geometry NOT NULL DEFAULT (POINT(1, 2)) SRID 0, SPATIAL KEY sp (g), KEY u ((LOWER(t))))
        """,
    ]

    @Test(arguments: MySQLTestServer.all.filter { !$0.isMariaDB })
    func `keys on expressions leave stored columns as they are`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            for (name, words) in Self.tables {
                try await bench.source.load(
                    """
                    SET sql_mode = '';
                    CREATE TABLE \(name) (\(words);
                    INSERT INTO \(name) (id, t) VALUES (1, '2021-02-31'), (2, '2021-02-31'), (3, '2021-03-01');
                    """)
            }
            _ = try await bench.backUp()
            let copy = bench.other("copy")
            let end = try await bench.restore(into: copy, ["--create", "--check", "rows"])
            end.expect(code: 0)
            #expect(!end.errors.contains("no calendar"), "\(end)")
            try await bench.expectEqual(bench.source, copy)
            for (name, _) in Self.tables {
                let none = "SELECT COUNT(*) FROM \(name) WHERE s IS NULL"
                #expect(try await bench.source.query(none) == "2")
                #expect(try await copy.query(none) == "2", "\(name)")
            }
        }
    }

    /// MariaDB finds texts of any length by a hash, and writes all rows anew to make such a key.
    @Test(arguments: MySQLTestServer.all.filter(\.isMariaDB))
    func `unique keys on long texts leave what is computed as it was`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let columns = """
                a varchar(30), b text, d date, j json, s date AS (CAST(a AS DATE)) STORED,
                v date AS (CAST(a AS DATE)) VIRTUAL, KEY v (v), KEY a (a), UNIQUE KEY h (b)
                """
            let rows = """
                (id, a, b, d) VALUES (1, '2021-02-31', 'x', '2021-00-10'), (2, '2021-02-03', 'y', '0000-00-00'),
                (3, '0000-00-00', 'z', NULL)
                """
            try await bench.source.load(
                """
                SET sql_mode = '';
                CREATE TABLE t (id int PRIMARY KEY, \(columns), FULLTEXT KEY f (a)) ENGINE = InnoDB;
                CREATE TABLE bare (id int, \(columns)) ENGINE = InnoDB;
                INSERT INTO t \(rows);
                INSERT INTO bare \(rows);
                """)
            _ = try await bench.backUp()
            let copy = bench.other("copy")
            let end = try await bench.restore(into: copy, ["--create", "--check", "rows"])
            end.expect(code: 0)
            #expect(!end.errors.contains("rows anew"), "\(end)")
            try await bench.expectEqual(bench.source, copy)
            for table in ["t", "bare"] {
                let none = "SELECT COUNT(*) FROM \(table) FORCE INDEX (v) WHERE v IS NULL"
                #expect(try await bench.source.query(none) == "1")
                #expect(try await copy.query(none) == "1", "\(table)")
            }
        }
    }

    @Test(arguments: MySQLTestServer.all.filter(\.isMariaDB))
    func `a unique key on long texts keeps days that no calendar has, and the restore warns`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.load(
                """
                SET sql_mode = 'ALLOW_INVALID_DATES';
                CREATE TABLE t (id int PRIMARY KEY, d date, b text, a varchar(30), s date AS (CAST(a AS DATE)) STORED, UNIQUE KEY h (b))
                  ENGINE = InnoDB;
                INSERT INTO t (id, d, b) VALUES (1, '2021-02-31', 'x');
                """)
            _ = try await bench.backUp()
            let copy = bench.other("copy")
            let end = try await bench.restore(into: copy, ["--create", "--check", "rows"])
            end.expect(code: 0, saying: "h of t could not be made without writing the table's rows")
            #expect(try await copy.query("SELECT d FROM t") == "2021-02-31")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `keys on days that no calendar has hold these`(server: MySQLTestServer) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.load(
                """
                SET sql_mode = 'ALLOW_INVALID_DATES';
                CREATE TABLE k (id int PRIMARY KEY, d date, t varchar(20), dt datetime AS (CAST(d AS DATETIME)) VIRTUAL,
                  KEY dt (dt)) ENGINE = InnoDB;
                INSERT INTO k (id, d) VALUES (1, '2021-02-31'), (2, '2021-02-28'), (3, '2020-02-30');
                """)
            _ = try await bench.backUp()
            let copy = bench.other("copy")
            let end = try await bench.restore(into: copy, ["--create", "--check", "rows"])
            end.expect(code: 0, saying: "dt of k: made with days that no calendar has")
            let question = "SELECT dt FROM k FORCE INDEX (dt) ORDER BY dt"
            let expected = try await bench.source.query(question)
            #expect(expected.contains("2021-02-31") && expected.contains("2020-02-30"))
            #expect(try await copy.query(question) == expected)
        }
    }

    @Test(arguments: MySQLTestServer.all.filter { !$0.isMariaDB })
    func `indexes are made in place on a server that would write all rows anew`(
        server: MySQLTestServer
    ) async throws {
        let settings = ["old_alter_table=1"]
        try await MySQLBench.withOwnServer(like: server, settings) { bench, _ in
            try await bench.source.load(
                """
                SET sql_mode = '';
                CREATE TABLE k (\(Self.stored), KEY t (t));
                INSERT INTO k (id, t) VALUES (1, '2021-02-31');
                """)
            _ = try await bench.backUp()
            let copy = bench.other("copy")
            let end = try await bench.restore(into: copy, ["--create", "--check", "rows"])
            end.expect(code: 0)
            #expect(try await copy.query("SELECT s IS NULL FROM k") == "1")
        }
    }
}
