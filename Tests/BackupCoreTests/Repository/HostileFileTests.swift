import BackupTesting
import Foundation
import Packing
import Testing

@testable import BackupCore

/// Files that somebody has forged are read, or refused with words.
@Suite struct HostileFileTests {
    /// What reads a file, and writes it again.
    private struct Document: Sendable {
        let name: String
        let bytes: [UInt8]
        let copied: @Sendable ([UInt8]) throws -> [UInt8]

        init<Value: Codable & Sendable>(_ name: String, _ value: Value) throws {
            self.name = name
            bytes = try JSONFile.bytes(of: value)
            copied = {
                try JSONFile.bytes(of: JSONFile.value(Value.self, from: $0, file: name))
            }
        }
    }

    private static func documents() async throws -> [Document] {
        let repository = try await RepositoryTests.repository([
            ("full_a_20250101_120000_a1b2", "2025-01-01T12:00:00.5Z")
        ])
        let points = try await repository.contents().points
        var state = BackupState()
        state.verified = BackupState.Proof(at: .now, passed: true, seconds: 0.25)
        return [
            try Document("backup_catalog.json", Catalog(points: points, failures: [])),
            try Document("manifest.json", ChainManifest(of: points[0], layers: points)),
            try Document("state.json", state),
            try Document("metadata.json", points[0].metadata),
        ]
    }

    @Test func `a file of JSON that was forged is read or refused`() async throws {
        let documents = try await Self.documents()
        try await Attack("forged JSON files").run(tries: Attack.tries * 100) { number, random in
            let document = documents[number % documents.count]
            var bytes = document.bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                Forgery.random(forText: true, &random).apply(to: &bytes, &random)
            }
            do {
                let copy = try document.copied(bytes)
                // What was understood once is written, and understood, the same again.
                return try document.copied(copy) == copy ? [] : ["\(document.name): \(bytes)"]
            } catch is BackupError {
                return []
            }
        }
    }

    @Test func `fields that nobody knows are kept, whatever was forged around them`() async throws {
        var state = BackupState()
        state.pinned = true
        try await Attack("forged state.json, written over").run(tries: Attack.tries * 100) {
            _, random in
            var before = Array(
                """
                {"drilled": null, "pinned": false, "x": [1, -0.5, 1e30, "\\u00e9", {"y": true}], "z": "kept"}
                """.utf8)
            if random.next() % 4 > 0 {
                Forgery.random(forText: true, &random).apply(to: &before, &random)
            }
            let after = try JSONFile.bytes(of: state, over: before)
            let read = try JSONFile.value(BackupState.self, from: after, file: "state.json")
            var broken = read.pinned ? [] : ["\(before)"]
            let (old, new) = (Self.fields(of: before), Self.fields(of: after))
            // Of a file whose known fields are damaged nothing is kept.
            let isReadable =
                (try? JSONFile.value(BackupState.self, from: before, file: "state.json")) != nil
            for key in ["x", "z"] where isReadable {
                if let kept = old?[key], new?[key] != kept {
                    broken.append("\(key) was \(kept), is \(new?[key] ?? "gone")")
                }
            }
            return broken
        }
    }

    @Test func `a damaged field does not make what is written over it unreadable`() throws {
        var state = BackupState()
        state.pinned = true
        let before = Array(#"{"drilled": false, "pinned": false, "kept": 1}"#.utf8)
        let after = try JSONFile.bytes(of: state, over: before)
        #expect(try JSONFile.value(BackupState.self, from: after, file: "state.json").pinned)
    }

    /// Each as JSON; nil for what is no JSON.
    private static func fields(of bytes: [UInt8]) -> [String: String]? {
        let object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
        return object?.compactMapValues {
            let json = try? JSONSerialization.data(withJSONObject: [$0], options: .sortedKeys)
            // A zero has lost its sign since.
            return json.map { String(decoding: $0, as: UTF8.self).replacing("-0,", with: "0,") }
        }
    }

    @Test func `a row index that was forged is read or refused`() async throws {
        let compressor = try ZstdCompressor()
        var block = RowIndexBlock(part: 3)
        let keys = (0..<300).map { Array("\($0),\(String(repeating: "k", count: $0))".utf8) }
        for (number, key) in keys.enumerated() {
            block.append(hash: UInt64(number)) { $0 += key }
        }
        let plain = block.takeBytes()
        let whole = try await Self.read(compressor.frame(plain))
        #expect(whole.map { block in (0..<block.count).map { Array(block.key($0)) } } == [keys])
        #expect(whole.first?.hashes == (0..<300).map { UInt64($0) })
        try await Attack("forged row index").run(tries: Attack.tries * 100) { _, random in
            var bytes = plain
            let isInside = Bool.random(using: &random)
            // The numbers that count come first.
            if isInside, Bool.random(using: &random) {
                bytes[Int.random(in: 0..<300, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            } else if isInside {
                Forgery.random(forText: false, &random).apply(to: &bytes, &random)
            }
            bytes = try compressor.frame(bytes)
            if !isInside { Forgery.random(forText: false, &random).apply(to: &bytes, &random) }
            do {
                let blocks = try await Self.read(bytes)
                let isWhole = blocks.allSatisfy {
                    $0.hashes.count == $0.count && $0.keyEnds.count == $0.count
                        && $0.keyEnds.last ?? 0 == $0.keys.count
                }
                return isWhole ? [] : ["\(bytes)"]
            } catch is BackupError {
                return []
            }
        }
    }

    /// With the checksum that a forger would give it.
    private static func read(_ bytes: [UInt8]) async throws -> [KeyBlock] {
        let storage = MemoryStorage()
        let name = try StorageName(path: "index")
        try await storage.write(name, bytes: bytes)
        return try await storage.read(name) { file in
            let reader = try RowIndexReader(
                file, name: "index", digest: SHA256Stream.hexDigest(of: bytes), seed: 1)
            var blocks: [KeyBlock] = []
            while let block = try await reader.next() { blocks.append(block) }
            return blocks
        }
    }
}
