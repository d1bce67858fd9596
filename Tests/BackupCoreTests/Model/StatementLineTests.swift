import Testing

@testable import BackupCore

@Suite struct StatementLineTests {
    @Test(
        arguments: [
            ("SELECT 1", "SELECT 1"), ("ALTER\n\tTABLE  x;\u{1B}[31m", "ALTER TABLE x; [31m"),
            (String(repeating: "x", count: 80), String(repeating: "x", count: 80)),
            (String(repeating: "x", count: 81), String(repeating: "x", count: 79) + "…"),
        ])
    func `a statement is one line without control characters`(text: String, line: String) {
        #expect(StatementLine.line(of: text) == line)
    }

    @Test func `a statement that may hold a password is not shown`() {
        #expect(StatementLine.shown("SELECT 1") == "SELECT 1")
        let words = StatementLine.shown("ALTER USER a IDENTIFIED  BY 'x'")
        #expect(words == "its statement may hold a password")
    }
}
