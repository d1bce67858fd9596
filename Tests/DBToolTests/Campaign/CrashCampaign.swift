import BackupTesting
import Foundation
import Testing

/// A run that is killed at any of its calls of the system leaves whole backups or none.
@Suite struct CrashCampaign {
    /// Everything that reaches the disk or the server.
    private static let calls = [
        "write", "pwrite64", "fsync", "fdatasync", "sync_file_range", "rename", "mkdir", "unlink",
        "unlinkat", "rmdir", "ftruncate", "chmod", "connect", "sendto", "recvfrom",
    ]

    /// What is killed. Where no server is asked, the product makes no difference.
    private static let runs: [(CampaignShop.Product, CampaignVerb)] =
        CampaignVerb.allCases.map { (.postgres, $0) }
        + [.full, .zipped, .differential, .incremental, .merge].map { (.mariadb, $0) }
        + (Attack.isLong ? CampaignVerb.backups : [.differential]).map { (.mysql, $0) }

    @Test(arguments: runs)
    func `a killed run leaves every earlier backup, and the next one succeeds`(
        product: CampaignShop.Product, verb: CampaignVerb
    ) async throws {
        try await CampaignShop.open(on: product, endingWithFull: verb == .prune) { shop in
            let shuffled = try await Self.steps(shop) { try await shop.run(verb.words, before: $0) }
            try await Attack("kill -9: \(product), \(verb)").run { number, _ in
                try shop.layOut()
                let step = shuffled[number % shuffled.count]
                let end = try await shop.run(verb.words, before: Strace.killing(at: step))
                // The other thread took the step that this one would have taken.
                guard end.code != 0 else { return nil }
                guard end.code == 128 + SIGKILL else { return ["\(step): \(end)"] }
                return try await shop.aftermath(of: verb).map { "killed at \(step): \($0)" }
            }
        }
    }

    /// The steps of a run, in an order that the seed repeats.
    private static func steps(
        _ shop: CampaignShop, _ run: ([String]) async throws -> ProgramEnd
    ) async throws -> [Strace.Step] {
        try shop.layOut()
        var order = SeededGenerator(seed: Attack.seed)
        return try await Strace.steps(
            of: calls, log: "\(shop.server.folder)/steps", run
        ).shuffled(using: &order)
    }

    @Test(arguments: [CampaignShop.Product.postgres, .mariadb, .mysql])
    func `a killed restore goes on, and ends with everything`(
        product: CampaignShop.Product
    ) async throws {
        try await CampaignShop.open(on: product) { shop in
            func words(_ target: String) -> [String] {
                ["restore", "latest", "--into", target, "--create"]
            }
            let whole = shop.server.newName("whole")
            let shuffled = try await Self.steps(shop) {
                try await shop.run(words(whole), before: $0)
            }
            let expected = try await shop.server.contents(of: whole)
            try await Attack("kill -9: \(product), restore").run { number, _ in
                let target = shop.server.newName("killed")
                let step = shuffled[number % shuffled.count]
                let end = try await shop.run(words(target), before: Strace.killing(at: step))
                guard end.code != 0 else { return nil }
                var again = try await shop.run(words(target))
                // What the killed one had begun on the server may go on for a moment.
                for _ in 0..<50 where again.code == 6 {
                    try await Task.sleep(for: .milliseconds(100))
                    again = try await shop.run(words(target))
                }
                let wasComplete = again.code == 1 && again.errors.contains("is not empty")
                var broken = again.code == 0 || wasComplete ? [] : ["the next run: \(again)"]
                if broken.isEmpty, try await shop.server.contents(of: target) != expected {
                    broken.append("what was restored differs: \(end)\n\(again)")
                }
                try await shop.server.drop(target)
                return broken.map { "killed at \(step): \($0)" }
            }
        }
    }
}
