import BackupTesting
import Testing

@testable import BackupCore

@Suite struct KeyReaderTests {
    @Test(arguments: [
        ([0], "1,a,b", "1"), ([2], "1,a,b", "b"), ([2, 0], "1,a,b", "b,1"),
        ([0, 1, 2], "1,a,b", "1,a,b"), ([1], "1,\"a,b\",c", "\"a,b\""),
        ([2], "\"say \"\"hi\"\", you\",\"two\nlines\",3", "3"),
        ([1, 0], "\"x\"\"y\",\"two\nlines\"", "\"two\nlines\",\"x\"\"y\""),
        ([0], "", ""), ([0], "\"\"", "\"\""), ([1], "a,", ""), ([0], ",a", ""),
    ])
    func `a key is the record's own bytes in key order`(
        positions: [Int], record: String, key: String
    ) {
        #expect(Self.key(positions, of: record) == key)
    }

    @Test func `a quoted end mark is the same key as one without quotes`() {
        #expect(Self.key([0], of: "\"\\.\"") == "\\.")
        #expect(Self.key([0], of: "\\.,x") == "\\.")
        #expect(Self.key([0, 1], of: "\"\\.\",x") == "\\.,x")
        #expect(Self.key([0], of: "\"\\N\"") == "\"\\N\"")
    }

    @Test func `a reader can be used for many records`() {
        var reader = KeyReader(positions: [1])
        var keys: [UInt8] = []
        for record in ["long record,first key", "b,2", "\"c,c\",3"] {
            record.utf8.withContiguousStorageIfAvailable {
                reader.appendKey(of: UnsafeRawBufferPointer($0), to: &keys)
            }
            keys.append(UInt8(ascii: ";"))
        }
        #expect(String(decoding: keys, as: UTF8.self) == "first key;2;3;")
    }

    @Test func `a key is a record of the key's fields`() throws {
        for seed in SeededGenerator.seeds(count: 300) {
            var random = SeededGenerator(seed: seed)
            let fields = (0..<4).map { _ in random.text(maximumLength: 8) }
            let positions = Array([0, 1, 2, 3].shuffled(using: &random).prefix(2))
            let record = String(decoding: CSVDialect.record(fields).dropLast(), as: UTF8.self)
            let key = Self.key(positions, of: record)
            let expected = CSVDialect.record(positions.map { fields[$0] }).dropLast()
            #expect(Array(key.utf8) == Array(expected), "seed \(seed)")
        }
    }

    private static func key(_ positions: [Int], of record: String) -> String {
        var reader = KeyReader(positions: positions)
        var key: [UInt8] = []
        Array(record.utf8).withUnsafeBytes { reader.appendKey(of: $0, to: &key) }
        return String(decoding: key, as: UTF8.self)
    }
}
