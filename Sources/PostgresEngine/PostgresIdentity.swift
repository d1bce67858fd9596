/// What tells whether a server is the continuation of the one that a snapshot was taken of.
///
/// Row versions are numbers of transactions: they mean the same only as long as no transaction since
/// then can have been taken back and its number used again.
struct PostgresIdentity {
    private let values: [String: String]

    /// `values`: `SnapshotMoment.identity`.
    init(_ values: [String: String]) { self.values = values }

    /// The oldest transaction that was open: rows of this one and later ones may have changed.
    var horizon: UInt64? { values["snapshot_xmin"].flatMap { UInt64($0) } }

    /// When the oldest transaction began that was open; nil when that cannot be known.
    var oldestTransaction: String? { values["oldest_transaction"] }

    /// Why row versions seen here say nothing about what changed since; nil when they do.
    ///
    /// The start time is what tells clones, rolled-back images, lagging standbys and standbys that
    /// were promoted each on its own apart; every restart changes it too.
    func loss(since parent: PostgresIdentity, trustsRestart: Bool) -> String? {
        let same = [
            ("system_identifier", "the server is another one"),
            ("database_oid", "the database was dropped and created again, or is a copy"),
            ("timeline", "the server was promoted or restored: it is on another timeline"),
        ]
        for (name, words) in same where values[name] == nil || values[name] != parent.values[name] {
            return words
        }
        let start = "postmaster_start_time"
        if !trustsRestart, values[start] == nil || values[start] != parent.values[start] {
            return "the server was restarted, which clones and rollbacks look like too"
        }
        guard let before = parent.number("snapshot_xmax"), let now = number("snapshot_xmax"),
            let horizon = parent.horizon, let log = position, let logBefore = parent.position
        else { return "the parent does not say when it was taken" }
        guard horizon <= before else { return "the parent's snapshot contradicts itself" }
        guard now >= before, log >= logBefore else { return "the server is behind the parent" }
        guard now - min(now, horizon) < 1 << 31 else {
            return "more than 2^31 transactions have been since"
        }
        return nil
    }

    private func number(_ name: String) -> UInt64? { values[name].flatMap { UInt64($0) } }

    /// The position in the write-ahead log: `16/B374D848`.
    private var position: UInt64? {
        guard let parts = values["lsn"]?.split(separator: "/"), parts.count == 2,
            let high = UInt64(parts[0], radix: 16), let low = UInt64(parts[1], radix: 16)
        else { return nil }
        return high << 32 | low
    }
}
