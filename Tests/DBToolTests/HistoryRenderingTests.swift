import BackupTesting
import Testing

@testable import BackupCore
@testable import DBTool

/// What became of a row, as people read it.
@Suite struct HistoryRenderingTests {
    @Test func `a value that became NULL is told from the text NULL`() async throws {
        let table = TableName(schema: "public", name: "t")
        let rows: [[String?]] = [["1", "NULL", ""]]
        let content = MemoryDatabase.Content(
            Table(memory: "public", "t", columns: ["k", "a", "b"], key: ["k"]), rows: rows)
        let server = MemoryServer(["shop": MemoryDatabase([content])])
        let repository = Repository(storage: MemoryStorage())
        var request = BackupRequest(
            snapshot: SnapshotRequest(scope: .database), toolVersion: "0.0.1")
        for kind in [BackupKind.full, .differential] {
            request.kind = kind
            _ = try await Backup(
                engine: MemoryEngine(server), repository: repository, request: request
            ).run(progress: OperationProgress())
            try server.change("shop") { database in
                let changed: [[String?]] = [["1", nil, "x"]]
                database[rows: table] = changed
            }
        }
        let events = try await RowHistory(repository: repository).run(
            TablePattern("t"), key: "1", database: nil, progress: OperationProgress())
        let lines = HistoryRendering(table: "t", key: "1", events).lines
        #expect(
            lines.filter { $0.hasPrefix("    ") } == [
                "    k: 1", "    a: 'NULL'", "    b: ''", "    a: 'NULL' → NULL", "    b: '' → x",
            ])
    }
}
