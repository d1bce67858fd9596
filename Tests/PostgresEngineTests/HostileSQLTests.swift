import BackupCore
import BackupTesting
import Testing

@testable import PostgresEngine

/// Any text is divided as SQL, and loses nothing; no name and no value breaks out of its quotes.
@Suite struct HostileSQLTests {
    private static let pieces = [
        "SELECT", "x", "1", " ", "\n", "\r", "\t", ";", ";", "(", ")", "'", "''", "\"", "E'", "e'",
        "\\", "\\'", "$$", "$a$", "$b", "$1", "--", "/*", "*/", "*", "/", "-", "BEGIN", "END",
        "CASE",
        "CREATE FUNCTION f()", "CREATE OR REPLACE PROCEDURE p()", "BEGIN ATOMIC", "RETURN 1", "é",
        "'\u{301}", "\"\u{301}", "😀", "\u{0}", ".", ",", "U&'", "B'1'",
    ]

    @Test func `whatever somebody types, statements are what stands between semicolons`()
        async throws
    {
        try await HostileSQL(
            "SQL for PostgreSQL", pieces: Self.pieces,
            tokens: { SQLTokens($0).tokens.map { Array($0.bytes) } },
            code: { text in
                let tokens = SQLTokens(text)
                return (tokens.isOpen ? tokens.tokens.dropLast() : tokens.tokens[...])
                    .filter { !$0.isBlank && $0.bytes != [UInt8(ascii: ";")] }
                    .map { Array($0.bytes) }
            },
            statements: { (PostgresStatements($0).all, PostgresStatements($0).isOpen) },
            lines: { PostgresStatementLines() }
        ).run { statements in
            statements.filter { PostgresStatements($0).all != [$0] }
                .map { "\($0) is \(PostgresStatements($0).all)" }
        }
    }

    @Test func `a name or a value is one word, and the same again`() async throws {
        try await Attack("quoted text for PostgreSQL").run(tries: Attack.tries * 200) { _, random in
            let text = random.text(maximumLength: 12)
            var broken: [String] = []
            let identifier = SQLTokens(SQLText.identifier(text))
            if identifier.isOpen || identifier.tokens.count != 1
                || identifier.tokens[0].identifier.map({ Array($0.utf8) }) != Array(text.utf8)
            {
                broken.append("identifier \(SQLText.identifier(text))")
            }
            let literal = SQLTokens(SQLText.literal(text))
            if literal.isOpen || literal.tokens.filter({ !$0.isSpace }).count != 1 {
                broken.append("literal \(SQLText.literal(text))")
            }
            var settings = PostgresSettings()
            settings.url = Secret("service='' dbname=x host=\(SQLText.connectionValue(text))")
            let host = settings.partsOfURL()["host"]
            if !text.utf8.contains(0), host.map({ Array($0.utf8) }) != Array(text.utf8) {
                broken.append("connection value is \(host ?? "none")")
            }
            return broken.map { "\(text.debugDescription): \($0)" }
        }
    }
}
