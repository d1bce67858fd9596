import Testing

@testable import PostgresEngine

/// What lasts is said at growing intervals, and no more.
@Suite struct ReminderTests {
    private func said(_ seconds: [Double]) -> [Double] {
        var reminder = Reminder()
        return seconds.filter { second in
            !reminder.due(among: [(key: "a", seconds: second, text: "a")]).isEmpty
        }
    }

    @Test func `what lasts is said after 2 s, after 10 s, after a minute and each minute then`() {
        #expect(said([0, 1.9]) == [])
        #expect(
            said(stride(from: 0, through: 250, by: 2).map(\.self)) == [2, 10, 60, 120, 180, 240])
        // A look that came late misses nothing.
        #expect(said([0, 100, 101]) == [100])
    }

    @Test func `what ended and begins again is new`() {
        #expect(said([2, 12, 1, 3]) == [2, 12, 3])
        var reminder = Reminder()
        let thing = (key: "a", seconds: 5.0, text: "a waits")
        #expect(reminder.due(among: [thing]) == ["a waits"])
        #expect(reminder.due(among: []) == [])
        #expect(reminder.due(among: [thing]) == ["a waits"])
    }

    @Test(
        arguments: [
            ("SELECT 1", "SELECT 1"), ("ALTER\n\tTABLE  x;\u{1B}[31m", "ALTER TABLE x; [31m"),
            (String(repeating: "x", count: 80), String(repeating: "x", count: 80)),
            (String(repeating: "x", count: 81), String(repeating: "x", count: 79) + "…"),
        ])
    func `a statement is one line without control characters`(text: String, line: String) {
        #expect(PostgresPeer.line(of: text) == line)
    }

    @Test func `a statement that sets a password is not shown`() {
        let row = ["7", "app", "idle in transaction", nil, "ALTER ROLE app\nPASSWORD 's3cr3t'"]
        let peer = PostgresPeer(row: row[...])
        #expect(peer.description.hasSuffix(": its statement may hold a password"))
        #expect(!peer.description.contains("s3cr3t"))
    }

    @Test func `those behind are counted once, whatever way they wait`() {
        let blockers = [
            "2": ["1"], "3": ["2"], "4": ["2", "3"], "5": ["9"], "6": ["5"], "7": ["1"],
        ]
        let count = PostgresLocks.count(behind: "2", in: blockers, without: ["1"])
        #expect(count == 2)
        #expect(PostgresLocks.count(behind: "7", in: blockers, without: ["1"]) == 0)
    }
}
