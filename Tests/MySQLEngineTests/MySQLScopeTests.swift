import BackupCore
import Testing

@testable import MySQLEngine

@Suite struct MySQLScopeTests {
    private static func table(
        _ name: String = "t", _ storage: String = "InnoDB", created: String = ""
    ) -> MySQLCatalog.Relation {
        MySQLCatalog.Relation(
            name: TableName(schema: "shop", name: name), kind: .table, storage: storage,
            rowEstimate: 0, bytes: 0, created: created, isVersioned: false)
    }

    private static func scope(_ storage: String, created: String) throws -> MySQLScope {
        let table = Self.table("t", storage, created: created)
        return try MySQLScope(SnapshotRequest(scope: .database), [table], database: "shop")
    }

    /// MariaDB gives the time of the last write as that of an ARCHIVE table.
    @Test(arguments: [("InnoDB", false), ("ARCHIVE", true), ("MyISAM", true)])
    func `a table was made anew where that is what its time says`(
        storage: String, isUnchanged: Bool
    ) throws {
        let before = try Self.scope(storage, created: "2024-01-01 10:00:00")
        let after = try Self.scope(storage, created: "2024-01-01 10:00:01")
        #expect(after.isUnchanged(since: before) == isUnchanged)
        #expect(before.isUnchanged(since: before))
    }

    @Test func `tables that are not stored are not asked about`() throws {
        let table = Self.table()
        var whole = try Self.scope("InnoDB", created: "")
        #expect(whole.namesOfStored == nil)
        whole.leaveOut([table.name])
        #expect(whole.namesOfStored == [])
        var request = SnapshotRequest(scope: .database)
        request.excluded = [try TablePattern("t")]
        #expect(try MySQLScope(request, [table], database: "shop").namesOfStored == [])
    }

    @Test func `thousands of tables are left out at once`() throws {
        let tables = (0..<20_000).map { Self.table("t\($0)") }
        var scope = try MySQLScope(
            SnapshotRequest(scope: .database), tables, database: "shop")
        let start = ContinuousClock.now
        scope.leaveOut(tables.dropFirst().map(\.name))
        #expect(ContinuousClock.now - start < .seconds(5))
        #expect(scope.stored.map(\.name.name) == ["t0"])
        #expect(scope.inScope.count == 1 && scope.unreadable.count == 19_999)
    }
}
