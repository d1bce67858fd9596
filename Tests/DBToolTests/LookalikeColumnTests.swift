import BackupTesting
import Testing

@testable import BackupCore
@testable import DBTool

/// Names that Swift takes for equal are those of two columns to a database.
@Suite struct LookalikeColumnTests {
    /// An é of one character, and one of two.
    private static let (short, long) = ("\u{e9}", "e\u{301}")
    private static let table = TableName(schema: "public", name: "t")

    private static func repository() async throws -> (Repository, full: String, layer: String) {
        let content = MemoryDatabase.Content(
            Table(memory: "public", "t", columns: ["k", short, long], key: ["k"]),
            rows: [["1", "a", "b"]])
        let server = MemoryServer(["shop": MemoryDatabase([content])])
        let repository = Repository(storage: MemoryStorage())
        var request = BackupRequest(
            snapshot: SnapshotRequest(scope: .database), toolVersion: "0.0.1")
        func backUp() async throws -> String {
            try await Backup(
                engine: MemoryEngine(server), repository: repository, request: request
            ).run(progress: OperationProgress()).metadata.id
        }
        let full = try await backUp()
        try server.change("shop") { database in
            let changed: [[String?]] = [["1", "a", "c"]]
            database[rows: table] = changed
        }
        request.kind = .differential
        return (repository, full, try await backUp())
    }

    /// Whether a text is there byte for byte.
    private static func has(_ bytes: [UInt8], _ text: String) -> Bool {
        let wanted = Array(text.utf8)
        return bytes.indices.contains { bytes[$0...].starts(with: wanted) }
    }

    @Test func `history shows both`() async throws {
        let (repository, _, _) = try await Self.repository()
        let events = try await RowHistory(repository: repository).run(
            TablePattern("t"), key: "1", database: nil, progress: OperationProgress())
        let rendering = HistoryRendering(table: "t", key: "1", events)
        for values in [("a", "b"), ("a", "c")] {
            let row =
                "{\"k\":\"1\",\"\(Self.short)\":\"\(values.0)\",\"\(Self.long)\":\"\(values.1)\"}"
            #expect(Self.has(rendering.json, row), "\(values)")
        }
        let document = try JSON(parsing: String(decoding: rendering.json, as: UTF8.self))
        #expect(document["events"].items.map { $0["event"].string } == ["appeared", "changed"])
        let changed = rendering.lines.drop { !$0.contains("changed") }.dropFirst()
        #expect(changed.map(ExactText.init) == [ExactText("    \(Self.long): b → c")])
    }

    @Test func `diff shows both`() async throws {
        let (repository, full, layer) = try await Self.repository()
        let contents = try await repository.contents()
        let diff = try PointDiff(
            from: contents.chain(named: full), to: contents.chain(named: layer), in: repository)
        let lines = Exclusive<[UInt8]>([])
        _ = try await diff.run(progress: OperationProgress()) { row in
            lines.withValue { $0 += DifferenceLines(.json).lines(of: row) }
        }
        let json = lines.withValue { $0 }
        let words = "\"k\":\"1\",\"\(Self.short)\":\"a\",\"\(Self.long)\":"
        #expect(Self.has(json, "{\"change\":\"changed\",\"key\":\"1\",\"new\":{\(words)\"c\"}"))
        #expect(Self.has(json, "\"old\":{\(words)\"b\"},\"schema\":\"public\",\"table\":\"t\"}\n"))
    }

    @Test func `rows of a query have both`() async throws {
        let written = Exclusive<[UInt8]>([])
        let sink = RecordSink(.jsonl) { bytes in written.withValue { $0 += bytes } }
        try await sink.begin(
            [Self.short, Self.long, Self.long].map { SQLColumn(name: $0, kind: .text) })
        var rows = SQLRows(columnCount: 3)
        for _ in 0..<3 { rows.append(nil) }
        rows.endRow()
        try await sink.take(rows)
        let names = [Self.short, Self.long, "\(Self.long)_2"].map { "\"\($0)\": null" }
        let line = "{\(names.joined(separator: ", "))}\n"
        #expect(written.withValue { $0 } == Array(line.utf8))
    }
}
