import BackupTesting
import Foundation
import Testing

/// What was made over a connection that speaks another character set than UTF-8, or takes backslashes for letters.
@Suite struct MySQLOtherCharactersTests {
    /// What there is, and that it does what it did.
    private static func question(_ letter: String) -> String {
        """
        INSERT INTO `t\(letter)` (a) VALUES (7); SELECT a, `\(letter)` FROM `t\(letter)`; CALL `\(letter)p`(); SELECT `\(letter)f`(8);
        SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE() ORDER BY 1;
        SELECT EVENT_NAME, EVENT_COMMENT, EVENT_DEFINITION FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE();
        SELECT ROUTINE_NAME, ROUTINE_COMMENT FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE() ORDER BY 1
        """
    }

    @Test(arguments: MySQLTestServer.all, ["latin1", "cp1251"])
    func `names and comments that came in another character set come back`(
        server: MySQLTestServer, set: String
    ) async throws {
        // What one byte is in each.
        let letter = set == "latin1" ? "é" : "й"
        try await MySQLBench.with(server) { bench in
            let script = """
                SET NAMES \(set);
                CREATE TABLE `t~`(a int, `~` int);
                CREATE PROCEDURE `~p`() COMMENT '~ COMMENT' SELECT '~';
                CREATE FUNCTION `~f`(`~` int) RETURNS int DETERMINISTIC RETURN `~`;
                CREATE TRIGGER `x~` BEFORE INSERT ON `t~` FOR EACH ROW SET NEW.`~` = 1;
                CREATE TRIGGER plain AFTER INSERT ON `t~` FOR EACH ROW SET @x = 1;
                CREATE EVENT `~v` ON SCHEDULE EVERY 1 YEAR COMMENT '~' DO SELECT '~';

                """
            let bytes = script.utf8.map { $0 == UInt8(ascii: "~") ? 0xE9 : $0 }
            try await bench.source.load(Data(bytes))
            let backup = try await bench.backUp()
            let copy = try await bench.restored(backup.id, ["--check", "rows"])
            let question = Self.question(letter)
            let answer = try await bench.source.query(question)
            #expect(answer.contains("\(letter) COMMENT"), "\(answer)")
            #expect(try await copy.query(question) == answer)
            // As the server's own client makes it.
            let other = bench.other("by_hand")
            try await server.query("CREATE DATABASE \(other.name) CHARACTER SET utf8mb4")
            try await other.load(
                try String(contentsOfFile: "\(backup.folder)/schema.sql", encoding: .utf8))
            #expect(try await other.query(question) == answer)
        }
    }

    @Test(arguments: MySQLTestServer.all.filter(\.isMariaDB), ["latin1", "cp1251"])
    func `packages that came in another character set come back`(
        server: MySQLTestServer, set: String
    ) async throws {
        let letter = set == "latin1" ? "é" : "й"
        try await MySQLBench.with(server) { bench in
            let script = """
                SET NAMES \(set); SET sql_mode = 'ORACLE';
                DELIMITER //
                CREATE PACKAGE `p~` COMMENT 'head ~' AS FUNCTION `f~`(a int) RETURN varchar(9); END//
                CREATE PACKAGE BODY `p~` COMMENT 'body ~' AS
                  FUNCTION `f~`(a int) RETURN varchar(9) AS BEGIN RETURN CONCAT('~', a); END;
                END//
                CREATE PACKAGE `q~` AS PROCEDURE q COMMENT '~'; END//
                DELIMITER ;

                """
            try await bench.source.load(
                Data(script.utf8.map { $0 == UInt8(ascii: "~") ? 0xE9 : $0 }))
            let backup = try await bench.backUp()
            let copy = try await bench.restored(backup.id)
            let question = """
                SET sql_mode = 'ORACLE'; SELECT `p\(letter)`.`f\(letter)`(7);
                SELECT ROUTINE_NAME, ROUTINE_TYPE, ROUTINE_COMMENT FROM information_schema.ROUTINES
                WHERE ROUTINE_SCHEMA = DATABASE() ORDER BY 1, 2
                """
            let answer = try await bench.source.query(question)
            #expect(
                answer.hasPrefix("\(letter)7\n") && answer.contains("body \(letter)"), "\(answer)")
            #expect(try await copy.query(question) == answer)
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `labels that the server may print as question marks are warned of`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            var script = Data(
                """
                CREATE TABLE good (id int PRIMARY KEY, a enum('?', 'x') CHARACTER SET utf8mb4, b set('why?') CHARACTER SET latin2,
                  c enum('no') CHARACTER SET big5);
                SET NAMES big5; CREATE TABLE bad (id int PRIMARY KEY, a enum('
                """.utf8)
            script += [0xC8, 0x40] + Data("', 'x') CHARACTER SET big5);\n".utf8)
            // It has the table's labels.
            script += Data("CREATE VIEW upon AS SELECT a FROM bad;\n".utf8)
            try await bench.source.load(script)
            let backup = try await bench.backUp()
            let warnings = backup.report["warnings"].items.compactMap(\.string)
            #expect(
                warnings.count == 1
                    && warnings.allSatisfy { $0.hasPrefix("labels of bad.a have question marks") },
                "\(warnings)")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `comments have as many backslashes as they had`(server: MySQLTestServer) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.load(
                #"""
                SET sql_mode = 'NO_BACKSLASH_ESCAPES';
                CREATE PROCEDURE p() COMMENT 'C:\tmp\x' SELECT 1;
                CREATE FUNCTION f(a enum('COMMENT', 'b')) RETURNS int DETERMINISTIC COMMENT 'it''s
                \n\' RETURN 1;
                CREATE EVENT e ON SCHEDULE EVERY 1 YEAR STARTS '2037-01-01' COMMENT 'C:\' DO SELECT '\';
                SET sql_mode = '';
                CREATE PROCEDURE q() COMMENT 'C:\\tmp\nx' SELECT 1;

                """#)
            let backup = try await bench.backUp()
            let copy = try await bench.restored(backup.id)
            try await bench.expectEqual(bench.source, copy)
            let question = """
                SELECT ROUTINE_NAME, HEX(ROUTINE_COMMENT) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()
                UNION ALL
                SELECT EVENT_NAME, HEX(EVENT_COMMENT) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE() ORDER BY 1
                """
            #expect(try await copy.query(question) == bench.source.query(question))
        }
    }
}
