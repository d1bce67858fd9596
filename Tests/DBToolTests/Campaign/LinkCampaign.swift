import BackupTesting
import Foundation
import Testing

/// Whoever may write in a repository, or in the folder of temporary files or extracts, cannot lead a run out of it by links, at
/// whatever moment they come.
@Suite struct LinkCampaign {
    /// What writes and removes; an extract where nil.
    private static let works: [CampaignVerb?] = [
        .prune, .merge, .zipped, .spilling, nil, .full, .incremental,
    ]

    @Test func `links that come and go while a run writes lead it nowhere`() async throws {
        try await CampaignShop.open(on: .postgres, stock: .twoChains, size: .small) { shop in
            let outside = try Outside(of: shop)
            let folder = shop.server.folder
            let (temporary, extracts) = ("\(folder)/shared", "\(folder)/extracts")
            let attack = Attack("links that come and go")
            let works = attack.shuffled(Self.works)
            try await attack.run(tries: Attack.tries * 3) { number, random in
                try shop.layOut()
                for path in [temporary, extracts] { try Self.empty(path) }
                let verb = works[number % works.count]
                let attacker = try LinkingAttacker(
                    in: [shop.repository, temporary, extracts], luringTo: outside,
                    aside: "\(folder)/aside", &random)
                defer { attacker.stop() }
                let before = ["/usr/bin/env", "TMPDIR=\(temporary)"]
                let extract = ["sql", "SELECT * FROM people", "--extract"]
                let end = try await shop.run(
                    verb?.words ?? extract, before: before, in: verb == nil ? extracts : nil)
                attacker.stop()
                guard attacker.swaps > 0 else { return nil }
                // Where a link hides what rests on a full, that is the newest point.
                var broken = end.code == 2 && verb == .merge ? [] : end.faults
                if try !outside.isUntouched { broken.append("touched what is outside: \(end)") }
                broken += try await Self.copies(in: [shop.repository, extracts], of: shop)
                let what = verb.map { "\($0)" } ?? "extract"
                return broken.map { "\(what), \(attacker.swaps) links: \($0)" }
            }
        }
    }

    private static func empty(_ path: String) throws {
        // It is not there the first time.
        try? FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    /// Files that hold what only lies outside; links are none.
    private static func copies(in folders: [String], of shop: CampaignShop) async throws -> [String]
    {
        let search = try await Program.run(
            "/usr/bin/find",
            folders + ["-type", "f", "-exec", "grep", "-lF", Outside.secret, "{}", "+"],
            environment: shop.server.environment, folder: shop.server.folder)
        return search.output.isEmpty ? [] : ["copied what is outside: \(search)"]
    }
}
