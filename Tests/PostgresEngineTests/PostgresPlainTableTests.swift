import Testing

@testable import PostgresEngine

@Suite struct PostgresPlainTableTests {
    @Test(
        arguments: [
            ("a\tb\n", ["a", "b"]), ("\\N\t\n", [nil, ""]), ("\\\\N\t\\\\\n", ["\\N", "\\"]),
            ("a\\tb\\nc\\r\td\n", ["a\tb\nc\r", "d"]), ("\n", [""]),
            ("\u{fc}\t\\b\\f\\v", ["\u{fc}", "\u{8}\u{c}\u{b}"]),
        ] as [(String, [String?])])
    func `a line of COPY is read as it was written`(line: String, fields: [String?]) {
        #expect(PostgresPlainTable.fields(of: Array(line.utf8)[...]) == fields)
    }
}
