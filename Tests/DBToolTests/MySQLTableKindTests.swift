import BackupTesting
import Testing

/// Tables that the server divides, or adds columns to by itself, come back, and so do changes of them.
@Suite struct MySQLTableKindTests {
    private static let numbers =
        "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 200)"

    private static let partitions = """
        CREATE TABLE by_list (id int NOT NULL AUTO_INCREMENT, r int NOT NULL, v varchar(20), PRIMARY KEY (id, r), KEY by_v (v))
          ENGINE = InnoDB PARTITION BY LIST (r) (PARTITION a VALUES IN (0, 1), PARTITION b VALUES IN (2, 3, 4));
        INSERT INTO by_list \(numbers) SELECT i, i % 5, CONCAT('v', i) FROM s;
        CREATE TABLE by_words (id int NOT NULL, r varchar(9) NOT NULL, v varchar(20), PRIMARY KEY (id, r))
          ENGINE = InnoDB PARTITION BY LIST COLUMNS (r) (PARTITION a VALUES IN ('x', 'it''s'), PARTITION b VALUES IN ('z'));
        INSERT INTO by_words \(numbers) SELECT i, ELT(1 + i % 3, 'x', 'it''s', 'z'), CONCAT('v', i) FROM s;
        CREATE TABLE by_key (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, v varchar(20), KEY by_v (v))
          ENGINE = InnoDB PARTITION BY KEY (id) PARTITIONS 3;
        INSERT INTO by_key \(numbers) SELECT i, CONCAT('v', i) FROM s;
        CREATE TABLE by_bits (id int NOT NULL PRIMARY KEY, v varchar(20))
          ENGINE = InnoDB PARTITION BY LINEAR KEY (id) PARTITIONS 5;
        INSERT INTO by_bits \(numbers) SELECT i, CONCAT('v', i) FROM s;
        CREATE TABLE twice (id int NOT NULL, d date NOT NULL, v varchar(20), PRIMARY KEY (id, d), KEY by_v (v))
          ENGINE = InnoDB PARTITION BY RANGE (YEAR(d)) SUBPARTITION BY HASH (id) SUBPARTITIONS 2
          (PARTITION p0 VALUES LESS THAN (2010), PARTITION p1 VALUES LESS THAN MAXVALUE);
        INSERT INTO twice \(numbers) SELECT i, '2000-01-01' + INTERVAL i MONTH, CONCAT('v', i) FROM s;
        CREATE TABLE named (id int NOT NULL, d date NOT NULL, v varchar(20), PRIMARY KEY (id, d))
          ENGINE = InnoDB PARTITION BY RANGE (id) SUBPARTITION BY KEY (d)
          (PARTITION p0 VALUES LESS THAN (100) (SUBPARTITION s0, SUBPARTITION s1),
           PARTITION p1 VALUES LESS THAN MAXVALUE (SUBPARTITION s2, SUBPARTITION s3));
        INSERT INTO named \(numbers) SELECT i, '2000-01-01' + INTERVAL i DAY, CONCAT('v', i) FROM s;
        """

    /// Ten changed rows, and ten that are gone.
    private static func changes(_ table: String) -> String {
        """
        UPDATE \(table) SET v = 'changed' WHERE id % 20 = 1;
        DELETE FROM \(table) WHERE id % 20 = 7;
        """
    }

    @Test(arguments: MySQLTestServer.all)
    func `tables in partitions of every kind come back, and so do deletes`(
        server: MySQLTestServer
    ) async throws {
        let tables = ["by_list", "by_words", "by_key", "by_bits", "twice", "named"]
        try await MySQLBench.with(server) { bench in
            try await bench.source.load(Self.partitions)
            let full = try await bench.backUp()
            let copy = try await bench.restored(full.id, ["--check", "rows"])
            try await bench.expectEqual(bench.source, copy)
            // What was not divided would be equal as well.
            let divided = """
                SELECT COUNT(DISTINCT TABLE_NAME), COUNT(SUBPARTITION_NAME) FROM information_schema.PARTITIONS
                WHERE TABLE_SCHEMA = DATABASE() AND PARTITION_NAME IS NOT NULL
                """
            #expect(try await copy.query(divided) == "6\t8")

            let changes = tables.map(Self.changes).joined(separator: "\n")
            // From one partition into another.
            let moves =
                "UPDATE by_list SET r = 4 WHERE id = 20; UPDATE by_words SET r = 'z' WHERE id = 3;"
            try await bench.source.load("\(changes)\n\(moves)")
            let point = try await bench.backUp(["differential", "backup"])
            for table in tables {
                let change = try #require(point.change(table), "\(table)")
                let moved = ["by_list", "by_words"].contains(table) ? 1 : 0
                #expect(change.rows == 10 + moved, "\(table) \(change)")
                #expect(change.tombstones == 10 + moved, "\(table) \(change)")
            }
            let later = try await bench.restored(point.id, ["--check", "rows"], into: "later")
            try await bench.expectEqual(bench.source, later)
        }
    }

    /// The column is there for those who name it, whether the server shows it or not.
    @Test(
        arguments: MySQLTestServer.all.filter { !$0.isMariaDB },
        [[], ["show_gipk_in_create_table_and_information_schema=OFF"]])
    func `keys that the server has added by itself come back, and tell rows apart`(
        server: MySQLTestServer, settings: [String]
    ) async throws {
        let adds = ["sql_generate_invisible_primary_key=ON"]
        try await MySQLBench.withOwnServer(like: server, adds + settings) { bench, _ in
            try await bench.source.load(
                """
                CREATE TABLE bare (id int, v varchar(20), KEY by_v (v)) ENGINE = InnoDB;
                INSERT INTO bare \(Self.numbers) SELECT i, CONCAT('v', i) FROM s;
                INSERT INTO bare SELECT id, v FROM bare WHERE id < 5;
                """)
            let question = "SELECT my_row_id, id, v FROM bare ORDER BY my_row_id"
            let full = try await bench.backUp()
            let copy = try await bench.restored(full.id, ["--check", "rows"])
            try await bench.expectEqual(bench.source, copy)
            #expect(try await copy.query(question) == bench.source.query(question))

            try await bench.source.load(
                Self.changes("bare") + "\nINSERT INTO bare VALUES (300, 'new'), (300, 'new');")
            let point = try await bench.backUp(["differential", "backup"])
            let change = try #require(point.change("bare"))
            // One of the changed rows is there twice.
            #expect(change.rows == 11 + 2 && change.tombstones == 10, "\(change)")
            let later = try await bench.restored(point.id, ["--check", "rows"], into: "later")
            try await bench.expectEqual(bench.source, later)
            #expect(try await later.query(question) == bench.source.query(question))
            // The next row goes behind all others, as it does in the source.
            let next = "INSERT INTO bare VALUES (400, 'next'); SELECT MAX(my_row_id) FROM bare"
            #expect(try await later.query(next) == bench.source.query(next))
        }
    }

    /// ARCHIVE takes no number that is not above all others, and a chain gives its newest rows first.
    @Test(arguments: MySQLTestServer.all)
    func `tables of ARCHIVE with keys that count come back at every point`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.withOwnServer(like: server, server.archive()) { bench, _ in
            try await bench.source.load(
                """
                CREATE TABLE old (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, v varchar(300)) ENGINE = ARCHIVE;
                INSERT INTO old (v) \(Self.numbers) SELECT CONCAT('v', i) FROM s;
                CREATE TABLE loose (id int NOT NULL AUTO_INCREMENT, v varchar(20), KEY (id)) ENGINE = ARCHIVE;
                INSERT INTO loose \(Self.numbers) SELECT 201 - i, 'x' FROM s;
                CREATE TABLE plain (v varchar(20)) ENGINE = ARCHIVE; INSERT INTO plain VALUES ('a'), ('a');
                """)
            let full = try await bench.backUp()
            let copy = try await bench.restored(full.id, ["--check", "rows"])
            try await bench.expectEqual(bench.source, copy)
            #expect(try await copy.query("SHOW CREATE TABLE old").contains("ENGINE=ARCHIVE"))

            try await bench.source.query(
                "INSERT INTO old (v) VALUES ('new'), ('newer'); INSERT INTO loose VALUES (1000, 'new')"
            )
            let point = try await bench.backUp(["differential", "backup"])
            let later = try await bench.restored(point.id, ["--check", "rows"], into: "later")
            try await bench.expectEqual(bench.source, later)
            // The counter goes on behind the last row.
            let next = "INSERT INTO old (v) VALUES ('next'); SELECT MAX(id) FROM old"
            #expect(try await later.query(next) == bench.source.query(next))
            // Over several connections, which bring rows in any order.
            try await bench.source.query(
                """
                INSERT INTO old (v) WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 900)
                  SELECT REPEAT(SHA2(a.i * 1000 + b.i, 256), 4) FROM s a JOIN s b WHERE b.i < 350
                """)
            let large = try await bench.backUp(["full", "database"], ["--jobs", "4"])
            let wide = try await bench.restored(
                large.id, ["--check", "rows", "--jobs", "4"], into: "wide")
            let sums = "SELECT COUNT(*), SUM(CRC32(CONCAT(id, v))) FROM old"
            #expect(try await wide.query(sums) == bench.source.query(sums))
        }
    }

    /// When a row came is what the server says: a copy came later, and is compared without.
    @Test(arguments: MySQLTestServer.all.filter(\.isMariaDB))
    func `tables whose columns say from when to when a row was come back`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let tables = ["shown", "unseen", "loose"]
            try await bench.source.load(
                """
                CREATE TABLE shown (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, v varchar(20),
                  row_start timestamp(6) GENERATED ALWAYS AS ROW START, row_end timestamp(6) GENERATED ALWAYS AS ROW END,
                  PERIOD FOR SYSTEM_TIME (row_start, row_end), KEY by_v (v)) ENGINE = InnoDB WITH SYSTEM VERSIONING;
                CREATE TABLE unseen (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, v varchar(20),
                  row_start timestamp(6) GENERATED ALWAYS AS ROW START INVISIBLE,
                  row_end timestamp(6) GENERATED ALWAYS AS ROW END INVISIBLE,
                  PERIOD FOR SYSTEM_TIME (row_start, row_end), UNIQUE KEY by_v (v), KEY both_of (v, id)) ENGINE = InnoDB
                  WITH SYSTEM VERSIONING;
                CREATE TABLE loose (id int NOT NULL, v varchar(20),
                  row_start timestamp(6) GENERATED ALWAYS AS ROW START, row_end timestamp(6) GENERATED ALWAYS AS ROW END,
                  PERIOD FOR SYSTEM_TIME (row_start, row_end), KEY by_v (v)) ENGINE = InnoDB WITH SYSTEM VERSIONING;
                INSERT INTO shown (id, v) \(Self.numbers) SELECT i, CONCAT('v', i) FROM s;
                INSERT INTO unseen (id, v) SELECT id, v FROM shown; INSERT INTO loose (id, v) SELECT id, v FROM shown;
                UPDATE shown SET v = CONCAT('second ', id) WHERE id < 5; DELETE FROM unseen WHERE id = 200;
                """)
            let full = try await bench.backUp()
            let copy = try await bench.restored(full.id, ["--check", "rows"])
            try await bench.expectEqual(bench.source, copy)

            try await bench.source.load(
                tables.map {
                    """
                    UPDATE \($0) SET v = CONCAT('changed ', id) WHERE id % 20 = 1; DELETE FROM \($0) WHERE id % 20 = 7;
                    INSERT INTO \($0) (id, v) VALUES (300, 'new');
                    """
                }.joined(separator: "\n"))
            let point = try await bench.backUp(["differential", "backup"])
            // Without a key all rows are written, changed or not.
            for table in ["shown", "unseen"] {
                let change = try #require(point.change(table), "\(table)")
                #expect(change.rows == 11 && change.tombstones == 10, "\(table) \(change)")
            }
            let later = try await bench.restored(point.id, ["--check", "rows"], into: "later")
            try await bench.expectEqual(bench.source, later)
            for table in tables {
                // The copy keeps what was, like the table that it is a copy of.
                try await later.query(
                    "INSERT INTO \(table) (id, v) VALUES (301, 'next'); UPDATE \(table) SET v = 'last' WHERE id = 301"
                )
                let all = "SELECT COUNT(*) FROM \(table) FOR SYSTEM_TIME ALL WHERE id = 301"
                #expect(try await later.query(all) == "2", "\(table)")
            }
        }
    }
}
