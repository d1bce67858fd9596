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
