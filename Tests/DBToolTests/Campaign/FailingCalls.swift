import BackupTesting
import Foundation
import Testing

/// A call of the system, and how it may fail on a machine that is in trouble.
struct Fault: CustomStringConvertible {
    let call: String
    let error: String

    init(_ call: String, _ error: String) {
        (self.call, self.error) = (call, error)
    }

    var description: String { "\(error) of \(call)" }

    /// Whether it is the way to a server that fails, and no file.
    var isOfConnection: Bool { ["connect", "recvfrom"].contains(call) }
}

/// Lets calls of the system fail in runs of dbtool: those for connections, and those for files of the repository and
/// temporary ones; never for a terminal, a library or a log.
struct FailingCalls {
    /// A call that fails, and the words before the run in which it does.
    struct Moment: CustomStringConvertible {
        let before: [String]
        let description: String
    }

    private let faults: [Fault]
    private let steps: [Strace.Step]
    private let counts: [String: Int]
    private let library: [String]
    private let log: String

    /// Learns from undisturbed runs how often each call is made.
    ///
    /// `run`: Gets the words before dbtool's own, and must run the same each time.
    /// - Throws: When one of the faults would be tried on nothing.
    init(
        _ faults: [Fault], of attack: Attack, in shop: CampaignShop,
        _ run: (_ before: [String]) async throws -> ProgramEnd
    ) async throws {
        let folder = shop.server.folder
        let log = "\(folder)/calls"
        let library =
            try await Self.library(in: shop) + [
                "FAIL_UNDER=\(folder)/repository:\(folder)/dbtool-", "FAIL_LOG=\(log)",
            ]
        try await run(library).requireCode(0)
        let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
        var counts = Dictionary(grouping: lines) { String($0.prefix { $0 != " " }) }
            .mapValues(\.count)
        let connecting = Set(faults.filter(\.isOfConnection).map(\.call)).sorted()
        let steps =
            try await connecting.isEmpty ? [] : Strace.steps(of: connecting, log: log, run)
        for step in steps { counts[step.call, default: 0] += 1 }
        for fault in faults {
            try #require(counts[fault.call] != nil, "\(attack.name): nobody calls \(fault.call)")
        }
        (self.faults, self.steps, self.counts) = (attack.shuffled(faults), steps, counts)
        (self.library, self.log) = (library, log)
    }

    /// Compiles the library; the words that have a program run with it.
    private static func library(in shop: CampaignShop) async throws -> [String] {
        let file = "\(shop.server.folder)/fail-calls.so"
        try await Program.run(
            "/usr/bin/cc",
            [
                "-shared", "-fPIC", "-O1", "-o", file,
                "\(DBToolBinary.package)/Tests/Fixtures/fail-calls.c", "-ldl",
            ], environment: shop.server.environment, folder: shop.server.folder
        ).requireCode(0)
        return ["/usr/bin/env", "LD_PRELOAD=\(file)"]
    }

    /// What a try lets fail: each fault in turn, at a call and for a time that the seed says.
    func moment(_ number: Int, _ random: inout SeededGenerator) throws -> Moment {
        // What the last try has left would be taken for a hit.
        try? FileManager.default.removeItem(atPath: log)
        let fault = faults[number % faults.count]
        let isForGood = Bool.random(using: &random)
        let story = "\(fault)\(isForGood ? " for good" : "")"
        if fault.isOfConnection {
            let steps = self.steps.filter { $0.call == fault.call }
            let step = try #require(steps.randomElement(using: &random))
            return Moment(
                before: Strace.failing(step, with: fault.error, forGood: isForGood, log: log),
                description: "\(story) at \(step)")
        }
        let call = Int.random(in: 1...(counts[fault.call] ?? 1), using: &random)
        let words = [
            "FAIL_CALL=\(fault.call)", "FAIL_ERROR=\(fault.error)", "FAIL_FIRST=\(call)",
        ]
        return Moment(
            before: library + words + (isForGood ? ["FAIL_FOR_GOOD=1"] : []),
            description: "\(story) at \(call)")
    }

    /// Whether the call was made: threads that take turns in another order may need fewer.
    var wasHit: Bool {
        // There is none where no such call was made.
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        return text.hasPrefix("!") || text.contains("\n!") || text.contains("(INJECTED)")
    }
}
