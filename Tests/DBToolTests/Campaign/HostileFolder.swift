import BackupCore
import BackupTesting
import Foundation
import Testing

/// A repository in the hands of somebody who may write there and nowhere else, and would like to.
struct HostileFolder {
    /// What such a person does to it.
    enum Trick: CaseIterable {
        case linkedFile, linkedFolder, plantedLink, linkedLock
        case device, pipe, folder, hugeFile, deepJSON, wideJSON, outwardName, forged, bomb
    }

    /// What a forged metadata file may call a file.
    private static let names = [
        "/etc/passwd", "../metadata.json", "data/../../../../x", "", ".", "..", "/", "data",
        "data//x",
        "data/\u{0}x", "file:///etc/passwd", "$(id)", "-rf", String(repeating: "x/", count: 3000),
    ]

    private let shop: CampaignShop
    private let outside: Outside
    private let template: [String: String]

    /// Learns what a repository is like that nobody has touched; it must be laid out.
    init(of shop: CampaignShop, luringTo outside: Outside) async throws {
        (self.shop, self.outside) = (shop, outside)
        template = try await Self.digests(of: Self.listed(in: shop).files, in: shop)
    }

    // MARK: The files

    private func path(_ name: String) -> String { "\(shop.repository)/\(name)" }

    /// Names of files and folders; what a link leads to is neither, and what is huge was made so by a trick.
    private static func listed(in shop: CampaignShop) -> (files: [String], folders: [String]) {
        let names =
            FileManager.default.enumerator(atPath: shop.repository)?.compactMap { $0 as? String }
            ?? []
        var (files, folders): ([String], [String]) = ([], [])
        for name in names.sorted() {
            var status = stat()
            guard lstat("\(shop.repository)/\(name)", &status) == 0 else { continue }
            let type = status.st_mode & S_IFMT
            if type == S_IFDIR { folders.append(name) }
            if type == S_IFREG, status.st_size < 64 << 20 { files.append(name) }
        }
        return (files, folders)
    }

    private static func digests(
        of files: [String], in shop: CampaignShop
    ) async throws -> [String: String] {
        guard !files.isEmpty else { return [:] }
        let end = try await Program.run(
            "/usr/bin/sha256sum", ["--"] + files, environment: shop.server.environment,
            folder: shop.repository)
        try end.requireCode(0)
        let lines = end.output.split(separator: "\n").map(String.init)
        return Dictionary(lines.map { (String($0.dropFirst(66)), String($0.prefix(64))) }) { $1 }
    }

    private func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: path(name))))
    }

    private func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
    }

    private func link(_ name: String, to target: String) throws {
        // It may not be there.
        try? FileManager.default.removeItem(atPath: path(name))
        try FileManager.default.createSymbolicLink(
            atPath: path(name), withDestinationPath: target)
    }

    // MARK: The tricks

    /// Does one; what was done.
    func play(_ trick: Trick, _ random: inout SeededGenerator) throws -> String {
        let (files, folders) = Self.listed(in: shop)
        func pick(_ names: [String], where isFit: (String) -> Bool = { _ in true }) -> String {
            // A trick before may have taken all of them.
            names.filter(isFit).randomElement(using: &random) ?? "backup_catalog.json"
        }
        var name = pick(files)
        switch trick {
        case .linkedFile: try link(name, to: outside.file)
        case .linkedFolder:
            name = pick(folders)
            try link(name, to: outside.folder)
        case .plantedLink:
            let full = shop.ids.first { $0.hasPrefix("full_") } ?? "full"
            name = pick([
                "full_x_20261122_143336_48a9", "\(full).zip", ".backup_catalog.json.1.tmp", "x.csv",
            ])
            try link(name, to: name.hasPrefix("full_x") ? outside.folder : outside.file)
        case .linkedLock:
            if !folders.contains(".lock") {
                try? FileManager.default.removeItem(atPath: path(".lock"))
                try FileManager.default.createDirectory(
                    atPath: path(".lock"), withIntermediateDirectories: true)
            }
            let database = FileNaming.encoded(shop.server.source)
            name = ".lock/" + pick(["catalog", "state.json", database])
            try link(name, to: outside.file)
        case .device: try link(name, to: pick(["/dev/zero", "/dev/stdin", "/proc/self/mem"]))
        case .pipe:
            try FileManager.default.removeItem(atPath: path(name))
            guard mkfifo(path(name), 0o600) == 0 else { throw ProgramFailure("no pipe: \(errno)") }
        case .folder:
            try FileManager.default.removeItem(atPath: path(name))
            try FileManager.default.createDirectory(
                atPath: path(name), withIntermediateDirectories: true)
        case .hugeFile:
            guard truncate(path(name), Attack.isLong ? 3 << 30 : 600 << 20) == 0 else {
                throw ProgramFailure("cannot lengthen \(name): \(errno)")
            }
        case .deepJSON:
            name = pick(files) { $0.hasSuffix(".json") }
            let nest = pick(["[", "{\"tables\":", "{\"tables\":[{\"a\":"])
            try write(Array(String(repeating: nest, count: 200_000).utf8), to: name)
        case .wideJSON:
            name = pick(files) { $0.hasSuffix(".json") }
            let item = pick(["0,", "{},", "[],", "\"\",", "1e300,"])
            let list = String(repeating: item, count: 500_000)
            try write(Array("{\"tables\":[\(list)0],\"backups\":[\(list)0]}".utf8), to: name)
        case .outwardName: name = try nameOutward(pick(files, where: Self.isMetadata), &random)
        case .forged:
            var bytes = try bytes(name)
            let isText = [".json", ".csv", "SHA256SUMS"].contains { name.hasSuffix($0) }
            let forgery = Forgery.random(forText: isText, &random)
            forgery.apply(to: &bytes, &random)
            try write(bytes, to: name)
        case .bomb:
            name = pick(files) { $0.hasSuffix(".zst") }
            let byte = UInt8(ascii: Bool.random(using: &random) ? "x" : "\n")
            let head = Bool.random(using: &random) ? "id,name\n" : ""
            try plantBomb(in: name, head: head, byte: byte)
        }
        return "\(trick) \(name)"
    }

    private static func isMetadata(_ name: String) -> Bool { name.hasSuffix("metadata.json") }

    /// Changes what a metadata file says of its tables.
    private func edit(
        _ name: String, _ body: (inout [[String: Any]]) -> Void
    ) throws {
        // A trick before may have left no JSON in it.
        guard
            var object = try? JSONSerialization.jsonObject(with: Data(bytes(name)))
                as? [String: Any], var tables = object["tables"] as? [[String: Any]]
        else { return }
        body(&tables)
        object["tables"] = tables
        let data = try JSONSerialization.data(
            withJSONObject: object,
            options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        try write([UInt8](data), to: name)
    }

    private func nameOutward(
        _ metadata: String, _ random: inout SeededGenerator
    ) throws -> String {
        let up = String(repeating: "../", count: Int.random(in: 1...8, using: &random))
        let all = Self.names + [outside.file, "\(up)outside/\(Outside.name)", "data/\(up)x"]
        let called = all.randomElement(using: &random) ?? ""
        let field = ["file", "index_file", "deleted_file"].randomElement(using: &random) ?? "file"
        let number = Int.random(in: 0...100, using: &random)
        try edit(metadata) { tables in
            guard !tables.isEmpty else { return }
            tables[number % tables.count][field] = called
        }
        return "\(metadata): \(field) \(called.prefix(60).debugDescription)"
    }

    /// Some kilobytes that become gigabytes, of which the metadata say so.
    private func plantBomb(in name: String, head: String, byte: UInt8) throws {
        guard name.hasSuffix(".zst") else { return }
        let before = try bytes(name).count
        let blocks = Attack.isLong ? 32_768 : 16_384
        // A frame of unknown length with a window of 128 kB, and blocks of one byte that is repeated.
        // https://www.rfc-editor.org/rfc/rfc8878
        var bomb: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x38]
        func add(_ count: Int, isRepeated: Bool, isLast: Bool, _ bytes: [UInt8]) {
            let header = count << 3 | (isRepeated ? 2 : 0) | (isLast ? 1 : 0)
            bomb += [UInt8(header & 0xFF), UInt8(header >> 8 & 0xFF), UInt8(header >> 16 & 0xFF)]
            bomb += bytes
        }
        if !head.isEmpty {
            add(head.utf8.count, isRepeated: false, isLast: false, Array(head.utf8))
        }
        for block in 1...blocks {
            add(1 << 17, isRepeated: true, isLast: block == blocks, [byte])
        }
        try write(bomb, to: name)
        let grown = bomb.count - before
        for metadata in Self.listed(in: shop).files.filter(Self.isMetadata) {
            let folder = String(metadata.dropLast("metadata.json".count))
            try edit(metadata) { tables in
                for index in tables.indices {
                    let fields = ["file", "index_file", "deleted_file"]
                    let isHere = fields.contains { field in
                        (tables[index][field] as? String).map { folder + $0 == name } ?? false
                    }
                    guard isHere else { continue }
                    tables[index]["bytes"] = (tables[index]["bytes"] as? Int ?? 0) + grown
                    tables[index]["csv_bytes"] =
                        (tables[index]["csv_bytes"] as? Int ?? 0) + blocks << 17
                }
            }
        }
    }

    // MARK: Checksums

    /// Lets every checksum be that of what is there now.
    func makeConsistent() async throws {
        let files = Self.listed(in: shop).files
        let lists = files.filter { Self.isMetadata($0) || $0.hasSuffix("SHA256SUMS") }
        try await replaceDigests(of: files.filter { !lists.contains($0) }, in: lists)
        // Each names the one that it rests on.
        let depth = { (name: String) in name.split(separator: "/").count }
        for metadata in lists.filter(Self.isMetadata)
            .sorted(by: { (depth($0), $0) < (depth($1), $1) })
        {
            try await replaceDigests(of: [metadata], in: lists)
        }
    }

    private func replaceDigests(of files: [String], in lists: [String]) async throws {
        let now = try await Self.digests(of: files, in: shop)
        var changed: [(old: String, new: String)] = []
        for (name, digest) in now {
            if let old = template[name], old != digest { changed.append((old, digest)) }
        }
        guard !changed.isEmpty else { return }
        for list in lists {
            let before = try String(decoding: bytes(list), as: UTF8.self)
            let after = changed.reduce(before) { $0.replacing($1.old, with: $1.new) }
            if after != before { try write(Array(after.utf8), to: list) }
        }
    }
}

/// What lies beside a repository, is nobody's business there, and would be missed.
struct Outside {
    /// What nobody may read out.
    static let secret = "c4n4ry"
    static let name = "secret.csv"

    let folder: String
    var file: String { "\(folder)/\(Self.name)" }
    private let before: [String]

    init(of shop: CampaignShop) throws {
        folder = "\(shop.server.folder)/outside"
        try FileManager.default.createDirectory(
            atPath: "\(folder)/data", withIntermediateDirectories: true)
        let text = Data("id,name\n1,\(Self.secret)\n".utf8)
        try text.write(to: URL(fileURLWithPath: "\(folder)/\(Self.name)"))
        try text.write(to: URL(fileURLWithPath: "\(folder)/data/people.csv"))
        before = try Self.state(of: folder)
    }

    /// Whether it is as it was: names, contents and times.
    var isUntouched: Bool {
        get throws { try Self.state(of: folder) == before }
    }

    private static func state(of folder: String) throws -> [String] {
        let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String }
        return try ([""] + (names ?? []).sorted()).map { name in
            var status = stat()
            guard lstat("\(folder)/\(name)", &status) == 0 else {
                throw ProgramFailure("cannot look at \(folder)/\(name): \(errno)")
            }
            // A folder has none.
            let contents = FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data()
            let time = "\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
            return "\(name) \(time) \(String(decoding: contents, as: UTF8.self))"
        }
    }
}
