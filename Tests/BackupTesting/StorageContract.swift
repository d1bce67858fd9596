public import BackupCore

/// What every `Storage` promises.
///
/// Each check wants an empty storage of its own.
public enum StorageContract {
    /// All checks.
    public static let checks = writing + reading + listing + removing + locking

    static func name(_ path: String) throws -> StorageName { try StorageName(path: path) }

    /// Bytes that no shift or repetition leaves as they are.
    static func bytes(count: Int) -> [UInt8] {
        var random = SeededGenerator(seed: UInt64(count))
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    // MARK: Writing

    static let writing: [ContractCheck<any Storage>] = [
        ContractCheck("what is written is read back") { storage in
            for (path, count) in [("empty", 0), ("small", 5), ("in/two/folders", 70_000)] {
                try await storage.write(name(path), bytes: bytes(count: count))
                try demand(await storage.bytes(of: name(path)), equals: bytes(count: count), path)
            }
        },
        ContractCheck("pieces follow one another") { storage in
            try await storage.write(name("pieces")) { writer in
                for piece in [[1, 2], [], [3], [4, 5, 6]] as [[UInt8]] {
                    try await writer.write(piece)
                }
            }
            try demand(
                await storage.bytes(of: name("pieces")), equals: [1, 2, 3, 4, 5, 6], "pieces")
        },
        ContractCheck("a write that throws leaves nothing, and its error passes") { storage in
            let error = try await demandError("write") {
                try await storage.write(name("folder/thing")) { writer in
                    try await writer.write([1, 2, 3])
                    throw DeliberateFailure()
                }
            }
            try demand(error is DeliberateFailure, "another error: \(error)")
            try demand(await storage.entry(name("folder/thing")) == nil, "the thing is there")
            try demand(await storage.list(name("folder")).isEmpty, "the folder holds something")
        },
        ContractCheck("a replacement that throws leaves what was there") { storage in
            try await storage.write(name("thing"), bytes: [1, 2, 3])
            _ = try await demandError("write") {
                try await storage.write(name("thing")) { writer in
                    try await writer.write([9])
                    throw CancellationError()
                }
            }
            try demand(await storage.bytes(of: name("thing")), equals: [1, 2, 3], "the thing")
        },
        ContractCheck("a replacement leaves nothing of a longer predecessor") { storage in
            try await storage.write(name("thing"), bytes: bytes(count: 1000))
            try await storage.write(name("thing"), bytes: [7])
            try demand(await storage.bytes(of: name("thing")), equals: [7], "the thing")
            try demand(await storage.list(nil).count, equals: 1, "things in the storage")
        },
        ContractCheck("an unfinished write is neither listed nor found") { storage in
            try await storage.write(name("folder/old"), bytes: [1])
            try await storage.write(name("folder/new")) { writer in
                try await writer.write([1, 2, 3])
                try demand(await storage.entry(name("folder/new")) == nil, "it has its name")
                let names = try await storage.list(name("folder")).map(\.name.last)
                try demand(names, equals: ["old"], "names in the folder")
            }
            let names = try await storage.list(name("folder")).map(\.name.last)
            try demand(names, equals: ["new", "old"], "names in the folder")
        },
        ContractCheck("two writes of different names can overlap") { storage in
            try await storage.write(name("outer")) { outer in
                try await outer.write([1])
                try await storage.write(name("inner")) { try await $0.write([2]) }
                try await outer.write([3])
            }
            try demand(await storage.bytes(of: name("outer")), equals: [1, 3], "outer")
            try demand(await storage.bytes(of: name("inner")), equals: [2], "inner")
        },
        ContractCheck("odd names are names like others") { storage in
            let names = [
                "two words", "quote\"s'", "per%2Fcent", "tilde~2", ".hidden", "-dash",
                "back\\slash",
                "new\nline", "日本語", "😀", "semi;colon*?[]", String(repeating: "n", count: 250),
                String(repeating: "日", count: 80),
            ]
            for text in names { try await storage.write(name(text), bytes: Array(text.utf8)) }
            for text in names {
                try demand(await storage.bytes(of: name(text)), equals: Array(text.utf8), text)
            }
            let listed = Set(try await storage.list(nil).map(\.name.last))
            try demand(listed, equals: Set(names), "listed names")
        },
        ContractCheck("folders that are sealed keep what they hold") { storage in
            try await storage.write(name("folder/below/thing"), bytes: [1])
            try await storage.seal(name("folder"))
            try await storage.seal(nil)
            try demand(await storage.bytes(of: name("folder/below/thing")), equals: [1], "thing")
        },
    ]

    // MARK: Reading

    static let reading: [ContractCheck<any Storage>] = [
        ContractCheck("a large thing is read in pieces of about a megabyte") { storage in
            let content = bytes(count: 3_500_001)
            try await storage.write(name("large"), bytes: content)
            let pieces = try await storage.read(name("large")) { reader in
                var pieces: [[UInt8]] = []
                while case let piece = try await reader.next(), !piece.isEmpty {
                    pieces.append(piece)
                }
                try demand(await reader.next().isEmpty, "something follows the end")
                return pieces
            }
            try demand(Array(pieces.joined()) == content, "the bytes differ")
            try demand(pieces.allSatisfy { $0.count <= 1_500_000 }, "a piece is too large")
        },
        ContractCheck("two readers do not disturb each other") { storage in
            try await storage.write(name("thing"), bytes: bytes(count: 10))
            try await storage.read(name("thing")) { first in
                let other = try await storage.bytes(of: name("thing"))
                try demand(other, equals: bytes(count: 10), "the second reader's bytes")
                try demand(await first.next(), equals: bytes(count: 10), "the first reader's bytes")
            }
        },
        ContractCheck("reading what is missing is notFound and runs nothing") { storage in
            try await storage.write(name("folder/thing"), bytes: [1])
            for path in ["missing", "folder/missing", "missing/thing"] {
                let error = try await demandError(path) {
                    try await storage.read(name(path)) { _ in
                        throw DeliberateFailure("the body ran")
                    }
                }
                try demand((error as? BackupError)?.code == .notFound, "\(path): \(error)")
            }
        },
        ContractCheck("the error of a reading body passes") { storage in
            try await storage.write(name("thing"), bytes: [1])
            let error = try await demandError("read") {
                try await storage.read(name("thing")) { _ in throw DeliberateFailure() }
            }
            try demand(error is DeliberateFailure, "another error: \(error)")
        },
    ]
}
