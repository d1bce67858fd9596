import Testing

@testable import MySQLEngine

/// Which names mean databases that are the server's own.
@Suite struct MySQLSystemDatabaseTests {
    @Test(arguments: ["mysql", "sys", "information_schema", "performance_schema"])
    func `the server's own are known`(name: String) {
        for distinguishesCase in [true, false] {
            #expect(
                MySQLSystemDatabase.isMeant(by: name, distinguishesCase: distinguishesCase))
        }
    }

    /// Somebody's database may be called like one, but for its case.
    @Test func `a name in another case means one where the server does not tell them apart`() {
        for (name, isMeant) in [
            ("MySQL", false), ("SYS", false), ("INFORMATION_SCHEMA", true),
            ("Performance_Schema", true),
        ] {
            #expect(MySQLSystemDatabase.isMeant(by: name, distinguishesCase: true) == isMeant)
            #expect(MySQLSystemDatabase.isMeant(by: name, distinguishesCase: false))
        }
    }

    @Test(arguments: ["", "shop", "mysql2", "my", "sys_", "mysqĺ"])
    func `others are not`(name: String) {
        #expect(!MySQLSystemDatabase.isMeant(by: name, distinguishesCase: false))
    }
}
