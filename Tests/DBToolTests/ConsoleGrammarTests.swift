import BackupTesting
import Testing

@testable import BackupCore
@testable import DBTool
@testable import PostgresEngine
@testable import Terminal

/// How lines of the console are understood, without a server.
@Suite struct ConsoleGrammarTests {
    @Test(arguments: [
        ("a  b\tc", ["a", "b", "c"]), ("'a b' \"c d\" e\\ f", ["a b", "c d", "e f"]),
        ("-path '/tmp/it''s'", ["-path", "/tmp/its"]), ("\"a\\\"b\" 'c\\d'", ["a\"b", "c\\d"]),
        ("$HOME *.csv a~ ''", ["$HOME", "*.csv", "a~", ""]), ("", []), ("a\\", ["a\\"]),
    ])
    func `words are quoted as in a shell, and nothing is expanded`(line: String, words: [String]) {
        #expect(ConsoleWords(line).words == words)
    }

    private func options(_ text: String) throws -> SQLOptions {
        let session = PostgresSQLSession(PostgresSettings())
        return try SQLOptions(line: text, starts: session.starts(in: text))
    }

    @Test(arguments: [
        ("SELECT * FROM users -extract -path /tmp/exports", "SELECT * FROM users ", "/tmp/exports"),
        ("SELECT '-extract -path /x' -extract -path '/a b'", "SELECT '-extract -path /x' ", "/a b"),
        ("SELECT 1 --extract --path /x", "SELECT 1 ", "/x"),
        ("SELECT $$ -extract $$ -format csv -extract -path ./y", "SELECT $$ -extract $$ ", "./y"),
    ])
    func `flags at the end belong to the console`(line: String, text: String, path: String) throws {
        let found = try options(line)
        #expect(found.text == text && found.path == path && found.extracts)
    }

    @Test(arguments: [
        "SELECT a -extract FROM t", "SELECT '-extract'", "SELECT 5 -path", "SELECT x-extract",
        "SELECT 1 /* -extract */",
        "SELECT 1 -extract -unknown", "SELECT \"-extract\"", "SELECT 1 -extract 'open",
    ])
    func `everything else is SQL`(line: String) throws {
        let found = try options(line)
        #expect(found.text == line && !found.extracts)
    }

    @Test(arguments: [
        ("a; b;", ["a", "b"]), ("SELECT ';'; -- x;\n", ["SELECT ';'"]), ("/* ; /* ; */ */ ;", []),
        ("SELECT $a$ ; $b$ ; $a$; x", ["SELECT $a$ ; $b$ ; $a$", "x"]),
        ("(a; b); c", ["(a; b)", "c"]),
        (
            "CREATE OR REPLACE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; x",
            [
                "CREATE OR REPLACE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END",
                "x",
            ]
        ),
        ("BEGIN; UPDATE t SET a = 1; END;", ["BEGIN", "UPDATE t SET a = 1", "END"]),
        (#"SELECT E'\';' ; "a;""b""#, [#"SELECT E'\';'"#, #""a;""b""#]),
    ])
    func `text is split where psql splits it`(text: String, statements: [String]) {
        #expect(PostgresStatements(text).all == statements)
        #expect(!PostgresStatements(text).isOpen)
    }

    @Test(arguments: [
        "'a", "\"a", "/* a", "/* /* */", "$$ a", "$x$ a $y$", "(a", "E'a\\'",
        "CREATE FUNCTION f() BEGIN ATOMIC x;",
    ])
    func `what has no end is open`(text: String) {
        #expect(PostgresStatements(text).isOpen)
    }

    @Test(arguments: SeededGenerator.seeds(count: 400))
    func `any bytes are split without loss, and nothing crashes`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let pieces = [
            "'", "\"", "$$", "$a$", "--", "/*", "*/", ";", "\\", "\n", " ", "(", ")", "a", "E'",
            "-extract", " -path ", "é", "\u{0}", "begin", "end",
        ]
        let text = (0..<Int.random(in: 0...60, using: &random)).map { _ in
            pieces[Int.random(in: 0..<pieces.count, using: &random)]
        }.joined()
        #expect(SQLTokens(text).tokens.flatMap(\.bytes) == Array(text.utf8), "seed \(seed)")
        let all = PostgresStatements(text).all
        for statement in all {
            #expect(text.contains(statement) && !statement.isEmpty, "seed \(seed)")
            // A statement by itself is one statement.
            #expect(PostgresStatements(statement).all == [statement], "seed \(seed)")
        }
        _ = try? options(text)
        _ = ConsoleWords(text).words
    }

    @Test func `a table shows NULL apart, keeps columns aligned and turns when it is too wide`() {
        var table = ResultTable([("id", true), ("name", false)], width: 40)
        var lines = table.add(["1", "a\nb"]) + table.add(["22", nil]) + table.add([nil, "NULL"])
        lines += table.add(["4", ""]) + table.end()
        #expect(
            lines == [
                "  id  name", "----  ------", "   1  a\\nb", "  22  NULL", "NULL  'NULL'", "   4",
            ])
        var wide = ResultTable([("a", false), ("long", false)], width: 20)
        #expect(
            wide.add([String(repeating: "x", count: 30), "y"]) + wide.end() == [
                "-- 1 --", "a     \(String(repeating: "x", count: 30))", "long  y",
            ])
    }

    @Test(arguments: [
        ("1", true, "1"), ("-0.50", true, "-0.50"), ("NaN", true, "\"NaN\""),
        ("007", true, "\"007\""), ("1", false, "\"1\""),
        ("a\"\\\n\u{1}é", false, "\"a\\\"\\\\\\n\\u0001é\""),
    ])
    func `values are JSON`(text: String, isNumeric: Bool, json: String) {
        #expect(JSONText.value(text, isNumeric: isNumeric) == json)
        #expect(JSONText.value(nil, isNumeric: isNumeric) == "null")
    }

    @Test(arguments: [
        ("fu", ["full"]), ("full d", ["database"]),
        ("differential backup -bas", ["-base", "-basis"]),
        ("SQL SELECT * FROM ord", ["orders"]), ("sql sel", ["select"]), ("SQL SEL", ["SELECT"]),
        ("SQL SELECT * FROM \"Od", ["\"Odd Name\""]), ("help fu", ["full"]),
        ("show full_", ["full_a", "full_b"]),
        ("SQL SELECT 1 -ex", ["-extract"]), ("full database -compress z", ["zstd"]),
    ])
    func `words are completed from what is known`(line: String, candidates: [String]) {
        let completion = ConsoleCompletion()
        completion.learn {
            $0.points = ["full_a", "full_b"]
            $0.names.tables = ["orders", "\"Odd Name\"", "s.t"]
            $0.names.keywords = ["SELECT", "FROM"]
        }
        #expect(completion.complete(line).candidates == candidates)
    }

    @Test(arguments: [
        "SQL ALTER ROLE x PASSWORD 'y'", "list --password y", "check -url postgresql://a:b@c/d",
    ])
    func `a line with a password is not remembered`(line: String) {
        #expect(InteractiveConsole.holdsSecret(line))
    }
}
