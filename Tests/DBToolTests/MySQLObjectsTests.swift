import BackupTesting
import Foundation
import Testing

/// What belongs to tables and databases of MySQL and MariaDB without being their rows.
@Suite struct MySQLObjectsTests {
    /// A body has its texts' collation from the database that it was made in.
    @Test(arguments: MySQLTestServer.all)
    func `bodies keep the collation of the database that they were made in`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let name = bench.source.name
            try await bench.source.load(
                """
                CREATE TABLE t (id int PRIMARY KEY, v varchar(9)); INSERT INTO t VALUES (1, 'a');
                CREATE TABLE log (words varchar(99) CHARACTER SET utf8mb4);
                ALTER DATABASE \(name) COLLATE latin1_german2_ci;
                DELIMITER //
                CREATE FUNCTION of_old(x varchar(9)) RETURNS varchar(99) CHARACTER SET utf8mb4 DETERMINISTIC
                  RETURN COLLATION(x)//
                CREATE TRIGGER old_one AFTER UPDATE ON t FOR EACH ROW
                BEGIN DECLARE x varchar(9) DEFAULT 'a'; INSERT INTO log VALUES (COLLATION(x)); END//
                ALTER DATABASE \(name) COLLATE utf8mb4_unicode_ci//
                CREATE FUNCTION of_now(x varchar(9)) RETURNS varchar(99) CHARACTER SET utf8mb4 DETERMINISTIC
                  RETURN COLLATION(x)//
                """)
            let backup = try await bench.backUp()
            let copy = try await bench.restored(backup.id)
            let question = """
                UPDATE t SET v = 'b'; SELECT of_old('a'), of_now('a'), words, @@collation_database FROM log
                """
            #expect(
                try await copy.query(question)
                    == "latin1_german2_ci\tutf8mb4_unicode_ci\tlatin1_german2_ci\tutf8mb4_unicode_ci"
            )
            // As the server's own client makes it.
            let other = bench.other("by_hand")
            try await server.query("CREATE DATABASE \(other.name) COLLATE utf8mb4_unicode_ci")
            try await other.load(try Self.text("schema.sql", of: backup))
            #expect(
                try await other.query("SELECT of_old('a'), of_now('a'), @@collation_database")
                    == "latin1_german2_ci\tutf8mb4_unicode_ci\tutf8mb4_unicode_ci")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `an event whose time is past is named`(server: MySQLTestServer) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                """
                CREATE TABLE t (id int PRIMARY KEY);
                CREATE EVENT often ON SCHEDULE EVERY 1 YEAR DISABLE DO DELETE FROM t;
                """)
            let (backup, time) = try await Self.backupBeforeAnEvent(bench)
            try await eventually("the event's time is past") {
                try await bench.source.query("SELECT NOW() > '\(time)'") == "1"
            }
            let end = try await bench.dbtool(
                [
                    "restore", backup.id, "-path", bench.repository, "--into",
                    bench.other("copy").name, "--create",
                ])
            #expect(end.code == 0, "\(end)")
            #expect(
                (end.output + end.errors).contains("event soon is not there: its time is past"),
                "\(end)")
            #expect(!(end.output + end.errors).contains("event often"), "\(end)")
        }
    }

    /// A backup with an event `soon`, and that event's time.
    ///
    /// The server removes it then: on a busy machine the next backup has more time.
    private static func backupBeforeAnEvent(
        _ bench: MySQLBench
    ) async throws -> (backup: StoredBackup, time: String) {
        for seconds in [3, 20, 120] {
            let time = try await bench.source.query("SELECT NOW() + INTERVAL \(seconds) SECOND")
            try await bench.source.query(
                """
                DROP EVENT IF EXISTS soon;
                CREATE EVENT soon ON SCHEDULE AT '\(time)' DO DELETE FROM t
                """)
            let backup = try await bench.backUp()
            if try text("schema.sql", of: backup).contains("`soon`") { return (backup, time) }
        }
        throw ProgramFailure("no backup has the event")
    }

    /// Its body may name the live database.
    @Test(arguments: MySQLTestServer.all)
    func `a drill lets no event run`(server: MySQLTestServer) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                """
                CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);
                CREATE EVENT often ON SCHEDULE EVERY 1 YEAR STARTS '2037-01-01' DO DELETE FROM \(bench.source.name).t;
                """)
            let backup = try await bench.backUp()
            let end = try await bench.dbtool(
                ["verify", backup.id, "-path", bench.repository, "--drill", "--same-server"])
            #expect(end.code == 0, "\(end)")
            #expect((end.output + end.errors).contains("events are not made"), "\(end)")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a restore beside the original names what would act on the original`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let source = bench.source.name
            try await bench.source.query(
                """
                CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE TABLE log (id int);
                CREATE TRIGGER r AFTER INSERT ON t FOR EACH ROW INSERT INTO log VALUES (NEW.id);
                CREATE EVENT often ON SCHEDULE EVERY 1 YEAR STARTS '2037-01-01' DO DELETE FROM \(source).t
                """)
            _ = try await bench.backUp()
            let copy = bench.other("copy")
            let disable = "ALTER EVENT `\(copy.name)`.`often` DISABLE;"
            for words in [["--create", "--dry-run"], ["--create"]] {
                let end = try await bench.restore(into: copy, words)
                try end.requireCode(0)
                let warning = "warning: event often names database \(source), and not \(copy.name)"
                #expect(end.output.contains(warning), "\(end)")
                #expect(end.output.contains(disable), "\(end)")
            }
            try await copy.query(disable)
            let part = bench.other("part")
            let end = try await bench.restore(into: part, ["--create", "-tablename", "t"])
            try end.requireCode(0)
            #expect(end.output.contains("warning: trigger r names log, not in"), "\(end)")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `triggers that go with a table are named`(server: MySQLTestServer) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                """
                CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1);
                CREATE TRIGGER ours BEFORE INSERT ON t FOR EACH ROW SET NEW.v = 7
                """)
            _ = try await bench.backUp()
            try await bench.source.query(
                "CREATE TRIGGER theirs BEFORE UPDATE ON t FOR EACH ROW SET NEW.v = 8")
            let words = ["-tablename", "t", "--clean", "--yes"]
            let end = try await bench.restore(into: bench.source, words)
            let lost = "left out: trigger theirs of t: the backup does not make it"
            #expect(end.code == 0 && end.output.contains(lost), "\(end)")
            #expect(!end.output.contains("trigger ours of"), "\(end)")
            let left =
                "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()"
            #expect(try await bench.source.query(left) == "ours")
        }
    }

    @Test(arguments: MySQLTestServer.all.filter(\.isMariaDB))
    func `the history that goes with a table is named`(server: MySQLTestServer) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                """
                CREATE TABLE t (id int PRIMARY KEY, v int) WITH SYSTEM VERSIONING; INSERT INTO t VALUES (1, 1);
                CREATE TABLE plain (id int PRIMARY KEY)
                """)
            _ = try await bench.backUp()
            try await bench.source.query("UPDATE t SET v = 2")
            for words in [["--clean", "--dry-run"], ["--clean", "--yes"]] {
                let end = try await bench.restore(into: bench.source, words)
                let lost = "left out: history of t: the backup does not hold it"
                #expect(end.code == 0 && end.output.contains(lost), "\(end)")
                #expect(!end.output.contains("history of plain"), "\(end)")
            }
            #expect(try await bench.source.query("SELECT v FROM t FOR SYSTEM_TIME ALL") == "1")
        }
    }

    @Test(arguments: MySQLTestServer.all.filter(\.isMariaDB))
    func `tables bring the sequences that they count by, and none else`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                """
                CREATE SEQUENCE `own ``one` START WITH 100 INCREMENT BY 10 NOCACHE; CREATE SEQUENCE other;
                CREATE TABLE t (id bigint DEFAULT NEXTVAL(`own ``one`) PRIMARY KEY, v int);
                CREATE TABLE u (id bigint DEFAULT NEXTVAL(other) PRIMARY KEY);
                INSERT INTO t (v) VALUES (1), (2); INSERT INTO u VALUES ()
                """)
            let backup = try await bench.backUp(["full", "tables", "-tablename", "t"])
            let copy = try await bench.restored(backup.id)
            #expect(
                try await copy.query(
                    "INSERT INTO t (v) VALUES (3); SELECT GROUP_CONCAT(id ORDER BY id) FROM t")
                    == "100,110,120")
            let sequences = """
                SELECT TABLE_NAME FROM information_schema.TABLES
                WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'SEQUENCE'
                """
            #expect(try await copy.query(sequences) == "own `one")
            #expect(!(try Self.text("RESTORE.md", of: backup).contains("`other`")))
            // One that is there goes on behind the rows, and never back.
            let whole = try await bench.backUp()
            for (start, next) in [(1, 120), (500, 500)] {
                let target = bench.other("target_\(start)")
                try await server.query("CREATE DATABASE \(target.name)")
                try await target.query("CREATE SEQUENCE `own ``one` START WITH \(start) NOCACHE")
                try await bench.dbtool(
                    [
                        "restore", whole.id, "-path", bench.repository, "--into", target.name,
                        "-tablename", "t", "--yes",
                    ]
                ).requireCode(0)
                #expect(
                    try await target.query(
                        "INSERT INTO t (v) VALUES (3); SELECT MAX(id) FROM t WHERE v = 3")
                        == "\(next)")
            }
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `rows that a table's own condition forbids are refused, all or none`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1), (2, -2)")
            let backup = try await bench.backUp()
            let target = bench.other("target")
            try await server.query("CREATE DATABASE \(target.name)")
            try await target.query(
                "CREATE TABLE t (id int PRIMARY KEY, v int, CHECK (v > 0)); INSERT INTO t VALUES (7, 7)"
            )
            let end = try await bench.dbtool(
                [
                    "restore", backup.id, "-path", bench.repository, "--into", target.name,
                    "-tablename", "t", "--existing", "truncate", "--yes",
                ])
            #expect(end.code == 1 && end.errors.contains("as they were"), "\(end)")
            #expect(try await target.query("SELECT * FROM t") == "7\t7")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `labels of any set and any words come back`(server: MySQLTestServer) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                """
                CREATE TABLE t (id int PRIMARY KEY,
                  a enum('x character set y', 'z', ' character set latin2') CHARACTER SET utf8mb4,
                  b enum('', 'a', '0') CHARACTER SET latin2, c set(' character set ', 'b') CHARACTER SET gbk,
                  d enum('', 'ł character set x') CHARACTER SET latin2);
                SET sql_mode = '';
                INSERT INTO t VALUES (1, 1, 0, 3, 0), (2, 2, 1, 0, 1), (3, 3, 2, 1, 2), (4, NULL, 3, NULL, NULL)
                """)
            let full = try await bench.backUp()
            let copy = try await bench.restored(full.id, ["--check", "rows"])
            let question = "SELECT id, a + 0, b + 0, c + 0, d + 0, HEX(d) FROM t ORDER BY id"
            #expect(try await copy.query(question) == bench.source.query(question))
            try await bench.source.query("SET sql_mode = ''; UPDATE t SET b = 0 WHERE id = 2")
            let later = try await bench.backUp(["differential", "backup"])
            let second = try await bench.restored(later.id, ["--check", "rows"], into: "later")
            #expect(try await second.query(question) == bench.source.query(question))
        }
    }

    /// As texts they would be those of other values.
    @Test(arguments: MySQLTestServer.all)
    func `labels that their collation does not tell apart come back`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            // As a DOUBLE their sum would lose its last bits.
            let members = (1...63).map { "'m\($0)'" }.joined(separator: ", ")
            try await bench.source.query(
                """
                SET sql_mode = '';
                CREATE TABLE t (id int PRIMARY KEY, e enum('a', 'A', '2', 'é', 'e') COLLATE utf8mb4_general_ci,
                  s set('a', 'A', 'b') COLLATE utf8mb4_general_ci, z set('', 'a', '03') COLLATE utf8mb4_general_ci,
                  l enum('x', 'X', '') CHARACTER SET latin2 COLLATE latin2_general_ci,
                  b enum('a', 'A') COLLATE utf8mb4_bin, k enum('ss', 'ß') COLLATE utf8mb4_general_ci,
                  m set('', \(members)) COLLATE utf8mb4_general_ci) ENGINE = InnoDB;
                INSERT INTO t VALUES (1, 1, 1, 0, 1, 1, 1, 18446744073709551615), (2, 2, 2, 1, 2, 2, 2, 9007199254740993), (3, 3, 3, 2, 3, 1, 1, 9223372036854775808), (4, 4, 4, 3, 0, 2, 2, 1),
                  (5, 5, 5, 4, 1, 1, 1, 2), (6, 0, 7, 7, 2, 2, 2, 0), (7, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (8, 2, 0, 5, 1, 1, 1, 3)
                """)
            let question =
                "SELECT id, e + 0, s + 0, z + 0, l + 0, b + 0, k + 0, HEX(CAST(m AS UNSIGNED)) FROM t ORDER BY id"
            let full = try await bench.backUp()
            let copy = try await bench.restored(full.id, ["--check", "rows"])
            #expect(try await copy.query(question) == bench.source.query(question))
            try await bench.source.query(
                "SET sql_mode = ''; UPDATE t SET z = 0 WHERE id = 2; UPDATE t SET e = 1, s = 1 WHERE id = 8"
            )
            let later = try await bench.backUp(["differential", "backup"])
            let second = try await bench.restored(later.id, ["--check", "rows"], into: "second")
            #expect(try await second.query(question) == bench.source.query(question))
            // By their places they go into the same list only.
            let target = bench.other("target")
            try await server.query("CREATE DATABASE \(target.name) CHARACTER SET utf8mb4")
            try await target.query(
                "SET sql_mode = ''; CREATE TABLE t LIKE \(bench.source.name).t; ALTER TABLE t MODIFY z set('a', '', '03') COLLATE utf8mb4_general_ci"
            )
            try await bench.restore(into: target, ["--data-only", "--yes"])
                .expect(code: 1, saying: "the rows do not fit", "column z")
        }
    }

    /// Bytes that are no text in UTF-8, or another one.
    @Test(arguments: MySQLTestServer.all)
    func `literals of any character set stay what they are`(server: MySQLTestServer) async throws {
        try await MySQLBench.with(server) { bench in
            var script = Data(
                """
                CREATE TABLE a (id int PRIMARY KEY, x varchar(20),
                  g varchar(40) AS (HEX(CONCAT(_latin1 x'DC', id))) VIRTUAL, CHECK (x <> _latin1 x'DC'));
                INSERT INTO a (id, x) VALUES (1, 'q?');
                CREATE TABLE d (id int PRIMARY KEY, d varbinary(16) DEFAULT x'ff00', t varchar(9) DEFAULT 'é?');
                CREATE VIEW v AS SELECT HEX(_binary x'fe') b, HEX(_latin1 x'dc') c, 'é?' AS e;
                SET NAMES latin1;
                CREATE TABLE l (id int PRIMARY KEY, s varchar(40) AS (CONCAT('
                """.utf8)
            script += [0xD6] + Data("', id)) STORED, t varchar(9) DEFAULT '".utf8) + [0xDC]
            script += Data("' COMMENT '".utf8) + [0xE9]
            script +=
                Data(
                    """
                    ') DEFAULT CHARSET = utf8mb4;
                    INSERT INTO l (id) VALUES (1);
                    CREATE FUNCTION f() RETURNS varchar(40) DETERMINISTIC RETURN CONCAT(HEX(_binary'
                    """.utf8) + [0xE9]
            script +=
                Data("'), HEX('".utf8) + [0xE9]
                + Data("'));\nCREATE VIEW w AS SELECT HEX(_latin1'".utf8)
            script += [0xE9] + Data("') h;\n".utf8)
            try await bench.source.load(script)
            let question = """
                INSERT INTO d (id) VALUES (9); SELECT g FROM a; SELECT HEX(d), HEX(t) FROM d; SELECT b, c, HEX(e) FROM v;
                SELECT HEX(s), HEX(t) FROM l; SELECT f(), h FROM w;
                SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND COLUMN_COMMENT = 'é'
                """
            let backup = try await bench.backUp()
            let copy = try await bench.restored(backup.id)
            #expect(try await copy.query(question) == bench.source.query(question))
            let other = bench.other("by_hand")
            try await server.query("CREATE DATABASE \(other.name) CHARACTER SET utf8mb4")
            try await other.load(try Self.text("schema.sql", of: backup))
            try await other.query(
                "INSERT INTO a (id, x) VALUES (1, 'q?'); INSERT INTO l (id) VALUES (1)")
            #expect(
                try await other.query(question.replacing("(9)", with: "(8)"))
                    == copy.query(
                        question.replacing("(9)", with: "(8); DELETE FROM d WHERE id = 9")))
            // MariaDB itself takes the first of these for another text.
            for word in ["Ü", "xDC", "DC"] {
                let insert = "INSERT INTO a (id, x) VALUES (CRC32('\(word)') % 1000000, '\(word)')"
                let own = try await bench.source.attempt(insert).code
                for database in [copy, other] {
                    #expect(try await database.attempt(insert).code == own, "\(word)")
                }
            }
        }
    }

    @Test(arguments: MySQLTestServer.all.filter(\.isMariaDB))
    func `what everybody is shown of another time is not what is backed up`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.withOwnServer(like: server) { bench, _ in
            try await bench.source.query(
                """
                CREATE TABLE t (id int PRIMARY KEY, v int) WITH SYSTEM VERSIONING; INSERT INTO t VALUES (1, 1), (2, 2);
                SET GLOBAL system_versioning_asof = '2000-01-01'
                """)
            let backup = try await bench.backUp()
            let warnings = backup.report["warnings"].items.compactMap(\.string)
            #expect(warnings == ["the history of t is not in the backup: the rows of now are"])
            // Nor is it that nobody may write by default.
            try await bench.server.query("SET GLOBAL tx_read_only = 1")
            let copy = try await bench.restored(backup.id, ["--check", "rows"])
            try await bench.server.query("SET GLOBAL tx_read_only = 0")
            try await bench.server.query("SET GLOBAL system_versioning_asof = DEFAULT")
            #expect(try await copy.query("SELECT SUM(v) FROM t") == "3")
        }
    }

    /// MariaDB's catalogs of routines, triggers and events take one name for the other.
    @Test(arguments: MySQLTestServer.all)
    func `what a database has whose name differs in its case alone is not this one's`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.withOwnServer(like: server) { bench, own in
            let twin = MySQLTestDatabase(name: bench.source.name.uppercased(), server: own.server)
            try await own.server.query("CREATE DATABASE `\(twin.name)`")
            for (database, word) in [(bench.source, "here"), (twin, "there")] {
                try await database.query(
                    """
                    CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE bare (id int PRIMARY KEY, v int);
                    INSERT INTO bare VALUES (1, 1);
                    CREATE TRIGGER r_\(word) BEFORE INSERT ON t FOR EACH ROW SET NEW.v = 1;
                    CREATE PROCEDURE p_\(word)() SELECT '\(word)';
                    CREATE EVENT e_\(word) ON SCHEDULE EVERY 1 YEAR DO SELECT '\(word)';
                    CREATE EVENT e ON SCHEDULE EVERY 1 YEAR DO SELECT '\(word)'
                    """)
            }
            try await twin.query(
                "CREATE TRIGGER r BEFORE INSERT ON bare FOR EACH ROW SET NEW.v = 2")
            let before = try await bench.contents(of: twin)
            _ = try await bench.backUp()
            let copy = try await bench.restored()
            try await bench.expectEqual(bench.source, copy)
            // No trigger of this table fires.
            try await bench.restore(
                into: bench.source,
                ["-tablename", "bare", "--data-only", "--existing", "truncate", "--yes"]
            ).requireCode(0)
            try await bench.restore(into: bench.source, ["--clean", "--yes"]).requireCode(0)
            try await bench.expectEqual(bench.source, copy)
            #expect(try await bench.contents(of: twin) == before)
        }
    }

    @Test(arguments: MySQLTestServer.all.filter(\.isMariaDB))
    func `packages are replaced like other things`(server: MySQLTestServer) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.load(
                """
                SET sql_mode = ORACLE;
                DELIMITER //
                CREATE PACKAGE p AS FUNCTION f RETURN INT; END//
                CREATE PACKAGE BODY p AS FUNCTION f RETURN INT AS BEGIN RETURN 7; END; END//
                DELIMITER ;
                CREATE TABLE t (id int PRIMARY KEY);
                """)
            _ = try await bench.backUp()
            for _ in 1...2 {
                try await bench.restore(into: bench.source, ["--clean", "--yes"]).requireCode(0)
            }
            #expect(try await bench.source.query("SET sql_mode = ORACLE; SELECT p.f()") == "7")
        }
    }

    private static func text(_ file: String, of backup: StoredBackup) throws -> String {
        try String(contentsOfFile: "\(backup.folder)/\(file)", encoding: .utf8)
    }
}
