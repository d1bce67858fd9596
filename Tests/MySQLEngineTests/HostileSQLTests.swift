import BackupCore
import BackupTesting
import Testing

@testable import MySQLEngine

/// Any text is divided as SQL, and loses nothing; no name and no value breaks out of its quotes.
@Suite struct HostileSQLTests {
    private static let pieces = [
        "SELECT", "x", "1", " ", "\n", "\r", "\t", ";", ";", "(", ")", "'", "''", "\"", "`", "``",
        "\\", "\\'", "$$", "//", "--", "-- ", "#", "/*", "/*!", "*/", "*", "/", "-", "BEGIN", "END",
        "CASE", "IF", "THEN", "LOOP", "END IF", "CREATE PROCEDURE p()", "CREATE TRIGGER t",
        "FOR EACH ROW",
        "é", "'\u{301}", "`\u{301}", "😀", ".", ",",
    ]

    @Test func `whatever somebody types, statements are what stands between semicolons`()
        async throws
    {
        try await HostileSQL(
            "SQL for MySQL", pieces: Self.pieces,
            tokens: { MySQLTokens($0).tokens.map { Array($0.bytes) } },
            code: { text in
                let tokens = MySQLTokens(text)
                return (tokens.isOpen ? tokens.tokens.dropLast() : tokens.tokens[...])
                    // Two minus signs are a comment where the statement ends behind them.
                    .filter { $0.isCode && !$0.isSign(";") && !$0.isSign("-") }
                    .map { Array($0.bytes) }
            },
            statements: { (MySQLStatements($0).all, MySQLStatements($0).isOpen) },
            lines: { MySQLStatementLines() }
        ).run()
    }

    @Test func `a name or a value is one word, and the same again`() async throws {
        try await Attack("quoted text for MySQL").run(tries: Attack.tries * 200) { _, random in
            let text = random.text(maximumLength: 12)
            var broken: [String] = []
            let identifier = MySQLTokens(MySQLText.identifier(text))
            if identifier.isOpen || identifier.tokens.count != 1
                || identifier.tokens[0].identifier.map({ Array($0.utf8) }) != Array(text.utf8)
            {
                broken.append("identifier \(MySQLText.identifier(text))")
            }
            let literal = MySQLTokens(MySQLText.literal(text))
            if literal.isOpen || literal.tokens.count != 1
                || literal.tokens[0].literal.map({ Array($0.utf8) }) != Array(text.utf8)
            {
                broken.append("literal \(MySQLText.literal(text))")
            }
            return broken.map { "\(text.debugDescription): \($0)" }
        }
    }

    @Test func `a script with bodies is divided into what it was written from`() async throws {
        // A body that the server keeps has an end of all its quotes.
        let words =
            Self.pieces.filter {
                $0.unicodeScalars.allSatisfy { !"'\"`\\*".unicodeScalars.contains($0) }
            } + ["'it''s;;'", "`a``;;`", "/* ; */", "-- ;;;\n"]
        try await Attack("schema.sql of MySQL").run(tries: Attack.tries * 100) { _, random in
            let objects = (0..<3).map { number in
                let body = (0..<Int.random(in: 0...15, using: &random))
                    .map { _ in words.randomElement(using: &random) ?? "" }.joined(separator: " ")
                return MySQLObject(
                    kind: .procedure, name: "p\(number)",
                    statement: "CREATE PROCEDURE p\(number)() \(body)\nEND")
            }
            let found = MySQLStatements(MySQLScript.text(of: objects, collation: "own")).all
            return objects.filter { object in
                !found.contains { $0.utf8.elementsEqual(object.statement.utf8) }
            }.map { "\($0.statement.debugDescription) is none of \(found)" }
        }
    }
}
