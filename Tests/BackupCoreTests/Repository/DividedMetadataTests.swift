import BackupTesting
import Testing

@testable import BackupCore

@Suite struct DividedMetadataTests {
    @Test func `what is said of each table is cut out`() throws {
        let text =
            #" { "a" : [ 1, {"tables": [{}]} ] , "tables" : [ {"b": "]}\"{"} ,{"c":[[]]}]  ,"d":null}"#
        let divided = try #require(DividedMetadata(Array(text.utf8)))
        #expect(
            String(decoding: divided.rest, as: UTF8.self)
                == #" { "a" : [ 1, {"tables": [{}]} ] , "tables" : []  ,"d":null}"#)
        #expect(
            divided.tables.map { String(decoding: $0, as: UTF8.self) }
                == [#"{"b": "]}\"{"}"#, #"{"c":[[]]}"#])
        #expect(try #require(DividedMetadata(Array(#"{"tables":[ ]}"#.utf8))).tables.isEmpty)
    }

    @Test(arguments: [
        "", "{", "[]", "{}", #"{"a":1}"#, #"{"tables":1}"#, #"{"tables":{}}"#, #"{"tables":[1]}"#,
        #"{"tables":[{}"#, #"{"tables":[{}]"#, #"{"tables":[{},]}"#, #"{"tables":[,{}]}"#,
        #"{"tables":[{} {}]}"#, #"{"tables":[{}],"tables":[]}"#,
        #"{"tables":[],"t\u0061bles":[{}]}"#,
        #"{"a":[{"tables":[]}]}"#, #"{"a":"\"tables":[]}"#, "{\"tables\":[{}\u{B},{}]}",
        "\u{FEFF}{\"tables\":[]}",
    ])
    func `what is not clearly divided is not divided`(text: String) {
        #expect(DividedMetadata(Array(text.utf8)) == nil)
    }

    /// Whatever happened to the file, nobody may find anything else in its pieces than in the whole of it.
    @Test(arguments: 1...20)
    func `what is read in pieces is what is read as a whole`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let whole = try JSONFile.bytes(of: Self.metadata)
        var readable = 0
        for _ in 0..<200 {
            var bytes = whole
            for _ in 0..<Int.random(in: 0...2, using: &random) { Self.change(&bytes, &random) }
            guard let pieces = try? Self.read(DividedMetadata(bytes)) else { continue }
            let metadata = try? JSONFile.value(Metadata.self, from: bytes, file: "")
            #expect(
                try metadata.map { try JSONFile.bytes(of: $0) } == JSONFile.bytes(of: pieces),
                "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
            readable += 1
        }
        #expect(readable > 40, "seed \(seed)")
    }

    private static var metadata: Metadata {
        var metadata = RepositoryTests.metadata(
            "full_a_20250101_000000_0001", at: "2025-01-01T00:00:00Z")
        metadata.tables = TableRecords(
            ["a", "tables", "}\"{\\"].map { name in
                TableRecord(
                    Table(memory: "public", name, columns: ["id", "]"]), mode: .whole,
                    fingerprint: StoredFingerprint(Fingerprint()))
            })
        return metadata
    }

    private static func read(_ text: DividedMetadata?) throws -> Metadata? {
        guard let text else { return nil }
        var metadata = try JSONFile.value(Metadata.self, from: text.rest, file: "")
        metadata.tables = TableRecords(
            try text.tables.map { try JSONFile.value(TableRecord.self, from: $0, file: "") })
        return metadata
    }

    /// Puts a byte that means something in the place of another, removes some, or repeats some.
    private static func change(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        let start = Int.random(in: 0..<bytes.count, using: &random)
        let end = min(bytes.count, start + Int.random(in: 0...40, using: &random))
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
            bytes[start] = Array("{}[]\",:\\ 0atb\u{B}".utf8).randomElement(using: &random) ?? 0
        case 1: bytes.removeSubrange(start..<end)
        case 2: bytes.insert(contentsOf: bytes[start..<end], at: end)
        default: bytes[start] &+= 1
        }
    }
}
