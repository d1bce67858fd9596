import BackupTesting
import Foundation
import Packing
import Testing

@testable import BackupCore

@Suite struct BackupTests {
    @Test func `a backup is made of just these files`() async throws {
        let shop = Shop()
        let id = try await shop.backUp().metadata.id
        #expect(
            shop.files(of: id) == [
                "RESTORE.md", "SHA256SUMS", "data/empty.csv", "data/items.csv",
                "data/sales.Items.csv", "data/words.csv", "index/empty.rows.zst",
                "index/items.rows.zst", "index/sales.Items.rows.zst", "metadata.json",
                "schema.dump", "schema.sql", "state.json",
            ])
        #expect(shop.files.filter { !$0.hasPrefix(id) } == ["backup_catalog.json"])
    }

    @Test func `a data file is its header and its rows as CSV`() async throws {
        let shop = Shop()
        let id = try await shop.backUp().metadata.id
        #expect(try shop.text("\(id)/data/sales.Items.csv") == "a,b\n1,x\n2,\n3,\"y\nz\"\n")
        #expect(try shop.text("\(id)/data/empty.csv") == "number\n")
        let words = try shop.text("\(id)/data/words.csv")
        #expect(words.hasPrefix("word\nplain\nplain\n\n\"\"\n\"\\.\"\n"))
    }

    @Test func `every file is in SHA256SUMS, but itself and state.json`() async throws {
        let shop = Shop()
        let id = try await shop.backUp().metadata.id
        let expected = try shop.files(of: id)
            .filter { !["SHA256SUMS", "state.json"].contains($0) }.map { file in
                let bytes = shop.storage.files[try StorageName(path: "\(id)/\(file)")] ?? []
                return "\(SHA256Stream.hexDigest(of: bytes))  \(file)\n"
            }
        #expect(try shop.text("\(id)/SHA256SUMS") == expected.joined())
    }

    @Test func `metadata tells what was backed up`() async throws {
        let shop = Shop()
        let metadata = try await shop.backUp().metadata
        #expect(metadata.status == .completed)
        #expect(metadata.scope == "database" && metadata.type == .full)
        #expect(metadata.engine == "memory" && metadata.database == "shop")
        #expect(metadata.sequences == [Shop.sample.sequence])
        #expect(metadata.statistics.totalTables == 4)
        #expect(metadata.statistics.totalRowsProcessed == 23 + 10 + 3)
        let stored = try metadata.tables.map { table in
            try #require(
                shop.storage.files[try StorageName(path: "\(metadata.id)/\(table.file ?? "")")])
        }
        #expect(metadata.tables.map(\.bytes) == stored.map(\.count))
        #expect(metadata.tables.map(\.sha256) == stored.map { SHA256Stream.hexDigest(of: $0) })
        #expect(metadata.statistics.totalSizeBytes == stored.map(\.count).reduce(0, +))
        let items = try #require(metadata.tables.first { $0.name == "items" })
        #expect(items.rows == 23 && items.fingerprint.rows == 23 && items.mode == .whole)
        #expect(items.indexFile == "index/items.rows.zst")
        #expect(metadata.tables.first { $0.name == "words" }?.indexFile == nil)
    }

    @Test func `metadata.json comes last, after all else is safe`() async throws {
        let shop = Shop()
        let steps = Journal<MemoryStorage.Step>()
        shop.storage.beforeEachStep { steps.append($0) }
        let id = try await shop.backUp().metadata.id
        let folder = try StorageName(path: id)
        let metadata = try StorageName(path: "\(id)/metadata.json")
        let changes = steps.entries.filter {
            if case .seal(folder) = $0 { return true }
            if case .endWrite(let name) = $0 { return name.components.first == id }
            return false
        }
        let commit = try #require(changes.firstIndex(of: .endWrite(metadata)))
        #expect(changes[commit - 1] == .seal(folder))
        #expect(Array(changes[(commit + 1)...]) == [.seal(folder)])
        #expect(changes.count == shop.files(of: id).count + 2)
    }

    @Test func `zstd packs the same bytes`() async throws {
        var shop = Shop()
        shop.request.packing = .zstd
        let metadata = try await shop.backUp().metadata
        let name = try StorageName(path: "\(metadata.id)/data/sales.Items.csv.zst")
        let decompressor = try ZstdDecompressor()
        decompressor.feed(try #require(shop.storage.files[name]))
        var bytes: [UInt8] = []
        while let piece = try decompressor.next() { bytes += piece }
        try decompressor.finish()
        #expect(String(decoding: bytes, as: UTF8.self) == "a,b\n1,x\n2,\n3,\"y\nz\"\n")
        #expect(metadata.tables.allSatisfy { $0.file?.hasSuffix(".csv.zst") == true })
    }

    @Test func `a zip archive holds the backup under its name`() async throws {
        var shop = Shop()
        shop.request.makesArchive = true
        let report = try await shop.backUp()
        let id = report.metadata.id
        #expect(report.archive == "memory/\(id).zip")
        #expect(report.isComplete)
        try await withTemporaryFolder { folder in
            let zip = try #require(shop.storage.files[try StorageName(path: "\(id).zip")])
            try Data(zip).write(to: URL(fileURLWithPath: "\(folder)/backup.zip"))
            let unzip = Process()
            unzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            unzip.arguments = ["unzip", "-q", "\(folder)/backup.zip", "-d", "\(folder)/repository"]
            try unzip.run()
            unzip.waitUntilExit()
            let names = shop.files(of: id)
            for name in names {
                let path = "\(folder)/repository/\(id)/\(name)"
                let stored = shop.storage.files[try StorageName(path: "\(id)/\(name)")]
                #expect(FileManager.default.contents(atPath: path).map(Array.init) == stored)
            }
            let repository = Repository(storage: LocalStorage(path: "\(folder)/repository"))
            let chain = try await repository.contents().chain(named: id)
            let verified = try await Verify(repository: repository)
                .run(chain, progress: OperationProgress())
            #expect(verified.damage.isEmpty)
        }
    }

    @Test func `an unreadable table makes an incomplete backup, only when asked for`() async throws
    {
        var shop = Shop()
        try shop.server.change("shop") { $0.unreadable = [Shop.sample.words] }
        let error = await #expect(throws: BackupError.self) { try await shop.backUp() }
        #expect(error?.code == .permissionDenied)
        #expect(shop.files.isEmpty)
        shop.request.snapshot.skipsUnreadable = true
        let report = try await shop.backUp()
        #expect(report.metadata.status == .incomplete && !report.isComplete)
        #expect(report.metadata.unreadableTables == [Shop.sample.words])
        #expect(try shop.catalog().backups.map(\.status) == ["incomplete"])
    }

    @Test func `an excluded table keeps its structure and no rows`() async throws {
        var shop = Shop()
        shop.request.snapshot.excluded = [try TablePattern("items")]
        let report = try await shop.backUp()
        #expect(report.metadata.status == .completed)
        #expect(report.metadata.excludedTables == [Shop.sample.items])
        #expect(!shop.files(of: report.metadata.id).contains("data/items.csv"))
        #expect(try shop.text("\(report.metadata.id)/schema.sql").contains("items"))
    }

    @Test func `a scope of tables is named in the metadata`() async throws {
        var shop = Shop()
        shop.request.snapshot.scope = .tables([try TablePattern("sales.*")])
        let metadata = try await shop.backUp().metadata
        #expect(metadata.scope == "tables")
        #expect(metadata.tables.map(\.name) == ["Items"])
        #expect(metadata.scopeObjects == ["sales.Items"])
    }

    @Test func `a row that changes between two parts is stored as the snapshot saw it`()
        async throws
    {
        var shop = Shop()
        let before = shop.rows(of: "shop")
        let server = shop.server
        shop.engine.beforeStep = { step in
            guard case .read(_, row: 5...) = step else { return }
            try server.change("shop") { $0[rows: Shop.sample.items] = [["1", "changed"]] }
        }
        try await shop.backUp()
        try await shop.restore()
        #expect(shop.rows(of: "restored") == before)
    }

    @Test func `equal rows have equal fingerprints from backup to backup`() async throws {
        let shop = Shop()
        let first = try await shop.backUp().metadata
        let second = try await shop.backUp().metadata
        #expect(first.hashSeed == second.hashSeed)
        #expect(first.tables.map(\.fingerprint) == second.tables.map(\.fingerprint))
        try shop.server.change("shop") { $0[rows: Shop.sample.items]?[3][1] = "changed" }
        let third = try await shop.backUp().metadata
        let changed = zip(second.tables, third.tables).filter { $0.fingerprint != $1.fingerprint }
        #expect(changed.map(\.0.name) == ["items"])
    }

    @Test func `two tables whose names look the same are both there`() async throws {
        let shop = Shop()
        let names = ["caf\u{E9}", "cafe\u{301}", "CAFE\u{301}"]
        shop.server["shop"] = MemoryDatabase(
            names.enumerated().map { index, name in
                .init(Table(memory: "public", name, columns: ["a"]), rows: [["\(index)"]])
            })
        let before = shop.rows(of: "shop")
        #expect(before.count == 3)
        #expect(try await shop.verify(shop.point()).damage.isEmpty)
        try await shop.restore()
        #expect(shop.rows(of: "restored") == before)
    }

    @Test func `a table with many parts does not make as many tasks wait`() async throws {
        var shop = Shop()
        let rows = (0..<200).map { ["\($0)"] as [String?] }
        shop.server["shop"] = MemoryDatabase([
            .init(Table(memory: "public", "long", columns: ["a"]), rows: rows)
        ])
        shop.engine.rowsPerPart = 1
        let steps = Journal<MemoryEngine.Step>()
        shop.engine.beforeStep = { step in
            steps.append(step)
            if case .read = step { try await Task.sleep(for: .milliseconds(1)) }
        }
        try await shop.backUp()
        var (waiting, most) = (0, 0)
        for step in steps.entries {
            if case .askForPart = step { waiting += 1 }
            if case .read = step { waiting -= 1 }
            most = max(most, waiting)
        }
        #expect(most <= shop.request.snapshot.connections + 1)
    }
}

extension Shop {
    func catalog() throws -> Catalog {
        let name = try StorageName(path: "backup_catalog.json")
        return try JSONFile.value(
            Catalog.self, from: storage.files[name] ?? [], file: "backup_catalog.json")
    }
}
