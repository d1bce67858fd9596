import BackupTesting
import Foundation
import Testing

/// Kills runs of dbtool when they are about to make one of their calls of the system: those that change a file, and those
/// that speak to the server.
///
/// Calls are counted over all threads: each that an undisturbed run makes can be hit, whichever thread makes it.
struct KillingCalls {
    /// A call of the system, and which of its kind in a run.
    struct Step: Hashable, CustomStringConvertible {
        let call: String
        let number: Int
        var description: String { "\(call) \(number)" }
    }

    private static let calls: Set<String> = [
        "write", "fsync", "sync_file_range", "rename", "mkdir", "unlink", "rmdir", "ftruncate",
        "chmod", "connect", "sendto", "recvfrom",
    ]
    /// All files, what others read, and connections.
    private static let everything = ["FAIL_UNDER": "/:pipe:socket"]

    private let library: PreloadedLibrary
    /// Every step of an undisturbed run, in an order that the seed repeats.
    private let steps: [Step]

    /// Learns from an undisturbed run which steps there are.
    ///
    /// `run`: Gets the words before dbtool's own.
    init(
        of attack: Attack, in shop: CampaignShop,
        _ run: (_ before: [String]) async throws -> ProgramEnd
    ) async throws {
        library = try await PreloadedLibrary("fail-calls", for: shop)
        let log = "\(shop.server.folder)/steps"
        // Every run adds to it.
        try? FileManager.default.removeItem(atPath: log)
        try await run(library.words(Self.everything.merging(["FAIL_LOG": log]) { $1 }))
            .requireCode(0)
        var counts: [String: Int] = [:]
        for line in try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n") {
            counts[String(line.prefix { $0 != " " }), default: 0] += 1
        }
        let steps = Self.calls.sorted().flatMap { call in
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
    func words(at step: Step) -> [String] {
        let chosen = [
            "FAIL_CALL": step.call, "FAIL_FIRST": "\(step.number)", "FAIL_ERROR": "SIGKILL",
        ]
        return library.words(Self.everything.merging(chosen) { $1 })
    }
}
