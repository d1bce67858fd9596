import Terminal
import Testing

@Suite struct TextTableTests {
    @Test func `columns are as wide as their widest text`() {
        var table = TextTable([("ID", .left), ("ROWS", .right), ("STATUS", .left)])
        table.add(["a", "1", "completed"])
        table.add(["longer id", "12,345", "failed"])
        #expect(
            table.lines == [
                "ID           ROWS  STATUS", "a               1  completed",
                "longer id  12,345  failed",
            ])
    }

    @Test func `a table without rows is its headings`() {
        #expect(TextTable([("ID", .left), ("ROWS", .right)]).lines == ["ID  ROWS"])
    }

    @Test func `no line ends in spaces`() {
        var table = TextTable([("A", .left), ("B", .left)])
        table.add(["", ""])
        table.add(["x", "long"])
        #expect(table.lines == ["A  B", "", "x  long"])
    }

    @Test func `a character is one column wide, however many bytes it has`() {
        var table = TextTable([("A", .left), ("B", .left)])
        table.add(["é", "1"])
        table.add(["cafe\u{301}", "2"])
        #expect(table.lines == ["A     B", "é     1", "cafe\u{301}  2"])
    }
}
