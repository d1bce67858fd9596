import BackupTesting
import Foundation
import Testing

/// Differentials of MySQL and MariaDB by a column of times, which the application keeps.
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
}
