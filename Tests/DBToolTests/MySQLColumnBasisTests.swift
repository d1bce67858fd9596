import BackupTesting
import Foundation
import Testing

/// Differentials of MySQL and MariaDB by a column of times or numbers, which the application keeps.
@Suite struct MySQLColumnBasisTests {
    private static let tables = """
        CREATE TABLE people (id int PRIMARY KEY, name varchar(20), f float, updated_at timestamp(6) NULL DEFAULT CURRENT_TIMESTAMP(6)
          ON UPDATE CURRENT_TIMESTAMP(6), KEY (updated_at)) ENGINE = InnoDB;
        CREATE TABLE walls (k varchar(20) COLLATE utf8mb4_bin NOT NULL, b varbinary(4) NOT NULL, v int, modified_at datetime,
          PRIMARY KEY (k, b)) ENGINE = InnoDB;
        CREATE TABLE bare (id int PRIMARY KEY, v int) ENGINE = InnoDB;
        INSERT INTO people (id, name, f, updated_at) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900)
          SELECT i, CONCAT('n', i), i / 7, '2020-01-01' + INTERVAL i SECOND FROM n;
        INSERT INTO walls SELECT CONCAT('k', id), UNHEX(LPAD(HEX(id), 8, '0')), id, '2020-01-01' + INTERVAL id HOUR FROM people;
        INSERT INTO bare SELECT id, id FROM people LIMIT 20;
        UPDATE people SET updated_at = '2037-12-31 00:00:00' WHERE id = 1;
        UPDATE walls SET modified_at = '9999-12-31 00:00:00' WHERE v = 1;
        UPDATE walls SET modified_at = '0000-00-00 00:00:00' WHERE v = 2;
        UPDATE people SET updated_at = NULL WHERE id = 2;
        """

    @Test(arguments: MySQLTestServer.all)
    func `changes are found by the column, deletes and unknown rows by their keys`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.load("SET SESSION sql_mode = '';\n" + Self.tables)
            _ = try await bench.backUp()
            try await bench.source.load(
                """
                SET SESSION sql_mode = '';
                UPDATE people SET name = 'changed' WHERE id IN (3, 500);
                UPDATE people SET name = 'without a time', updated_at = NULL WHERE id = 2;
                DELETE FROM people WHERE id = 10; INSERT INTO people (id, name, updated_at) VALUES (5000, 'old stamp', '2019-01-01');
                UPDATE walls SET v = -1, modified_at = NOW() WHERE v = 7; UPDATE walls SET v = -2 WHERE v = 2;
                DELETE FROM walls WHERE v = 8; UPDATE walls SET k = 'K9' WHERE v = 9;
                INSERT INTO walls VALUES ('k\\\\"é', x'ff', 1, '2001-01-01'); UPDATE bare SET v = 0 WHERE id = 3;
                """)
            let expected = try await bench.contents(of: bench.source)
            let point = try await bench.backUp(
                ["differential", "backup"], ["-basis", "column"])
            let ways = Set(
                point.report["changes"].items.compactMap { $0["basis"].string })
            #expect(ways == ["column", "compare"], "\(point.report)")
            let copy = try await bench.restored(point.id)
            #expect(try await bench.contents(of: copy) == expected)
            let after = try await bench.backUp(["incremental", "backup"])
            let second = try await bench.restored(after.id, into: "second")
            #expect(try await bench.contents(of: second) == expected)
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `without the privilege to see transactions the column is not trusted`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.load("SET SESSION sql_mode = '';\n" + Self.tables)
            let user = try await bench.source.createAccount("u", ["SELECT, LOCK TABLES ON {}.*"])
            _ = try await bench.backUp(as: user)
            try await bench.source.query("UPDATE people SET name = 'changed' WHERE id = 3")
            let point = try await bench.backUp(
                ["differential", "backup"], ["-basis", "column"], as: user)
            let reasons = point.report["changes"].items.compactMap { $0["reason"].string }
            #expect(reasons.contains { $0.contains("PROCESS") }, "\(point.report)")
            let copy = try await bench.restored(point.id)
            try await bench.expectEqual(bench.source, copy)
        }
    }

    // MARK: Numbers

    /// A table whose rows have numbers that grow.
    private struct Counted {
        let name: String
        let type: String
        /// The number of a row, `{}` standing for which one it is.
        let formula: String
        /// Whether the column can tell, so that a row whose number stays is not looked at.
        var isBelieved = true

        func number(of row: String) -> String { formula.replacing("{}", with: row) }

        var creation: String {
            """
            CREATE TABLE \(name) (id int PRIMARY KEY, v varchar(20), n \(type), KEY (n)) ENGINE = InnoDB;
            INSERT INTO \(name) WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 300)
              SELECT i, CONCAT('v', i), \(number(of: "i")) FROM s;
            """
        }

        /// Six rows that are other ones or new, and two that are gone.
        var changes: String {
            """
            UPDATE \(name) SET v = 'changed', n = \(number(of: "(1000 + id)")) WHERE id IN (3, 150, 299);
            UPDATE \(name) SET v = 'same number' WHERE id = 300; DELETE FROM \(name) WHERE id IN (5, 250);
            INSERT INTO \(name) VALUES (301, 'new', \(number(of: "1301"))), (302, 'old number', \(number(of: "1")));
            """
        }
    }

    private static let counted = [
        Counted(name: "small", type: "smallint NOT NULL", formula: "{} - 30000"),
        Counted(name: "counts", type: "int unsigned NOT NULL", formula: "4294960000 + {}"),
        Counted(name: "large", type: "bigint NOT NULL", formula: "9223372036854770000 + {}"),
        Counted(name: "absent", type: "bigint NULL", formula: "IF({} % 3, {}, NULL)"),
        // All of them are nearer to zero than the overlap.
        Counted(
            name: "few", type: "bigint unsigned NOT NULL", formula: "{} % 50", isBelieved: false),
        // Beyond 63 bits: rows are compared.
        Counted(
            name: "beyond", type: "bigint unsigned NOT NULL", formula: "18446744073709550000 + {}",
            isBelieved: false),
    ]

    @Test(arguments: MySQLTestServer.all)
    func `a number that grows finds every change, and none that is not there`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let mode = "SET SESSION sql_mode = '';\n"
            try await bench.source.load(
                mode + Self.counted.map(\.creation).joined(separator: "\n"))
            _ = try await bench.backUp()
            try await bench.source.load(
                mode + Self.counted.map(\.changes).joined(separator: "\n"))
            let words = ["-basis", "column:n", "--monotonic", "--overlap", "100"]
            let point = try await bench.backUp(["differential", "backup"], words)
            for table in Self.counted {
                let change = try #require(point.change(table.name), "\(table)")
                #expect(change.rows == 6 && change.tombstones == 2, "\(table) \(change)")
                let basis = table.name == "beyond" ? "compare" : "column"
                #expect(change.basis == basis, "\(table) \(change)")
            }
            let copy = try await bench.restored(point.id)
            try await bench.expectEqual(bench.source, copy)

            let hidden = Self.counted.map { "UPDATE \($0.name) SET v = 'hidden' WHERE id = 10;" }
            try await bench.source.load(hidden.joined(separator: "\n"))
            let hiding = try await bench.backUp(["incremental", "backup"], words)
            for table in Self.counted {
                let rows = hiding.change(table.name)?.rows
                #expect(rows == (table.isBelieved ? 0 : 1), "\(table) \(hiding.report)")
            }
            let mending = try await bench.backUp(
                ["incremental", "backup"], ["-basis", "compare"])
            for table in Self.counted {
                let rows = mending.change(table.name)?.rows
                #expect(rows == (table.isBelieved ? 1 : 0), "\(table) \(mending.report)")
            }
            let mended = try await bench.restored(mending.id, into: "mended")
            try await bench.expectEqual(bench.source, mended)
        }
    }

    // MARK: Keys

    /// The type of a key's first column, and its value in a row `i`.
    private static func keys(
        on server: MySQLTestServer
    ) -> [(type: String, value: String)] {
        let common = [
            ("bit(9)", "i * 8 % 512"), ("bit(1)", "i % 2"), ("year", "IF(i % 5, 1990 + i, 0)"),
            (
                "timestamp(3) DEFAULT '2000-01-01 00:00:00'",
                "'2024-03-31 00:30:00.5' + INTERVAL i HOUR"
            ),
            ("timestamp DEFAULT '2000-01-01 00:00:00'", "'2024-10-27 00:30:00' + INTERVAL i HOUR"),
            ("enum('z', 'a', '', 'Z1')", "1 + i % 4"),
            // Told apart by their places only.
            ("enum('a', 'A', 'b') COLLATE utf8mb4_general_ci", "1 + i % 3"),
            ("set('x', 'y', 'z')", "i % 8"), ("time(3)", "SEC_TO_TIME(i * 100 - 3000)"),
            ("date", "'2020-02-28' + INTERVAL i DAY"), ("float", "i / 7"),
            ("decimal(20, 6)", "i / 7"), ("binary(3)", "UNHEX(LPAD(HEX(i), 6, '0'))"),
            ("varchar(20) CHARACTER SET latin2", "CONCAT('\u{105}', i)"),
        ]
        let more = [
            ("uuid", "CONCAT(LPAD(HEX(i), 8, '0'), '-0000-1000-8000-000000000000')"),
            ("inet6", "CONCAT('::', HEX(i))"),
        ]
        return (common + (server.isMariaDB ? more : [])).map { (type: $0.0, value: $0.1) }
    }

    /// Beside a condition a key is an expression, which the servers may give another type than its column has.
    @Test(arguments: MySQLTestServer.all)
    func `keys of every type are known again where a column tells what changed`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let start = "SET SESSION sql_mode = '', time_zone = '+00:00';\n"
            let keys = Self.keys(on: server)
            let creation = keys.enumerated().map { number, key in
                """
                CREATE TABLE t\(number) (k \(key.type) NOT NULL, i int NOT NULL, v varchar(20), n bigint NOT NULL, PRIMARY KEY (k, i))
                  ENGINE = InnoDB DEFAULT CHARSET = utf8mb4;
                INSERT INTO t\(number) WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 60)
                  SELECT \(key.value), i, CONCAT('v', i), i FROM s;
                """
            }
            try await bench.source.load(start + creation.joined(separator: "\n"))
            _ = try await bench.backUp()
            // Two rows are changed, one has another key, one is new, and two come with numbers that are old.
            let changes = keys.enumerated().map { number, key in
                """
                UPDATE t\(number) SET v = 'changed', n = 1000 + i WHERE i IN (3, 30); DELETE FROM t\(number) WHERE i IN (10, 20);
                UPDATE t\(number) SET i = i + 500, n = 1540 WHERE i = 40;
                INSERT INTO t\(number) SELECT \(key.value), i, 'new', 1101 FROM (SELECT 101 AS i) s;
                INSERT INTO t\(number) SELECT \(key.value), i, 'old', 1 FROM (SELECT 102 AS i UNION ALL SELECT 105) s;
                """
            }
            try await bench.source.load(start + changes.joined(separator: "\n"))
            let point = try await bench.backUp(
                ["differential", "backup"],
                ["-basis", "column:n", "--monotonic", "--overlap", "0"])
            for (number, key) in keys.enumerated() {
                let change = try #require(point.change("t\(number)"), "\(key)")
                // Rows cannot be asked for by the places of labels, and bits are numbers behind a condition: then all
                // are compared.
                let isCompared = key.type.contains("'A'") || key.type.hasPrefix("bit")
                #expect(change.basis == "column" || isCompared, "\(key) \(change)")
                #expect(change.rows == 6 && change.tombstones == 3, "\(key) \(change)")
            }
            let copy = try await bench.restored(point.id, ["--check", "rows"])
            try await bench.expectEqual(bench.source, copy)
            // Otherwise the point above had hidden something.
            let after = try await bench.backUp(["incremental", "backup"], ["-basis", "compare"])
            for (number, key) in keys.enumerated() {
                let change = after.change("t\(number)")
                #expect(change?.rows == 0 && change?.tombstones == 0, "\(key) \(after.report)")
            }
        }
    }
}
