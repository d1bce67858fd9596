import BackupTesting
import Foundation
import Testing

/// A backup of MySQL or MariaDB, restored, is the database that it was taken from: asked by the product's own
/// client, not by us.
@Suite(.serialized) struct MySQLRoundTripTests {
    @Test(arguments: MySQLTestServer.all, ["1", "0"])
    func `one of everything comes back as it was`(
        server: MySQLTestServer, localFiles: String
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.fill("mysql-torture", "mysql-torture-\(server.product)")
            try await server.query("SET GLOBAL local_infile = \(localFiles)")
            let backup = try await bench.backUp()
            try await bench.dbtool(["verify", backup.id, "-path", bench.repository]).requireCode(0)
            let copy = try await bench.restored(backup.id, ["--check", "rows"])
            try await bench.expectEqual(bench.source, copy)
            let again = try await bench.dbtool([
                "verify", backup.id, "-path", bench.repository, "--drill", "--same-server",
            ])
            #expect(again.code == 0, "\(again)")
        }
    }

    /// A backslash is two bytes in one of the sets.
    @Test(arguments: MySQLTestServer.all, ["1", "0"])
    func `texts of old sets that begin as hexadecimal does come back as texts`(
        server: MySQLTestServer, localFiles: String
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let sets = ["sjis", "cp932", "ujis", "eucjpms", "big5", "gbk", "euckr", "latin2"]
            for set in sets {
                try await bench.source.load(
                    """
                    CREATE TABLE \(set) (k varchar(20) PRIMARY KEY, e enum('a', '\\\\x41', '\\\\xzz'), s set('b', '\\\\x42'),
                      t text) ENGINE = InnoDB CHARACTER SET \(set);
                    INSERT INTO \(set) VALUES ('\\\\x41', '\\\\x41', '\\\\x42', '\\\\x'), ('\\\\xzz', '\\\\xzz', 'b,\\\\x42', '\\\\x4'),
                      ('A', 'a', 'b', 'a\\\\x41'), ('\\\\', NULL, NULL, NULL);
                    """)
            }
            try await server.query("SET GLOBAL local_infile = \(localFiles)")
            _ = try await bench.backUp()
            let copy = try await bench.restored("latest", ["--check", "rows"])
            try await bench.expectEqual(bench.source, copy)
            for set in sets {
                try await bench.source.load(
                    """
                    UPDATE \(set) SET t = '\\\\x43' WHERE e = '\\\\x41'; DELETE FROM \(set) WHERE e = '\\\\xzz';
                    """)
            }
            let point = try await bench.backUp(["differential", "backup"])
            for set in sets {
                let change = try #require(point.change(set), "\(set)")
                #expect(change.rows == 1 && change.tombstones == 1, "\(set) \(change)")
            }
            let later = try await bench.restored("latest", ["--check", "rows"], into: "later")
            try await bench.expectEqual(bench.source, later)
            for set in sets {
                let bytes = "SELECT HEX(k), HEX(e), HEX(s), HEX(t) FROM \(set) ORDER BY 1"
                #expect(try await later.query(bytes) == bench.source.query(bytes), "\(set)")
            }
        }
    }

    /// Their records are empty lines: how many there are is all that there is to know.
    @Test(arguments: MySQLTestServer.all, ["1", "0"])
    func `tables of computed columns only come back with all their rows`(
        server: MySQLTestServer, localFiles: String
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.load(
                """
                CREATE TABLE v (a int AS (1) VIRTUAL); INSERT INTO v () VALUES (), (), ();
                CREATE TABLE s (a int AS (2) STORED, b varchar(9) AS ('x') VIRTUAL, KEY by_a (a));
                INSERT INTO s () VALUES ();
                CREATE TABLE e (a int AS (1) STORED);
                SET SESSION sql_mode = '';
                CREATE TABLE w (a int AS ('12 EUR' + 0) STORED); INSERT INTO w () VALUES (), ();
                """)
            try await server.query("SET GLOBAL local_infile = \(localFiles)")
            let full = try await bench.backUp()
            let copy = try await bench.restored(full.id, ["--check", "rows"])
            try await bench.expectEqual(bench.source, copy)
            try await bench.source.query(
                "DELETE FROM v LIMIT 2; INSERT INTO s () VALUES (), (); INSERT INTO e () VALUES ()")
            let point = try await bench.backUp(["differential", "backup"])
            let later = try await bench.restored(point.id, ["--check", "rows"], into: "later")
            try await bench.expectEqual(bench.source, later)
            try await bench.restore(into: copy, ["--data-only", "--existing", "truncate", "--yes"])
                .requireCode(0)
            try await bench.expectEqual(bench.source, copy)
            try await server.query("SET GLOBAL local_infile = 1")
            let last = try await bench.backUp()
            let restored = bench.other("guide")
            try await runGuide(of: last, bench, into: restored)
            try await bench.expectEqual(bench.source, restored)
        }
    }

    /// They are written by their places, which no text in a set with signs of several bytes names.
    @Test(arguments: MySQLTestServer.all, ["utf16", "ucs2", "utf32"])
    func `values come back whose labels only places tell apart, whatever their set`(
        server: MySQLTestServer, set: String
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                """
                SET sql_mode = '';
                CREATE TABLE t (id int PRIMARY KEY, s set('', 'b', '03') CHARACTER SET \(set),
                  e enum('a', 'A', 'b') CHARACTER SET \(set), l set('', 'x') CHARACTER SET latin2);
                INSERT INTO t VALUES (1, 'b', 2, 'x'), (2, 7, 1, 3), (3, 1, 3, 1), (4, 0, 0, 0), (5, NULL, NULL, NULL)
                """)
            let backup = try await bench.backUp()
            #expect(backup.report["warnings"].items.isEmpty, "\(backup.report)")
            let question = "SELECT id, s + 0, e + 0, l + 0, HEX(s), HEX(e) FROM t ORDER BY id"
            for localFiles in ["1", "0"] {
                try await server.query("SET GLOBAL local_infile = \(localFiles)")
                let copy = try await bench.restored(
                    backup.id, ["--check", "rows"], into: "copy_\(localFiles)")
                #expect(try await copy.query(question) == bench.source.query(question))
            }
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `what the files and the server's own client restore is nearly the same`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.load(
                """
                CREATE TABLE a (id int AUTO_INCREMENT PRIMARY KEY, t varchar(50) NOT NULL, b blob, f float, s timestamp NULL, x bit(9))
                  ENGINE = InnoDB AUTO_INCREMENT = 9;
                INSERT INTO a VALUES (1, 'a,"b"\\n', x'00ff0a', 1.23456789, '2024-01-01 00:00:00', 257), (2, '\\\\N', NULL, NULL, NULL, NULL);
                CREATE TABLE audit (n int PRIMARY KEY);
                SET sql_mode = 'NO_BACKSLASH_ESCAPES';
                CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW INSERT INTO audit VALUES (NEW.id + LENGTH('a\\'));
                CREATE VIEW v AS SELECT id FROM a;
                """)
            try await server.query("SET GLOBAL local_infile = 1")
            let backup = try await bench.backUp(["full", "database"], ["-compress", "zstd"])
            let restored = bench.other("guide")
            try await runGuide(of: backup, bench, into: restored)
            try await bench.expectEqual(bench.source, restored)
        }
    }

    @Test(arguments: MySQLTestServer.all, [[], ["-compress", "zstd"]])
    func `the lines of RESTORE md bring a table to a differential`(
        server: MySQLTestServer, words: [String]
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.load(
                """
                CREATE TABLE `ö` (i int AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 7;
                CREATE TABLE `ä b` (n int, `k``q` varchar(20) COLLATE utf8mb4_bin, v blob, g int AS (n + 1), s set('x', 'y'), PRIMARY KEY (`k``q`, n));
                INSERT INTO `ä b` (n, `k``q`, v, s) VALUES (1, 'a,"b"', x'00ff', 'x'), (2, 'gone', NULL, 'x,y'), (3, 'stays', '', 'y'), (0, 'ä', 'v', 'y');
                """)
            try await server.query("SET GLOBAL local_infile = 1")
            let full = try await bench.backUp(["full", "database"], words)
            let restored = bench.other("guide")
            try await runGuide(of: full, bench, into: restored)
            try await bench.source.load(
                """
                DELETE FROM `ä b` WHERE n = 2; UPDATE `ä b` SET v = x'01', s = 'y' WHERE n IN (0, 1);
                INSERT INTO `ä b` (n, `k``q`) VALUES (9, 'new');
                """)
            let point = try await bench.backUp(["differential", "backup"])
            let folder = try #require(point.folder.split(separator: "/").last)
            try await runGuide(of: full, bench, into: restored, block: 2, point: String(folder))
            try await bench.expectEqual(bench.source, restored)
            // Nothing was deleted: there is no file of keys.
            try await bench.source.load("UPDATE `ä b` SET v = 'again' WHERE n = 3;")
            let next = try await bench.backUp(["incremental", "backup"])
            let last = try #require(next.folder.split(separator: "/").last)
            try await runGuide(of: full, bench, into: restored, block: 2, point: String(last))
            try await bench.expectEqual(bench.source, restored)
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `the lines of RESTORE md tell labels that look alike apart in each character set`(
        server: MySQLTestServer
    ) async throws {
        let sets = ["latin1", "utf8mb4", "ucs2", "utf16", "utf16le", "utf32"]
        try await MySQLBench.with(server) { bench in
            let tables = sets.map { set in
                """
                CREATE TABLE t_\(set) (id int PRIMARY KEY, e enum('a', 'A', 'é''') CHARACTER SET \(set),
                  s set('x', 'X', 'é') CHARACTER SET \(set), b enum('q', 'Q') CHARACTER SET \(set) COLLATE \(set)_bin,
                  c set('q', 'Q') CHARACTER SET \(set) COLLATE \(set)_bin);
                INSERT INTO t_\(set) VALUES (1, 1, 1, 1, 1), (2, 2, 2, 2, 2), (3, 3, 7, 1, 3), (4, NULL, NULL, NULL, NULL),
                  (5, 2, 6, 2, 3), (6, 1, 0, 2, 2);
                """
            }
            try await bench.source.query("SET sql_mode = ''; \(tables.joined(separator: "\n"))")
            try await server.query("SET GLOBAL local_infile = 1")
            let backup = try await bench.backUp()
            let restored = bench.other("guide")
            try await runGuide(of: backup, bench, into: restored)
            for set in sets {
                let question = "SELECT id, e + 0, s + 0, b + 0, c + 0 FROM t_\(set) ORDER BY id"
                let answer = try await bench.source.query(question)
                #expect(answer.hasPrefix("1\t1\t1\t1\t1\n2\t2\t2\t2\t2\n3\t3\t7\t1\t3\n"), "\(set)")
                #expect(try await restored.query(question) == answer, "\(set)")
            }
        }
    }

    /// Runs a block of the guide, by a shell whose language has no letters but the English ones.
    private func runGuide(
        of backup: StoredBackup, _ bench: MySQLBench, into restored: MySQLTestDatabase,
        block: Int = 1, point: String = ""
    ) async throws {
        let guide = try String(contentsOfFile: "\(backup.folder)/RESTORE.md", encoding: .utf8)
        let script = try #require(
            guide.components(separatedBy: "```sh\n").dropFirst(block).first?
                .components(separatedBy: "```").first
        ).replacing("restored", with: restored.name).replacing("FOLDER", with: point)
        let client = bench.server.client.map { "'\($0)'" }.joined(separator: " ")
        let environment = ProcessInfo.processInfo.environment.merging(["LC_ALL": "C"]) { $1 }
        let end = try await Program.run(
            "/bin/bash", ["-c", "mysql() { \(client) \"$@\"; }\n" + script],
            environment: environment, folder: backup.folder)
        #expect(end.code == 0, "\(end)\n\(script)")
    }

    @Test(arguments: MySQLTestServer.all)
    func `a large table comes in ranges of its key, and goes over several connections`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let doublings = (0..<20).map {
                "INSERT INTO big SELECT id + \(1 << $0), filler, n + 1 FROM big;"
            }
            try await bench.source.query(
                """
                CREATE TABLE big (id bigint PRIMARY KEY, filler varchar(200), n int, KEY by_n (n)) ENGINE = InnoDB;
                INSERT INTO big VALUES (1, REPEAT('x', 120), 1); \(doublings.joined()) ANALYZE TABLE big
                """)
            let backup = try await bench.backUp(["full", "database"], ["--jobs", "3"])
            let copy = try await bench.restored(backup.id, ["--jobs", "3", "--check", "rows"])
            let sum = "SELECT COUNT(*), SUM(id), SUM(n), SUM(CRC32(filler)) FROM big"
            #expect(try await copy.query(sum) == bench.source.query(sum))
        }
    }

    /// Makes half a million rows enough for more than one range.
    private let filler =
        "filler char(32) INVISIBLE NOT NULL DEFAULT 'rows as long as those of others'"

    @Test(arguments: MySQLTestServer.all)
    func `ranges of pairs, bytes and times hold each row once`(server: MySQLTestServer) async throws
    {
        try await MySQLBench.with(server) { bench in
            let doublings = (0..<19).map { "INSERT INTO n SELECT i + \(1 << $0) FROM n;" }
            try await bench.source.query(
                """
                CREATE TABLE n (i int PRIMARY KEY); INSERT INTO n VALUES (1); \(doublings.joined())
                CREATE TABLE by_pair (a int unsigned, b smallint, PRIMARY KEY (a, b), \(filler));
                INSERT INTO by_pair SELECT 4294967295 - i DIV 3, i % 3 - 1 FROM n WHERE i <= 450000;
                CREATE TABLE by_bytes (k varbinary(20) PRIMARY KEY, i int, \(filler));
                INSERT INTO by_bytes SELECT UNHEX(LEFT(SHA2(i, 256), 32)), i FROM n WHERE i <= 450000;
                INSERT INTO by_bytes VALUES ('', 0), (x'00', -1), (x'ffffffffffffffffff', -2), (x'80', -3);
                CREATE TABLE by_time (t timestamp(3) NOT NULL DEFAULT '2000-01-01', i int, PRIMARY KEY (t, i), \(filler));
                INSERT INTO by_time SELECT '2024-03-31' + INTERVAL i * 777777 MICROSECOND, i FROM n WHERE i <= 450000;
                CREATE TABLE by_day (d date, i int, PRIMARY KEY (d, i), \(filler));
                INSERT INTO by_day SELECT '2020-02-28' + INTERVAL i DIV 2000 DAY, i FROM n WHERE i <= 450000;
                CREATE TABLE by_old_time (t datetime, i int, PRIMARY KEY (t, i), \(filler));
                INSERT INTO by_old_time VALUES ('0000-05-05 01:02:03', 0), ('0000-12-31 23:59:59', 1);
                INSERT INTO by_old_time SELECT '0001-01-01' + INTERVAL i HOUR, i FROM n WHERE i <= 450000;
                DROP TABLE n; ANALYZE TABLE by_pair, by_bytes, by_time, by_day, by_old_time
                """)
            let full = try await bench.backUp(["full", "database"], ["--jobs", "3"])
            for table in try full.metadata()["tables"].items {
                // Days before the year 1 have no numbers.
                let sign = table["name"].string == "by_old_time" ? "keys|" : "+"
                #expect(table["split"].string?.contains(sign) == true, "\(table)")
            }
            try await bench.source.query(
                """
                UPDATE by_bytes SET i = i + 1 WHERE i % 1000 = 7; DELETE FROM by_day WHERE i % 999 = 1;
                UPDATE by_pair SET b = b + 5 WHERE a % 5000 = 1; UPDATE by_time SET t = t + INTERVAL 3 DAY WHERE i % 7777 = 1
                """)
            let later = try await bench.backUp(["differential", "backup"])
            let rows = try later.metadata()["statistics"]["total_rows_processed"].integer
            #expect(try #require(rows) < 10_000)
            let copy = try await bench.restored(later.id, ["--jobs", "3", "--check", "rows"])
            try await bench.expectEqual(bench.source, copy)
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `ranges between keys of any kind hold each row once, in a differential too`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let doublings = (0..<19).map { "INSERT INTO n SELECT i + \(1 << $0) FROM n;" }
            let numbers = "FROM n WHERE i <= 450000"
            try await bench.source.query(
                """
                CREATE TABLE n (i int PRIMARY KEY); INSERT INTO n VALUES (1); \(doublings.joined())
                CREATE TABLE by_uuid (`the ``id` char(36) PRIMARY KEY, i int, \(filler));
                INSERT INTO by_uuid SELECT INSERT(INSERT(LEFT(SHA2(i, 256), 34), 9, 0, '-'), 14, 0, '-'), i \(numbers);
                CREATE TABLE by_name (name varchar(40) COLLATE utf8mb4_unicode_ci PRIMARY KEY, i int, \(filler));
                INSERT INTO by_name SELECT CONCAT(ELT(1 + i % 5, 'Émile ', 'emil ', 'ZOÉ', 'z ', '😀\\\\'), i, IF(i % 3, '', ' ')), i \(numbers);
                CREATE TABLE by_amount (amount decimal(40, 10) PRIMARY KEY, i int, \(filler));
                INSERT INTO by_amount SELECT (i - 200000) * 1234567890123456789.0123456789, i \(numbers);
                CREATE TABLE by_tenant (tenant smallint, name varchar(20) CHARACTER SET latin1, i int, PRIMARY KEY (tenant, name), \(filler));
                INSERT INTO by_tenant SELECT IF(i % 20, 2, i % 9), CONCAT(CHAR(65 + i % 26, 228 USING latin1), i), i \(numbers);
                DROP TABLE n; ANALYZE TABLE by_uuid, by_name, by_amount, by_tenant
                """)
            let full = try await bench.backUp(["full", "database"], ["--jobs", "3"])
            for table in try full.metadata()["tables"].items {
                let split = table["split"].string ?? ""
                #expect(split.hasPrefix("keys|"), "\(table)")
            }
            try await bench.source.query(
                """
                UPDATE by_uuid SET i = i + 1 WHERE i % 1000 = 7; DELETE FROM by_uuid WHERE i % 1000 = 3;
                INSERT INTO by_uuid VALUES ('', 0), ('zzzzzz', 1), ('5', 2);
                UPDATE by_name SET name = UPPER(name) WHERE i % 1000 = 1; DELETE FROM by_name WHERE i % 999 = 1;
                INSERT INTO by_name VALUES ('', 0), ('\\\\', 1), ('日本', 2);
                UPDATE by_amount SET amount = -amount - 0.5 WHERE i % 1000 = 9;
                UPDATE by_tenant SET tenant = -1 WHERE i % 5000 = 3; DELETE FROM by_tenant WHERE tenant = 5 AND i % 100 = 0
                """)
            let later = try await bench.backUp(["differential", "backup"])
            let rows = try later.metadata()["statistics"]["total_rows_processed"].integer
            #expect(try #require(rows) < 20_000)
            let copy = try await bench.restored(later.id, ["--jobs", "3", "--check", "rows"])
            try await bench.expectEqual(bench.source, copy)
        }
    }
}
