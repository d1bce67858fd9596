import Foundation
import Testing

/// One attack of the campaign: tried again and again, the same way for the same seed, and counted.
///
/// `Scripts/test` tries each a few times, `Scripts/campaign` as often as it is told. Both find the counts in the
/// file that `DBTOOL_CAMPAIGN_LEDGER` names: attack, tries, tries that held.
public struct Attack: Sendable {
    /// For the table of results.
    public let name: String

    /// How often each is tried.
    public static let tries = number("DBTOOL_CAMPAIGN_TRIES").map { Int($0) } ?? 2
    /// Whether there is time for what tries the same once more on another product.
    public static let isLong = tries >= 20
    /// What repeats all of them.
    ///
    /// A run of the tests always tries the same, so that what it finds is due to what was changed; a campaign draws its own.
    public static let seed = number("DBTOOL_CAMPAIGN_SEED") ?? 1

    /// Names it.
    public init(_ name: String) {
        self.name = name
    }

    /// Things in an order that the seed repeats, and that is another one for each attack: a few tries of each of many
    /// attacks try as many things.
    public func shuffled<Thing>(_ things: [Thing]) -> [Thing] {
        var random = SeededGenerator(seed: Self.seed &+ Self.hash(name))
        return things.shuffled(using: &random)
    }

    /// Tries it.
    ///
    /// `body`: Gives what did not hold; nil for a try that came too late to be one.
    public func run(
        tries: Int = Self.tries,
        _ body: (_ number: Int, inout SeededGenerator) async throws -> [String]?
    ) async throws {
        var (tried, held) = (0, 0)
        // Those that came too late to be one are made up for.
        for number in 0..<(tries * 5) where tried < tries {
            var random = SeededGenerator(seed: Self.seed &+ Self.hash(name) &+ UInt64(number))
            guard let broken = try await body(number, &random) else { continue }
            tried += 1
            held += broken.isEmpty ? 1 : 0
            for what in broken {
                Issue.record("\(name), try \(number) of DBTOOL_CAMPAIGN_SEED=\(Self.seed): \(what)")
            }
        }
        // Less would be a campaign of another size than it says.
        #expect(tried * 2 >= tries, "\(name): of \(tries) tries only \(tried) were some")
        try Self.note("\(name)\t\(tried)\t\(held)\n")
    }

    /// Notes how many of the moments that there are were hit, each counted once, for the table of results.
    public func note(stepsHit hit: Int, of all: Int) throws {
        try Self.note("\(name)\tsteps\t\(hit)\t\(all)\n")
    }

    private static func note(_ line: String) throws {
        guard let path = ProcessInfo.processInfo.environment["DBTOOL_CAMPAIGN_LEDGER"] else {
            return
        }
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        guard file >= 0 else { throw ProgramFailure("cannot write \(path)") }
        defer { close(file) }
        _ = line.withCString { write(file, $0, strlen($0)) }
    }

    private static func number(_ variable: String) -> UInt64? {
        ProcessInfo.processInfo.environment[variable].flatMap { UInt64($0) }
    }

    /// The same in every run, unlike the standard library's.
    private static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
    }
}
