import BackupTesting
import Testing

@testable import BackupCore

@Suite struct TableRecordsTests {
    @Test func `records come in order of their names, and are found by them`() {
        let names = ["b", "a", "é", "e\u{301}", "Z", ""].flatMap { name in
            ["x", "é"].map { TableName(schema: $0, name: name) }
        }
        let records = TableRecords(names.map(Self.record))
        #expect(records.map(\.tableName) == names.sorted())
        for name in names { #expect(records[name]?.tableName == name) }
        for missing in [("x", "c"), ("e\u{301}", "a"), ("", ""), ("zz", "z")] {
            #expect(records[TableName(schema: missing.0, name: missing.1)] == nil)
        }
        #expect(TableRecords([])[names[0]] == nil)
    }

    /// Two spellings of a letter are equal to Swift, and names of two things in a database.
    @Test(arguments: 1...40)
    func `backups that are held together are each what was written`(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let storage = MemoryStorage()
        var written: [String: [UInt8]] = [:]
        for number in 1...6 {
            let id = "full_a_2025010\(number)_000000_0001"
            let metadata = Self.metadata(id, day: number, &random)
            written[id] = try JSONFile.bytes(of: metadata)
            try await storage.write(
                StorageName(path: "\(id)/metadata.json"), bytes: written[id] ?? [])
        }
        let points = try await Repository(storage: storage).contents().points
        #expect(points.count == written.count)
        for point in points {
            #expect(
                try JSONFile.bytes(of: point.metadata) == written[point.id.text], "seed \(seed)")
        }
    }

    @Test func `a load tells columns of the file from those that were computed`() {
        var record = Self.record(TableName(schema: "s", name: "t"))
        record.columns = [
            Column(name: "n", type: "integer", number: 1),
            Column(name: "twice", type: "bigint", number: 2, isGenerated: true),
            Column(name: "t", type: "text", number: 3),
        ]
        #expect(record.load.columns == ["n", "t"])
        #expect(record.load.types == ["integer", "text"])
        #expect(record.load.computed == ["twice"])
    }

    // MARK: Making metadata

    private static let texts = ["é", "e\u{301}", "E", "\u{212B}", "A\u{30A}"]

    private static func record(_ name: TableName) -> TableRecord {
        TableRecord(
            Table(memory: name.schema, name.name, columns: ["a"]), mode: .whole,
            fingerprint: StoredFingerprint(Fingerprint()))
    }

    private static func metadata(
        _ id: String, day: Int, _ random: inout SeededGenerator
    ) -> Metadata {
        func text() -> String { texts.randomElement(using: &random) ?? "" }
        func maybe() -> String? { Bool.random(using: &random) ? text() : nil }
        var metadata = RepositoryTests.metadata(id, at: "2025-01-0\(day)T00:00:00Z")
        metadata.database = text()
        metadata.consistency = text()
        metadata.warnings = maybe().map { [$0] }
        metadata.sourceIdentity = [text(): text()]
        metadata.roles = [text(), text()]
        metadata.tables = TableRecords(
            Set((0..<4).map { _ in TableName(schema: text(), name: text()) }).sorted().map {
                var record = record($0)
                record.columns = [Column(name: text(), type: text(), number: 1)]
                record.key = [text()]
                record.rows = Int.random(in: 0...1, using: &random)
                (record.file, record.sha256, record.reason) = (maybe(), maybe(), maybe())
                (record.basisFrom, record.split, record.filter) = (maybe(), maybe(), maybe())
                record.latest = maybe().map { [$0: text()] }
                record.identity = TableIdentity(
                    object: text(), storage: text(), textDigest: text())
                record.loadsThrough = maybe().map { TableName(schema: $0, name: text()) }
                return record
            })
        return metadata
    }
}
