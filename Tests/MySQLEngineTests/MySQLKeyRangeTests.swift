import BackupCore
import BackupTesting
import Foundation
import Testing

@testable import MySQLEngine

/// Tables with random keys come in ranges that together are the table, each row once and in the order of the key.
///
/// `DBTOOL_TEST_SEED` repeats an earlier run, `DBTOOL_TEST_COLLATIONS=all` tries every collation of the server.
@Suite struct MySQLKeyRangeTests {
    private static let seeds: [UInt64] =
        ProcessInfo.processInfo.environment["DBTOOL_TEST_SEED"].flatMap { UInt64($0) }
        .map { [$0] } ?? SeededGenerator.seeds(count: 2)

    @Test(arguments: MySQLTestServer.all, seeds)
    func `every row is in one range, in the order of the key`(
        server: MySQLTestServer, seed: UInt64
    ) async throws {
        var random = SeededGenerator(seed: seed)
        let tables = (0..<24).map {
            MySQLKeyedTable.random(number: $0, isMariaDB: server.isMariaDB, &random)
        }
        try await expectRanges(of: tables, on: server, seed)
    }

    @Test(arguments: MySQLTestServer.all, seeds)
    func `no collation loses a row between ranges`(
        server: MySQLTestServer, seed: UInt64
    ) async throws {
        try server.require()
        var random = SeededGenerator(seed: seed)
        let names =
            server.isMariaDB
            ? """
            SELECT FULL_COLLATION_NAME, CHARACTER_SET_NAME
            FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY
            """
            : "SELECT COLLATION_NAME, CHARACTER_SET_NAME FROM information_schema.COLLATIONS"
        let all = try await server.query("\(names) ORDER BY 1").split(separator: "\n")
            .map { $0.split(separator: "\t").map(String.init) }.filter { $0[1] != "binary" }
        let isAll = ProcessInfo.processInfo.environment["DBTOOL_TEST_COLLATIONS"] == "all"
        let chosen = isAll ? all : Array(all.shuffled(using: &random).prefix(30))
        let tables = chosen.enumerated().map { number, names in
            MySQLKeyedTable.of(
                collation: names[0], characterSet: names[1], number: number, &random)
        }
        try await expectRanges(of: tables, on: server, seed)
    }

    @Test(arguments: MySQLTestServer.all)
    func `borders in a wrong order would be seen to lose rows or to double them`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            try await database.query(
                """
                CREATE TABLE t (a varchar(20) COLLATE utf8mb4_unicode_ci PRIMARY KEY);
                INSERT INTO t VALUES ('a'), ('B'), ('c'), ('D'), ('e'), ('F'), ('g'), ('H'), ('i'), ('J');
                ANALYZE TABLE t
                """)
            var size = MySQLRangeSize()
            (size.bytes, size.rows, size.leastBytes) = (.max, 3, 0)
            try await database.withSnapshot(rangeSize: size) { snapshot in
                var table = try #require(snapshot.schema.tables.first)
                var parts = table.split.split(separator: "|").map(String.init)
                try #require(parts.count > 3)
                #expect(try await snapshot.records(of: table).count == 10)
                parts.swapAt(2, 3)
                table.split = parts.joined(separator: "|")
                #expect(try await snapshot.records(of: table).count != 10)
            }
        }
    }

    /// Each range would cost as much as all rows.
    @Test(arguments: MySQLTestServer.all)
    func `tables that are not kept in the order of their key are read at once`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            for engine in ["InnoDB", "MyISAM", "MEMORY"] {
                try await database.query(
                    """
                    CREATE TABLE \(engine) (id int PRIMARY KEY) ENGINE = \(engine);
                    INSERT INTO \(engine) WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 200) SELECT i FROM s;
                    ANALYZE TABLE \(engine)
                    """)
            }
            var size = MySQLRangeSize()
            (size.bytes, size.rows, size.leastBytes) = (.max, 12, 0)
            try await database.withSnapshot(rangeSize: size) { snapshot in
                for table in snapshot.schema.tables {
                    let isDivided = snapshot.parts(of: table).count > 1
                    #expect(isDivided == (table.name.name == "InnoDB"), "\(table.name.name)")
                    let count = try await snapshot.records(of: table).count
                    #expect(count == 200)
                }
            }
        }
    }

    private func expectRanges(
        of tables: [MySQLKeyedTable], on server: MySQLTestServer, _ seed: UInt64
    ) async throws {
        try await server.withDatabase { database in
            try await database.load(tables.map(\.script).joined(separator: "\n"))
            var size = MySQLRangeSize()
            (size.bytes, size.rows, size.leastBytes) = (.max, 12, 0)
            try await database.withSnapshot(rangeSize: size) { divided in
                try await database.withSnapshot { whole in
                    for keyed in tables {
                        let table = try #require(
                            divided.schema.tables.first { $0.name.name == keyed.name })
                        let words =
                            "seed \(seed), \(server.product): \(keyed.definition) \(table.split)"
                        let expected = try await whole.records(of: table.undivided)
                        let parts = divided.parts(of: table)
                        #expect(expected.count > 40, "\(words)")
                        if keyed.isDivisible {
                            #expect(parts.count > 1, "\(words)")
                        } else {
                            #expect(parts.count == 1, "\(words)")
                        }
                        #expect(try await divided.records(of: table) == expected, "\(words)")
                        try await expectSensible(parts, of: keyed, in: divided, words)
                    }
                }
            }
        }
    }

    /// Ranges are read by the index, and none holds most of the rows.
    private func expectSensible(
        _ parts: [TablePart], of keyed: MySQLKeyedTable, in snapshot: MySQLSnapshot, _ words: String
    ) async throws {
        guard parts.count > 1 else { return }
        for part in parts {
            let sql = MySQLSelection(text: part.selection).sql
            let plan = try await snapshot.leader.rows("EXPLAIN FORMAT=TRADITIONAL \(sql)")
            let text = plan.map { $0.map { $0 ?? "" }.joined(separator: " ") }.joined()
            let isRead = ["range", "ref", "const", "eq_ref"].contains { text.contains(" \($0) ") }
            #expect(isRead && !text.contains("filesort"), "\(words): \(sql): \(text)")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `what is known to be larger is divided more evenly than by guesses`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            try await database.query(
                """
                CREATE TABLE n (i int PRIMARY KEY); INSERT INTO n VALUES (0);
                \((0..<14).map { "INSERT INTO n SELECT i + \(1 << $0) FROM n;" }.joined())
                CREATE TABLE uuids (id char(36) PRIMARY KEY, v varchar(60));
                INSERT INTO uuids SELECT INSERT(INSERT(LEFT(SHA2(i, 256), 34), 9, 0, '-'), 14, 0, '-'), SHA2(i, 224) FROM n;
                CREATE TABLE names (name varchar(60) PRIMARY KEY);
                INSERT INTO names SELECT CONCAT(ELT(1 + i % 3, 'order-2024-', 'ORDER-2025-', 'zebra '), i) FROM n;
                CREATE TABLE tenants (tenant int, id bigint, v varchar(60), PRIMARY KEY (tenant, id));
                INSERT INTO tenants SELECT IF(i % 10 = 0, i % 7, 3), i, SHA2(i, 224) FROM n;
                CREATE TABLE outlier (id bigint PRIMARY KEY, v varchar(60));
                INSERT INTO outlier SELECT IF(i = 0, 9000000000000000000, i), SHA2(i, 224) FROM n;
                CREATE TABLE pairs (a tinyint, b varchar(60), PRIMARY KEY (a, b));
                INSERT INTO pairs SELECT IF(i % 50, 1, i % 100), SHA2(i, 224) FROM n;
                CREATE TABLE amounts (amount decimal(40, 12) PRIMARY KEY, v varchar(60));
                INSERT INTO amounts SELECT (i - 5000) * 1000000.000000000001 + i * i, SHA2(i, 224) FROM n;
                ANALYZE TABLE uuids, names, tenants, outlier, pairs, amounts
                """)
            var size = MySQLRangeSize()
            (size.bytes, size.rows, size.leastBytes) = (.max, 1500, 0)
            try await database.withSnapshot(rangeSize: size) { snapshot in
                for table in snapshot.schema.tables where table.name.name != "n" {
                    #expect(table.split.hasPrefix("keys|"), "\(table.split)")
                    let counts = try await snapshot.countsOfParts(of: table)
                    #expect(counts.reduce(0, +) == 16384)
                    // Half of the average, or twice it, is even enough: estimates are no more than that.
                    #expect((counts.max() ?? 0) < 4000, "\(table.name.name) \(counts)")
                    #expect(counts.count >= 6, "\(table.name.name) \(counts)")
                }
            }
        }
    }
}

extension Table {
    /// The same, read at once.
    fileprivate var undivided: Table {
        var table = self
        table.split = ""
        return table
    }
}

extension MySQLSnapshot {
    /// How many rows each part has.
    fileprivate func countsOfParts(of table: Table) async throws -> [Int] {
        var counts: [Int] = []
        for part in parts(of: table) {
            let count = Exclusive(0)
            try await read(part) { batch in count.withValue { $0 += batch.ends.count } }
            counts.append(count.withValue { $0 })
        }
        return counts
    }
}
