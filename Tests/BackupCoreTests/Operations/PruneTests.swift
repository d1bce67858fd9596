import BackupTesting
import Foundation
import Testing

@testable import BackupCore

/// What a prune leaves where something has been damaged or lost: never nothing that could be restored.
@Suite struct PruneTests {
    private static func plan(
        _ shop: Shop, last: Int = 1
    ) async throws -> (removed: [String], reasons: [String: [String]]) {
        var retention = Retention()
        retention.last = last
        let prune = Prune(repository: shop.repository, retention: retention, holder: "the test")
        let plan = try await prune.run(database: "shop", progress: OperationProgress())
        return (
            plan.removed.map(\.id.text),
            Dictionary(plan.decisions.map { ($0.id, $0.reasons) }) { one, _ in one }
        )
    }

    private static func verified(_ shop: Shop, _ id: String, passed: Bool) async throws {
        let point = try await shop.repository.contents().point(named: id)
        try await shop.repository.changeState(of: point) {
            $0.verified = BackupState.Proof(at: .now, passed: passed, seconds: 1)
        }
    }

    @Test func `what rests on a full whose proof failed stands in for nothing`() async throws {
        var shop = Shop()
        let good = try await shop.backUp().metadata.id
        let rotten = try await shop.backUp().metadata.id
        let layer = try await shop.layer(.incremental).metadata.id
        try await Self.verified(shop, rotten, passed: false)
        let (removed, reasons) = try await Self.plan(shop)
        #expect(removed.isEmpty)
        #expect(reasons[good] == ["one of the last 1"])
        #expect(reasons[rotten]?.contains("its last proof failed") == true)
        #expect(reasons[layer]?.first?.contains(rotten) == true)
    }

    @Test func `what a failed proof of a layer says of its full holds until a later one passes`()
        async throws
    {
        var shop = Shop()
        let good = try await shop.backUp().metadata.id
        let full = try await shop.backUp().metadata.id
        try await Self.verified(shop, full, passed: true)
        let layer = try await shop.layer(.incremental).metadata.id
        let newest = try await shop.layer(.incremental).metadata.id
        try await Self.verified(shop, layer, passed: false)
        #expect(try await Self.plan(shop).removed.isEmpty)
        // Proven since, the newest is counted on again, with what it rests on.
        try await Self.verified(shop, newest, passed: true)
        let (removed, reasons) = try await Self.plan(shop)
        #expect(removed == [good])
        #expect(reasons[newest] == ["one of the last 1"])
        #expect(reasons[full] != nil && reasons[layer] != nil)
    }

    @Test func `the only point that was verified stays with its full`() async throws {
        var shop = Shop()
        let full = try await shop.backUp().metadata.id
        let proven = try await shop.layer(.differential).metadata.id
        let newest = try await shop.layer(.differential).metadata.id
        try await Self.verified(shop, proven, passed: true)
        let (removed, reasons) = try await Self.plan(shop)
        #expect(removed.isEmpty)
        #expect(reasons[proven] == ["the last that was verified"])
        #expect(reasons[full] != nil && reasons[newest] == ["one of the last 1"])
        try await Self.verified(shop, newest, passed: true)
        #expect(try await Self.plan(shop).removed == [proven])
    }

    @Test func `the full of a pinned point stays, whatever lies between is lost`() async throws {
        var shop = Shop()
        let full = try await shop.backUp().metadata.id
        let first = try await shop.layer(.incremental).metadata.id
        let lost = try await shop.layer(.incremental).metadata.id
        let pinned = try await shop.layer(.incremental).metadata.id
        let contents = try await shop.repository.contents()
        try await shop.repository.setPinned(
            true, of: try contents.point(named: pinned), holder: "the test")
        let folder = try contents.point(named: lost).folder
        try await shop.storage.remove(folder)
        let other = try await shop.backUp().metadata.id
        let (removed, reasons) = try await Self.plan(shop)
        #expect(removed.isEmpty, "\(reasons)")
        #expect(reasons[full]?.first?.contains("which is missing") == true)
        #expect(reasons[first] != nil && reasons[other] == ["one of the last 1"])
        let left = try await shop.repository.contents().points.map(\.id.text)
        #expect(Set(left) == [full, first, pinned, other])
    }

    @Test func `a state that is lost or damaged may have said pinned, and is not written over`()
        async throws
    {
        let shop = Shop()
        let id = try await shop.backUp().metadata.id
        let newer = try await shop.backUp().metadata.id
        try await Self.verified(shop, newer, passed: true)
        let point = try await shop.repository.contents().point(named: id)
        let file = try point.folder.appending(RepositoryLayout.state)
        for bytes in [Array("{\"pinned\": tr".utf8), nil] {
            if let bytes {
                try await shop.storage.write(file, bytes: bytes)
            } else {
                try await shop.storage.remove(file)
            }
            let chain = try await shop.repository.contents().chain(named: id)
            _ = try await Verify(repository: shop.repository).run(
                chain, progress: OperationProgress())
            #expect(try await shop.repository.state(of: point).pinned)
            #expect(try await Self.plan(shop).removed.isEmpty)
        }
        try await shop.repository.setPinned(false, of: point, holder: "the test")
        #expect(try await Self.plan(shop).removed == [id])
    }

    @Test func `the state of a backup that has been removed does not bring its folder back`()
        async throws
    {
        let shop = Shop()
        let id = try await shop.backUp().metadata.id
        let point = try await shop.repository.contents().point(named: id)
        try await shop.repository.remove(point)
        let error = await #expect(throws: BackupError.self) {
            try await shop.repository.changeState(of: point) { $0.pinned = true }
        }
        #expect(error?.code == .notFound)
        #expect(try await shop.storage.entry(point.folder) == nil)
    }

    /// In the worst crash everything that was not sealed is as it was, or only the archive is.
    @Test(arguments: [false, true])
    func `the archive of a backup goes with it, wherever its removal is cut off`(
        othersStayRemoved: Bool
    ) async throws {
        for step in 0... {
            var shop = Shop()
            shop.request.makesArchive = true
            let old = try await shop.backUp().metadata.id
            let kept = try await shop.backUp().metadata.id
            let steps = Journal<MemoryStorage.Step>()
            shop.storage.beforeEachStep { next in
                steps.append(next)
                if steps.entries.count > step { throw BackupError(.storageFailed, "it died") }
            }
            _ = try? await Self.plan(shop)
            let isWhole = steps.entries.count <= step
            shop.storage.crash { othersStayRemoved && !$0.last.hasSuffix(".zip") }
            let died = "step \(step): \(isWhole ? "none" : "\(steps.entries[step])")"
            let points = try await shop.repository.contents().points.map(\.id.text)
            #expect(points.contains(kept), "\(died)")
            if !points.contains(old) { #expect(!shop.files.contains("\(old).zip"), "\(died)") }
            _ = try await Self.plan(shop)
            #expect(!shop.files.contains { $0.hasPrefix(old) }, "\(died)")
            #expect(shop.files.contains("\(kept).zip"), "\(died)")
            if isWhole { return }
        }
    }

    @Test func `an archive without a folder is somebody's own`() async throws {
        let shop = Shop()
        try await shop.backUp()
        let kept = "full_shop_20250101_120000_a1b2.zip"
        try await shop.storage.write(StorageName(path: kept), bytes: [1])
        _ = try await Self.plan(shop)
        try await shop.backUp()
        #expect(shop.files.contains(kept))
    }

    @Test
    func `a prune removes what an interrupted run left, and a dry run does not`()
        async throws
    {
        let shop = Shop()
        try await shop.backUp()
        let left = "full_shop_20250101_120000_a1b2"
        for name in ["\(left)/data/items.csv", "\(left)/schema.sql"] {
            try await shop.storage.write(StorageName(path: name), bytes: [1])
        }
        var retention = Retention()
        retention.last = 1
        let prune = Prune(repository: shop.repository, retention: retention, holder: "the test")
        _ = try await prune.plan(database: "shop")
        #expect(shop.files.count { $0.hasPrefix(left) } == 2)
        let notes = Journal<String>()
        _ = try await prune.run(database: "shop", progress: OperationProgress { notes.append($0) })
        #expect(!shop.files.contains { $0.hasPrefix(left) })
        #expect(notes.entries.count == 1 && notes.entries[0].contains(left), "\(notes.entries)")
    }

    /// It may be the only whole copy that is left.
    @Test
    func `the archive of a full that has lost its metadata stays while something rests on it`()
        async throws
    {
        var shop = Shop()
        shop.request.makesArchive = true
        let full = try await shop.backUp().metadata.id
        try await shop.layer(.incremental)
        try await shop.storage.remove(StorageName(path: "\(full)/metadata.json"))
        try await shop.repository.removeUnfinished(of: "shop") { _ in }
        #expect(shop.files.contains("\(full).zip"))
        #expect(shop.files.contains("\(full)/data/items.csv"))
    }

    @Test func `a database that has no backups is not found, and the nearest are named`()
        async throws
    {
        let shop = Shop()
        var retention = Retention()
        retention.last = 1
        let prune = Prune(repository: shop.repository, retention: retention, holder: "the test")
        #expect(try await prune.plan(database: "shpo").decisions.isEmpty)
        try await shop.backUp()
        let before = shop.files
        for database in ["shpo", "crm"] {
            let planned = await #expect(throws: BackupError.self) {
                try await prune.plan(database: database)
            }
            let removed = await #expect(throws: BackupError.self) {
                try await prune.run(database: database, progress: OperationProgress())
            }
            for error in [planned, removed] {
                #expect(error?.code == .notFound && error?.hint?.contains("shop") == true)
            }
        }
        #expect(shop.files == before)
        // It may be the newest of its database, and not be read.
        let broken = try StorageName(path: "full_crm_20250101_000000_0001/metadata.json")
        try await shop.storage.write(broken, bytes: [])
        #expect(try await prune.plan(database: "crm").decisions.isEmpty)
    }

    @Test func `a prune reads no backup before it has the lock, where a folder has the name`()
        async throws
    {
        let shop = Shop()
        try await shop.backUp()
        let steps = Journal<MemoryStorage.Step>()
        shop.storage.beforeEachStep { steps.append($0) }
        _ = try await Self.plan(shop)
        let name = try RepositoryLayout.databaseLock("shop")
        let lock = steps.entries.firstIndex(of: .lock(name))
        let read = steps.entries.firstIndex { if case .read = $0 { true } else { false } }
        let (before, after) = (try #require(lock), try #require(read))
        #expect(before < after)
    }

    /// A kill in between would leave a point that rests on nothing.
    @Test func `a point goes before what it rests on, whatever the clocks said`() async throws {
        var shop = Shop()
        func minutesAgo(_ minutes: Double) -> Timestamp {
            Timestamp(Timestamp.now.date.addingTimeInterval(-60 * minutes))
        }
        shop.engine.time = minutesAgo(50)
        let full = try await shop.backUp().metadata.id
        var ids = [full]
        // The clock is set back after the first.
        for minutes in [30.0, 45, 40] {
            shop.engine.time = minutesAgo(minutes)
            shop.request.kind = .incremental
            let base = ids.count == 1 ? full : ids[1]
            let layer = try await shop.backUp().metadata
            #expect(layer.parentID == base)
            ids.append(layer.id)
        }
        shop.request.kind = .full
        shop.engine.time = nil
        try await shop.backUp()
        let removed = Journal<String>()
        shop.storage.beforeEachStep { step in
            if case .remove(let name) = step, name.last == "metadata.json" {
                removed.append("\(name)")
            }
        }
        let plan = try await Self.plan(shop)
        #expect(Set(plan.removed) == Set(ids))
        let tails = ids.map { BackupID($0)?.tail ?? "" }
        let order = removed.entries.map { name in
            tails.firstIndex { name.contains("/\($0)/") } ?? 0
        }
        #expect(order.count == 4 && order.suffix(2) == [1, 0], "\(order)")
    }

    @Test func `a full without its metadata stays where nobody can read what may rest on it`()
        async throws
    {
        var shop = Shop()
        let full = try await shop.backUp().metadata.id
        try await shop.layer(.incremental)
        for name in shop.files where name.hasPrefix("\(full)/") && name.hasSuffix("metadata.json") {
            let bytes: [UInt8]? = name.contains(RepositoryLayout.layers) ? [] : nil
            shop.storage.files[try StorageName(path: name)] = bytes
        }
        let before = shop.files
        let notes = Journal<String>()
        try await shop.repository.removeUnfinished(of: "shop") { notes.append($0) }
        #expect(shop.files == before)
        #expect(notes.entries.count == 1 && notes.entries[0].contains("cannot be read"))
    }

    @Test func `what a killed first backup left is pruned, whoever else has backups there`()
        async throws
    {
        let shop = Shop()
        try await shop.backUp()
        let left = "full_crm_20250101_120000_a1b2/data/items.csv"
        try await shop.storage.write(StorageName(path: left), bytes: [1])
        var retention = Retention()
        retention.last = 1
        let prune = Prune(repository: shop.repository, retention: retention, holder: "the test")
        _ = try await prune.run(database: "crm", progress: OperationProgress())
        #expect(!shop.files.contains(left))
    }

    /// By a clock that was ahead it would be the newest, and every backup since would go.
    @Test func `a backup of the future stands in for none of now`() {
        let now = Timestamp("2026-03-15T12:00:00Z") ?? .now
        let points = [
            ("old", "2026-03-13T00:00:00Z"), ("ahead", "2027-01-01T00:00:00Z"),
            ("new", "2026-03-15T00:00:00Z"), ("soon", "2026-03-15T12:30:00Z"),
        ].map { Retention.Candidate(id: $0, time: Timestamp($1) ?? .now) }
        var retention = Retention()
        retention.last = 2
        let kept = retention.decisions(on: points, now: now).filter(\.isKept)
        #expect(kept.map(\.id) == ["new", "soon", "ahead"])
        #expect(kept.last?.reasons == ["its time is in the future"])
    }

    /// A chain of which only merged fulls are left still has every seventh point measured.
    @Test func `a merged full goes on counting`() async throws {
        var shop = Shop()
        try await shop.backUp()
        for number in 1...3 {
            let point = try await shop.layer(.incremental).metadata
            #expect(point.chainNumber == number)
        }
        let merged = try await shop.merge()
        #expect(merged.chainNumber == 3)
        #expect(try await shop.layer(.incremental).metadata.chainNumber == 4)
    }
}
