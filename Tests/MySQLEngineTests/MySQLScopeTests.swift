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
}
