import Testing

@testable import BackupCore

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
}
