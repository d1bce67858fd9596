import BackupCore
import BackupTesting
import Testing

@testable import MySQLEngine

/// Which numbers of InnoDB are those of a table.
@Suite struct MySQLTableNumbersTests {
    private static let rows: [[String?]] = [
        ["shop/orders", "1065"], ["shop/Orders", "1066"], ["shop/order@002ditems", "1070"],
        ["shop/days#P#p0", "1081"], ["shop/days#P#p1", "1082"], ["shop/days#P#p2", "1090"],
        ["shop/#sql-ib1", "1100"], ["Shop/prices", "1200"], ["sho@0070/x", "7"],
        ["shop/gone", nil],
    ]

    @Test(arguments: [
        ("orders", "1065"), ("Orders", "1066"), ("order-items", "1070"),
        ("days", "1081-1082,1090"), ("prices", ""), ("gone", ""), ("größen", ""), ("", ""),
    ])
    func `a table has the numbers of its own files alone`(table: String, number: String) {
        #expect(MySQLTableNumbers(Self.rows, of: "shop").number(of: table) == number)
    }

    @Test func `where case tells no names apart InnoDB has small letters`() {
        let numbers = MySQLTableNumbers([["my@002eshop/orders", "9"]], of: "My.Shop")
        #expect(numbers.number(of: "Orders") == "9")
        #expect(MySQLTableNumbers([["x/orders", "9"]], of: "größe").number(of: "orders") == "")
    }

    @Test(arguments: MySQLTestServer.all)
    func `a table that is made anew or emptied has another number, and keeps it under another name`(
        server: MySQLTestServer
    ) async throws {
        try await server.withDatabase { database in
            try await database.query(
                """
                CREATE TABLE plain (id int PRIMARY KEY) ENGINE = InnoDB; CREATE TABLE `odd #.1` (id int) ENGINE = InnoDB;
                CREATE TABLE divided (id int PRIMARY KEY) ENGINE = InnoDB PARTITION BY KEY (id) PARTITIONS 3
                """)
            func identities() async throws -> [String: String] {
                try await database.withSnapshot { snapshot in
                    snapshot.schema.tables.reduce(into: [:]) {
                        $0[$1.name.name] = $1.identity.object
                    }
                }
            }
            let before = try await identities()
            #expect(before.count == 3 && !before.values.contains(""), "\(before)")
            #expect(Set(before.values).count == 3, "\(before)")
            try await database.query(
                """
                INSERT INTO plain VALUES (1); INSERT INTO divided VALUES (1), (2), (3);
                RENAME TABLE `odd #.1` TO other; TRUNCATE TABLE divided
                """)
            let after = try await identities()
            #expect(after["plain"] == before["plain"], "\(before), \(after)")
            #expect(after["other"] == before["odd #.1"], "\(before), \(after)")
            #expect(after["divided"] != before["divided"], "\(after)")
        }
    }
}
