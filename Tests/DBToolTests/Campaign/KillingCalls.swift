import BackupTesting
import Foundation
import Testing

/// Kills runs of dbtool, or tells them to stop, when they are about to make one of their calls of the system.
///
/// Calls are counted over all threads: each that an undisturbed run makes can be hit, whichever thread makes it.
struct KillingCalls {
    /// A call of the system, and which of its kind in a run.
    struct Step: Hashable, CustomStringConvertible {
        let call: String
        let number: Int
        var description: String { "\(call) \(number)" }
    }

    /// Which calls count.
    enum Reach {
        /// Those that change a file, whichever it is, and those that speak to the server.
        case effects
        /// Those that change a file of the repository, and those that read one.
        case repository

        fileprivate var calls: Set<String> {
            let changing: Set = [
                "write", "fsync", "sync_file_range", "rename", "mkdir", "unlink", "rmdir",
                "ftruncate", "chmod",
            ]
            return switch self {
            case .effects: changing.union(["connect", "sendto", "recvfrom"])
            case .repository: changing.union(["open", "read", "readdir", "close"])
            }
        }

        /// Where files begin that are looked at, what others read, and connections.
        fileprivate func under(_ shop: CampaignShop) -> String {
            switch self {
            case .effects: "/:pipe:socket"
            case .repository: "\(shop.server.folder)/repository"
            }
        }
    }

    private let library: PreloadedLibrary
    private let under: String
    private let log: String
    /// Every step of an undisturbed run, in an order that the seed repeats.
    private let steps: [Step]

    /// Learns from an undisturbed run which steps there are.
    ///
    /// `run`: Gets the words before dbtool's own.
    init(
        _ reach: Reach = .effects, of attack: Attack, in shop: CampaignShop,
        _ run: (_ before: [String]) async throws -> ProgramEnd
    ) async throws {
        library = try await PreloadedLibrary("fail-calls", for: shop)
        under = reach.under(shop)
        log = "\(shop.server.folder)/steps"
        // Every run adds to it.
        try? FileManager.default.removeItem(atPath: log)
        try await run(library.words(["FAIL_UNDER": under, "FAIL_LOG": log])).requireCode(0)
        var counts: [String: Int] = [:]
        for line in try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n") {
            counts[String(line.prefix { $0 != " " }), default: 0] += 1
        }
        let steps = reach.calls.sorted().flatMap { call in
            (0..<(counts[call] ?? 0)).map { Step(call: call, number: $0 + 1) }
        }
        try #require(!steps.isEmpty, "\(attack.name): no step was seen")
        self.steps = attack.shuffled(steps)
    }

    /// How many steps there are.
    var count: Int { steps.count }

    /// What a try hits: each step once, before one is hit again.
    func step(ofTry number: Int) -> Step { steps[number % steps.count] }

    /// The words before a run that is killed when it is about to take a step.
    func words(at step: Step) -> [String] { words(at: step, ["FAIL_ERROR": "SIGKILL"]) }

    /// The words before a run that is told to stop, by SIGTERM or SIGHUP, when it is about to take a step.
    func words(at step: Step, telling signal: String) -> [String] {
        // What the last try has left would be taken for a hit.
        try? FileManager.default.removeItem(atPath: log)
        return words(at: step, ["FAIL_ERROR": signal, "FAIL_LOG": log])
    }

    private func words(at step: Step, _ more: [String: String]) -> [String] {
        let chosen = [
            "FAIL_UNDER": under, "FAIL_CALL": step.call, "FAIL_FIRST": "\(step.number)",
        ]
        return library.words(chosen.merging(more) { $1 })
    }

    /// Whether the last run was told to stop, and not done before it came to that step.
    var wasTold: Bool { PreloadedLibrary.hasHit(by: log) }
}
