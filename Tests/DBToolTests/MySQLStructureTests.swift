import BackupTesting
import Foundation
import Testing

/// What MySQL and MariaDB print of a database, and what it means when it is made again.
@Suite struct MySQLStructureTests {
    @Test(arguments: MySQLTestServer.all)
    func `what was made under other modes and by other clients comes back as it was`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.load(
                """
                CREATE TABLE t (id int PRIMARY KEY, a varchar(20), b varchar(20), n int DEFAULT 0);
                CREATE TABLE log (n int AUTO_INCREMENT PRIMARY KEY, who varchar(20));
                INSERT INTO t VALUES (1, 'x', NULL, 0), (2, 'é', 'ü', 0);
                CREATE TRIGGER z_first AFTER UPDATE ON t FOR EACH ROW INSERT INTO log (who) VALUES ('z_first');
                CREATE TRIGGER a_second AFTER UPDATE ON t FOR EACH ROW INSERT INTO log (who) VALUES ('a_second');
                CREATE TRIGGER m_third AFTER UPDATE ON t FOR EACH ROW PRECEDES a_second
                  INSERT INTO log (who) VALUES ('m_third');
                CREATE VIEW both_of AS SELECT id, CONCAT(a, b) AS ab, 'a\\\\b' AS c FROM t;
                SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT';
                CREATE PROCEDURE "p ""q"" r"() SELECT "id", 'a\\' || "a" FROM "t";
                SET sql_mode = '';
                SET NAMES latin1;
                """)
            // Bytes of latin1, as a client sends them that speaks it.
            try await bench.source.load(
                Data(
                    "SET NAMES latin1; CREATE FUNCTION aged() RETURNS varchar(9) CHARACTER SET utf8mb4 DETERMINISTIC RETURN '"
                        .utf8) + [0xE9] + Data("'; CREATE VIEW elder AS SELECT '".utf8) + [
                        0xE9, 0x74,
                    ]
                    + Data("' AS n;".utf8))
            let backup = try await bench.backUp()
            let copy = try await bench.restored(backup.id)
            for query in [
                "SELECT HEX(aged()), (SELECT HEX(n) FROM elder)", "CALL `p \"q\" r`()",
                "SELECT HEX(CONCAT_WS(',', id, IFNULL(ab, 'none'), c)) FROM both_of ORDER BY id",
                """
                SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()
                ORDER BY ACTION_ORDER
                """,
                "UPDATE t SET n = 1 WHERE id = 1; SELECT who FROM log ORDER BY n",
            ] {
                #expect(try await copy.query(query) == bench.source.query(query), "\(query)")
            }
        }
    }

    /// A view that names tables of two databases, or calls a function, is printed with its own database's name.
    @Test(arguments: MySQLTestServer.all)
    func `a view of the copy shows the copy`(server: MySQLTestServer) async throws {
        try await MySQLBench.with(server) { bench in
            let beside = bench.other("beside")
            try await server.query("CREATE DATABASE \(beside.name)")
            try await beside.query("CREATE TABLE u (id int PRIMARY KEY); INSERT INTO u VALUES (1)")
            try await bench.source.query(
                """
                CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 10);
                CREATE FUNCTION twice(x int) RETURNS int DETERMINISTIC RETURN x * 2;
                CREATE VIEW joined AS SELECT t.v, twice(t.v) AS w FROM t JOIN \(beside.name).u ON u.id = t.id;
                CREATE VIEW called AS SELECT twice(v) AS w FROM t;
                CREATE VIEW aliased AS SELECT \(bench.source.name).v, twice(\(bench.source.name).v) AS w
                  FROM t AS \(bench.source.name) JOIN (\(beside.name).u) ON u.id = \(bench.source.name).id;
                CREATE VIEW named AS SELECT t.v AS \(bench.source.name), u.id FROM (t JOIN \(beside.name).u ON u.id = t.id);
                CREATE VIEW parts AS SELECT EXTRACT(YEAR FROM \(bench.source.name).d) AS y,
                  TRIM(LEADING 'x' FROM (\(bench.source.name).w)) AS w, twice(\(bench.source.name).id) AS i
                  FROM (SELECT DATE '2020-01-01' AS d, 'xa' AS w, id FROM t) AS \(bench.source.name)
                """)
            let copy = try await bench.restored(try await bench.backUp().id)
            try await copy.query(
                "UPDATE t SET v = 11; DROP FUNCTION twice; CREATE FUNCTION twice(x int) RETURNS int DETERMINISTIC RETURN x * 3"
            )
            #expect(
                try await copy.query("SELECT v, w FROM joined; SELECT w FROM called")
                    == "11\t33\n33")
            #expect(
                try await copy.query("SELECT v, w FROM aliased; SELECT * FROM named")
                    == "11\t33\n11\t1")
            #expect(try await copy.query("SELECT * FROM parts") == "2020\ta\t3")
        }
    }

    /// MariaDB takes any byte for a character of ASCII.
    @Test(arguments: MySQLTestServer.all.filter(\.isMariaDB))
    func `bytes that are no ASCII come back out of a column of ASCII`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                """
                CREATE TABLE t (k varchar(9) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY, v varchar(9) CHARACTER SET ascii,
                  b blob, w varchar(9) CHARACTER SET utf8mb3);
                SET sql_mode = '';
                INSERT INTO t VALUES (x'80', x'E9', x'00ff', 'é'), (x'81', x'C3A4', NULL, ''), ('?', '\\\\x41', '', NULL), ('a', 'b', 'c', 'd')
                """)
            let full = try await bench.backUp()
            try await bench.expectEqual(bench.source, try await bench.restored(full.id))
            try await bench.source.query(
                "SET sql_mode = ''; UPDATE t SET v = x'C3A5' WHERE k = x'81'; DELETE FROM t WHERE k = x'80'"
            )
            let later = try await bench.backUp(["differential", "backup"])
            let copy = try await bench.restored(later.id, ["--check", "rows"], into: "later")
            try await bench.expectEqual(bench.source, copy)
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `tables that show other tables are made, and nothing is written through them`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                """
                CREATE TABLE one (id int PRIMARY KEY) ENGINE = MyISAM; INSERT INTO one VALUES (1), (2);
                CREATE TABLE two (id int PRIMARY KEY) ENGINE = MyISAM; INSERT INTO two VALUES (3);
                CREATE TABLE merged (id int PRIMARY KEY) ENGINE = MRG_MYISAM UNION = (one, two) INSERT_METHOD = LAST
                """)
            let end = try await bench.dbtool(
                ["full", "database", "-path", bench.repository, "--database", bench.source.name])
            end.expect(code: 0, saying: "rows that are elsewhere are not in the backup: merged")
            let copy = try await bench.restored("latest")
            let count =
                "SELECT (SELECT COUNT(*) FROM one), (SELECT COUNT(*) FROM two), (SELECT COUNT(*) FROM merged)"
            #expect(try await copy.query(count) == "2\t1\t3")
            // Nothing was left out of the backup that would be lost.
            try await copy.query("DELETE FROM one")
            try await bench.restore(into: copy, ["--clean", "--yes"]).requireCode(0)
            #expect(try await copy.query(count) == "2\t1\t3")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a view of what may not be read keeps nothing else from being made`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let (crm, copy) = (bench.other("crm"), bench.other("copy"))
            try await server.query(
                """
                CREATE DATABASE \(crm.name); CREATE TABLE \(crm.name).customer (id int PRIMARY KEY);
                CREATE TABLE \(crm.name).part (id int PRIMARY KEY) ENGINE = MyISAM
                """)
            try await bench.source.query(
                """
                CREATE TABLE own (id int PRIMARY KEY); INSERT INTO own VALUES (1);
                CREATE VIEW theirs AS SELECT id FROM \(crm.name).customer; CREATE VIEW upon AS SELECT id FROM theirs;
                CREATE VIEW good AS SELECT id FROM own;
                CREATE EVENT later ON SCHEDULE EVERY 1 YEAR DISABLE DO DELETE FROM own
                """)
            _ = try await bench.backUp()
            let account = try await bench.source.createAccount("restorer", ["ALL ON {}_copy.*"])
            let end = try await bench.dbtool(
                [
                    "restore", "latest", "-path", bench.repository, "--into", copy.name, "--create",
                    "--no-owner",
                ], as: account)
            try end.requireCode(3)
            for view in ["theirs", "upon"] {
                #expect(end.output.contains("not made: view \(view)"), "\(end)")
            }
            #expect(try await copy.query("SELECT COUNT(*) FROM good") == "1")
            let events = """
                SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()
                """
            #expect(try await copy.query(events) == "later")
            try await server.query("DROP DATABASE \(copy.name)")

            // The tables behind it are gone, and it is there without them.
            try await bench.source.query(
                """
                DROP VIEW theirs, upon; CREATE TABLE merged (id int PRIMARY KEY) ENGINE = MRG_MYISAM
                  UNION = (\(crm.name).part); CREATE VIEW through AS SELECT id FROM merged
                """)
            _ = try await bench.backUp()
            try await server.query("DROP DATABASE \(crm.name)")
            let torn = try await bench.restore(into: copy, ["--create"])
            try torn.requireCode(3)
            #expect(torn.output.contains("not made: view through"), "\(torn)")
            #expect(try await copy.query(events) == "later")
        }
    }

    /// MariaDB does not even say what makes such a view.
    @Test(arguments: MySQLTestServer.all.filter { !$0.isMariaDB })
    func `a view whose columns do not compare any more keeps nothing else from being made`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                """
                CREATE TABLE one (x varchar(9) COLLATE utf8mb4_general_ci); INSERT INTO one VALUES ('a');
                CREATE TABLE two (x varchar(9) COLLATE utf8mb4_general_ci);
                CREATE VIEW good AS SELECT x FROM one;
                CREATE VIEW torn AS SELECT one.x FROM one JOIN two ON one.x = two.x; CREATE VIEW upon AS SELECT x FROM torn;
                CREATE TRIGGER bell BEFORE INSERT ON one FOR EACH ROW SET @x = 1;
                CREATE EVENT later ON SCHEDULE EVERY 1 YEAR DISABLE DO DELETE FROM one;
                ALTER TABLE two MODIFY x varchar(9) COLLATE utf8mb4_unicode_ci
                """)
            let check = try await bench.check()
            check.expect(code: 0)
            #expect(
                check.text("views").hasPrefix(
                    "torn, upon cannot be read (Illegal mix of collations"), "\(check.end)")
            let statement = "DROP VIEW `\(bench.source.name)`.`torn`;"
            #expect(check.fix(of: "views").contains { $0.hasSuffix(statement) }, "\(check.end)")
            _ = try await bench.backUp()
            let copy = bench.other("copy")
            let end = try await bench.restore(into: copy, ["--create"])
            try end.requireCode(3)
            #expect(end.output.contains("not made: view torn: Illegal mix"), "\(end)")
            #expect(end.output.contains("not made: view upon: Table"), "\(end)")
            let made = """
                SELECT (SELECT COUNT(*) FROM good), (SELECT GROUP_CONCAT(TRIGGER_NAME) FROM information_schema.TRIGGERS
                  WHERE TRIGGER_SCHEMA = DATABASE()), (SELECT GROUP_CONCAT(EVENT_NAME) FROM information_schema.EVENTS
                  WHERE EVENT_SCHEMA = DATABASE())
                """
            #expect(try await copy.query(made) == "1\tbell\tlater")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `columns that would round or cut without a word are refused`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                """
                CREATE TABLE t (id int PRIMARY KEY, at datetime(6), d double, n bigint, v varchar(9), x decimal(9, 4));
                INSERT INTO t VALUES (1, '2024-01-01 10:00:00.654321', 1.0000000001, 9007199254740993, 'a ', 1.2345)
                """)
            let backup = try await bench.backUp()
            let target = bench.other("target")
            for (column, type) in [
                ("at", "datetime"), ("d", "float"), ("n", "double"), ("v", "char(9)"),
                ("x", "decimal(9, 2)"),
                ("x", "int"), ("n", "year"),
            ] {
                try await server.query(
                    "DROP DATABASE IF EXISTS \(target.name); CREATE DATABASE \(target.name)")
                try await target.query(
                    """
                    CREATE TABLE t (id int PRIMARY KEY, at datetime(6), d double, n bigint, v varchar(9), x decimal(9, 4));
                    ALTER TABLE t MODIFY \(column) \(type)
                    """)
                try await bench.dbtool(
                    [
                        "restore", backup.id, "-path", bench.repository, "--into", target.name,
                        "--data-only",
                    ]
                ).expect(code: 1, saying: "column \(column) of", "and was")
                #expect(try await target.query("SELECT COUNT(*) FROM t") == "0")
            }
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func
        `who may only change rows replaces rows, and a text like bytes survives the server's own client`(
            server: MySQLTestServer
        ) async throws
    {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                "CREATE TABLE t (id int PRIMARY KEY, v varchar(20)); INSERT INTO t VALUES (1, '\\\\x41'), (2, 'plain')"
            )
            let backup = try await bench.backUp()
            try await bench.source.query("UPDATE t SET v = 'x'")
            let account = try await bench.source.createAccount(
                "editor", ["SELECT, INSERT, UPDATE, DELETE, TRIGGER ON {}.*"])
            try await bench.dbtool(
                [
                    "restore", backup.id, "-path", bench.repository, "--into", bench.source.name,
                    "-tablename", "t",
                    "--existing", "truncate",
                ], as: account
            ).requireCode(0)
            let rows = "SELECT id, HEX(v) FROM t ORDER BY id"
            #expect(try await bench.source.query(rows) == "1\t5C783431\n2\t706C61696E")
        }
    }

    /// As a statement or a packet such a row would be too long for the server that holds it.
    @Test(arguments: MySQLTestServer.all)
    func `rows go back into the server that they came from, however long`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let bytes = server.isMariaDB ? 9_000_000 : 36_000_000
            try await bench.source.query(
                """
                CREATE TABLE huge (id int PRIMARY KEY, a longblob, b longblob, c longtext CHARACTER SET latin1, n int);
                INSERT INTO huge VALUES (1, REPEAT(x'ff', \(bytes)), NULL, REPEAT(x'e9', 3000000), 7), (2, 'x', 'y', 'z', NULL);
                UPDATE huge SET b = a WHERE id = 1
                """)
            let copy = try await bench.restored(try await bench.backUp().id, ["--check", "rows"])
            let sums =
                "SELECT id, SHA2(a, 256), SHA2(b, 256), SHA2(c, 256), LENGTH(c), n FROM huge ORDER BY id"
            #expect(try await copy.query(sums) == bench.source.query(sums))
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a foreign key to rows that were left out is told, and the code is 3`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                """
                CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1);
                CREATE TABLE b (id int PRIMARY KEY, a int, FOREIGN KEY (a) REFERENCES a (id)); INSERT INTO b VALUES (1, 1)
                """)
            let backup = try await bench.backUp(
                ["full", "database"], ["--exclude-tablename", "a"])
            let end = try await bench.dbtool(
                [
                    "restore", backup.id, "-path", bench.repository, "--into",
                    bench.other("copy").name, "--create",
                ])
            #expect(end.code == 3 && end.output.contains("that the backup does not hold"), "\(end)")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a table whose rows may become too long is not called another one`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let columns = (1...60).map { "c\($0) char(250)" }.joined(separator: ", ")
            try await bench.source.load(
                """
                SET innodb_strict_mode = 0;
                CREATE TABLE wide (id int PRIMARY KEY, \(columns)) ENGINE = InnoDB ROW_FORMAT = DYNAMIC CHARSET = latin1;
                INSERT INTO wide (id, c1) VALUES (1, 'x');
                """)
            _ = try await bench.backUp()
            let copy = bench.other("copy")
            let end = try await bench.restore(into: copy, ["--create", "--check", "rows"])
            end.expect(code: 0, saying: "wide may hold rows that this server refuses")
            #expect(!end.errors.contains("not as it was"), "\(end)")
            try await bench.expectEqual(bench.source, copy)
        }
    }
}
