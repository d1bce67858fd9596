import BackupTesting
import Foundation
import Synchronization
import Testing

/// A small database, and a repository with a chain of it that each try begins with.
struct CampaignShop {
    let server: any CampaignServer
    /// The ids in the template, and the last of them.
    let ids: Set<String>
    let newest: String

    /// A path as people have them, and as shells and programs break at.
    var repository: String {
        "\(server.folder)/repository of 'Ana' & \"Zoe\u{308}\" $HOME `id` %41 \\n/-path *"
    }
    private var template: String { "\(server.folder)/template" }
    private let remembered = Remembered()

    private final class Remembered: Sendable {
        /// What the newest backup of the template restores to, once that was asked for.
        let contents = Mutex<String?>(nil)
        /// Whether the newest point was restored after an attack.
        let hasRestored = Mutex(false)
    }

    /// The product that it sells from.
    enum Product: String, CustomTestStringConvertible {
        case postgres, mariadb, mysql

        /// All of them where there is time.
        static let asTimeAllows: [Product] =
            Attack.isLong ? [.postgres, .mariadb, .mysql] : [.postgres]

        var testDescription: String { rawValue }
    }

    /// What the template holds.
    enum Stock: String {
        /// A full with an archive, a differential whose files are packed, and an incremental.
        case chain
        /// The same, of which the incremental alone is not packed.
        case packed
        /// The chain, and a full behind it.
        case twoChains

        var verbs: [[String]] {
            let (full, differential) = (["full", "database"], ["differential", "backup"])
            let incremental = ["incremental", "backup"]
            let chain = [
                full + ["-compress", "true"], differential + ["-compress", "zstd"], incremental,
            ]
            return switch self {
            case .chain: chain
            case .packed:
                [
                    full + ["-compress", "zstd"], differential,
                    incremental + ["-compress", "false"],
                ]
            case .twoChains: chain + [full]
            }
        }
    }

    /// Opens one on a server of a product, for `body`.
    ///
    /// `size`: By default drawn for the test and the product.
    static func open(
        on product: Product, stock: Stock = .chain, size: CampaignSize? = nil,
        _ body: @escaping @Sendable (CampaignShop) async throws -> Void
    ) async throws {
        let size = size ?? .drawn(for: "\(product), \(stock)")
        switch product {
        case .postgres:
            try await Workbench.with(TestServer.oldestAndNewest.newest, limit: .seconds(7200)) {
                bench in
                let server = try await PostgresCampaignServer(bench, size: size)
                try await body(CampaignShop(server, stock: stock))
            }
        case .mariadb, .mysql:
            try await MySQLBench.with(testServer(of: product)) { bench in
                let server = try await MySQLCampaignServer(bench, size: size)
                try await body(CampaignShop(server, stock: stock))
            }
        }
    }

    /// The same on a server that nobody else uses.
    static func openAlone(
        on product: Product,
        _ body: @escaping @Sendable (CampaignShop, any OwnServer) async throws -> Void
    ) async throws {
        switch product {
        case .postgres:
            try await Workbench.with(TestServer.oldestAndNewest.newest, limit: .seconds(7200)) {
                bench in
                try await bench.withEndingServer(["fsync=off"]) { own in
                    let server = try await PostgresCampaignServer(bench, own.database)
                    try await body(CampaignShop(server), own)
                }
            }
        case .mariadb, .mysql:
            try await MySQLBench.withOwnServer(like: testServer(of: product)) { bench, own in
                try await body(CampaignShop(MySQLCampaignServer(bench)), own)
            }
        }
    }

    static func testServer(of product: Product) throws -> MySQLTestServer {
        try #require(
            MySQLTestServer.all.first { $0.product == product.rawValue }, "no server of \(product)")
    }

    /// The backups of `stock`; then changes that no backup has yet.
    init(_ server: any CampaignServer, stock: Stock = .chain) async throws {
        self.server = server
        try await server.query(server.opening, in: server.source)
        var ids: [String] = []
        for (number, verb) in stock.verbs.enumerated() {
            let end = try await Program.run(
                DBToolBinary.path(),
                verb + [
                    "-path", "\(server.folder)/template", "--json", "--database", server.source,
                ] + server.flags(port: server.port),
                environment: server.environment, folder: server.folder)
            try end.requireCode(0)
            ids.append(try StoredBackup(end).id)
            let change = number < server.changes.count ? server.changes[number] : ""
            try await server.query(
                "DELETE FROM pets WHERE owner % 3 = 0; \(change)", in: server.source)
        }
        self.ids = Set(ids)
        newest = try #require(ids.last)
    }

    /// A copy of the template, as the test's repository.
    func layOut() throws {
        try? FileManager.default.removeItem(atPath: repository)
        try FileManager.default.createDirectory(
            atPath: URL(fileURLWithPath: repository).deletingLastPathComponent().path,
            withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: template, toPath: repository)
    }

    /// What a full takes here and now: on a busy machine the first moments of a run are later.
    func millisecondsOfFull() async throws -> Int {
        try layOut()
        let start = ContinuousClock.now
        try await run(CampaignVerb.full.words).requireCode(0)
        try layOut()
        return Int(start.duration(to: .now) / .milliseconds(1))
    }

    /// Runs words before dbtool's own, with the repository and the source.
    ///
    /// `port`: Of whoever stands in front of the server. `connected`: Whether it needs a server. `place`: Another
    /// repository. `database`: Another source.
    func run(
        _ words: [String], before: [String] = [], as connected: Bool = true, port: UInt16? = nil,
        in place: String? = nil, of database: String? = nil,
        while body: (RunningProgram) async throws -> Void = { _ in }
    ) async throws -> ProgramEnd {
        let all =
            before + [try DBToolBinary.path()] + words + ["-path", place ?? repository]
            + (connected
                ? ["--database", database ?? server.source]
                    + server.flags(port: port ?? server.port) : [])
        return try await Program.run(
            // A run that hangs ends with 124, which no run does by itself; killed, it would look like one that was
            // killed on purpose.
            "/usr/bin/timeout", ["--foreground", "-s", "ALRM", "-k", "10", "60"] + all,
            environment: server.environment, folder: server.folder
        ) { try await body($0.inner) }
    }

    // MARK: What must hold

    /// What does not hold after an attack on a run, whatever became of it: what is listed is proven, the same run
    /// succeeds now, and nothing is left of the one before. In the first try that was one, and in each fourth, the newest point
    /// is restored, too.
    ///
    /// `kept`: What must be listed still; by default all that was there, but for a verb that removes backups.
    /// `contents`: What the newest point must restore to then; by default what the verb has found.
    func aftermath(
        of verb: CampaignVerb, inTry number: Int, keeping kept: Set<String>? = nil,
        restoring contents: String? = nil
    ) async throws -> [String] {
        let kept = kept ?? (verb == .prune ? [newest] : ids)
        var broken = try await broken(keeping: kept)
        let again = try await run(verb.words)
        guard verb.isDone(again) else { return broken + ["the next run: \(again)"] }
        broken += try await self.broken(keeping: kept)
        let isFirst = remembered.hasRestored.withLock { hasRestored in
            let isFirst = !hasRestored
            hasRestored = true
            return isFirst
        }
        if isFirst || number % 4 == 3 {
            let expected =
                if let contents { contents } else { try await self.contents(after: verb) }
            broken += try await differences(ofPoint: "latest", from: expected)
        }
        // A run that finds nothing to do, or takes no lock, leaves what is left to the next one.
        guard again.code == 0, verb != .pin, verb != .verify else { return broken }
        broken += temporaryFiles()
        if verb == .prune {
            // It removes backups, and leaves folders of runs that were cut off to the next backup.
            let next = try await run(CampaignVerb.incremental.words)
            if next.code != 0 { broken.append("the next backup: \(next)") }
        }
        return broken + remains()
    }

    /// What is listed as completed must be proven by `verify`, and what was there before must be listed.
    func broken(keeping kept: Set<String>) async throws -> [String] {
        let list = try await run(["list", "--json"], as: false)
        guard list.code == 0 else { return ["list failed: \(list)"] }
        let listed = try JSON(parsing: list.output)["backups"].items
            .filter { $0["status"].string == "completed" }.compactMap(\.["id"].string)
        var broken = kept.subtracting(listed).map { "\($0) is not listed any more" }
        for id in listed {
            let end = try await run(["verify", id], as: false)
            if end.code != 0 { broken.append("\(end)") }
        }
        return broken
    }

    /// The ids that are listed as completed.
    func completed() async throws -> Set<String> {
        let list = try await run(["list", "--json"], as: false)
        try list.requireCode(0)
        return try Set(
            JSON(parsing: list.output)["backups"].items
                .filter { $0["status"].string == "completed" }.compactMap(\.["id"].string))
    }

    /// The id of the newest completed point, which is proven; nil where there is none, or it is damaged.
    func newestPoint() async throws -> String? {
        let end = try await run(["verify", "latest", "--json"], as: false)
        return try end.code == 0 ? JSON(parsing: end.output)["id"].string : nil
    }

    /// What is listed and is neither a completed backup nor a run that says of itself that it failed.
    func unfinished() async throws -> [String] {
        let list = try await run(["list", "--json"], as: false)
        return try JSON(parsing: list.output)["backups"].items
            .filter { !["completed", "failed"].contains($0["status"].string) }.map {
                "\($0) is listed"
            }
    }

    /// Whether a point restores to what the source holds; it must have been made after the last change.
    func differences(ofPoint point: String) async throws -> [String] {
        try await differences(ofPoint: point, from: server.contents(of: server.source))
    }

    /// Whether a point restores to a database of these contents.
    ///
    /// `database`: Whose point it is, if not the source's.
    func differences(
        ofPoint point: String, of database: String? = nil, from expected: String
    ) async throws -> [String] {
        let target = server.newName("restored")
        let end = try await run(["restore", point, "--into", target, "--create"], of: database)
        guard end.code == 0 else {
            try await server.drop(target)
            return ["\(end)"]
        }
        let found = try await server.contents(of: target)
        try await server.drop(target)
        guard found != expected else { return [] }
        return [
            "\(point) does not restore what it should: \(Self.first(of: found, against: expected))"
        ]
    }

    /// The first lines that one text has and the other one lacks, of each.
    private static func first(of found: String, against expected: String) -> String {
        let (lines, wanted) = (found.split(separator: "\n"), expected.split(separator: "\n"))
        let surplus = lines.filter { !wanted.contains($0) }.prefix(3).map { "+ \($0.prefix(300))" }
        let missing = wanted.filter { !lines.contains($0) }.prefix(3).map { "- \($0.prefix(300))" }
        return (surplus + missing).joined(separator: "\n")
    }

    /// What the newest point holds once a verb is done: the source, or what the newest one held that was there.
    private func contents(after verb: CampaignVerb) async throws -> String {
        try await verb.readsSource ? server.contents(of: server.source) : contentsOfNewest()
    }

    /// What the newest backup of the template restores to.
    func contentsOfNewest() async throws -> String {
        if let known = remembered.contents.withLock({ $0 }) { return known }
        let target = server.newName("newest")
        try await run(["restore", newest, "--into", target, "--create"], in: template)
            .requireCode(0)
        let contents = try await server.contents(of: target)
        try await server.drop(target)
        remembered.contents.withLock { $0 = contents }
        return contents
    }

    // MARK: The files

    /// All files and folders, below the repository.
    private var names: [String] {
        FileManager.default.enumerator(atPath: repository)?.compactMap { $0 as? String } ?? []
    }

    private func temporaryFiles() -> [String] {
        names.filter { $0.hasSuffix(".tmp") }.map { "\($0) is left" }
    }

    /// What is neither a whole backup, nor the archive of one, nor the repository's own.
    private func remains() -> [String] {
        let all = Set(names)
        func isBackup(_ name: String) -> Bool {
            let parts = name.split(separator: "/")
            let isFull = parts.count == 1 && name.hasPrefix("full_")
            // Only names of files have a point.
            return (isFull || parts.count == 3 && parts[1] == ".backup_diff")
                && parts.last?.contains(".") == false
        }
        let cutOff = all.filter { isBackup($0) && !all.contains("\($0)/metadata.json") }
        let alone = all.filter {
            $0.hasSuffix(".zip") && !all.contains("\($0.dropLast(4))/metadata.json")
        }
        return temporaryFiles() + cutOff.map { "\($0) is no whole backup" }
            + alone.map { "\($0) is of no backup" }
    }
}

extension ProgramEnd {
    /// What is wrong about the end of a run in trouble: it must have words, and a code that has a meaning.
    ///
    /// `check` says what it found in its report, whatever the code.
    var faults: [String] {
        guard code != 0 else { return [] }
        guard [1, 3, 4, 5, 6].contains(code) else { return ["\(self)"] }
        let hasWords = errors.contains("error:") || output.contains("PROBLEM")
        return hasWords || code == 3 || code == 4 ? [] : ["no words: \(self)"]
    }
}
