import BackupTesting
import Packing
import Testing

@testable import BackupCore

/// Every file, damaged in every way, is found and named.
@Suite(.timeLimit(.minutes(10))) struct VerifyTests {
    @Test(arguments: [FilePacking.none, .zstd])
    func `a backup as it was written passes, and that is remembered`(packing: FilePacking)
        async throws
    {
        var shop = Shop()
        shop.request.packing = packing
        let point = try await shop.point()
        let report = try await shop.verify(point)
        #expect(report.damage == [] && report.passed)
        #expect(try await shop.repository.state(of: point).verified?.passed == true)
        #expect(try await shop.verify(point).passed, "state.json is not one of the proven files")
    }

    @Test(arguments: [FilePacking.none, .zstd])
    func `a flipped bit is found in every file`(packing: FilePacking) async throws {
        try await damageEveryFile(packing) { bytes, random in
            let places = (0..<20).map { $0 * bytes.count / 20 } + [bytes.count - 1]
            return Set(places).filter(bytes.indices.contains).map { place in
                var damaged = bytes
                damaged[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
                return ("bit flipped in byte \(place)", damaged)
            }
        }
    }

    @Test(arguments: [FilePacking.none, .zstd])
    func `a file that was cut off is found`(packing: FilePacking) async throws {
        try await damageEveryFile(packing) { bytes, _ in
            let lines = bytes.indices.filter { bytes[$0] == CSVDialect.lineEnd }
            let cuts = [0, 1, bytes.count / 2, bytes.count - 1] + lines + lines.map { $0 + 1 }
            return Set(cuts).filter(bytes.indices.contains)
                .map { ("cut to \($0) bytes", Array(bytes[..<$0])) }
        }
    }

    @Test(arguments: [FilePacking.none, .zstd])
    func `a file that is gone is found`(packing: FilePacking) async throws {
        try await damageEveryFile(packing) { _, _ in [("removed", nil)] }
    }

    @Test(arguments: [FilePacking.none, .zstd])
    func `a file that became longer is found`(packing: FilePacking) async throws {
        try await damageEveryFile(packing) { bytes, _ in
            [
                ("longer by a zero", bytes + [0]), ("longer by a line", bytes + [10]),
                ("twice itself", bytes + bytes),
                ("longer by an empty frame", bytes + [0x50, 0x2A, 0x4D, 0x18, 0, 0, 0, 0]),
            ]
        }
    }

    @Test(arguments: ["schema.sql", "RESTORE.md", "index/items.rows.zst", "data/items.csv"])
    func `a file that is gone with its line in the list is found`(file: String) async throws {
        let shop = Shop()
        let point = try await shop.point()
        let sums = try StorageName(path: "\(point.id)/SHA256SUMS")
        let lines = try shop.text("\(sums)").split(separator: "\n")
            .filter { !$0.hasSuffix("  \(file)") }
        shop.storage.files[sums] = Array(lines.map { "\($0)\n" }.joined().utf8)
        try await shop.storage.remove(StorageName(path: "\(point.id)/\(file)"))
        #expect(try await shop.verify(point).damage.contains { $0.contains(file) })
    }

    @Test func `a row exchanged for another, with a checksum that fits, is found`() async throws {
        let shop = Shop()
        let point = try await shop.point()
        let data = try StorageName(path: "\(point.id)/data/words.csv")
        let sums = try StorageName(path: "\(point.id)/SHA256SUMS")
        let damaged = Array(
            try shop.text("\(data)").replacing("plain\nplain", with: "plain\nplane").utf8)
        let record = try #require(point.metadata.tables.first { $0.name == "words" })
        shop.storage.files[data] = damaged
        shop.storage.files[sums] = Array(
            try shop.text("\(sums)").replacing(record.sha256 ?? "", with: digest(damaged)).utf8)
        let report = try await shop.verify(point)
        #expect(report.damage.contains { $0.contains("data/words.csv") })
    }

    @Test func `all damaged files are named, not only the first`() async throws {
        let shop = Shop()
        let point = try await shop.point()
        let files = ["data/items.csv", "data/words.csv", "index/items.rows.zst", "schema.sql"]
        for file in files {
            shop.storage.files[try StorageName(path: "\(point.id)/\(file)")]?[3] ^= 0xFF
        }
        let report = try await shop.verify(point)
        #expect(!report.passed && report.damage.count == files.count)
        for file in files { #expect(report.damage.contains { $0.contains(file) }, "\(file)") }
        #expect(try await shop.repository.state(of: point).verified?.passed == false)
    }

    @Test(arguments: [FilePacking.none, .zstd])
    func `a damaged byte in the archive is found and named, and stands in nobody's way`(
        packing: FilePacking
    ) async throws {
        var shop = Shop()
        shop.request.makesArchive = true
        shop.request.packing = packing
        let point = try await shop.point()
        try await shop.layer(.incremental)
        let latest = try await shop.repository.contents().point(named: "latest")
        let name = try RepositoryLayout.archive(of: point.id)
        let whole = try #require(shop.storage.files[name])
        #expect(try await shop.verify(point).damage == [])
        for part in 0..<40 {
            var bytes = whole
            bytes[part * (whole.count - 1) / 39] ^= 0xFF
            shop.storage.files[name] = bytes
            let found = try await shop.verify(part % 2 == 0 ? point : latest).damage
            #expect(found.count == 1 && found[0].hasPrefix("\(name) is damaged: "), "\(found)")
            #expect(try await shop.repository.state(of: point).verified?.passed == true)
        }
        try await shop.restore(point.id.text)
        #expect(shop.rows(of: "restored") == shop.rows(of: "shop"))
    }

    @Test func `an archive that is another's, cut off or longer is found`() async throws {
        var shop = Shop()
        shop.request.makesArchive = true
        let other = try await shop.point()
        let point = try await shop.point()
        let name = try RepositoryLayout.archive(of: point.id)
        let whole = try #require(shop.storage.files[name])
        let others = try #require(shop.storage.files[RepositoryLayout.archive(of: other.id)])
        let cuts = [0, 1, whole.count / 2, whole.count - 22, whole.count - 1]
        let cut = cuts.map { Array(whole[..<$0]) }
        for bytes in cut + [others, whole + [0], whole + whole] {
            shop.storage.files[name] = bytes
            let found = try await shop.verify(point).damage
            #expect(found.count == 1 && found[0].contains("\(name)"), "\(bytes.count): \(found)")
        }
    }

    /// It was valid once: a file in it may be replaced as easily as one beside it.
    @Test(arguments: ["exchanged", "missing", "added", "doubled"])
    func `a whole archive of other files is found`(way: String) async throws {
        let shop = Shop()
        let point = try await shop.point()
        let zip = try ZipWriter()
        try zip.addFolder("\(point.id)", modified: 0)
        for _ in 0..<(way == "doubled" ? 2 : 1) {
            try zip.addFolder("\(point.id)/data", modified: 0)
        }
        var files = shop.files(of: point.id.text)
        if way == "missing" { files.removeAll { $0 == "data/words.csv" } }
        for file in files + (way == "added" ? ["data/more.csv"] : []) {
            var bytes = shop.storage.files[try StorageName(path: "\(point.id)/\(file)")] ?? []
            if way == "exchanged", file == "data/words.csv" { bytes[bytes.count - 2] ^= 1 }
            try zip.beginFile("\(point.id)/\(file)", byteCount: bytes.count, modified: 0)
            try zip.append(bytes)
        }
        try zip.finish()
        let name = try RepositoryLayout.archive(of: point.id)
        shop.storage.files[name] = zip.takeOutput()
        let found = try await shop.verify(point).damage
        let file =
            switch way {
            case "added": "data/more.csv"
            case "doubled": "\(point.id)/data/ is in it twice"
            default: "data/words.csv"
            }
        #expect(found.count == 1 && found[0].contains("\(name)"), "\(found)")
        #expect(found.first?.contains(file) == true, "\(found)")
    }

    @Test func `a file that somebody has added is named, and says nothing of the backup`()
        async throws
    {
        let shop = Shop()
        let point = try await shop.point()
        try await shop.storage.write(StorageName(path: "\(point.id)/data/.DS_Store"), bytes: [1])
        let report = try await shop.verify(point)
        #expect(report.passed && report.warnings.count == 1)
        #expect(report.warnings.first?.contains("data/.DS_Store") == true)
        #expect(try await shop.repository.state(of: point).verified?.passed == true)
    }

    @Test func `a part of the structure that is not listed is damage`() async throws {
        var shop = Shop()
        _ = try await shop.point()
        try await shop.layer(.incremental)
        let point = try await shop.repository.contents().point(named: "latest")
        let list = try point.folder.appending(RepositoryLayout.schemaList)
        try await shop.storage.write(list, bytes: [1])
        let report = try await shop.verify(point)
        #expect(report.damage.count == 1 && report.damage[0].contains("schema.list"), "\(report)")
        let error = await #expect(throws: BackupError.self) { _ = try await shop.merge() }
        #expect(error?.code == .damaged)
    }

    @Test func `a damaged state.json is no damage of the backup, and is made again`() async throws {
        let shop = Shop()
        let point = try await shop.point()
        let state = try StorageName(path: "\(point.id)/state.json")
        shop.storage.files[state] = Array("{".utf8)
        #expect(try await shop.verify(point).passed)
        #expect(try await shop.repository.state(of: point).verified?.passed == true)
    }

    @Test func `a repository that cannot be written is verified all the same`() async throws {
        let shop = Shop()
        let point = try await shop.point()
        shop.storage.beforeEachStep { step in
            if step.isChange { throw BackupError(.storageFailed, "read-only") }
        }
        #expect(try await shop.verify(point).passed)
    }

    /// Damages each file of a fresh backup in each way, and expects that the file is named.
    private func damageEveryFile(
        _ packing: FilePacking,
        _ ways: ([UInt8], inout SeededGenerator) -> [(String, [UInt8]?)]
    ) async throws {
        var shop = Shop()
        shop.request.packing = packing
        let point = try await shop.point()
        let whole = shop.storage.files
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let files = shop.files(of: point.id.text).filter { $0 != "state.json" }
        #expect(files.count == 12)
        for file in files {
            let name = try StorageName(path: "\(point.id)/\(file)")
            for (way, bytes) in ways(whole[name] ?? [], &random) where bytes != whole[name] {
                shop.storage.files = whole
                shop.storage.files[name] = bytes
                let found = try await findings(shop, point.id)
                #expect(
                    found.contains { $0.contains(file) }, "\(file) \(way), seed \(seed): \(found)")
            }
        }
    }

    /// What a user of `verify` is told.
    private func findings(_ shop: Shop, _ id: BackupID) async throws -> [String] {
        let contents = try await shop.repository.contents()
        if contents.unfinished.contains(where: { $0.base == id }) {
            return ["metadata.json is missing"]
        }
        do {
            return try await shop.verify(contents.point(named: id.text)).damage
        } catch let error as BackupError {
            return [error.message]
        }
    }
}
