import BackupTesting
import Foundation
import Testing

@testable import BackupCore

@Suite struct RetentionTests {
    private static let now = Timestamp("2026-03-15T12:00:00Z") ?? .now

    private static func point(
        _ id: String, _ time: String, parent: String? = nil, verified: Bool = false,
        pinned: Bool = false, complete: Bool = true
    ) -> Retention.Candidate {
        Retention.Candidate(
            id: id, time: Timestamp(time) ?? .now, parent: parent, isVerifiedFull: verified,
            isPinned: pinned, isComplete: complete)
    }

    private func kept(_ retention: Retention, _ points: [Retention.Candidate]) -> [String] {
        retention.decisions(on: points, now: Self.now).filter(\.isKept).map(\.id)
    }

    private static func daily(_ count: Int) -> [Retention.Candidate] {
        (0..<count).map { day in
            Retention.Candidate(
                id: "d\(count - day)",
                time: Timestamp(now.date.addingTimeInterval(-Double(count - day) * 86400)))
        }
    }

    @Test func `the newest of each calendar unit is kept`() {
        let points = [
            Self.point("a", "2024-12-31T23:00:00Z"), Self.point("b", "2025-12-31T23:59:00Z"),
            Self.point("c", "2026-02-01T00:00:00Z"), Self.point("d", "2026-02-27T00:00:00Z"),
            Self.point("e", "2026-03-08T23:00:00Z"), Self.point("f", "2026-03-09T00:00:00Z"),
            Self.point("g", "2026-03-14T01:00:00Z"), Self.point("h", "2026-03-14T02:00:00Z"),
        ]
        var retention = Retention()
        retention.yearly = 2
        #expect(kept(retention, points) == ["b", "h"])
        retention = Retention()
        retention.monthly = 3
        #expect(kept(retention, points) == ["b", "d", "h"])
        retention = Retention()
        // Weeks begin on Monday: 9 March 2026 is one.
        retention.weekly = 2
        #expect(kept(retention, points) == ["e", "h"])
        retention = Retention()
        retention.daily = 3
        #expect(kept(retention, points) == ["e", "f", "h"])
        retention = Retention()
        retention.last = 2
        #expect(kept(retention, points) == ["g", "h"])
        retention = Retention()
        retention.withinDays = 7
        #expect(kept(retention, points) == ["e", "f", "g", "h"])
    }

    @Test func `what a kept point rests on is kept, and what rests on nothing kept is not`() {
        let points = [
            Self.point("full1", "2026-01-01T00:00:00Z"),
            Self.point("diff1", "2026-01-02T00:00:00Z", parent: "full1"),
            Self.point("full2", "2026-02-01T00:00:00Z"),
            Self.point("inc1", "2026-02-02T00:00:00Z", parent: "full2"),
            Self.point("inc2", "2026-02-03T00:00:00Z", parent: "inc1"),
            Self.point("inc3", "2026-02-04T00:00:00Z", parent: "inc2"),
            Self.point("diff2", "2026-02-03T12:00:00Z", parent: "full2"),
        ]
        var retention = Retention()
        retention.last = 1
        #expect(kept(retention, points) == ["full2", "inc1", "inc2", "inc3"])
    }

    @Test func `pinned points, the newest and the last verified full stay`() {
        let points = [
            Self.point("pinned", "2025-01-01T00:00:00Z", pinned: true),
            Self.point("old", "2025-02-01T00:00:00Z", verified: true),
            Self.point("verified", "2025-03-01T00:00:00Z", verified: true),
            Self.point("older incomplete", "2025-04-01T00:00:00Z", complete: false),
            Self.point("new", "2026-03-01T00:00:00Z"),
            Self.point("incomplete", "2026-03-02T00:00:00Z", complete: false),
        ]
        var retention = Retention()
        retention.withinDays = 1
        #expect(kept(retention, points) == ["pinned", "verified", "new", "incomplete"])
        // Where all lack something, each may be the only one that holds a table.
        let incomplete = points.filter { !$0.isComplete }
        #expect(kept(retention, incomplete) == ["older incomplete", "incomplete"])
    }

    @Test func `the last point that was verified stays, whatever it rests on`() {
        func layer(_ id: String, day: Int, proven: Bool) -> Retention.Candidate {
            Retention.Candidate(
                id: id, time: Timestamp("2026-03-0\(day)T00:00:00Z") ?? .now, parent: "full",
                isProven: proven)
        }
        let points = [
            Self.point("full", "2026-03-01T00:00:00Z"), layer("a", day: 2, proven: true),
            layer("b", day: 3, proven: true), layer("c", day: 4, proven: false),
        ]
        var retention = Retention()
        retention.last = 1
        #expect(kept(retention, points) == ["full", "b", "c"])
        // The last full that was verified stays beside it.
        let older = Self.point("older", "2026-02-01T00:00:00Z", verified: true)
        #expect(kept(retention, points + [older]) == ["older", "full", "b", "c"])
        #expect(kept(retention, points + [layer("d", day: 5, proven: true)]) == ["full", "d"])
    }

    @Test
    func `what has a flaw stands for nothing and stays, and of two alike the later made counts`() {
        let time = Timestamp("2026-03-01T00:00:00Z") ?? .now
        let points = [
            Self.point("full", "2026-02-01T00:00:00Z"),
            Retention.Candidate(id: "inc", time: time, parent: "full", made: time),
            Retention.Candidate(id: "failed", time: Self.now, flaw: "its last proof failed"),
            Retention.Candidate(id: "a merged", time: time, made: Self.now),
        ]
        var retention = Retention()
        retention.last = 1
        #expect(kept(retention, points) == ["a merged", "failed"])
    }

    @Test(arguments: SeededGenerator.seeds(count: 200))
    func `no rule ever removes what it must not`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var points: [Retention.Candidate] = []
        for number in 0..<Int.random(in: 0...40, using: &random) {
            let age = Double.random(in: 0...900, using: &random) * 86400
            points.append(
                Retention.Candidate(
                    id: "p\(number)", time: Timestamp(Self.now.date.addingTimeInterval(-age)),
                    parent: Bool.random(using: &random)
                        ? points.randomElement(using: &random)?.id : nil,
                    isVerifiedFull: Int.random(in: 0..<5, using: &random) == 0,
                    isProven: Int.random(in: 0..<5, using: &random) == 0,
                    isPinned: Int.random(in: 0..<9, using: &random) == 0,
                    isComplete: Int.random(in: 0..<9, using: &random) > 0))
        }
        var retention = Retention()
        retention.last = Int.random(in: 0...3, using: &random)
        retention.daily = Int.random(in: 0...3, using: &random)
        retention.weekly = Int.random(in: 0...3, using: &random)
        retention.yearly = Int.random(in: 0...3, using: &random)
        let decisions = retention.decisions(on: points, now: Self.now)
        let kept = Set(decisions.filter(\.isKept).map(\.id))
        #expect(decisions.count == points.count)
        for point in points where kept.contains(point.id) {
            #expect(point.parent.map(kept.contains) ?? true, "seed \(seed): parent of \(point.id)")
        }
        for point in points where point.isPinned {
            #expect(kept.contains(point.id), "seed \(seed)")
        }
        let complete = points.filter(\.isComplete).sorted { ($0.time, $0.id) < ($1.time, $1.id) }
        #expect(complete.isEmpty || kept.contains(complete.last?.id ?? ""), "seed \(seed)")
        #expect(complete.count < retention.last || kept.count >= retention.last, "seed \(seed)")
        let verified = complete.last(where: \.isVerifiedFull)
        #expect(verified.map { kept.contains($0.id) } ?? true, "seed \(seed)")
        let proven = complete.last(where: \.isProven)
        #expect(proven.map { kept.contains($0.id) } ?? true, "seed \(seed)")
        // More rules keep more.
        retention.monthly = 2
        let more = retention.decisions(on: points, now: Self.now).filter(\.isKept).map(\.id)
        #expect(kept.subtracting(more).isEmpty, "seed \(seed)")
    }
}
