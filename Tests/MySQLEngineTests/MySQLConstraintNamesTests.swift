import BackupCore
import Testing

@testable import MySQLEngine

@Suite struct MySQLConstraintNamesTests {
    private typealias Holder = MySQLConstraintNames.Holder

    private static let orders = MySQLObject(
        kind: .table, name: "orders",
        statement: """
            CREATE TABLE `orders` (
              `id` int NOT NULL,
              `c` int DEFAULT NULL,
              PRIMARY KEY (`id`),
              CONSTRAINT `orders_c_fk` FOREIGN KEY (`c`) REFERENCES `customers` (`id`),
              CONSTRAINT `chk_c` CHECK ((`c` > 0))
            ) ENGINE=InnoDB
            """)
    private static let holders = [
        Holder(kind: .foreignKey, name: "Orders_C_FK", table: "orders_broken"),
        Holder(kind: .check, name: "CHK_C", table: "orders_broken"),
        // Each kind has names of its own.
        Holder(kind: .check, name: "orders_c_fk", table: "orders_broken"),
        Holder(kind: .foreignKey, name: "another", table: "orders_broken"),
    ]

    private func taken(
        _ plan: MySQLPlan, isMariaDB: Bool = false, number: Int = 90700
    ) throws -> [Holder] {
        let kinds = MySQLConstraintNames.kinds(isMariaDB: isMariaDB, number: number)
        return try MySQLConstraintNames(plan, kinds, source: "shop").inTheWay(Self.holders)
    }

    private func plan() -> MySQLPlan {
        var plan = MySQLPlan()
        plan.chosen = [Self.orders]
        return plan
    }

    @Test func `names of tables that stay are in the way, in whatever case`() throws {
        #expect(try taken(plan()) == Array(Self.holders[..<2]))
        #expect(try taken(plan(), isMariaDB: true, number: 101119) == Array(Self.holders[..<1]))
        #expect(try taken(plan(), isMariaDB: true, number: 120100) == [])
        #expect(try taken(MySQLPlan()) == [])
    }

    @Test func `names of tables that go, or that were made already, are not in the way`() throws {
        var dropping = plan()
        dropping.drops = [MySQLObject(kind: .table, name: "orders_broken", statement: "")]
        #expect(try taken(dropping) == [])
        let own = [Holder(kind: .foreignKey, name: "orders_c_fk", table: "orders")]
        let kinds = MySQLConstraintNames.kinds(isMariaDB: false, number: 90700)
        #expect(try MySQLConstraintNames(plan(), kinds, source: "shop").inTheWay(own) == [])
    }

    @Test func `what is made without its name is not in the way`() throws {
        var lacking = plan()
        lacking.leftOut = [.init(table: ExactText("orders"), key: ExactText("orders_c_fk"))]
        #expect(try taken(lacking) == [Self.holders[1]])
        var copy = plan()
        copy.renamed = ("orders", "orders_copy")
        #expect(try taken(copy) == [])
    }
}
