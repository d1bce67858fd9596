import Testing

@testable import PostgresEngine

/// When row versions of a server mean what they meant at the parent's snapshot.
@Suite struct PostgresIdentityTests {
    private static let parent = [
        "system_identifier": "7", "database_oid": "16384", "timeline": "1", "lsn": "A/10",
        "postmaster_start_time": "2026-01-01T00:00:00", "snapshot_xmin": "900",
        "snapshot_xmax": "1000",
    ]

    private func loss(_ changes: [String: String?], trustsRestart: Bool = false) -> String? {
        var now = Self.parent
        for (name, value) in changes { now[name] = value }
        return PostgresIdentity(now).loss(
            since: PostgresIdentity(Self.parent), trustsRestart: trustsRestart)
    }

    @Test func `the same server, later or at once, goes on`() {
        #expect(loss([:]) == nil)
        #expect(loss(["snapshot_xmin": "1500", "snapshot_xmax": "2000", "lsn": "A/11"]) == nil)
        #expect(loss(["lsn": "B/0"]) == nil)
        #expect(loss(["snapshot_xmax": "\(900 + (1 << 31) - 1)"]) == nil)
    }

    @Test(arguments: [
        ("system_identifier", "8"), ("database_oid", "16385"), ("timeline", "2"),
        ("postmaster_start_time", "2026-01-02T00:00:00"), ("snapshot_xmax", "999"), ("lsn", "9/FF"),
        ("lsn", "A/F"), ("lsn", "nonsense"), ("snapshot_xmax", "\(900 + (1 << 31))"),
    ])
    func `anything else does not`(name: String, value: String) {
        #expect(loss([name: value]) != nil)
    }

    @Test(arguments: parent.keys.filter { $0 != "snapshot_xmin" }.sorted())
    func `what is not known is no proof`(name: String) {
        #expect(loss([name: nil]) != nil)
        let now = PostgresIdentity(Self.parent)
        var before = Self.parent
        before[name] = nil
        #expect(now.loss(since: PostgresIdentity(before), trustsRestart: false) != nil)
    }

    @Test func `a snapshot whose oldest transaction is one to come is no horizon`() {
        var before = Self.parent
        before["snapshot_xmin"] = "1001"
        let now = PostgresIdentity(Self.parent.merging(["snapshot_xmax": "2000"]) { $1 })
        #expect(now.loss(since: PostgresIdentity(before), trustsRestart: false) != nil)
        before["snapshot_xmin"] = "1000"
        #expect(now.loss(since: PostgresIdentity(before), trustsRestart: false) == nil)
    }

    @Test func `a restart can be trusted, and nothing else`() {
        #expect(loss(["postmaster_start_time": "later"], trustsRestart: true) == nil)
        #expect(loss(["timeline": "2"], trustsRestart: true) != nil)
        #expect(
            PostgresIdentity([:]).loss(since: PostgresIdentity([:]), trustsRestart: true) != nil)
    }

    @Test func `positions are compared as numbers`() {
        // As text 9/0 would be behind A/10.
        var before = Self.parent
        before["lsn"] = "9/0"
        let now = PostgresIdentity(Self.parent.merging(["lsn": "10/0"]) { $1 })
        #expect(now.loss(since: PostgresIdentity(before), trustsRestart: false) == nil)
    }
}
