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

    /// The plan of a restore of a backup that holds one table.
    private func plan(_ change: (inout TargetRequest) throws -> Void) throws -> MySQLPlan {
        let definition = try MySQLDefinition(
            Array(MySQLScript.text(of: [Self.orders], collation: "utf8mb4_bin").utf8))
        var request = TargetRequest(
            database: "shop_copy", definition: SchemaDefinition(sql: [], dump: nil),
            sourceVersion: "9.7.0", encoding: "UTF8", databaseProperties: [:])
        request.defaultSchema = "shop"
        try change(&request)
        return try MySQLTargetPlanner(
            request: request, definition: definition, presence: MySQLPresence()
        ).plan(continuing: nil)
    }

    @Test func `tables that keys refer to are those of the target and of others`() throws {
        let other = TableName(schema: "otherdb", name: "o")
        let whole = try plan { _ in }
        #expect(whole.parents == [TableName(schema: "shop_copy", name: "lost"), other])
        let part = try plan { $0.patterns = [try TablePattern("orders")] }
        #expect(part.parents == [other])
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
