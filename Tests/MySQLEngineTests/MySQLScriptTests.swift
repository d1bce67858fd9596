import BackupCore
import Testing

@testable import MySQLEngine

/// The text that makes things again is that of the things, whatever stands in them.
@Suite struct MySQLScriptTests {
    static let counters = [
        (
            "CREATE TABLE `a` (\n  `id` int\n) ENGINE=InnoDB AUTO_INCREMENT=77 DEFAULT CHARSET=utf8mb4",
            "CREATE TABLE `a` (\n  `id` int\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
        ),
        (
            "CREATE TABLE `a` (\n  `id` int COMMENT ' AUTO_INCREMENT=5 '\n) ENGINE=InnoDB",
            "CREATE TABLE `a` (\n  `id` int COMMENT ' AUTO_INCREMENT=5 '\n) ENGINE=InnoDB"
        ),
        (
            "CREATE TABLE `a` (\n  `id` int\n) ENGINE=InnoDB AUTO_INCREMENT=7 COMMENT=' AUTO_INCREMENT=8'",
            "CREATE TABLE `a` (\n  `id` int\n) ENGINE=InnoDB COMMENT=' AUTO_INCREMENT=8'"
        ),
        (
            "CREATE TABLE `a` (\n  `id` int\n) ENGINE=InnoDB COMMENT=' AUTO_INCREMENT=8'",
            "CREATE TABLE `a` (\n  `id` int\n) ENGINE=InnoDB COMMENT=' AUTO_INCREMENT=8'"
        ),
        (
            "CREATE TABLE `a` (\n  `id` int\n) ENGINE=InnoDB AUTO_INCREMENT=9\n PARTITION BY HASH (`id`)",
            "CREATE TABLE `a` (\n  `id` int\n) ENGINE=InnoDB\n PARTITION BY HASH (`id`)"
        ),
    ]

    @Test(arguments: counters)
    func `the next value of a key is no part of its table`(
        statement: String, without: String
    ) {
        #expect(MySQLObject.withoutCounter(statement) == without)
    }

    /// It could be made once only.
    @Test func `what the server names twice is refused`() throws {
        let event = MySQLObject(
            kind: .event, name: "e",
            statement: "CREATE DEFINER=`u`@`%` EVENT `e` ON SCHEDULE EVERY 1 DAY DO SELECT 1")
        #expect(try !MySQLSource.script([event], "utf8mb4_bin").isEmpty)
        let error = #expect(throws: BackupError.self) {
            try MySQLSource.script([event, event], "utf8mb4_bin")
        }
        #expect(error?.message == "the server names event e twice")
    }

    /// It would fire nowhere, or elsewhere.
    @Test func `a trigger that is printed with another table is refused`() throws {
        var trigger = MySQLObject(
            kind: .trigger, name: "x",
            statement: "CREATE TRIGGER `x` BEFORE INSERT ON `tÃ©` FOR EACH ROW SET @x = 1")
        trigger.table = "té"
        #expect(throws: BackupError.self) { try MySQLSource.script([trigger], "utf8mb4_bin") }
        trigger.table = "TÃ©"
        #expect(try !MySQLSource.script([trigger], "utf8mb4_bin").isEmpty)
    }

    @Test func `what is printed in another character set is called as it is listed`() {
        let listing = MySQLListing(kind: .trigger, name: "xé", table: "té")
        let printed = "CREATE TRIGGER `xÃ©` BEFORE INSERT ON `d`.`tÃ©` FOR EACH ROW SET NEW.`é`=1"
        #expect(
            listing.corrected(printed, characterSet: "latin1", mode: "")
                == "CREATE TRIGGER `xé` BEFORE INSERT ON `d`.`té` FOR EACH ROW SET NEW.`é`=1")
        #expect(listing.corrected(printed, characterSet: "utf8mb4", mode: "") == printed)
    }

    /// In gbk the quote behind it belongs to the name's last sign.
    @Test(arguments: [
        "CREATE PROCEDURE `鏃?()\nSELECT 1", "CREATE PROCEDURE `鏃?(`a` int)\nSELECT `a`",
        "CREATE PROCEDURE `鏃?()\nSELECT 1 AS `x`",
    ])
    func `a name that swallows what follows is not put in its place`(printed: String) {
        let listing = MySQLListing(kind: .procedure, name: "日")
        #expect(listing.corrected(printed, characterSet: "gbk", mode: "") == printed)
        let object = MySQLObject(kind: .procedure, name: "日", statement: printed)
        #expect(throws: BackupError.self) { try MySQLSource.script([object], "utf8mb4_bin") }
    }

    @Test func `comments are written for the mode that they are made under`() {
        let listing = MySQLListing(kind: .function, name: "f", comment: #"it's\"#)
        let printed = #"""
            CREATE FUNCTION `f`(a enum("COMMENT",'b')) RETURNS int
                COMMENT 'it''s\\'
            RETURN 1
            """#
        #expect(
            listing.corrected(printed, characterSet: "utf8mb4", mode: "NO_BACKSLASH_ESCAPES")
                == printed.replacing(#"\\"#, with: #"\"#))
        #expect(listing.corrected(printed, characterSet: "utf8mb4", mode: "") == printed)
    }

    @Test func `a body that holds the delimiter gets another one`() {
        let body = MySQLObject(
            kind: .procedure, name: "p",
            statement: "CREATE PROCEDURE `p`() BEGIN SELECT ';;'; SELECT 1;; END")
        let text = MySQLScript.text(of: [body], collation: "utf8mb4_bin")
        #expect(text.contains("DELIMITER ;;;\n\(body.statement)\n;;;\nDELIMITER ;\n"))
    }

    /// The client would take the delimiter for a part of the comment.
    @Test func `a body that ends with a comment is followed by its delimiter`() throws {
        let body = MySQLObject(
            kind: .procedure, name: "p",
            statement: "CREATE PROCEDURE `p`()\nBEGIN\n  SELECT 1;\nEND -- note")
        let text = MySQLScript.text(of: [body], collation: "utf8mb4_bin")
        #expect(text.contains("END -- note\n;;\n"))
        let read = try MySQLDefinition(Array(text.utf8)).objects
        #expect(read.map(\.statement) == [body.statement])
        // As older versions have written it.
        let old = text.replacing("END -- note\n;;", with: "END;;")
        #expect(
            try MySQLDefinition(Array(old.utf8)).objects.map(\.statement)
                == ["CREATE PROCEDURE `p`()\nBEGIN\n  SELECT 1;\nEND"])
    }

    @Test
    func `a body keeps the collation of its database, and the next one has the database's own`()
        throws
    {
        let bodies = ["a", "b", "c"].map { name in
            MySQLObject(
                kind: .function, name: name,
                statement: "CREATE FUNCTION `\(name)`() RETURNS int RETURN 1",
                settings: [.init(name: "sql_mode", value: "")]
                    + (name == "b"
                        ? [] : [.init(name: "collation_database", value: "latin1_\(name)")]))
        }
        let table = MySQLObject(kind: .table, name: "t", statement: "CREATE TABLE `t` (`id` int)")
        let text = MySQLScript.text(of: [table] + bodies, collation: "own")
        #expect(try MySQLDefinition(Array(text.utf8)).objects == [table] + bodies)
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("ALTER") }
        #expect(
            lines
                == ["latin1_a", "own", "latin1_c", "own"].map {
                    "ALTER DATABASE COLLATE = `\($0)`;"
                })
    }
}
