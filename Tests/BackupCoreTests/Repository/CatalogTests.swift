import BackupTesting
import Foundation
import Testing

@testable import BackupCore

@Suite struct CatalogTests {
    private static let id = "full_mydb_20250101_120000_a1b2"

    @Test func `the catalog has the shape that the format page promises`() async throws {
        let repository = try await RepositoryTests.repository([(Self.id, "2025-01-01T12:00:00Z")])
        try await repository.rebuildCatalog()
        let catalog = try await Self.json(of: repository)
        #expect(Set(catalog.keys) == ["backups"])
        let backups = try #require(catalog["backups"] as? [[String: Any]])
        let backup = try #require(backups.first)
        #expect(backups.count == 1)
        #expect(backup["id"] as? String == Self.id)
        #expect(backup["type"] as? String == "full")
        #expect(backup["status"] as? String == "completed")
        #expect(backup["timestamp_start"] as? String == "2025-01-01T12:00:00+00:00")
        #expect(backup["duration_seconds"] as? Double == 45.2)
        let statistics = try #require(backup["statistics"] as? [String: Int])
        #expect(
            statistics == [
                "total_tables": 5, "total_rows_processed": 10000, "total_size_bytes": 5_242_880,
            ])
        let more: Set = ["path", "base_id", "scope", "database", "reason"]
        let promised: Set = [
            "id", "type", "status", "timestamp_start", "duration_seconds", "statistics",
        ]
        #expect(Set(backup.keys).subtracting(promised).isSubset(of: more))
        #expect(Set(backup.keys).isSuperset(of: promised))
        #expect(backup["path"] as? String == Self.id)
    }

    @Test func `numbers are written as people would`() async throws {
        let repository = try await RepositoryTests.repository([(Self.id, "2025-01-01T12:00:00Z")])
        try await repository.rebuildCatalog()
        let bytes = try await repository.storage.bytes(of: StorageName(path: "backup_catalog.json"))
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.contains("\"duration_seconds\" : 45.2"))
    }

    @Test func `an empty repository has an empty catalog`() async throws {
        let repository = Repository(storage: MemoryStorage())
        try await repository.rebuildCatalog()
        #expect(try await Self.json(of: repository)["backups"] as? [String] == [])
    }

    /// They are added up.
    @Test func `failed runs with impossible numbers are none`() async throws {
        let repository = try await RepositoryTests.repository([(Self.id, "2025-01-01T12:00:00Z")])
        var failure = Self.failure("0001", at: "2024-01-01T00:00:00Z")
        failure.statistics.totalSizeBytes = 5_000_000_000_000_000_000
        let catalog = Catalog(points: [], failures: [failure, failure])
        try await repository.storage.write(
            StorageName(path: "backup_catalog.json"), bytes: JSONFile.bytes(of: catalog))
        #expect(try await repository.knownFailures().isEmpty)
    }

    @Test func `failed runs live in the catalog, and outlive its rebuilding`() async throws {
        let repository = try await RepositoryTests.repository([(Self.id, "2025-01-01T12:00:00Z")])
        try await repository.rebuildCatalog(
            adding: Self.failure("0001", at: "2024-01-01T00:00:00Z"))
        try await repository.rebuildCatalog(
            adding: Self.failure("0002", at: "2026-01-01T00:00:00Z"))
        try await repository.rebuildCatalog()
        let failures = try await repository.knownFailures()
        #expect(failures.map(\.reason) == ["0001", "0002"])
        let backups = try #require(
            try await Self.json(of: repository)["backups"] as? [[String: Any]])
        #expect(backups.map { $0["status"] as? String } == ["failed", "completed", "failed"])
        #expect(try await repository.contents().points.count == 1)
    }

    @Test func `a run that reached no server is told until one succeeds`() async throws {
        let repository = try await RepositoryTests.repository([(Self.id, "2025-01-01T12:00:00Z")])
        for (reason, code, time) in [
            ("0001", .connectionFailed, "2024-01-01T00:00:00Z"),
            ("0002", .serverRefused, "2024-01-01T00:00:00Z"),
            ("0003", .connectionFailed, "2026-01-01T00:00:00Z"),
        ] as [(String, BackupError.Code, String)] {
            var failure = Self.failure(reason, at: time)
            failure.errorCode = code.rawValue
            try await repository.rebuildCatalog(adding: failure)
        }
        // Nothing is known of another database.
        var other = Self.failure("0004", at: "2024-01-01T00:00:00Z")
        other.id = "full_other_20240101_000000_0004"
        other.errorCode = BackupError.Code.connectionFailed.rawValue
        try await repository.rebuildCatalog(adding: other)
        let failures = try await repository.knownFailures()
        #expect(Set(failures.compactMap(\.reason)) == ["0002", "0003", "0004"])
    }

    @Test func `only the newest hundred failures are remembered`() async throws {
        let repository = Repository(storage: MemoryStorage())
        for number in 1...103 {
            let time = Timestamp(Date(timeIntervalSince1970: Double(number)))
            try await repository.rebuildCatalog(adding: Self.failure("\(number)", at: time.text))
        }
        #expect(try await repository.knownFailures().map(\.reason) == (4...103).map { "\($0)" })
    }

    @Test(arguments: ["", "{", "[]", "{\"backups\": 7}"])
    func `a damaged catalog is made again`(text: String) async throws {
        let repository = try await RepositoryTests.repository([(Self.id, "2025-01-01T12:00:00Z")])
        try await repository.storage.write(
            StorageName(path: "backup_catalog.json"), bytes: Array(text.utf8))
        #expect(try await repository.knownFailures().isEmpty)
        try await repository.rebuildCatalog()
        #expect((try await Self.json(of: repository)["backups"] as? [Any])?.count == 1)
    }

    @Test func `the catalog decides nothing`() async throws {
        let repository = try await RepositoryTests.repository([(Self.id, "2025-01-01T12:00:00Z")])
        try await repository.storage.write(
            StorageName(path: "backup_catalog.json"),
            bytes: Array("{\"backups\": [{\"id\": \"\(Self.id)\", \"status\": \"failed\"}]}".utf8))
        #expect(try await repository.contents().point(named: "latest").id.text == Self.id)
    }

    @Test func `a rebuild waits for another one, for a moment`() async throws {
        let repository = Repository(storage: MemoryStorage())
        let lock = try StorageName(path: ".lock/catalog")
        let rebuild = try await repository.storage.withLock(lock, holder: "another run") {
            let rebuild = Task { try await repository.rebuildCatalog() }
            try await Task.sleep(for: .milliseconds(250))
            return rebuild
        }
        try await rebuild.value
        #expect(try await Self.json(of: repository)["backups"] as? [String] == [])
    }

    @Test func `a full that is removed meanwhile gets no manifest`() async throws {
        var shop = Shop()
        let full = try await shop.backUp().metadata.id
        try await shop.layer(.incremental)
        let storage = shop.storage
        let manifest = try StorageName(path: "\(full)/.backup_diff/manifest.json")
        storage.beforeEachStep { step in
            // The last look before it is written.
            guard step == .entry(manifest) else { return }
            storage.files = storage.files.filter { $0.key.components.first != full }
        }
        try await shop.repository.rebuildCatalog()
        #expect(!shop.files.contains { $0.hasPrefix(full) }, "\(shop.files)")
    }

    @Test func `a manifest is written under the lock under which backups are removed`() async throws
    {
        var shop = Shop()
        let full = try await shop.backUp().metadata.id
        try await shop.layer(.incremental)
        let manifest = try StorageName(path: "\(full)/.backup_diff/manifest.json")
        try await shop.storage.remove(manifest)
        let steps = Journal<MemoryStorage.Step>()
        shop.storage.beforeEachStep { steps.append($0) }
        try await shop.repository.rebuildCatalog()
        let written = try #require(steps.entries.firstIndex(of: .beginWrite(manifest)))
        let lock = try RepositoryLayout.stateLock()
        #expect(steps.entries[..<written].contains(.lock(lock)))
        #expect(shop.files.contains("\(manifest)"))
    }

    private static func failure(_ reason: String, at time: String) -> Catalog.Entry {
        Catalog.Entry(
            id: "full_mydb_20250101_120000_\(reason)", type: .full, status: "failed",
            timestampStart: Timestamp(time) ?? .now, durationSeconds: 1,
            statistics: Metadata.Statistics(
                totalTables: 0, totalRowsProcessed: 0, totalSizeBytes: 0), reason: reason)
    }

    private static func json(of repository: Repository) async throws -> [String: Any] {
        let bytes = try await repository.storage.bytes(of: StorageName(path: "backup_catalog.json"))
        return try #require(JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }
}
