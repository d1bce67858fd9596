import BackupCore
import Testing

@testable import MySQLEngine

@Suite struct MySQLTargetPlannerTests {
    private static let orders = MySQLObject(
        kind: .table, name: "orders",
        statement: """
            CREATE TABLE `orders` (
              `id` int NOT NULL,
              `o` int DEFAULT NULL,
              PRIMARY KEY (`id`),
              CONSTRAINT `of_itself` FOREIGN KEY (`o`) REFERENCES `orders` (`id`),
              CONSTRAINT `of_lost` FOREIGN KEY (`o`) REFERENCES `lost` (`id`),
              CONSTRAINT `of_other` FOREIGN KEY (`o`) REFERENCES `otherdb`.`o` (`id`)
            ) ENGINE=InnoDB
            """)

    /// The plan of a restore of a backup that holds one table, and no rows.
    private func plan(
        into presence: MySQLPresence = MySQLPresence(), with bodies: [MySQLObject] = [],
        _ change: (inout TargetRequest) throws -> Void
    ) throws -> MySQLPlan {
        let definition = try MySQLDefinition(
            Array(MySQLScript.text(of: [Self.orders] + bodies, collation: "utf8mb4_bin").utf8))
        var request = TargetRequest(
            database: "shop_copy", definition: SchemaDefinition(sql: [], dump: nil),
            sourceVersion: "9.7.0", encoding: "UTF8", databaseProperties: [:])
        request.defaultSchema = "shop"
        try change(&request)
        return try MySQLTargetPlanner(
            request: request, definition: definition, presence: presence
        ).plan(continuing: nil)
    }

    @Test func `tables that keys refer to are those of the target and of others`() throws {
        let other = TableName(schema: "otherdb", name: "o")
        let whole = try plan { _ in }
        #expect(whole.parents == [TableName(schema: "shop_copy", name: "lost"), other])
        let part = try plan { $0.patterns = [try TablePattern("orders")] }
        #expect(part.parents == [other])
    }

    /// Bodies, what a restore beside the original says of them, and what a restore of their tables alone.
    static let bodies: [(MySQLObject.Kind, String, String?, String?)] = [
        (
            .event, "CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY ENABLE DO DELETE FROM shop.sessions",
            "event e names database shop, and not shop_copy, and runs from then on: "
                + "ALTER EVENT `shop_copy`.`e` DISABLE;", nil
        ),
        (
            .event, "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM `shop` . t",
            "event e names database shop, and not shop_copy", nil
        ),
        (.event, "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM other.shop", nil, nil),
        (
            .procedure, "CREATE PROCEDURE p() SELECT 'shop.t' AS `shop.t` -- shop.t", nil, nil
        ),
        (
            .trigger,
            "CREATE TRIGGER r BEFORE INSERT ON `shop`.`orders` FOR EACH ROW SET NEW.o = 1", nil, nil
        ),
        (
            .trigger,
            "CREATE TRIGGER r AFTER UPDATE ON orders FOR EACH ROW BEGIN INSERT INTO audit_log VALUES (1); "
                + "DELETE FROM orders; SELECT EXTRACT(YEAR FROM o) INTO @v FROM orders; END", nil,
            "trigger r names audit_log, not in shop_copy: what makes it fire will fail"
        ),
    ]

    @Test(arguments: bodies)
    func `what bodies name elsewhere is told before they are made`(
        kind: MySQLObject.Kind, statement: String, beside: String?, alone: String?
    ) throws {
        let head = try #require(MySQLStatementHead(statement))
        let body = MySQLObject(kind: kind, name: head.name, statement: statement)
        let whole = try plan(with: [body]) { _ in }
        #expect(whole.target.warnings == [beside].compactMap(\.self))
        let part = try plan(with: [body]) { $0.patterns = [try TablePattern("orders")] }
        #expect(part.target.warnings == [alone].compactMap(\.self))
        let same = try plan(with: [body]) { $0.database = "shop" }
        #expect(same.target.warnings.isEmpty)
        let drill = try plan(with: [body]) { $0.isScratch = true }
        #expect(drill.target.warnings.isEmpty)
    }

    /// Storage engines of a target's table, and whether it may go.
    static let storages: [(String?, Bool)] = [
        ("MRG_MyISAM", true), ("MRG_MYISAM", true), ("FEDERATED", true), ("SPIDER", true),
        ("CONNECT", false), ("S3", false), ("InnoDB", false), (nil, false),
    ]

    /// Some engines delete what a table shows when it is dropped.
    @Test(arguments: storages)
    func `a table that the backup has no rows of is dropped where they stay`(
        storage: String?, isDropped: Bool
    ) throws {
        let presence = MySQLPresence([["BASE TABLE", "orders", nil, storage]])
        func plan() throws -> MySQLPlan { try self.plan(into: presence) { $0.drops = true } }
        guard isDropped else {
            let error = #expect(throws: BackupError.self) { try plan() }
            #expect(
                error?.message
                    == "the backup holds no rows of table orders, which --clean would drop")
            return
        }
        #expect(try plan().drops.map(\.name) == ["orders"])
    }

    @Test func `the history of a table that is dropped is named`() throws {
        func leftOut(_ type: String) throws -> [String] {
            let presence = MySQLPresence([[type, "orders", nil, "InnoDB"]])
            return try plan(into: presence) {
                ($0.drops, $0.content) = (true, .structure)
            }.target.leftOut
        }
        #expect(
            try leftOut("SYSTEM VERSIONED") == ["history of orders: the backup does not hold it"])
        #expect(try leftOut("BASE TABLE") == [])
    }

    @Test func `a key to another database that is left out names that database`() throws {
        let plan = try plan {
            $0.patterns = [try TablePattern("orders")]
            $0.newName = try TablePattern("orders_before")
        }
        #expect(
            plan.target.leftOut == [
                "foreign key of_itself of orders",
                "foreign key of_lost of orders: lost is not there",
                "foreign key of_other of orders: it refers to otherdb.o",
            ])
        #expect(plan.parents == [])
    }
}
