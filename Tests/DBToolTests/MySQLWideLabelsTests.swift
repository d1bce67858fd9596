import BackupTesting
import Testing

/// Labels in character sets of two or four bytes a sign, which MySQL prints otherwise than its rows have them where it has
/// converted them.
@Suite struct MySQLWideLabelsTests {
    @Test(arguments: MySQLTestServer.all.filter { !$0.isMariaDB }, ["utf16", "ucs2", "utf32"])
    func `labels of an enum that the server prints otherwise are warned of`(
        server: MySQLTestServer, set: String
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                """
                CREATE TABLE good (id int PRIMARY KEY, k enum('red', 'grün') CHARACTER SET \(set));
                INSERT INTO good VALUES (1, 'red'), (2, 'grün'), (3, NULL);
                CREATE TABLE bad (id int PRIMARY KEY, k enum('red', 'green'));
                INSERT INTO bad VALUES (1, 'red'), (2, 'green');
                ALTER TABLE bad CONVERT TO CHARACTER SET \(set)
                """)
            let backup = try await bench.backUp()
            let warnings = backup.report["warnings"].items.compactMap(\.string)
            let copy = try await bench.restored(backup.id)
            let values = "SELECT id, HEX(k) FROM bad ORDER BY id"
            let isSame = try await copy.query(values) == bench.source.query(values)
            #expect(warnings.count == (isSame ? 0 : 1), "\(warnings)")
            #expect(warnings.allSatisfy { $0.contains("labels for bad.k than") }, "\(warnings)")
        }
    }

    @Test(arguments: MySQLTestServer.all.filter { !$0.isMariaDB }, ["utf16", "ucs2", "utf32"])
    func `labels of a set that the server prints otherwise are warned of`(
        server: MySQLTestServer, set: String
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.query(
                """
                CREATE TABLE good (id int PRIMARY KEY, k set('red', 'grün', '日本') CHARACTER SET \(set));
                INSERT INTO good VALUES (1, 'red'), (2, 'red,grün'), (3, ''), (4, NULL), (5, 'red,grün,日本'), (6, '日本');
                CREATE TABLE bad (id int PRIMARY KEY, k set('red', 'green'));
                INSERT INTO bad VALUES (1, 'red'), (2, 'green'), (3, 'red,green'), (4, '');
                ALTER TABLE bad CONVERT TO CHARACTER SET \(set)
                """)
            let backup = try await bench.backUp()
            let warnings = backup.report["warnings"].items.compactMap(\.string)
            // What anybody makes of the words in which the server describes the table.
            let type = try await bench.source.query(
                """
                SELECT COLUMN_TYPE FROM information_schema.COLUMNS
                WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'bad' AND COLUMN_NAME = 'k'
                """)
            try await bench.source.query(
                """
                SET SESSION sql_mode = ''; CREATE TABLE again (id int PRIMARY KEY, k \(type) CHARACTER SET \(set));
                INSERT INTO again SELECT id, k + 0 FROM bad
                """)
            func values(_ table: String) async throws -> String {
                try await bench.source.query("SELECT id, HEX(k) FROM \(table) ORDER BY id")
            }
            let isSame = try await values("again") == values("bad")
            #expect(warnings.count == (isSame ? 0 : 1), "\(warnings)")
            #expect(warnings.allSatisfy { $0.contains("labels for bad.k than") }, "\(warnings)")
        }
    }
}
