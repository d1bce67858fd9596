import BackupCore
import BackupTesting
import Testing

@testable import PostgresEngine

@Suite struct SQLTextTests {
    @Test func `a quote in a name or a value is doubled`() {
        #expect(SQLText.identifier("say \"hi\"") == "\"say \"\"hi\"\"\"")
        #expect(SQLText.literal("it's") == "'it''s'")
        #expect(SQLText.literal("a\\'b") == " E'a\\\\''b'")
        #expect(SQLText.qualified(TableName(schema: "a.b", name: "c")) == "\"a.b\".\"c\"")
    }

    @Test func `a quote under an accent does not end a name or a value`() {
        let accent = "\u{301}; DROP TABLE users; --"
        #expect(
            Array(SQLText.identifier("x\"" + accent).utf8) == Array("\"x\"\"\(accent)\"".utf8))
        #expect(Array(SQLText.literal("x'" + accent).utf8) == Array("'x''\(accent)'".utf8))
        #expect(
            Array(SQLText.literal("x\\" + accent).utf8) == Array(" E'x\\\\\(accent)'".utf8))
    }

    @Test func `no text breaks out of its quotes`() {
        for seed in SeededGenerator.seeds(count: 300) {
            var random = SeededGenerator(seed: seed)
            let text = random.text(maximumLength: 12)
            let inside = SQLText.identifier(text).unicodeScalars.dropFirst().dropLast()
            let quotes = inside.filter { $0 == "\"" }.count
            #expect(quotes == 2 * text.unicodeScalars.filter { $0 == "\"" }.count, "seed \(seed)")
        }
    }
}
