import Testing

@testable import PostgresEngine

/// Who is in whose way, in words.
@Suite struct PostgresPeerTests {
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
