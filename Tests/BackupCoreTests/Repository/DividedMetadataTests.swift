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
        #"{"tables":[{"a":"# + String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
            + "}]}",
    ])
    func `what is not clearly divided is not divided`(text: String) {
        #expect(DividedMetadata(Array(text.utf8)) == nil)
    }

    /// Whatever happened to the file, nobody may find anything else in its pieces than in the whole of it.
    @Test(arguments: 1...20)
    func `what is read in pieces is what is read as a whole`(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let whole = try JSONFile.bytes(of: Self.metadata)
        var readable = 0
        for _ in 0..<200 {
            var bytes = whole
            for _ in 0..<Int.random(in: 0...2, using: &random) { Self.change(&bytes, &random) }
            let found = try await Self.read(bytes, beside: whole)
            let metadata = try? JSONFile.value(Metadata.self, from: bytes, file: "")
            // What is of no use as a backup's is refused besides.
            if let found {
                #expect(
                    try metadata.map { try JSONFile.bytes(of: $0) } == JSONFile.bytes(of: found),
                    "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
            }
            readable += found == nil ? 0 : 1
        }
        #expect(readable > 40, "seed \(seed)")
    }

    private static let id = "full_a_20250101_000000_0001"

    private static var metadata: Metadata {
        var metadata = RepositoryTests.metadata(id, at: "2025-01-01T00:00:00Z")
        metadata.tables = TableRecords(
            ["a", "tables", "}\"{\\"].map { name in
                TableRecord(
                    Table(memory: "public", name, columns: ["id", "]"]), mode: .whole,
                    fingerprint: StoredFingerprint(Fingerprint()))
            })
        return metadata
    }

    /// What a repository finds in a file, after one that says nearly the same; nil when it refuses it.
    private static func read(_ bytes: [UInt8], beside other: [UInt8]) async throws -> Metadata? {
        let storage = MemoryStorage()
        let repository = Repository(storage: storage)
        try await storage.write(StorageName(path: "\(id)/metadata.json"), bytes: other)
        #expect(try await repository.contents().points.count == 1)
        try await storage.write(StorageName(path: "\(id)/metadata.json"), bytes: bytes)
        return try await repository.contents().points.first?.metadata
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
