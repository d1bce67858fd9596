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
    var isOfConnection: Bool { Self.isOfConnection(call) }

    /// Whether calls of a kind are made to reach a server.
    static func isOfConnection(_ call: String) -> Bool {
        ["connect", "recvfrom", "sendto"].contains(call)
    }
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
    private let counts: [String: Int]
    private let library: PreloadedLibrary
    private let log: String
    /// What files of the repository and temporary ones begin with.
    private let files: String
    /// What connections are called, which have no path.
    private static let connections = "socket"

    /// Learns from an undisturbed run how often each call is made.
    ///
    /// `possible`: Faults that are left out where such a call is not made. `run`: Gets the words before dbtool's own, and
    /// must run the same each time.
    /// - Throws: When one of the faults would be tried on nothing.
    init(
        _ faults: [Fault], perhaps possible: [Fault] = [], of attack: Attack,
        in shop: CampaignShop, _ run: (_ before: [String]) async throws -> ProgramEnd
    ) async throws {
        let folder = shop.server.folder
        let log = "\(folder)/calls"
        let files = "\(folder)/repository:\(folder)/dbtool-"
        library = try await PreloadedLibrary("fail-calls", for: shop)
        // Every run adds to it.
        try? FileManager.default.removeItem(atPath: log)
        try await run(
            library.words(["FAIL_UNDER": "\(files):\(Self.connections)", "FAIL_LOG": log])
        ).requireCode(0)
        var counts: [String: Int] = [:]
        for line in try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n") {
            let call = line.prefix { $0 != " " }
            let isOfConnection = line.dropFirst(call.count + 1).hasPrefix(Self.connections)
            // What is read from a connection as from a file, or closed, is no fault of a file.
            guard isOfConnection == Fault.isOfConnection(String(call)) else { continue }
            counts[String(call), default: 0] += 1
        }
        for fault in faults {
            try #require(counts[fault.call] != nil, "\(attack.name): nobody calls \(fault.call)")
        }
        let all = faults + possible.filter { counts[$0.call] != nil }
        (self.faults, self.counts) = (attack.shuffled(all), counts)
        (self.log, self.files) = (log, files)
    }

    /// What a try lets fail: each fault in turn, at a call and for a time that the seed says.
    func moment(_ number: Int, _ random: inout SeededGenerator) throws -> Moment {
        // What the last try has left would be taken for a hit.
        try? FileManager.default.removeItem(atPath: log)
        let fault = faults[number % faults.count]
        let isForGood = Bool.random(using: &random)
        let call = Int.random(in: 1...(counts[fault.call] ?? 1), using: &random)
        var words = [
            "FAIL_UNDER": fault.isOfConnection ? Self.connections : files, "FAIL_LOG": log,
            "FAIL_CALL": fault.call, "FAIL_ERROR": fault.error, "FAIL_FIRST": "\(call)",
        ]
        if isForGood { words["FAIL_FOR_GOOD"] = "1" }
        return Moment(
            before: library.words(words),
            description: "\(fault)\(isForGood ? " for good" : "") at \(call)")
    }

    /// The files of which a call has failed in the last run.
    var failedFiles: [String] {
        // There is none where no such call was made.
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").filter { $0.hasPrefix("!") }.map { line in
            String(line.drop { $0 != " " }.dropFirst())
        }
    }

    /// Whether the call was made: threads that take turns in another order may need fewer.
    var wasHit: Bool { PreloadedLibrary.hasHit(by: log) }
}
