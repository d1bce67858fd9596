import Testing

@testable import MySQLEngine

@Suite struct MySQLAdditionsTests {
    private func table(_ items: String...) throws -> MySQLAdditions.Table? {
        let columns = """
            `id` int NOT NULL,
              `d` date DEFAULT NULL,
              `t` varchar(20) DEFAULT NULL,
              PRIMARY KEY (`id`)
            """
        let text =
            "CREATE TABLE `t` (\n  \(([columns] + items).joined(separator: ",\n  "))\n) ENGINE=InnoDB"
        let additions = MySQLAdditions(
            [try MySQLTableStatement(text, database: "s")], MySQLPlan(), continues: false,
            database: "db", source: "s")
        return additions.indexes(missing: MySQLAdditions.Built()).first
    }

    private static let virtual = "`v` date GENERATED ALWAYS AS (cast(`t` as date)) VIRTUAL"
    private static let stored = "`s` date GENERATED ALWAYS AS (cast(`t` as date)) STORED"

    @Test func `words come first, and keys on expressions by themselves`() throws {
        let table = try table(
            Self.virtual, "KEY `a` (`d`)", "KEY `e` ((lower(`t`)))", "UNIQUE KEY `b` (`v`)",
            "KEY `u` ((upper(`t`)))", "FULLTEXT KEY `f` (`t`)", "FULLTEXT KEY `g` (`t`)")
        #expect(
            table?.statements.map(\.name) == ["f of t", "g of t", "a of t", "e, u of t", "b of t"])
        #expect(table?.statements.allSatisfy(\.computes) == true)
        #expect(table?.computesKeys == true)
    }

    @Test func `unique keys that are found by a hash come after all others`() throws {
        let table = try table(
            Self.virtual, "UNIQUE KEY `h` (`t`) USING HASH", "UNIQUE KEY `b` (`d`)",
            "KEY `a` (`v`)", "KEY `n` (`t`) USING HASH", "FULLTEXT KEY `f` (`t`)")
        #expect(table?.statements.map(\.name) == ["f of t", "b, a, n of t", "h of t"])
    }

    private static let needs: [(String, Bool)] = [
        ("KEY `a` (`d`)", false),
        ("`j` longtext DEFAULT NULL CHECK (json_valid(`j`))", false),
        ("CONSTRAINT `c` CHECK (`id` > 0)", true),
        ("`n` date GENERATED ALWAYS AS (cast(`t` as date)) STORED NOT NULL", true),
    ]

    @Test(arguments: needs)
    func `rows that days may have let in are told from others`(
        item: String, needs: Bool
    ) throws {
        let table = try table(Self.stored, item, "KEY `n` (`t`)")
        #expect(table?.mayNeedDays == needs)
    }

    @Test func `a table that computes no days gets all at once`() throws {
        let table = try table(
            "KEY `a` (`d`)", "KEY `e` ((lower(`t`)))", "UNIQUE KEY `u` ((upper(`t`)))")
        #expect(table?.statements.map(\.name) == ["a, e, u of t"])
        #expect(table?.computesValues == true)
        #expect(table?.statements.contains(where: \.computes) == false)
    }

    @Test func `rows are asked for such days where keys are computed of them`() throws {
        let table = try table(Self.stored, Self.virtual, "KEY `a` (`d`)")
        #expect(table?.computesKeys == false)
        #expect(table?.statements.allSatisfy(\.computes) == true)
        #expect(
            table?.rowWithLackingDay
                == "SELECT 1 FROM `db`.`t` WHERE DAYOFMONTH(`d`) > DAYOFMONTH(LAST_DAY(`d`)) "
                + "OR DAYOFMONTH(`s`) > DAYOFMONTH(LAST_DAY(`s`)) LIMIT 1")
    }
}
