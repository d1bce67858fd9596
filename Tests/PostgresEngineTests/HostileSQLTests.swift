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
        try await Attack("SQL for PostgreSQL").run(tries: Attack.tries * 200) { _, random in
            let text = (0..<Int.random(in: 0...25, using: &random))
                .map { _ in Self.pieces.randomElement(using: &random) ?? "" }
                .joined(separator: Bool.random(using: &random) ? " " : "")
            let tokens = SQLTokens(text)
            let whole = PostgresStatements(text)
            var broken: [String] = []
            if tokens.tokens.flatMap(\.bytes) != Array(text.utf8) { broken.append("tokens") }
            if whole.all.flatMap(Self.code) != Self.code(text) {
                broken.append("statements \(whole.all)")
            }
            for statement in whole.all where PostgresStatements(statement).all != [statement] {
                broken.append("\(statement) is \(PostgresStatements(statement).all)")
            }
            let (pieces, isOpen) = Self.lineByLine(text)
            if pieces.map(Self.code) != whole.all.map(Self.code) {
                broken.append("line by line \(pieces), at once \(whole.all)")
            }
            if isOpen != whole.isOpen { broken.append("open: \(isOpen), at once \(whole.isOpen)") }
            return broken.map { "\(text.debugDescription): \($0)" }
        }
    }

    /// What of a text the server reads, without what divides statements and the end of what is open: a comment may
    /// belong to the statement before it, or to the next one.
    private static func code(_ text: String) -> [[UInt8]] {
        let tokens = SQLTokens(text)
        return (tokens.isOpen ? tokens.tokens.dropLast() : tokens.tokens[...])
            .filter { !$0.isBlank && $0.bytes != [UInt8(ascii: ";")] }.map(\.bytes)
    }

    /// As a console reads them.
    private static func lineByLine(_ text: String) -> (statements: [String], isOpen: Bool) {
        var statements: [String] = []
        var (lines, read): (any SQLStatementLines, [Substring]) = (PostgresStatementLines(), [])
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            lines.add(String(line))
            read.append(line)
            guard lines.endsStatement, !lines.isOpen else { continue }
            statements += PostgresStatements(read.joined(separator: "\n")).all
            (lines, read) = (PostgresStatementLines(), [])
        }
        return (
            statements + PostgresStatements(read.joined(separator: "\n")).all, lines.isOpen
        )
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
