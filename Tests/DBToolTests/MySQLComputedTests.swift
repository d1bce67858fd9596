import BackupTesting
import Foundation
import Testing

/// What tables compute is in no file: a restore computes it as the source did, or says that it may not have.
@Suite struct MySQLComputedTests {
    private static let times = """
        CREATE TABLE kept (id int PRIMARY KEY, ts timestamp NOT NULL, d date AS (DATE(ts)) STORED, KEY (d)) ENGINE = InnoDB;
        CREATE TABLE looked_up (id int PRIMARY KEY, ts timestamp NOT NULL, d date AS (DATE(ts)) VIRTUAL, KEY by_day (d)) ENGINE = InnoDB;
        CREATE TABLE plain (id int PRIMARY KEY, ts timestamp NOT NULL, d date AS (DATE(ts)) VIRTUAL, KEY (ts)) ENGINE = InnoDB;
        INSERT INTO kept (id, ts) VALUES (1, '2020-01-02 01:00:00'), (2, '2020-01-02 12:00:00');
        INSERT INTO looked_up (id, ts) SELECT id, ts FROM kept;
        INSERT INTO plain (id, ts) SELECT id, ts FROM kept;
        """

    private static let expression = """
        CREATE TABLE expressed (id int PRIMARY KEY, ts timestamp NOT NULL, KEY by_day ((DATE(ts)))) ENGINE = InnoDB;
        INSERT INTO expressed SELECT id, ts FROM kept;
        CREATE TABLE from_seconds (id int PRIMARY KEY, s bigint, d date AS (DATE(FROM_UNIXTIME(s))) STORED) ENGINE = InnoDB;
        INSERT INTO from_seconds (id, s) SELECT id, UNIX_TIMESTAMP(ts) FROM kept;
        """

    @Test(arguments: MySQLTestServer.all)
    func `what was computed in another zone is named, with what computes it again`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.withOwnServer(like: server, ["default_time_zone=+02:00"]) { bench, _ in
            try await bench.source.load(Self.times + (server.isMariaDB ? "" : Self.expression))
            let names =
                (server.isMariaDB ? "" : "expressed (by_day), from_seconds (d), ")
                + "kept (d), looked_up (by_day) keep"
            let check = try await bench.check()
            #expect(check.severities("time zone") == ["warning"], "\(check.end)")
            #expect(check.text("time zone").hasPrefix(names), "\(check.end)")
            let backup = try await bench.backUp()
            let warnings = backup.report["warnings"].items.compactMap(\.string)
            #expect(warnings.contains { $0.contains("\(names) what is computed") }, "\(warnings)")
            let copy = bench.other("copy")
            let end = try await bench.restore(into: copy, ["--create"])
            end.expect(code: 0, saying: "\(names) what is computed in the session's time zone")
            try await mend(copy, by: end)
            try await expectEqual(bench.source, copy, server)
            // Into tables that are there, too.
            let again = try await bench.restore(
                into: copy, ["--data-only", "--existing", "truncate", "--yes"])
            again.expect(code: 0, saying: "\(names) what is computed in the session's time zone")
            try await mend(copy, by: again)
            try await expectEqual(bench.source, copy, server)
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `what computes it again keeps all other values`(server: MySQLTestServer) async throws {
        try await MySQLBench.withOwnServer(like: server, ["default_time_zone=+02:00"]) { bench, _ in
            try await bench.source.load(
                """
                SET sql_mode = 'ALLOW_INVALID_DATES';
                CREATE TABLE w (id int PRIMARY KEY, ts timestamp NULL DEFAULT '0000-00-00 00:00:00', d date, s varchar(20),
                  h int AS (HOUR(ts)) STORED, c date AS (CAST(s AS DATE)) STORED) ENGINE = InnoDB;
                INSERT INTO w (id, ts, d, s) VALUES (1, '2020-01-02 01:00:00', '2021-02-31', '2020-01-01'),
                  (2, '2020-01-02 12:00:00', '0000-00-00', 'abc'), (3, NULL, NULL, NULL);
                """)
            _ = try await bench.backUp()
            let copy = bench.other("copy")
            let end = try await bench.restore(into: copy, ["--create"])
            end.expect(code: 0, saying: "w (h) keeps what is computed")
            try await mend(copy, by: end)
            let question = "SELECT * FROM w ORDER BY id"
            let expected = try await bench.source.query(question)
            #expect(expected.contains("2021-02-31") && expected.contains("0000-00-00"))
            #expect(try await copy.query(question) == expected)
        }
    }

    private static let settings =
        "SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+02:00'"

    /// Runs what the restore has printed, as a person would.
    private func mend(_ database: MySQLTestDatabase, by end: ProgramEnd) async throws {
        let start = try #require(end.errors.range(of: "it is computed by: ")?.upperBound)
        let statements = end.errors[start...].prefix { $0 != "\n" }
        #expect(statements.hasPrefix(Self.settings + "; ALTER TABLE"))
        try await database.query(String(statements))
    }

    private func expectEqual(
        _ source: MySQLTestDatabase, _ copy: MySQLTestDatabase, _ server: MySQLTestServer
    ) async throws {
        let day = "= '2020-01-02' ORDER BY id"
        var questions = [
            "SELECT id, ts, d FROM kept ORDER BY id",
            "SELECT id FROM looked_up FORCE INDEX (by_day) WHERE d \(day)",
        ]
        if !server.isMariaDB {
            questions.append("SELECT id, s, d FROM from_seconds ORDER BY id")
            questions.append("SELECT id FROM expressed FORCE INDEX (by_day) WHERE DATE(ts) \(day)")
        }
        for question in questions {
            let expected = try await source.query(question)
            #expect(expected.split(separator: "\n").count == 2, "\(question)")
            #expect(try await copy.query(question) == expected, "\(question)")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a source in UTC is not warned of`(server: MySQLTestServer) async throws {
        try await MySQLBench.withOwnServer(like: server, ["default_time_zone=+00:00"]) { bench, _ in
            try await bench.source.load(Self.times)
            #expect(try await bench.check().severities("time zone") == [])
            let warnings = try await bench.backUp().report["warnings"].items.compactMap(\.string)
            #expect(!warnings.contains { $0.contains("session's time zone") }, "\(warnings)")
            // Who wrote the rows may have been elsewhere; the zone of new sessions would compute the same.
            let end = try await bench.restore(into: bench.other("copy"), ["--create"])
            end.expect(
                code: 0, saying: "which is UTC now, as in new sessions here", "time_zone = …;")
            #expect(!end.errors.contains("warning: kept"), "\(end)")
        }
    }

    /// `loads`: Whether MySQL takes rows by `LOAD DATA`.
    @Test(arguments: MySQLTestServer.all, [true, false])
    func `a text that is no day is computed as none`(
        server: MySQLTestServer, loads: Bool
    ) async throws {
        let settings = ["local_infile=\(loads ? 1 : 0)"]
        try await MySQLBench.withOwnServer(like: server, settings) { bench, _ in
            try await bench.source.load(
                """
                CREATE TABLE g (id int PRIMARY KEY, s varchar(20), t date NULL, v date AS (CAST(s AS DATE)) STORED,
                  w date AS (CAST(s AS DATE)) VIRTUAL, KEY kw (w)) ENGINE = InnoDB;
                SET sql_mode = '';
                INSERT IGNORE INTO g (id, s, t) VALUES (1, '2021-02-31', '0000-00-00'), (2, '2020-01-01', '2020-01-01');
                """)
            let backup = try await bench.backUp()
            let copy = bench.other("copy")
            let end = try await bench.restore(into: copy, ["--create", "--check", "rows"])
            end.expect(code: 0)
            #expect(!end.errors.contains("no calendar"), "\(end)")
            try await bench.expectEqual(bench.source, copy)
            for question in [
                "SELECT id, v FROM g ORDER BY id",
                "SELECT w FROM g FORCE INDEX (kw) WHERE w > '1900-01-01'",
            ] {
                let expected = try await bench.source.query(question)
                #expect(!expected.contains("2021-02-31"))
                #expect(try await copy.query(question) == expected, "\(question) of \(backup.id)")
            }
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `days that no calendar has come back where something is computed, and it is said`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.load(
                """
                SET sql_mode = 'ALLOW_INVALID_DATES';
                CREATE TABLE g (id int PRIMARY KEY, p date DEFAULT '2021-02-31', at datetime(3) NULL, n int, v int AS (n + 1) STORED,
                  w int AS (n + 1) VIRTUAL, s varchar(20), c date AS (CAST(s AS DATE)) STORED, KEY kw (w)) ENGINE = InnoDB;
                INSERT INTO g (id, p, at, n) VALUES (1, '2021-02-31', NULL, 1), (2, '2020-01-01', '2021-04-31 10:00:00', 2), (3, NULL, NULL, 3);
                """)
            _ = try await bench.backUp()
            let copy = bench.other("copy")
            let end = try await bench.restore(into: copy, ["--create", "--check", "rows"])
            end.expect(code: 0, saying: "2 rows of ", "with days that no calendar has")
            try await bench.expectEqual(bench.source, copy)
            let question = "SELECT id, p, at, v FROM g ORDER BY id"
            let expected = try await bench.source.query(question)
            #expect(expected.contains("2021-02-31") && expected.contains("2021-04-31"))
            #expect(try await copy.query(question) == expected)
        }
    }
    @Test(arguments: MySQLTestServer.all)
    func `tables that make no days of texts are not warned of`(server: MySQLTestServer) async throws
    {
        try await MySQLBench.with(server) { bench in
            try await bench.source.load(
                """
                SET sql_mode = 'ALLOW_INVALID_DATES';
                CREATE TABLE j (id int PRIMARY KEY, d date, j json, b blob, UNIQUE KEY kb (b(9))) ENGINE = InnoDB;
                CREATE TABLE k (id int PRIMARY KEY, d date CHECK (d > '2000-01-01')) ENGINE = InnoDB;
                CREATE TABLE n (id int PRIMARY KEY, d date DEFAULT '2021-02-31', n int, c int AS (n + 1) STORED, KEY kn (n)) ENGINE = InnoDB;
                INSERT INTO j VALUES (1, '2021-02-31', '{}', 'x');
                INSERT INTO k VALUES (1, '2021-02-31');
                INSERT INTO n (id, n) VALUES (1, 1);
                \(server.isMariaDB ? "CREATE TABLE u (id int PRIMARY KEY, j json, b blob, UNIQUE KEY kb (b)) ENGINE = InnoDB;" : "")
                """)
            _ = try await bench.backUp()
            let copy = bench.other("copy")
            let end = try await bench.restore(into: copy, ["--create", "--check", "rows"])
            end.expect(code: 0)
            #expect(!end.errors.contains("no calendar"), "\(end)")
            try await bench.expectEqual(bench.source, copy)
        }
    }
    /// The one row needs such a day, the other one does not.
    @Test(arguments: MySQLTestServer.all, ["2020-01-01", "2021-02-31"])
    func `rows are not let past the conditions of a table that was there and computes days`(
        server: MySQLTestServer, day: String
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let columns = """
                id int PRIMARY KEY, n int, d date, t varchar(20), c date AS (CAST(t AS DATE)) STORED
                """
            try await bench.source.load(
                """
                SET sql_mode = 'ALLOW_INVALID_DATES';
                CREATE TABLE g (\(columns)) ENGINE = InnoDB;
                INSERT INTO g (id, n, d, t) VALUES (1, -1, '\(day)', '2020-01-01');
                """)
            _ = try await bench.backUp()
            let target = bench.other("target")
            try await bench.server.query("CREATE DATABASE \(target.name)")
            try await target.query(
                "CREATE TABLE g (\(columns), CONSTRAINT positive CHECK (n > 0)) ENGINE = InnoDB")
            let words = ["--data-only", "--existing", "append", "--yes"]
            try await bench.restore(into: target, words)
                .expect(code: 1, saying: "positive", "as they were")
            #expect(try await target.query("SELECT COUNT(*) FROM g") == "0")
            // What fulfils them comes.
            try await target.query("ALTER TABLE g DROP CONSTRAINT positive")
            try await bench.restore(into: target, words).requireCode(0)
            #expect(try await target.query("SELECT d FROM g") == day)
        }
    }

    /// `loads`: Whether MySQL takes rows by `LOAD DATA`.
    @Test(arguments: MySQLTestServer.all, [true, false])
    func `rows that need days that no calendar has come back, and it is said`(
        server: MySQLTestServer, loads: Bool
    ) async throws {
        let settings = ["local_infile=\(loads ? 1 : 0)"]
        try await MySQLBench.withOwnServer(like: server, settings) { bench, _ in
            let rows = "(id, t) VALUES (1, '2021-02-31'), (2, '2021-02-28')"
            var tables = ["condition", "engine"]
            try await bench.source.load(
                """
                SET sql_mode = 'ALLOW_INVALID_DATES';
                CREATE TABLE `condition` (id int PRIMARY KEY, t varchar(20), c date AS (CAST(t AS DATE)) STORED, CHECK (c IS NOT NULL)) ENGINE = InnoDB;
                CREATE TABLE `engine` (id int PRIMARY KEY, t varchar(20), c date AS (CAST(t AS DATE)) STORED, CHECK (c IS NOT NULL)) ENGINE = MyISAM;
                INSERT INTO `condition` \(rows);
                INSERT INTO `engine` \(rows);
                """)
            if !server.isMariaDB {
                tables += ["never_null", "text"]
                try await bench.source.load(
                    """
                    SET sql_mode = 'ALLOW_INVALID_DATES';
                    CREATE TABLE never_null (id int PRIMARY KEY, t varchar(20), c date AS (CAST(t AS DATE)) STORED NOT NULL) ENGINE = InnoDB;
                    CREATE TABLE `text` (id int PRIMARY KEY, d date, t varchar(20), CHECK (t IS NULL OR CAST(t AS DATE) IS NOT NULL), KEY (d)) ENGINE = InnoDB;
                    INSERT INTO never_null \(rows);
                    INSERT INTO `text` \(rows);
                    """)
            }
            _ = try await bench.backUp()
            let copy = bench.other("copy")
            let end = try await bench.restore(into: copy, ["--create", "--check", "rows"])
            end.expect(code: 0)
            try await bench.expectEqual(bench.source, copy)
            for table in tables {
                let warning = ".\(table) were taken with days that no calendar has"
                #expect(end.errors.contains(warning), "\(table): \(end)")
                let question = "SELECT * FROM `\(table)` ORDER BY id"
                let expected = try await bench.source.query(question)
                #expect(expected.contains("2021-02-31"))
                #expect(try await copy.query(question) == expected, "\(table)")
            }
        }
    }
}
