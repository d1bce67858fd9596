import BackupCore
import Testing

@testable import MySQLEngine

/// Who waits for whom, as far as the words of statements tell.
@Suite struct MySQLLocksTests {
    private static let tables: Set<TableName> = [
        TableName(schema: "shop", name: "pets"), TableName(schema: "shop", name: "people"),
    ]

    @Test(
        arguments: [
            ("ALTER TABLE pets ADD age int", ["pets"]), ("alter table `pets` drop x", ["pets"]),
            ("ALTER /* of */ TABLE shop.pets ADD age int", ["pets"]),
            ("ALTER ONLINE TABLE pets ADD age int", ["pets"]),
            ("DROP TABLE IF EXISTS other, pets, people", ["people", "pets"]),
            ("DROP INDEX a ON people", ["people"]), ("DROP DATABASE shop", ["people", "pets"]),
            ("TRUNCATE pets", ["pets"]), ("RENAME TABLE pets TO cats", ["pets"]),
            ("CREATE UNIQUE INDEX a ON pets (name)", ["pets"]),
            ("CREATE TRIGGER a BEFORE INSERT ON pets FOR EACH ROW SET @a = 1", ["pets"]),
            ("OPTIMIZE TABLE pets", ["pets"]), ("LOCK TABLES pets WRITE", ["pets"]),
            // What has such a name elsewhere, or only in a text.
            ("ALTER TABLE other.pets ADD age int", []), ("ALTER TABLE PETS ADD age int", []),
            ("ALTER TABLE cats COMMENT 'pets'", []), ("DROP DATABASE shop_2", []),
        ] as [(String, [String])])
    func `a statement that wants tables for itself is known by its words`(
        statement: String, names: [String]
    ) {
        let demand = MySQLTableDemand(statement, in: "shop")
        #expect(demand.isExclusive)
        #expect(demand.tables(among: Self.tables).map(\.name).sorted() == names)
        // Without a database only names with one mean something.
        let elsewhere = MySQLTableDemand(statement, in: nil).tables(among: Self.tables)
        #expect(elsewhere.isEmpty == (names.isEmpty || !statement.contains("shop")))
    }

    @Test(
        arguments: [
            "SELECT COUNT(*) FROM pets", "INSERT INTO pets VALUES (1)", "LOCK TABLES pets READ",
            "CREATE TABLE cats LIKE pets", "ALTER VIEW v AS SELECT * FROM pets", "",
            "CREATE VIEW v AS SELECT * FROM pets", "ANALYZE TABLE pets", "DROP VIEW pets",
        ])
    func `whoever shares a table waits for others, and not for a backup`(statement: String) {
        #expect(!MySQLTableDemand(statement, in: "shop").isExclusive)
    }

    private static func peer(
        _ process: Int, _ query: String?, seconds: Int = 3, isWaiting: Bool = true
    ) -> MySQLPeer {
        let row: [String?] = [
            "\(process)", "app", "shop", "\(seconds)", query == nil ? "Sleep" : "Query",
            isWaiting ? "Waiting for table metadata lock" : "", query,
        ]
        return MySQLPeer(row: row[...])
    }

    private static let lock = "Waiting for table metadata lock"
    private static let alter = "ALTER TABLE pets ADD age int"
    private static let read = "SELECT COUNT(*) FROM pets"

    @Test func `one that waits for the backup is told of with those behind it`() {
        let sessions = [
            Self.peer(1, Self.alter), Self.peer(2, Self.read), Self.peer(3, Self.read),
            Self.peer(4, "SELECT COUNT(*) FROM people"), Self.peer(5, "TRUNCATE pets"),
            Self.peer(6, "TRUNCATE people", isWaiting: false), Self.peer(9, Self.read),
        ]
        let waiting = MySQLLocks.waiting(among: sessions, for: ["9"], holding: Self.tables)
        #expect(
            waiting.map { $0.note(after: 12.5) } == [
                "process 1 of account app has waited 12 s for this backup (3 more behind it): \(Self.alter)"
            ])
        // Who wants what the backup does not hold waits for somebody else.
        #expect(MySQLLocks.waiting(among: sessions, for: ["9"], holding: []).isEmpty)
    }

    @Test func `one that the backup waits for is told of where statements tell it`() {
        let own = Self.peer(9, "SELECT 1 FROM `shop`.`pets` LIMIT 1")
        func words(_ others: MySQLPeer...) -> String? {
            MySQLLocks.blocking(["9"], among: others + [own], tables: Self.tables)?.words
        }
        #expect(
            words(Self.peer(1, Self.alter, seconds: 5))
                == "table shop.pets is wanted before us by process 1 of account app: \(Self.alter)")
        #expect(
            words(Self.peer(1, Self.alter, isWaiting: false))
                == "table shop.pets is locked by process 1 of account app: \(Self.alter)")
        // Who came later, wants another table, shares it or has nothing to do is not in the way, or nobody can say so.
        #expect(words(Self.peer(1, Self.alter, seconds: 2)) == nil)
        #expect(words(Self.peer(1, "TRUNCATE people", seconds: 5)) == nil)
        #expect(words(Self.peer(1, Self.read, seconds: 5)) == nil)
        #expect(words(Self.peer(1, nil, seconds: 5, isWaiting: false)) == nil)
        #expect(words() == nil)
    }

    @Test(
        arguments: [
            // One that wants several tables, or asks a catalog, waits for whoever is before it at any of them.
            ("LOCK TABLES `shop`.`people` READ, `shop`.`pets` READ", lock, 3, true),
            ("SELECT NAME FROM information_schema.INNODB_TABLES", lock, 3, true),
            ("LOCK TABLES `shop`.`people` READ", lock, 3, false),
            // To open a table takes a moment; longer than that it is out of reach.
            ("SHOW CREATE TABLE `shop`.`pets`", "Opening tables", 3, true),
            ("SHOW CREATE TABLE `shop`.`pets`", "Waiting for table flush", 3, true),
            ("SHOW CREATE TABLE `shop`.`pets`", "Opening tables", 0, false),
            ("SELECT NAME FROM information_schema.INNODB_TABLES", "Opening tables", 3, false),
            ("SHOW CREATE TABLE `shop`.`pets`", "", 3, false),
        ] as [(String, String, Int, Bool)])
    func `whoever keeps the backup from a table is told of whatever it asks for`(
        query: String, state: String, seconds: Int, isTold: Bool
    ) {
        let row: [String?] = ["9", "app", "shop", "\(seconds)", "Query", state, query]
        let sessions = [Self.peer(1, Self.alter, seconds: 5), MySQLPeer(row: row[...])]
        let blocked = MySQLLocks.blocking(["9"], among: sessions, tables: Self.tables)
        #expect(blocked?.blocker.process == (isTold ? "1" : nil))
        #expect(blocked?.table.name == (isTold ? "pets" : nil))
    }

    @Test
    func `a list of locks names who holds a table, or wants it first, and whom that one waits for`()
    {
        func row(_ isGranted: Bool, _ isExclusive: Bool, _ peer: [String?]) -> [String?] {
            let lock: [String?] = ["shop", "pets", isGranted ? "1" : "0", isExclusive ? "1" : "0"]
            return lock + peer
        }
        let waiting: [String?] = [
            "1", "app", "shop", "5", "Query", "Waiting for table metadata lock", Self.alter,
        ]
        let idle: [String?] = ["2", "app", "shop", "60", "Sleep", "", Self.read]
        let wanted = MySQLBlocked(
            rows: [row(true, false, idle), row(true, false, waiting), row(false, true, waiting)])
        #expect(
            wanted?.words
                == "table shop.pets is wanted before us by process 1 of account app: \(Self.alter), "
                + "which waits for process 2 of account app, idle for 60 s: \(Self.read)")
        #expect(wanted?.remedy.contains("KILL 2;") == true)
        let held = MySQLBlocked(rows: [row(true, true, idle), row(false, true, waiting)])
        #expect(
            held?.words
                == "table shop.pets is locked by process 2 of account app, idle for 60 s: \(Self.read)"
        )
        // Those who share it are in nobody's way.
        #expect(MySQLBlocked(rows: [row(true, false, idle)]) == nil)
        #expect(MySQLBlocked(rows: []) == nil)
    }
}
