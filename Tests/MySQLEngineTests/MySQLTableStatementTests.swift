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

    @Test func `conditions of a table have names, those of a column have none`() throws {
        let statement = try MySQLTableStatement(
            """
            CREATE TABLE `t` (
              `q` int DEFAULT NULL CHECK (`q` > 0),
              CONSTRAINT `of_p` FOREIGN KEY (`q`) REFERENCES `p` (`id`),
              CONSTRAINT `chk_q` CHECK ((`q` > 0)),
              CONSTRAINT `check` CHECK ((`q` < 9)) /*!80016 NOT ENFORCED */
            ) ENGINE=InnoDB
            """, database: "d")
        #expect(statement.checks == ["chk_q", "check"])
        #expect(statement.foreignKeys.map(\.name) == ["of_p"])
        #expect(statement.creation().contains("CONSTRAINT `chk_q` CHECK"))
    }
}
