import BackupCore
import Testing

@testable import PostgresEngine

/// In which order locks are taken, and how often somebody looks who is in the way.
@Suite struct PostgresTableLocksTests {
    private static func table(_ name: String) -> TableName { TableName(schema: "s", name: name) }

    private static let locks = [
        PostgresTableLocks.Lock(table: table("whole"), mode: .keepsParts),
        PostgresTableLocks.Lock(table: table("a"), mode: .alone),
        PostgresTableLocks.Lock(table: table("b"), mode: .alone),
        PostgresTableLocks.Lock(table: table("c"), mode: .alone),
    ]

    private static let parts = "LOCK TABLE ONLY \"s\".\"whole\" IN SHARE UPDATE EXCLUSIVE MODE"

    private static func alone(_ names: String...) -> String {
        let list = names.map { "ONLY \"s\".\"\($0)\"" }.joined(separator: ", ")
        return "LOCK TABLE \(list) IN ACCESS EXCLUSIVE MODE"
    }

    @Test func `what is in use is waited for before others are held alone`() {
        #expect(
            PostgresTableLocks.statements(for: Self.locks, first: Self.table("b"))
                == [Self.parts, Self.alone("b"), Self.alone("a", "c")])
    }

    @Test(arguments: [nil, "whole"])
    func `each table is locked once, in order`(first: String?) {
        #expect(
            PostgresTableLocks.statements(for: Self.locks, first: first.map(Self.table))
                == [Self.parts, Self.alone("a", "b", "c")])
        #expect(PostgresTableLocks.statements(for: [], first: nil).isEmpty)
    }

    @Test func `circles are gone through for a minute from the first one, however late that comes`()
    {
        let first = ContinuousClock.now.advanced(by: .seconds(3600))
        var circles = PostgresTableLocks.Circles()
        for (seconds, isAllowed) in [(0, true), (1, true), (59, true), (60, false), (3600, false)] {
            let allowed = circles.allowAnother(at: first.advanced(by: .seconds(seconds)))
            #expect(allowed == isAllowed, "\(seconds)")
        }
    }

    @Test func `a look that fails ends nothing but the looking`() async throws {
        struct Gone: Error {}
        var looks = 0
        let blind = try await PostgresTableLocks.found(every: .zero) { () throws -> TableName? in
            looks += 1
            guard looks < 3 else { throw Gone() }
            return nil
        }
        #expect(blind == nil && looks == 3)
        let found = try await PostgresTableLocks.found(every: .zero) { () throws -> TableName? in
            looks += 1
            return looks < 6 ? nil : Self.table("a")
        }
        #expect(found == Self.table("a") && looks == 6)
        await #expect(throws: CancellationError.self) {
            try await PostgresTableLocks.found(every: .zero) { () throws -> TableName? in
                throw CancellationError()
            }
        }
    }

    @Test(
        arguments: [("1000", 125), ("400", 50), ("1", 10), ("600000", 125), (nil, 125)]
            as [(String?, Int)])
    func `a circle is seen before the server ends somebody for it, and soon`(
        setting: String?, milliseconds: Int
    ) {
        #expect(
            PostgresTableLocks.interval(deadlockTimeout: setting) == .milliseconds(milliseconds))
    }
}
