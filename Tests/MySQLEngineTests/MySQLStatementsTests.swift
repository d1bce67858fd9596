import Testing

@testable import MySQLEngine

@Suite struct MySQLStatementsTests {
    @Test(arguments: [
        ("SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]),
        (
            "SELECT ';', \"a;b\", `c;d` -- e;f\n; # g;\nSELECT 2;;",
            ["SELECT ';', \"a;b\", `c;d` -- e;f", "# g;\nSELECT 2"]
        ),
        (
            "SELECT 'it\\'s; ', 'a''b;'; /* ; */ SELECT 3 /* x */",
            ["SELECT 'it\\'s; ', 'a''b;'", "/* ; */ SELECT 3 /* x */"]
        ),
        (
            "CREATE PROCEDURE p() BEGIN SELECT 1; IF a THEN SELECT 2; END IF; END; SELECT 3",
            ["CREATE PROCEDURE p() BEGIN SELECT 1; IF a THEN SELECT 2; END IF; END", "SELECT 3"]
        ),
        (
            "CREATE PROCEDURE p() BEGIN a: LOOP WHILE x DO SET y = IF(1, 2, 3); END WHILE; LEAVE a; END LOOP; CASE WHEN 1 THEN SELECT CASE x WHEN 1 THEN 2 END; END CASE; END; SELECT 3",
            [
                "CREATE PROCEDURE p() BEGIN a: LOOP WHILE x DO SET y = IF(1, 2, 3); END WHILE; LEAVE a; END LOOP; CASE WHEN 1 THEN SELECT CASE x WHEN 1 THEN 2 END; END CASE; END",
                "SELECT 3",
            ]
        ),
        (
            "CREATE TRIGGER t BEFORE INSERT ON x FOR EACH ROW SET NEW.a = 1; SELECT 1",
            ["CREATE TRIGGER t BEFORE INSERT ON x FOR EACH ROW SET NEW.a = 1", "SELECT 1"]
        ),
        (
            "CREATE TRIGGER t BEFORE INSERT ON x FOR EACH ROW IF NEW.a THEN SET NEW.a = 1; END IF; SELECT 1",
            [
                "CREATE TRIGGER t BEFORE INSERT ON x FOR EACH ROW IF NEW.a THEN SET NEW.a = 1; END IF",
                "SELECT 1",
            ]
        ),
        (
            "CREATE PROCEDURE IF NOT EXISTS p() SELECT 1; SELECT 2",
            ["CREATE PROCEDURE IF NOT EXISTS p() SELECT 1", "SELECT 2"]
        ),
        (
            "DROP PROCEDURE IF EXISTS p; BEGIN; SELECT 1; COMMIT",
            ["DROP PROCEDURE IF EXISTS p", "BEGIN", "SELECT 1", "COMMIT"]
        ),
        (
            "DELIMITER //\nCREATE PROCEDURE p() BEGIN SELECT 1; END//\nDELIMITER ;\nSELECT 2;",
            ["CREATE PROCEDURE p() BEGIN SELECT 1; END", "SELECT 2"]
        ),
        ("DECLARE", ["DECLARE"]), ("  ;; ", []), ("-- only a comment\n", []),
    ])
    func `a text is divided at semicolons outside of quotes, comments and bodies`(
        text: String, statements: [String]
    ) {
        #expect(MySQLStatements(text).all == statements)
    }

    @Test(.timeLimit(.minutes(10)))
    func `a quote of very many lines is read once`() {
        var lines = MySQLStatementLines()
        lines.add("INSERT INTO t VALUES ('")
        for _ in 0..<350_000 { lines.add("a line of text") }
        #expect(lines.isOpen && !lines.endsStatement)
        lines.add("');")
        #expect(!lines.isOpen && lines.endsStatement)
    }

    @Test func `a statement that comes line by line is open until its body ends`() {
        var lines = MySQLStatementLines()
        for line in ["CREATE PROCEDURE p() BEGIN", "  SELECT 'a", "b;';", "END"] {
            lines.add(line)
            #expect(!lines.endsStatement, "\(line)")
        }
        lines.add(";")
        #expect(lines.endsStatement && !lines.isOpen)
    }

    @Test(arguments: [
        "SELECT 1", "(SELECT 1) UNION (SELECT 2)", "SHOW TABLES", "EXPLAIN SELECT 1", "desc t",
        "TABLE t", "VALUES ROW(1)",
        "WITH a AS (SELECT 1) SELECT * FROM a", "SELECT 'INTO'", "SELECT 1 -- INTO\n",
        "SELECT into_x FROM t", "SELECT SLEEP(0)",
    ])
    func `what only reads is run`(statement: String) {
        #expect(MySQLReading.isAllowed(statement))
    }

    @Test(arguments: [
        "INSERT INTO t VALUES (1)", "SELECT 1 INTO OUTFILE 'x'", "SELECT 1 INTO @a",
        "SELECT /*! 1 INTO @a */", "SELECT 1 /*M! INTO @a */",
        "CALL p()", "DO 1", "SET @a = 1", "EXPLAIN ANALYZE SELECT 1", "SELECT NEXTVAL(s)",
        "SELECT `nextval`(s)", "SELECT NEXT VALUE FOR s",
        "SELECT GET_LOCK('a', 1)", "HANDLER t OPEN", "ANALYZE TABLE t", "LOCK TABLES t READ",
        "SELECT 'open", "BEGIN", "PREPARE s FROM 'x'", "",
    ])
    func `what may write, or is not understood, is not run`(statement: String) {
        #expect(!MySQLReading.isAllowed(statement))
    }
}
