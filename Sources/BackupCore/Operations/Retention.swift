import Foundation

/// Which points to keep: a rule, and what it says about each of them.
///
/// A pure function of the points, the rule and the time.
public struct Retention: Sendable {
    /// The newest so many.
    public var last = 0
    /// The newest of each of the last so many days that have one; calendar days in UTC.
    public var daily = 0
    /// The same of weeks, which begin on Monday.
    public var weekly = 0
    /// The same of months.
    public var monthly = 0
    /// The same of years.
    public var yearly = 0
    /// All that are not older than so many days.
    public var withinDays = 0

    /// Keeps nothing by itself.
    public init() {}

    /// Whether the rule keeps anything at all.
    public var isEmpty: Bool {
        [last, daily, weekly, monthly, yearly, withinDays].allSatisfy { $0 == 0 }
    }

    /// One point, as far as the rule looks at it.
    public struct Candidate: Sendable {
        /// The backup's name.
        public let id: String
        /// Its snapshot's time.
        public let time: Timestamp
        /// What it was compared with.
        public let parent: String?
        /// Whether it is a full that was proven to be whole.
        public let isVerifiedFull: Bool
        /// Whether it was proven to be whole, with all that it rests on.
        public let isProven: Bool
        /// Whether somebody wants it kept.
        public let isPinned: Bool
        /// Whether it holds everything in its scope.
        public let isComplete: Bool
        /// When it was made: of two with one time the newer counts.
        public let made: Timestamp
        /// Why it cannot be counted on; nil when it can.
        public let flaw: String?

        /// Describes a point.
        public init(
            id: String, time: Timestamp, parent: String? = nil, isVerifiedFull: Bool = false,
            isProven: Bool = false, isPinned: Bool = false, isComplete: Bool = true,
            made: Timestamp? = nil, flaw: String? = nil
        ) {
            self.made = made ?? time
            self.flaw = flaw
            self.id = id
            self.time = time
            self.parent = parent
            self.isVerifiedFull = isVerifiedFull
            self.isProven = isProven || isVerifiedFull
            self.isPinned = isPinned
            self.isComplete = isComplete
        }
    }

    /// What becomes of a point.
    public struct Decision: Sendable, Equatable {
        /// The backup's name.
        public let id: String
        /// Why it is kept; empty when it is removed.
        public var reasons: [String]

        /// Whether it is kept.
        public var isKept: Bool { !reasons.isEmpty }
    }

    /// What becomes of each point of one database, the oldest first.
    ///
    /// Never removed: what a kept point rests on, the last full that was verified, the last point that was, what is pinned,
    /// and the newest point, with incomplete ones that are newer. What cannot be counted on stands for nothing, and is left to a person.
    public func decisions(on candidates: [Candidate], now: Timestamp) -> [Decision] {
        let sorted = candidates.sorted {
            ($0.time, $0.made, $0.id) < ($1.time, $1.made, $1.id)
        }
        var reasons: [String: [String]] = [:]
        for candidate in sorted where candidate.isPinned { reasons[candidate.id] = ["pinned"] }
        // By a clock that was ahead it would be the newest for long, and those that are newer would go.
        func flaw(of candidate: Candidate) -> String? {
            let isAhead = candidate.time.date > now.date.addingTimeInterval(Self.patience)
            return candidate.flaw ?? (isAhead ? "its time is in the future" : nil)
        }
        for candidate in sorted {
            if let flaw = flaw(of: candidate) { reasons[candidate.id, default: []].append(flaw) }
        }
        let complete = sorted.filter { $0.isComplete && flaw(of: $0) == nil }
        func keep(_ candidate: Candidate, _ reason: String) {
            reasons[candidate.id, default: []].append(reason)
        }
        for candidate in complete.suffix(last) { keep(candidate, "one of the last \(last)") }
        for bucket in Bucket.allCases { keepNewest(of: bucket, complete, keep) }
        if withinDays > 0 {
            let oldest = now.date.addingTimeInterval(-Double(withinDays) * 86400)
            for candidate in complete where candidate.time.date >= oldest {
                keep(candidate, "within \(withinDays) days")
            }
        }
        if let newest = complete.last, reasons[newest.id] == nil { keep(newest, "the newest") }
        // Better than nothing, and nothing is newer: whatever they lack, somebody has to look at that first.
        for candidate in sorted.reversed().prefix(while: { $0.id != complete.last?.id })
        where !candidate.isComplete && reasons[candidate.id] == nil {
            keep(candidate, "no newer one is complete")
        }
        if let verified = complete.last(where: \.isVerifiedFull), reasons[verified.id] == nil {
            keep(verified, "the last verified full")
        }
        // What rests on a full may be all that is ever verified, and nobody knows of the newer ones.
        if let proven = complete.last(where: \.isProven), reasons[proven.id] == nil {
            keep(proven, "the last that was verified")
        }
        Self.keepParents(of: sorted.map { ($0.id, $0.parent) }, &reasons)
        return sorted.map { Decision(id: $0.id, reasons: reasons[$0.id] ?? []) }
    }

    /// So far the clocks of servers may be apart, in seconds.
    private static let patience = 3600.0

    private enum Bucket: CaseIterable {
        case day, week, month, year

        var word: String { "\(self)" }

        func name(of time: Timestamp) -> String {
            var calendar = Calendar(identifier: .iso8601)
            calendar.timeZone = .gmt
            let units: Set<Calendar.Component> =
                switch self {
                case .day: [.year, .month, .day]
                case .week: [.yearForWeekOfYear, .weekOfYear]
                case .month: [.year, .month]
                case .year: [.year]
                }
            let parts = calendar.dateComponents(units, from: time.date)
            return [
                parts.year, parts.yearForWeekOfYear, parts.month, parts.weekOfYear, parts.day,
            ].compactMap { $0.map { "\($0)" } }.joined(separator: "-")
        }
    }

    private func count(_ bucket: Bucket) -> Int {
        switch bucket {
        case .day: daily
        case .week: weekly
        case .month: monthly
        case .year: yearly
        }
    }

    private func keepNewest(
        of bucket: Bucket, _ candidates: [Candidate], _ keep: (Candidate, String) -> Void
    ) {
        var seen: Set<String> = []
        for candidate in candidates.reversed() {
            guard seen.count < count(bucket) else { return }
            guard seen.insert(bucket.name(of: candidate.time)).inserted else { continue }
            keep(candidate, "the newest of its \(bucket.word)")
        }
    }

    /// Keeps what the points rest on that have reasons.
    ///
    /// `points`: With what each was compared with, the oldest first.
    static func keepParents(
        of points: [(id: String, parent: String?)], _ reasons: inout [String: [String]]
    ) {
        let parents = Dictionary(points.map { ($0.id, $0.parent) }) { first, _ in first }
        for point in points.reversed() where reasons[point.id] != nil {
            var child = point.id
            while let parent = parents[child] ?? nil, parents[parent] != nil {
                guard reasons[parent] == nil else { break }
                reasons[parent] = ["\(child) rests on it"]
                child = parent
            }
        }
    }

    /// Keeps the chains of points that have reasons and rest on something that is missing: nobody knows what that rested on.
    ///
    /// `points`: All of a database, with what each was compared with and the full of its chain.
    static func keepBehindGaps(
        of points: [(id: String, parent: String?, base: String?)],
        _ reasons: inout [String: [String]]
    ) {
        let parents = Dictionary(points.map { ($0.id, $0.parent) }) { first, _ in first }
        for point in points where reasons[point.id] != nil {
            guard let base = point.base, let parent = point.parent, parents[parent] == nil else {
                continue
            }
            for other in points where reasons[other.id] == nil {
                guard other.id == base || other.base == base else { continue }
                reasons[other.id] = ["\(point.id) rests on \(parent), which is missing"]
            }
        }
    }
}
