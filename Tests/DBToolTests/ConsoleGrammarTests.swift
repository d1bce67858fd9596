import ArgumentParser
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

    @Test(arguments: [
        ("plain-name_1.csv", "plain-name_1.csv"), ("", ""), ("été", "été"), ("my dir", "'my dir'"),
        ("it's", "'it'\"'\"'s'"), ("a\"b", "'a\"b'"), ("a\\b", "'a'\"\\\\\"'b'"), ("~x", "'~x'"),
        ("a--b", "'a--b'"), ("(;", "'(;'"),
    ])
    func `a word is quoted as far as it must be`(word: String, quoted: String) {
        #expect(ConsoleWords.quoted(word) == quoted)
        #expect(ConsoleWords(quoted).words == (word.isEmpty ? [] : [word]))
    }

    @Test func `a quote under an accent is a quote`() {
        #expect(ConsoleWords("'\u{301} a' \"\u{301}\"").words == ["\u{301} a", "\u{301}"])
        #expect(ShellWord(typed: "'\u{301} a'").value == "\u{301} a")
    }

    @Test(.timeLimit(.minutes(10)))
    func `a statement of very many negative numbers is looked through once`() throws {
        let rows = (0..<150_000).map { "(\($0), -\($0), 'x')" }.joined(separator: ", ")
        let found = try options("INSERT INTO t VALUES \(rows) -extract -format csv")
        #expect(found.extracts && found.text.hasSuffix("-149999, 'x') "))
    }

    @Test(.timeLimit(.minutes(10)))
    func `a body of very many lines is read once`() {
        var lines = PostgresStatementLines()
        lines.add("CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $body$ SELECT '")
        for _ in 0..<350_000 { lines.add("a line of text") }
        #expect(lines.isOpen && !lines.endsStatement)
        lines.add("'; $body$;")
        #expect(!lines.isOpen && lines.endsStatement)
    }

    private func options(_ text: String) throws -> SQLOptions {
        let session = PostgresSQLSession(PostgresSettings(), notice: { _ in })
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
        ("SELECT (1\n, 2)", [true, false], false),
        ("SELECT 'a\n\nb' ;", [true, true, false], true),
        ("/* a\n*/ SELECT 1; -- done", [true, false], true),
        ("SELECT 1;\nSELECT 2", [false, false], false),
        ("CREATE FUNCTION f() BEGIN ATOMIC\nSELECT 1;\nEND;", [true, true, false], true),
        ("SELECT $a$\n;$a\n$a$;", [true, true, false], true),
        ("SELECT 1 -- x\r; SELECT 2;", [false], true),
    ])
    func `lines are open until what they began has its end`(
        text: String, isOpen: [Bool], endsStatement: Bool
    ) {
        var lines = PostgresStatementLines()
        let found = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            lines.add(String(line))
            return lines.isOpen
        }
        #expect(found == isOpen)
        #expect(lines.endsStatement == endsStatement)
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
        var lines = PostgresStatementLines()
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            lines.add(String(line))
        }
        #expect(lines.isOpen == PostgresStatements(text).isOpen, "seed \(seed)")
        _ = try? options(text)
        _ = ConsoleWords(text).words
    }

    @Test(
        arguments: [
            (
                "full database", [],
                "full database --database d --host h --config manual --env-file e --pg-dump p --path r"
            ),
            (
                "full database --url u", [],
                "full database --url u --config manual --env-file e --pg-dump p --path r"
            ),
            (
                "list -url=u -config file -path x", [],
                "list -url=u -config file -path x --env-file e --pg-dump p"
            ),
            ("list --host o", ["--password", "s"], "list --host o --database d --password s"),
            ("list --url o", ["--password", "s"], "list --url o"),
        ] as [(String, [String], String)])
    func `a line of the console leaves out what it means as the console does`(
        line: String, more: [String], whole: String
    ) throws {
        let files = ["--config", "manual", "--env-file", "e", "--pg-dump", "p"]
        let setting = ConsoleSetting(
            try ConnectionOptions.parse(
                ["--host", "h", "--database", "d"] + (more.isEmpty ? files : more)),
            try RepositoryOptions.parse(more.isEmpty ? ["--path", "r"] : []), password: nil,
            isJSON: false)
        #expect(setting.completed(ConsoleWords(line).words) == ConsoleWords(whole).words)
    }

    @Test(arguments: [
        ("0", true), ("-0", true), ("10", true), ("0.10", true), ("-1.5e-7", true),
        ("1E+400", true),
        ("12345678901234567890.123", true), ("", false), ("-", false), ("01", false),
        ("-01", false),
        ("1.", false), (".5", false), ("1e", false), ("1e+", false), ("+1", false), ("1 ", false),
        ("NaN", false), ("Infinity", false), ("1.2.3", false), ("0x1", false), ("\u{661}", false),
    ])
    func `a number is one of JSON's, or a text`(text: String, isNumber: Bool) {
        #expect(JSONText.value(text, .number) == (isNumber ? text : "\"\(text)\""))
    }

    @Test func `only a terminal that wants them gets colours, and they take no room`() {
        var table = ResultTable([("n", true), ("名前", false)], width: 40, style: .always)
        let lines = table.add(["10", nil]) + table.add(["1", "表"]) + table.end()
        #expect(
            lines == [
                " \u{1B}[1mn\u{1B}[0m  \u{1B}[1m名前\u{1B}[0m", "\u{1B}[2m--  ----\u{1B}[0m",
                "10  \u{1B}[2mNULL\u{1B}[0m", " 1  表",
            ])
        #expect(TextStyle.output.strong("a") == "a")
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
        ("1", SQLColumn.Kind.number, "1"), ("-0.50", .number, "-0.50"), ("NaN", .number, "\"NaN\""),
        ("007", .number, "\"007\""), ("1", .text, "\"1\""), ("t", .boolean, "true"),
        ("f", .boolean, "false"), ("t", .text, "\"t\""),
        ("{\"a\":\r\n [1, null]}", .document, "{\"a\":   [1, null]}"),
        ("a\"\\\n\u{1}é", .text, "\"a\\\"\\\\\\n\\u0001é\""),
    ])
    func `values are JSON`(text: String, kind: SQLColumn.Kind, json: String) {
        #expect(JSONText.value(text, kind) == json)
        #expect(JSONText.value(nil, kind) == "null")
    }

    @Test(arguments: [
        ("fu", ["full"]), ("full d", ["database"]),
        ("differential backup -bas", ["-base", "-basis"]),
        ("SQL SELECT * FROM ord", ["orders"]), ("sql sel", ["select"]), ("SQL SEL", ["SELECT"]),
        ("SQL SELECT * FROM \"Od", ["\"Odd Name\""]), ("help fu", ["full"]),
        ("show full_", ["full_a", "full_b"]),
        ("SQL SELECT 1 -ex", ["-extract"]), ("SQL SELECT * FROM orders WHERE n", ["note"]),
        ("SQL SELECT * FROM orders o WHERE o.", ["o.id", "o.note"]),
        ("SQL SELECT * FROM \"Odd Name\" AS x WHERE x.n", ["x.name"]),
        ("full database -compress z", ["zstd"]), ("full tables -tablename Od", ["'Odd Name'"]),
        ("full tables -tablename 'Od", ["'Odd Name'"]), ("rows latest s.", ["s.t"]),
        ("rows latest Gif", ["'\"Gift \"\"Cards\"\", für\"'"]), ("rows latest a.", ["'\"a.b`c\"'"]),
    ])
    func `words are completed from what is known`(line: String, candidates: [String]) {
        let completion = ConsoleCompletion()
        completion.learn {
            $0.points = ["full_a", "full_b"]
            $0.names.tables = [
                "orders", "\"Odd Name\"", "s.t", "`Gift \"Cards\", für`", "`a.b``c`",
            ]
            $0.names.columns = ["orders": ["id", "note"], "\"Odd Name\"": ["name"]]
            $0.names.keywords = ["SELECT", "FROM"]
        }
        #expect(completion.complete(line).candidates == candidates)
    }

    @Test(arguments: [
        "SQL ALTER ROLE x PASSWORD 'y'", "SQL SELECT crypt('y', 'z')", "list --password y",
        "check -url postgresql://a:b@c/d",
    ])
    func `a line with a password is not remembered`(line: String) {
        #expect(SecretText.mayBe(in: line))
    }
}
