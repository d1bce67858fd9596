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

    /// What is killed.
    enum Verb: String, CaseIterable, CustomTestStringConvertible {
        case full, zipped, differential, incremental, merge, prune, pin, verify
        var testDescription: String { rawValue }

        var words: [String] {
            switch self {
            case .full: ["full", "database", "-compress", "zstd"]
            case .zipped: ["full", "database", "-compress", "true"]
            case .differential: ["differential", "backup"]
            case .incremental: ["incremental", "backup"]
            case .merge: ["merge", "latest"]
            case .prune: ["prune", "--keep-last", "1"]
            case .pin: ["pin", "latest"]
            case .verify: ["verify", "latest"]
            }
        }

        /// Whether a run did what it should, or found it done.
        func isDone(_ end: ProgramEnd) -> Bool {
            end.code == 0 || self == .merge && end.errors.contains("is a full backup already")
        }
    }

    @Test(arguments: Verb.allCases)
    func `a killed run leaves every earlier backup, and the next one succeeds`(
        verb: Verb
    ) async throws {
        try await Workbench.with(TestServer.oldestAndNewest.newest, limit: .seconds(7200)) {
            bench in
            let shop = try await CampaignShop(bench, endingWithFull: verb == .prune)
            try shop.layOut()
            let steps = try await Strace.steps(of: Self.calls, log: "\(bench.folder)/steps") {
                try await shop.run(verb.words, before: $0)
            }
            var order = SeededGenerator(seed: Attack.seed)
            let shuffled = steps.shuffled(using: &order)
            try await Attack("kill -9: \(verb)").run { number, _ in
                try shop.layOut()
                let step = shuffled[number % shuffled.count]
                let end = try await shop.run(verb.words, before: Strace.killing(at: step))
                // The other thread took the step that this one would have taken.
                guard end.code != 0 else { return nil }
                guard end.code == 128 + SIGKILL else { return ["\(step): \(end)"] }
                var broken = try await shop.broken(
                    keeping: verb == .prune ? [shop.newest] : shop.ids)
                let again = try await shop.run(verb.words)
                if !verb.isDone(again) { broken.append("the next run: \(again)") }
                broken += try await shop.broken(keeping: [shop.newest])
                // A run that finds nothing to do, or takes no lock, leaves what is left to the next one.
                if again.code == 0, verb != .pin, verb != .verify { broken += try shop.remains() }
                return broken.map { "killed at \(step): \($0)" }
            }
        }
    }

    @Test func `a killed restore goes on, and ends with everything`() async throws {
        try await Workbench.with(TestServer.oldestAndNewest.newest, limit: .seconds(7200)) {
            bench in
            let shop = try await CampaignShop(bench)
            try shop.layOut()
            func words(_ target: TestDatabase) -> [String] {
                ["restore", "latest", "--into", target.name, "--create"]
            }
            let whole = bench.expectDatabase("whole")
            let steps = try await Strace.steps(of: Self.calls, log: "\(bench.folder)/steps") {
                try await shop.run(words(whole), before: $0)
            }
            let expected = try await whole.query(CampaignShop.contents)
            var order = SeededGenerator(seed: Attack.seed)
            let shuffled = steps.shuffled(using: &order)
            try await Attack("kill -9: restore").run { number, _ in
                let target = bench.expectDatabase("killed")
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
                if broken.isEmpty, try await target.query(CampaignShop.contents) != expected {
                    broken.append("what was restored differs: \(end)\n\(again)")
                }
                try await bench.administration.query(
                    "DROP DATABASE IF EXISTS \(Workbench.quoted(target.name)) WITH (FORCE)")
                return broken.map { "killed at \(step): \($0)" }
            }
        }
    }
}
