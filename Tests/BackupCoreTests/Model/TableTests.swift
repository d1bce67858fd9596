import BackupCore
import BackupTesting
import Testing

@Suite struct TableTests {
    private static func table(_ columns: [Column], key: [String]) -> Table {
        Table(
            name: TableName(schema: "public", name: "t"), columns: columns, key: key,
            identity: TableIdentity(object: "1", storage: "2", textDigest: ""))
    }

    private static let columns = [
        Column(name: "a", type: "integer", number: 1),
        Column(name: "sum", type: "integer", number: 2, isGenerated: true),
        Column(name: "b", type: "text", number: 3), Column(name: "c", type: "text", number: 4),
    ]

    @Test func `generated columns are not stored, and do not count as positions`() {
        let table = Self.table(Self.columns, key: ["c", "a"])
        #expect(table.storedColumns.map(\.name) == ["a", "b", "c"])
        #expect(table.keyPositions == [2, 0])
    }

    @Test func `a key with a generated column is no key of the file`() {
        #expect(Self.table(Self.columns, key: ["a", "sum"]).keyPositions.isEmpty)
        #expect(Self.table(Self.columns, key: []).keyPositions.isEmpty)
    }

    @Test func `a key column that only looks like another is the right one`() {
        let columns = [
            Column(name: "cafe\u{301}", type: "text", number: 1),
            Column(name: "caf\u{E9}", type: "text", number: 2),
        ]
        #expect(Self.table(columns, key: ["caf\u{E9}"]).keyPositions == [1])
    }

    @Test func `a batch that was emptied can be filled again`() {
        var batch = RowBatch(rows: [["a"], ["b"]])
        #expect(batch.count == 2)
        batch.removeAll()
        #expect(batch.isEmpty && batch.bytes.isEmpty && !batch.isFull)
        Array("c\n".utf8).withUnsafeBytes { batch.append(record: $0) }
        #expect(batch.ends == [2])
    }
}
