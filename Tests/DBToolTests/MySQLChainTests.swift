import BackupTesting
import Foundation
import Testing

/// Every point of a chain of MySQL or MariaDB is the database at that point's snapshot.
///
/// `DBTOOL_TEST_CHAINS` asks for more of them, `DBTOOL_TEST_SEED` for those of an earlier run.
@Suite struct MySQLChainTests {
    @Test(arguments: MySQLTestServer.all, ChainTortureTests.seeds)
    func `every point comes back as it was`(server: MySQLTestServer, seed: UInt64) async throws {
        try await MySQLBench.with(server) { bench in
            print("chain of DBTOOL_TEST_SEED=\(seed) on \(server.product)")
            var random = SeededGenerator(seed: seed)
            var workload = MySQLWorkload()
            try await bench.source.load(MySQLWorkload.schema)
            var points: [(id: String, contents: String)] = []
            for number in 0..<7 {
                for _ in 0..<(number == 0 ? 3 : Int.random(in: 1...12, using: &random)) {
                    // Some mean what is gone, and fail.
                    _ = try await bench.source.attempt(workload.next(&random))
                }
                let verb =
                    number == 0
                    ? ["full", "database"]
                    : [Bool.random(using: &random) ? "differential" : "incremental", "backup"]
                let memory = Bool.random(using: &random) && number > 0 ? ["--memory", "0"] : []
                let jobs = ["--jobs", "\(Int.random(in: 1...3, using: &random))"]
                let backup = try await bench.backUp(verb, memory + jobs)
                points.append((backup.id, try await bench.contents(of: bench.source)))
            }
            for (number, point) in points.enumerated() {
                let copy = try await bench.restored(point.id, into: "copy\(number)")
                let contents = try await bench.contents(of: copy)
                let difference = Self.difference(point.contents, contents)
                #expect(difference == "", "\(point.id), seed \(seed)")
            }
            let merged = try await bench.dbtool([
                "merge", points[points.count - 1].id, "-path", bench.repository, "--json",
            ])
            try merged.requireCode(0)
            let copy = try await bench.restored(try StoredBackup(merged).id, into: "merged")
            let difference = Self.difference(
                points[points.count - 1].contents, try await bench.contents(of: copy))
            #expect(difference == "", "merged, seed \(seed)")
        }
    }

    /// The first lines that only one of them has.
    private static func difference(_ one: String, _ other: String) -> String {
        other.split(separator: "\n").difference(from: one.split(separator: "\n")).prefix(20)
            .map { change in
                switch change {
                case .insert(_, let line, _): "+ \(line)"
                case .remove(_, let line, _): "- \(line)"
                }
            }.joined(separator: "\n")
    }

    @Test(arguments: MySQLTestServer.all, ["root", "lock", "select"])
    func `money that moves while it is backed up is all there`(
        server: MySQLTestServer, ability: String
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let ways = try await backUpMovingMoney(bench, ability)
            for way in ways {
                let isKnown = ["position", "held", "optimistic", "one connection"].contains {
                    way.contains($0)
                }
                #expect(isKnown, "\(way)")
            }
        }
    }

    /// As MariaDB is without further settings: no position tells the moment then.
    @Test(
        arguments: MySQLTestServer.all.filter(\.isMariaDB),
        [("root", "BACKUP STAGE"), ("lock", "LOCK TABLES"), ("select", "one connection")])
    func `money is all there without a binary log`(
        server: MySQLTestServer, ability: (name: String, word: String)
    ) async throws {
        try await MySQLBench.withOwnServer(like: server) { bench, _ in
            let ways = try await backUpMovingMoney(bench, ability.name)
            // A lock that cannot be had in time leaves one connection.
            #expect(ways.contains { $0.contains(ability.word) }, "\(ways)")
        }
    }

    /// Backs up with two and four connections while amounts move between two tables; how each moment was had.
    private func backUpMovingMoney(_ bench: MySQLBench, _ ability: String) async throws -> [String]
    {
        try await bench.source.load(
            """
            CREATE TABLE accounts (id int PRIMARY KEY, amount int NOT NULL) ENGINE = InnoDB;
            CREATE TABLE others (id int PRIMARY KEY, amount int NOT NULL) ENGINE = InnoDB;
            INSERT INTO accounts WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT i, 100 FROM n;
            INSERT INTO others SELECT * FROM accounts;
            DELIMITER //
            CREATE PROCEDURE move() BEGIN
              DECLARE a, b int;
              DECLARE CONTINUE HANDLER FOR SQLEXCEPTION ROLLBACK;
              LOOP
                SET a = 1 + FLOOR(RAND() * 900), b = 1 + FLOOR(RAND() * 900);
                START TRANSACTION;
                UPDATE accounts SET amount = amount - 7 WHERE id = a;
                UPDATE others SET amount = amount + 7 WHERE id = b;
                COMMIT;
              END LOOP;
            END//
            DELIMITER ;
            """)
        let grants = [
            "lock": ["SELECT, LOCK TABLES ON {}.*"], "select": ["SELECT ON {}.*"], "root": [],
        ]
        let user =
            ability == "root"
            ? "root" : try await bench.source.createAccount("u", grants[ability] ?? [])
        let mover = Task { _ = try? await bench.source.attempt("CALL move()") }
        try await eventually("money moves") {
            try await bench.source.query("SELECT SUM(amount) FROM accounts") != "90000"
        }
        var seen: Set<String> = []
        var ways: [String] = []
        for jobs in ["2", "4"] {
            let backup = try await bench.backUp(
                ["full", "tables", "-tablename", "accounts", "-tablename", "others"],
                ["--jobs", jobs], as: user)
            let copy = try await bench.restored(backup.id, into: "copy\(jobs)")
            let way = try backup.metadata()["consistency"].string ?? ""
            let sum = try await copy.query(
                "SELECT SUM(amount) FROM (SELECT * FROM accounts UNION ALL SELECT * FROM others) a"
            )
            #expect(sum == "180000", "\(way)")
            ways.append(way)
            seen.insert(try await copy.query("SELECT SUM(amount) FROM accounts"))
        }
        // Between the two it has moved, or nothing would have been proven.
        #expect(seen.count == 2 && !seen.contains("90000"), "\(seen)")
        mover.cancel()
        let running = try await bench.server.query(
            "SELECT id FROM information_schema.processlist WHERE db = '\(bench.source.name)'")
        for id in running.split(separator: "\n") {
            _ = try await bench.server.attempt("KILL \(id)")
        }
        return ways
    }
}

/// Statements that change a database in every way that a chain must see.
struct MySQLWorkload {
    static let schema = """
        CREATE TABLE people (id int AUTO_INCREMENT PRIMARY KEY, name varchar(50), note text, f float, b blob) ENGINE = InnoDB;
        CREATE TABLE pairs (a varchar(20) COLLATE utf8mb4_bin NOT NULL, b decimal(10,3) NOT NULL, v int, PRIMARY KEY (a, b)) ENGINE = InnoDB;
        CREATE TABLE loose (a int, t varchar(20)) ENGINE = InnoDB;
        CREATE TABLE days (d datetime(3) NOT NULL, e enum('x', 'y', '') NOT NULL, v double, PRIMARY KEY (d, e)) ENGINE = InnoDB;
        CREATE TABLE still (id int PRIMARY KEY, v varchar(10)) ENGINE = InnoDB; INSERT INTO still VALUES (1, 'a'), (2, NULL), (3, '');
        INSERT INTO people (name, note, f, b) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
          SELECT CONCAT('n', i), IF(i % 3 = 0, NULL, REPEAT('x', i)), i / 7, UNHEX(HEX(i)) FROM n;
        INSERT INTO pairs SELECT CONCAT('k', id % 100), id / 8, id FROM people;
        INSERT INTO loose SELECT id % 5, name FROM people LIMIT 50;
        INSERT INTO days SELECT '2024-01-01' + INTERVAL id SECOND, ELT(1 + id % 2, 'x', 'y'), id / 3 FROM people LIMIT 100;
        CREATE VIEW v AS SELECT COUNT(*) AS n FROM people;
        """

    private var count = 0

    mutating func next(_ random: inout SeededGenerator) -> String {
        count += 1
        let number = Int.random(in: 1...500, using: &random)
        let statements = [
            "INSERT INTO people (name, f) SELECT CONCAT('new', id), f * \(number) FROM people LIMIT \(number % 50)",
            "UPDATE people SET note = CONCAT(COALESCE(note, ''), '\(count)') WHERE id % \(number % 20 + 2) = 1",
            "UPDATE people SET f = f + 0.0000001, b = NULL WHERE id < \(number)",
            "DELETE FROM people WHERE id % \(number % 30 + 3) = 2",
            "UPDATE people SET id = id + 100000 WHERE id = \(number)",
            "UPDATE pairs SET a = UPPER(a) WHERE v % 7 = \(number % 7)",
            "UPDATE pairs SET b = b + 1000 WHERE v = \(number)",
            "INSERT IGNORE INTO pairs VALUES ('é', \(number), NULL), ('e', \(number), 1), ('E', \(number), 2)",
            "DELETE FROM pairs WHERE v > \(number) LIMIT 20",
            "INSERT INTO loose VALUES (\(number), NULL), (NULL, ''), (\(number), NULL)",
            "DELETE FROM loose LIMIT 3", "TRUNCATE TABLE loose",
            "UPDATE days SET v = -v WHERE e = 'x' LIMIT \(number)",
            "INSERT IGNORE INTO days VALUES ('2030-01-01 00:00:00.\(number)', '', 0), ('2031-01-01', 'z', \(number))",
            "ALTER TABLE people ADD COLUMN c\(count) int DEFAULT \(number)",
            "ALTER TABLE people DROP COLUMN c\(count - 1)",
            "ALTER TABLE pairs MODIFY v bigint", "ALTER TABLE people ADD KEY k\(count) (name)",
            "ALTER TABLE days DROP PRIMARY KEY, ADD PRIMARY KEY (e, d)",
            "ALTER TABLE people CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            "ALTER TABLE days MODIFY e enum('y', 'x', '', 'w') NOT NULL",
            "RENAME TABLE people TO p2, pairs TO people, p2 TO pairs",
            "CREATE TABLE made\(count) (id int PRIMARY KEY, v int) ENGINE = InnoDB AS SELECT id, id * 2 AS v FROM people LIMIT 30",
            "DROP TABLE made\(count - Int.random(in: 1...5, using: &random))",
            "DROP TABLE still; CREATE TABLE still (id int PRIMARY KEY, v varchar(10)) ENGINE = InnoDB; INSERT INTO still VALUES (2, 'b')",
            "TRUNCATE TABLE people", "UPDATE still SET v = v",
            "CREATE OR REPLACE VIEW v AS SELECT \(number) AS n",
            "UPDATE people SET note = REPEAT('\"', \(number)) WHERE id % 11 = 0",
        ]
        return statements.randomElement(using: &random) ?? ""
    }
}

extension MySQLTestDatabase {
    /// Runs SQL that may fail.
    func attempt(_ sql: String) async throws -> ProgramEnd {
        try await server.attempt(sql, database: name)
    }
}
