import BackupCore
import Testing

@testable import MySQLEngine

@Suite struct MySQLScopeTests {
    private static func scope(_ storage: String, created: String) throws -> MySQLScope {
        let table = MySQLCatalog.Relation(
            name: TableName(schema: "shop", name: "t"), kind: .table, storage: storage,
            rowEstimate: 0, bytes: 0, created: created, isVersioned: false)
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
        let table = MySQLCatalog.Relation(
            name: TableName(schema: "shop", name: "t"), kind: .table, storage: "InnoDB",
            rowEstimate: 0, bytes: 0, created: "", isVersioned: false)
        var whole = try Self.scope("InnoDB", created: "")
        #expect(whole.namesOfStored == nil)
        whole.leaveOut([table.name])
        #expect(whole.namesOfStored == [])
        var request = SnapshotRequest(scope: .database)
        request.excluded = [try TablePattern("t")]
        #expect(try MySQLScope(request, [table], database: "shop").namesOfStored == [])
    }
}
