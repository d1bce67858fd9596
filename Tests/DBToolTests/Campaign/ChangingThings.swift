import BackupTesting
import Synchronization

/// What somebody changes again and again in a shop's database, and a rule that holds at every moment.
protocol ChangingThings: Sendable {
    var server: any CampaignServer { get }

    /// Makes them in the shop's database.
    func make() async throws

    /// What may be done to them, each by itself; what it changes is told by a stamp, which is a new one each time.
    func changes(_ stamp: Int) -> [String]

    /// What of a database does not keep the rule.
    func faults(of database: String) async throws -> [String]
}

extension ChangingThings {
    /// Changes them, with pauses of about `pause` milliseconds, until the run beside it is over.
    ///
    /// `first`: A stamp that none of them has had.
    func change(
        until end: Ended, from first: Int, pause: Int, seed: UInt64, counting count: ChangeCount
    ) async throws {
        var random = SeededGenerator(seed: seed)
        var stamp = first
        while !end.isSo, !Task.isCancelled {
            stamp += 1
            let change = changes(stamp).randomElement(using: &random) ?? ""
            // Who waits for the other may be told to give way.
            count.begin()
            try await server.attempt(change, in: server.source)
            count.end()
            try await Task.sleep(
                for: .milliseconds(Int.random(in: 0...(2 * pause), using: &random)))
        }
    }
}

/// Counts changes, while they go on.
final class ChangeCount: Sendable {
    private let all = Mutex((begun: 0, done: 0))

    /// How many were begun, and how many of these are done.
    var now: (begun: Int, done: Int) { all.withLock { $0 } }

    fileprivate func begin() { all.withLock { $0.begun += 1 } }
    fileprivate func end() { all.withLock { $0.done += 1 } }
}

/// Whether something has ended that something else goes on beside.
final class Ended: Sendable {
    private let flag = Atomic(false)

    var isSo: Bool { flag.load(ordering: .relaxed) }

    func set() { flag.store(true, ordering: .relaxed) }
}
