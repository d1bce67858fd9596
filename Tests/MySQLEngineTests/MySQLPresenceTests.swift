import BackupCore
import Testing

@testable import MySQLEngine

@Suite struct MySQLPresenceTests {
    /// Since MariaDB 12 a trigger may have several events, which its catalog lists in one text.
    @Test(arguments: [
        ("INSERT", true, true), ("DELETE", false, true), ("UPDATE", false, false),
        ("INSERT,UPDATE", true, true), ("UPDATE, DELETE", false, true), ("", false, false),
    ])
    func `a trigger fires at any of its events`(events: String, append: Bool, truncate: Bool) {
        let trigger = MySQLPresence.Trigger(name: "t", manipulation: events)
        #expect(trigger.fires(at: .append) == append)
        #expect(trigger.fires(at: .truncate) == truncate)
    }

    @Test func `a trigger that is listed once for each event is one`() {
        var trigger = MySQLPresence.Trigger(name: "t", manipulation: "UPDATE")
        #expect(!trigger.fires(at: .append))
        trigger.add("INSERT")
        #expect(trigger.fires(at: .append) && trigger.events == ["INSERT", "UPDATE"])
    }
}
