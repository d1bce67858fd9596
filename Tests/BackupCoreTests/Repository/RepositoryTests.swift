import BackupTesting
import Foundation
import Synchronization
import Testing

@testable import BackupCore

@Suite struct RepositoryTests {
    @Test func `points are in order of their snapshots, not of their names or files`() async throws
    {
        let repository = try await Self.repository([
            ("full_a_20250103_000000_0003", "2025-01-01T00:00:00Z"),
            ("full_a_20250101_000000_0001", "2025-01-03T00:00:00Z"),
            ("full_a_20250102_000000_0002", "2025-01-02T00:00:00Z"),
        ])
        let points = try await repository.contents().points
        #expect(points.map(\.id.hexDigits) == ["0003", "0002", "0001"])
    }

    @Test func `a folder without metadata.json is unfinished, and no point`() async throws {
        let storage = MemoryStorage()
        try await storage.write(
            StorageName(path: "full_a_20250101_000000_0001/data/t.csv"), bytes: [])
        try await storage.write(StorageName(path: "notes.txt"), bytes: [])
        try await storage.write(StorageName(path: "photos/cat.jpg"), bytes: [])
        try await storage.write(StorageName(path: "full_a_20250101_000000_0002"), bytes: [])
        let contents = try await Repository(storage: storage).contents()
        #expect(contents.unfinished.map(\.base.hexDigits) == ["0001"])
        #expect(contents.points.isEmpty && contents.unreadable.isEmpty)
    }

    @Test func `what is of one database is its backups, whole, cut off or damaged`() async throws {
        let repository = try await Self.repository([
            ("full_a_20250101_000000_0001", "2025-01-01T00:00:00Z"),
            ("full_b_20250102_000000_0002", "2025-01-02T00:00:00Z"),
        ])
        for database in ["a", "b"] {
            for file in ["20250103_000000_0003/data/t.csv", "20250104_000000_0004/metadata.json"] {
                try await repository.storage.write(
                    StorageName(path: "full_\(database)_\(file)"), bytes: [])
            }
        }
        let contents = try await repository.contents().only(of: "b")
        #expect(contents.points.map(\.id.text) == ["full_b_20250102_000000_0002"])
        #expect(contents.unfinished.map(\.name) == ["full_b_20250103_000000_0003"])
        #expect(contents.unreadable.map(\.folder.name) == ["full_b_20250104_000000_0004"])
        #expect(contents.point(id: "full_b_20250102_000000_0002") != nil)
        #expect(contents.point(id: "full_a_20250101_000000_0001") == nil)
    }

    @Test(arguments: [
        ("", BackupError.Code.damaged), ("{", .damaged), ("[]", .damaged), ("{}", .damaged),
        ("{\"format_version\": \"1\"}", .damaged), ("{\"format_version\": 1}", .damaged),
        ("{\"format_version\": 2}", .unsupportedFormat), ("\u{0}\u{0}", .damaged),
    ])
    func `metadata that cannot be read is told with its reason, beside the others`(
        text: String, code: BackupError.Code
    ) async throws {
        let repository = try await Self.repository([
            ("full_a_20250101_000000_0001", "2025-01-01T00:00:00Z")
        ])
        let broken = "full_a_20250102_000000_0002"
        try await repository.storage.write(
            StorageName(path: "\(broken)/metadata.json"), bytes: Array(text.utf8))
        let contents = try await repository.contents()
        #expect(contents.points.map(\.id.hexDigits) == ["0001"])
        #expect(contents.unreadable.map(\.folder.name) == [broken])
        let error = #expect(throws: BackupError.self) { try contents.point(named: broken) }
        #expect(error?.code == code)
        #expect(error?.message.contains("\(broken)/metadata.json") == true)
    }

    /// A decoder would take gigabytes for it.
    @Test func `metadata that is one large piece is refused without being decoded`() async throws {
        let storage = MemoryStorage()
        let name = try StorageName(path: "full_a_20250101_000000_0001/metadata.json")
        storage.files[name] = Array(
            repeating: UInt8(ascii: "["), count: RepositoryLayout.mostBytesDecoded + 1)
        let contents = try await Repository(storage: storage).contents()
        let error = try #require(contents.unreadable.first?.error)
        #expect(error.code == .damaged)
        #expect(error.underlying?.contains("belong together") == true)
    }

    @Test func `large metadata is read one after the other`() async throws {
        let storage = MemoryStorage()
        for number in 1...8 {
            let name = try StorageName(path: "full_a_20250101_000000_000\(number)/metadata.json")
            storage.files[name] = Array(repeating: UInt8(ascii: "["), count: (8 << 20) + 1)
        }
        let inside = Mutex((now: 0, most: 0))
        storage.beforeEachStep { step in
            guard case .read = step else { return }
            inside.withLock {
                $0.now += 1
                $0.most = max($0.most, $0.now)
            }
            Thread.sleep(forTimeInterval: 0.02)
            inside.withLock { $0.now -= 1 }
        }
        let contents = try await Repository(storage: storage).contents()
        #expect(contents.unreadable.count == 8)
        #expect(inside.withLock { $0.most } == 1)
    }

    @Test func `a newer format is refused with what to do, whatever else changed`() async throws {
        let storage = MemoryStorage()
        try await storage.write(
            StorageName(path: "full_a_20250101_000000_0001/metadata.json"),
            bytes: Array("{\"format_version\": 99, \"everything\": \"else\"}".utf8))
        let contents = try await Repository(storage: storage).contents()
        #expect(contents.unreadable.first?.error.code == .unsupportedFormat)
        #expect(contents.unreadable.first?.error.hint?.contains("newer") == true)
    }

    @Test func `unknown fields are ignored, missing optional ones are nil`() async throws {
        let repository = try await Self.repository([
            ("full_a_20250101_000000_0001", "2025-01-01T00:00:00Z")
        ])
        let name = try StorageName(path: "full_a_20250101_000000_0001/metadata.json")
        let bytes = try await repository.storage.bytes(of: name)
        var fields = try #require(
            JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
        #expect(fields["parent_id"] is NSNull)
        fields["colour"] = "blue"
        fields["parent_id"] = nil
        let edited = try JSONSerialization.data(withJSONObject: fields)
        try await repository.storage.write(name, bytes: Array(edited))
        let point = try await repository.contents().point(named: "latest")
        #expect(point.metadata.parentID == nil)
    }

    @Test func `a folder that was renamed is not taken for another backup`() async throws {
        let repository = try await Self.repository([
            ("full_a_20250101_000000_0001", "2025-01-01T00:00:00Z")
        ])
        let bytes = try await repository.storage.bytes(
            of: StorageName(path: "full_a_20250101_000000_0001/metadata.json"))
        try await repository.storage.write(
            StorageName(path: "full_a_20250101_000000_0002/metadata.json"), bytes: bytes)
        let contents = try await repository.contents()
        #expect(contents.points.map(\.id.hexDigits) == ["0001"])
        #expect(contents.unreadable.map { $0.folder.name.suffix(4) } == ["0002"])
    }

    /// An older one in its place would go unnoticed.
    @Test func `the newest backup is not passed over where it cannot be read`() async throws {
        let ids = ["full_a_20250101_000000_0001", "full_a_20250103_000000_0003"]
        let repository = try await Self.repository([
            (ids[0], "2025-01-01T00:00:05Z"), (ids[1], "2025-01-03T00:00:05Z"),
            ("full_b_20250104_000000_0004", "2025-01-04T00:00:05Z"),
        ])
        let broken = "full_a_20250102_000000_0002"
        try await repository.storage.write(
            StorageName(path: "\(broken)/metadata.json"), bytes: [])
        let contents = try await repository.contents()
        #expect(try contents.point(named: "latest", database: "a").id.text == ids[1])
        #expect(
            try contents.point(named: "2025-01-01T12:00:00Z", database: "a").id.text == ids[0])
        let before = #expect(throws: BackupError.self) {
            try contents.point(named: "2025-01-02T12:00:00Z", database: "a")
        }
        #expect(before?.message.contains(broken) == true && before?.code == .damaged)
        #expect(before?.hint?.contains(ids[0]) == true)
        for last in [ids[1], "full_b_20250104_000000_0004"] {
            try await repository.storage.write(
                StorageName(path: "\(last)/metadata.json"), bytes: [])
        }
        let damaged = try await repository.contents()
        for name in ["latest", "2026-01-01T00:00:00Z"] {
            let error = #expect(throws: BackupError.self) {
                try damaged.point(named: name, database: "a")
            }
            #expect(error?.message.contains(ids[1]) == true, "\(String(describing: error))")
        }
        #expect(try damaged.point(named: ids[0]).id.text == ids[0])
        let nothing = #expect(throws: BackupError.self) {
            try damaged.point(named: "latest", database: "b")
        }
        #expect(nothing?.code == .damaged)
    }

    @Test func `a storage that fails is an error, not an empty repository`() async throws {
        let storage = MemoryStorage()
        try await storage.write(
            StorageName(path: "full_a_20250101_000000_0001/metadata.json"), bytes: [])
        storage.beforeEachStep { step in
            if case .read = step { throw BackupError(.storageFailed, "no disk") }
        }
        let error = await #expect(throws: BackupError.self) {
            try await Repository(storage: storage).contents()
        }
        #expect(error?.code == .storageFailed)
    }

    /// The newest backup would be an older one.
    @Test func `a folder of layers that cannot be listed is no empty one`() async throws {
        let storage = MemoryStorage()
        let id = "full_a_20250101_000000_0001"
        try await storage.write(
            StorageName(path: "\(id)/metadata.json"),
            bytes: JSONFile.bytes(of: Self.metadata(id, at: "2025-01-01T00:00:00Z")))
        storage.beforeEachStep { step in
            if case .list(_?) = step { throw BackupError(.storageFailed, "no disk") }
        }
        let error = await #expect(throws: BackupError.self) {
            try await Repository(storage: storage).contents()
        }
        #expect(error?.code == .storageFailed)
    }

    @Test func `metadata is written as it is read`() throws {
        let metadata = Self.metadata("full_a_20250101_000000_0001", at: "2025-01-01T00:00:00.5Z")
        let bytes = try JSONFile.bytes(of: metadata)
        let read = try JSONFile.value(Metadata.self, from: bytes, file: "metadata.json")
        #expect(try JSONFile.bytes(of: read) == bytes)
        #expect(bytes.last == UInt8(ascii: "\n"))
    }

    // MARK: Making points

    /// A repository with backups of these names and snapshot times.
    static func repository(
        _ backups: [(id: String, time: String)], status: Metadata.Status = .completed
    ) async throws -> Repository {
        let storage = MemoryStorage()
        for backup in backups {
            var metadata = metadata(backup.id, at: backup.time)
            metadata.status = status
            try await storage.write(
                StorageName(path: "\(backup.id)/metadata.json"), bytes: JSONFile.bytes(of: metadata)
            )
        }
        return Repository(storage: storage)
    }

    static func metadata(_ id: String, at time: String) -> Metadata {
        let time = Timestamp(time) ?? .now
        return Metadata(
            toolVersion: "0.0.1", id: id, type: .full, scope: "database", status: .completed,
            engine: "memory", serverVersion: "1.0",
            database: BackupID(id)?.encodedDatabase ?? "", snapshotAt: time, timestampStart: time,
            timestampEnd: time, durationSeconds: 45.2, consistency: "copy",
            hashSeed: "0123456789abcdef", exact: true, encoding: "UTF8", defaultSchema: "public",
            sourceIdentity: [:], databaseProperties: [:], roles: [], owners: [], extensions: [],
            statistics: Metadata.Statistics(
                totalTables: 5, totalRowsProcessed: 10000, totalSizeBytes: 5_242_880),
            sequences: [], materializedViews: [], excludedTables: [], unreadableTables: [],
            scopeObjects: [], tables: [])
    }
}
