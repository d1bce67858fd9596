import BackupTesting
import Foundation
import Testing

/// A small database, and a repository with a chain of it that each try begins with.
struct CampaignShop {
    let server: any CampaignServer
    /// The ids in the template, and the last of them.
    let ids: Set<String>
    let newest: String

    var repository: String { "\(server.folder)/repository" }
    private var template: String { "\(server.folder)/template" }

    /// The product that it sells from.
    enum Product: String, CustomTestStringConvertible {
        case postgres, mariadb, mysql

        /// All of them where there is time.
        static let asTimeAllows: [Product] =
            Attack.isLong ? [.postgres, .mariadb, .mysql] : [.postgres]

        var testDescription: String { rawValue }
    }

    /// Opens one on a server of a product, for `body`.
    static func open(
        on product: Product, endingWithFull: Bool = false,
        _ body: @escaping @Sendable (CampaignShop) async throws -> Void
    ) async throws {
        switch product {
        case .postgres:
            try await Workbench.with(TestServer.oldestAndNewest.newest, limit: .seconds(7200)) {
                bench in
                let server = try await PostgresCampaignServer(bench)
                try await body(CampaignShop(server, endingWithFull: endingWithFull))
            }
        case .mariadb, .mysql:
            let server = try #require(
                MySQLTestServer.all.first { $0.product == product.rawValue },
                "no server of \(product)")
            try await MySQLBench.with(server) { bench in
                try await body(
                    CampaignShop(MySQLCampaignServer(bench), endingWithFull: endingWithFull))
            }
        }
    }

    /// A full, a differential and an incremental; then changes that no backup has yet.
    init(_ server: any CampaignServer, endingWithFull: Bool = false) async throws {
        self.server = server
        try await server.query(server.opening, in: server.source)
        let verbs =
            [["full", "database"], ["differential", "backup"], ["incremental", "backup"]]
            + (endingWithFull ? [["full", "database"]] : [])
        var ids: [String] = []
        for (number, verb) in verbs.enumerated() {
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
        try FileManager.default.copyItem(atPath: template, toPath: repository)
    }

    /// Runs words before dbtool's own, with the repository and the source.
    ///
    /// `port`: Of whoever stands in front of the server. `connected`: Whether it needs a server.
    func run(
        _ words: [String], before: [String] = [], as connected: Bool = true, port: UInt16? = nil,
        while body: (RunningProgram) async throws -> Void = { _ in }
    ) async throws -> ProgramEnd {
        let all =
            before + [try DBToolBinary.path()] + words + ["-path", repository]
            + (connected
                ? ["--database", server.source] + server.flags(port: port ?? server.port) : [])
        return try await Program.run(
            "/usr/bin/timeout", ["--foreground", "-s", "KILL", "60"] + all,
            environment: server.environment, folder: server.folder, while: body)
    }

    // MARK: What must hold

    /// What does not hold after an attack on a run, whatever became of it: what is listed is proven, the same run
    /// succeeds now, and nothing is left of the one before.
    ///
    /// `kept`: What must be listed still; by default all that was there, but for a verb that removes backups.
    func aftermath(of verb: CampaignVerb, keeping kept: Set<String>? = nil) async throws
        -> [String]
    {
        let kept = kept ?? (verb == .prune ? [newest] : ids)
        var broken = try await broken(keeping: kept)
        let again = try await run(verb.words)
        if !verb.isDone(again) { broken.append("the next run: \(again)") }
        broken += try await self.broken(keeping: kept.intersection([newest]))
        // A run that finds nothing to do, or takes no lock, leaves what is left to the next one.
        if again.code == 0, verb != .pin, verb != .verify { broken += remains() }
        return broken
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
        let target = server.newName("restored")
        let end = try await run(["restore", point, "--into", target, "--create"])
        guard end.code == 0 else { return ["\(end)"] }
        let isEqual = try await server.contents(of: target) == server.contents(of: server.source)
        try await server.drop(target)
        return isEqual ? [] : ["\(point) is not the source"]
    }

    /// Nothing but whole backups and what belongs to the repository itself.
    private func remains() -> [String] {
        let names = FileManager.default.enumerator(atPath: repository)?.compactMap {
            $0 as? String
        }
        return (names ?? []).filter { $0.hasSuffix(".tmp") }.map { "\($0) is left" }
    }
}

extension ProgramEnd {
    /// What is wrong about the end of a run in trouble: it must have words, and a code that has a meaning.
    ///
    /// `check` says what it found in its report, whatever the code.
    var faults: [String] {
        guard code != 0 else { return [] }
        guard [1, 3, 4, 5, 6].contains(code) else { return ["\(self)"] }
        let hasWords = errors.contains("error:") || output.contains("-- problem:")
        return hasWords || code == 3 || code == 4 ? [] : ["no words: \(self)"]
    }
}
