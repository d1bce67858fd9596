import Testing

@testable import MySQLEngine

@Suite struct MySQLTableStatementTests {
    @Test(arguments: [
        ("`id` int NOT NULL AUTO_INCREMENT,\n  PRIMARY KEY (`id`)", "ARCHIVE", true),
        ("`id` int NOT NULL AUTO_INCREMENT,\n  UNIQUE KEY `k` (`id`)", "ARCHIVE", true),
        ("`id` int NOT NULL AUTO_INCREMENT,\n  KEY `k` (`id`)", "ARCHIVE", false),
        ("`id` int NOT NULL", "ARCHIVE", false),
        ("`id` int NOT NULL AUTO_INCREMENT,\n  PRIMARY KEY (`id`)", "InnoDB", false),
    ])
    func `a key that counts makes ARCHIVE take rows in order`(
        columns: String, engine: String, isExpected: Bool
    ) throws {
        let text = "CREATE TABLE `t` (\n  \(columns)\n) ENGINE=\(engine) DEFAULT CHARSET=utf8mb4"
        let statement = try MySQLTableStatement(text, database: "d")
        #expect(statement.takesRowsInOrder == isExpected)
    }
}
