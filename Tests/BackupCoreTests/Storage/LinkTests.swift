import BackupTesting
import Foundation
import Testing

@testable import BackupCore

/// Links within a repository, which lead out of it: nothing outside is read as a backup, written or removed.
@Suite(.timeLimit(.minutes(10))) struct LinkTests {
    /// What nobody needs to read a backup.
    private static let views: Set = ["state.json", "manifest.json", "backup_catalog.json", ".lock"]

    /// What a link leads to is exactly what it stands for, so that nothing but the link is wrong.
    @Test(arguments: [
        "FULL", "FULL/data", "FULL/data/items.csv", "FULL/index", "FULL/metadata.json",
        "FULL/SHA256SUMS", "FULL/schema.sql", "FULL/state.json", "FULL.zip", "FULL/.backup_diff",
        "FULL/.backup_diff/TAIL", "FULL/.backup_diff/TAIL/metadata.json",
        "FULL/.backup_diff/manifest.json", "backup_catalog.json", ".lock",
    ])
    func `a link is refused or replaced, and nothing outside is touched`(
        pattern: String
    ) async throws {
        try await withTemporaryFolder { folder in
            var shop = Shop()
            shop.request.makesArchive = true
            let full = try await shop.backUp().metadata.id
            let layer = try await shop.layer(.incremental).metadata.id
            let storage = LocalStorage(path: "\(folder)/repository")
            for (name, bytes) in shop.storage.files { try await storage.write(name, bytes: bytes) }
            try await storage.withLock(StorageName(path: ".lock/shop"), holder: "the test") {}
            let tail = try #require(BackupID(layer)).tail
            let place = pattern.replacing("FULL", with: full).replacing("TAIL", with: tail)
            try Self.moveOut(place, of: folder)
            let before = try Self.tree("\(folder)/outside")

            let repository = Repository(storage: storage)
            let damage = try await Self.damage(of: layer, in: repository)
            let isView = Self.views.contains(String(place.split(separator: "/").last ?? ""))
            #expect(damage.isEmpty == isView, "\(damage)")
            await Self.tryEverything(shop, full, layer, in: repository)
            #expect(try Self.tree("\(folder)/outside") == before)
        }
    }

    /// What is locked is released where it was locked, whatever has its path by then.
    @Test func `a folder that is exchanged for a link meanwhile leads nowhere`() async throws {
        try await withTemporaryFolder { folder in
            let storage = LocalStorage(path: "\(folder)/repository")
            try FileManager.default.createDirectory(
                atPath: "\(folder)/outside", withIntermediateDirectories: true)
            let precious = "\(folder)/outside/name"
            try Data("precious".utf8).write(to: URL(fileURLWithPath: precious))
            try await storage.withLock(StorageName(path: ".lock/name"), holder: "the test") {
                try Self.exchange("\(folder)/repository/.lock", for: "\(folder)/outside")
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: precious)) == Data("precious".utf8))
            try await storage.write(StorageName(path: "data/name")) { writer in
                try await writer.write([1])
                try Self.exchange("\(folder)/repository/data", for: "\(folder)/outside")
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: precious)) == Data("precious".utf8))
            let left = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/outside")
            #expect(left == ["name"])
        }
    }

    @Test func `a link goes with the folder that holds it, and what it leads to stays`()
        async throws
    {
        try await withTemporaryFolder { folder in
            let storage = LocalStorage(path: "\(folder)/repository")
            for name in ["gone/thing", "gone/below/thing", "link"] {
                try await storage.write(StorageName(path: name), bytes: [1])
            }
            for name in ["gone/below", "link"] { try Self.moveOut(name, of: folder) }
            let before = try Self.tree("\(folder)/outside")
            for name in ["gone", "link"] { try await storage.remove(StorageName(path: name)) }
            #expect(try await storage.list(nil).isEmpty)
            #expect(try Self.tree("\(folder)/outside") == before && before.count == 3)
        }
    }

    /// Puts something beside the repository, and a link to it in its place.
    private static func moveOut(_ place: String, of folder: String) throws {
        let outside = "\(folder)/outside"
        try FileManager.default.createDirectory(
            atPath: outside, withIntermediateDirectories: true)
        let (path, target) = ("\(folder)/repository/\(place)", "\(outside)/\(UUID())")
        try FileManager.default.moveItem(atPath: path, toPath: target)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
    }

    private static func exchange(_ path: String, for target: String) throws {
        try FileManager.default.moveItem(atPath: path, toPath: "\(path).old")
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
    }

    /// Every file below a folder, with what it holds.
    private static func tree(_ folder: String) throws -> [String: Data?] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder)
        return Dictionary(
            uniqueKeysWithValues: names.map { name in
                (name, FileManager.default.contents(atPath: "\(folder)/\(name)"))
            })
    }

    private static func damage(
        of id: String, in repository: Repository
    ) async throws -> [String] {
        do {
            let chain = try await repository.contents().chain(named: id)
            return try await Verify(repository: repository)
                .run(chain, progress: OperationProgress()).damage
        } catch let error as BackupError {
            return [error.message]
        }
    }

    /// What reads, writes and removes; refusing is an answer.
    private static func tryEverything(
        _ shop: Shop, _ full: String, _ layer: String, in repository: Repository
    ) async {
        func refusing(_ body: () async throws -> Void) async {
            do {
                try await body()
            } catch is BackupError {
                // As it should be.
            } catch {
                Issue.record(error)
            }
        }
        func backUp(_ kind: BackupKind) async {
            var request = shop.request
            request.kind = kind
            await refusing {
                _ = try await Backup(
                    engine: shop.engine, repository: repository, request: request
                ).run(progress: OperationProgress())
            }
        }
        await refusing {
            var request = RestoreRequest(point: layer, database: "restored")
            request.creates = true
            _ = try await Restore(engine: shop.engine, repository: repository, request: request)
                .run(progress: OperationProgress())
        }
        for id in [full, layer] {
            await refusing {
                let point = try await repository.contents().point(named: id)
                try await repository.setPinned(false, of: point, holder: "the test")
            }
        }
        await refusing { try await repository.rebuildCatalog() }
        await backUp(.incremental)
        for _ in 1...2 { await backUp(.full) }
        await refusing {
            var retention = Retention()
            retention.last = 1
            _ = try await Prune(repository: repository, retention: retention, holder: "the test")
                .run(database: "shop", progress: OperationProgress())
        }
    }
}
