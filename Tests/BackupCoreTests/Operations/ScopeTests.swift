import BackupTesting
import Testing

@testable import BackupCore

/// Backups of everything, of some tables, and with rows left out, in one repository.
@Suite struct ScopeTests {
    /// A whole backup, and after it one of some tables and one without the rows of a table.
    private static func mixed() async throws -> (Shop, whole: String, some: String, without: String)
    {
        var shop = Shop()
        let whole = try await shop.backUp().metadata.id
        shop.request.snapshot.scope = .tables([try TablePattern("words")])
        let some = try await shop.backUp().metadata.id
        shop.request.snapshot = SnapshotRequest(scope: .database)
        shop.request.snapshot.excluded = [try TablePattern("items")]
        let without = try await shop.backUp().metadata.id
        return (shop, whole, some, without)
    }

    @Test func `a backup of some tables stands in for none of everything`() async throws {
        let (shop, whole, some, without) = try await Self.mixed()
        var retention = Retention()
        retention.daily = 1
        let prune = Prune(repository: shop.repository, retention: retention, holder: "the test")
        let plan = try await prune.run(database: "shop", progress: OperationProgress())
        #expect(plan.removed.isEmpty)
        #expect(Set(plan.decisions.map(\.id)) == [whole, some, without])
        #expect(plan.decisions.allSatisfy { $0.reasons == ["the newest of its day"] })

        try await shop.backUp()
        let again = try await prune.run(database: "shop", progress: OperationProgress())
        // The newest of those without a table replaces the older one.
        #expect(again.removed.map(\.id.text) == [without])
    }

    @Test func `who rests on a backup without some rows is told of the one that has them`()
        async throws
    {
        var (shop, whole, _, without) = try await Self.mixed()
        shop.request.snapshot = SnapshotRequest(scope: .database)
        shop.request.database = "shop"
        let point = try await shop.layer(.differential).metadata
        #expect(point.baseID == without)
        let warnings = point.warnings ?? []
        #expect(
            warnings.count == 1 && warnings[0].contains(whole) && warnings[0].contains(without),
            "\(warnings)")
        shop.request.base = whole
        let other = try await shop.layer(.differential).metadata
        #expect(other.baseID == whole && other.warnings == nil)
    }

    @Test func `what was not asked for is not told to be gone`() async throws {
        let (shop, whole, some, without) = try await Self.mixed()
        let contents = try await shop.repository.contents()
        for (old, new, table) in [(whole, some, "items"), (without, whole, "items")] {
            let diff = try PointDiff(
                from: contents.chain(named: old), to: contents.chain(named: new),
                in: shop.repository)
            let found = try await diff.run(progress: OperationProgress()).first {
                $0.table.name == table
            }
            #expect(found?.note?.hasPrefix("it is not in ") == true, "\(old) \(new)")
            #expect(found?.deleted == 0 && found?.added == 0)
        }
        let events = try await RowHistory(repository: shop.repository).run(
            TablePattern("items"), key: "3", database: nil, progress: OperationProgress())
        #expect(events.map(\.kind) == [.appeared])
    }
}
