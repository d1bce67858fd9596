import BackupTesting
import Testing

@testable import BackupCore

/// Whatever fails, at whatever step: at worst there is no new backup and a clear error.
@Suite(.timeLimit(.minutes(10))) struct BackupFailureTests {
    @Test func `an engine that fails leaves no folder but a failed line`() async throws {
        let steps: [MemoryEngine.Step] = [
            .read(Shop.sample.items, row: 0), .read(Shop.sample.items, row: 20),
            .read(Shop.sample.words, row: 9), .readSequences, .confirm,
        ]
        for failing in steps {
            var shop = Shop()
            shop.engine.beforeStep = { step in
                if step == failing { throw BackupError(.serverRefused, "the server is tired") }
            }
            let error = await #expect(throws: BackupError.self) { try await shop.backUp() }
            #expect(error?.message == "the server is tired", "\(failing)")
            try shop.expectOnlyAFailedLine(reason: "the server is tired", "\(failing)")
        }
    }

    @Test func `a snapshot that fails leaves nothing at all`() async throws {
        var shop = Shop()
        shop.engine.beforeStep = { _ in throw BackupError(.connectionFailed, "nobody answers") }
        await #expect(throws: BackupError.self) { try await shop.backUp() }
        #expect(shop.files.isEmpty)
    }

    @Test func `a run that ends before it has a plan is a failed line where there are backups`()
        async throws
    {
        var shop = Shop()
        try await shop.backUp()
        shop.request.database = "shop"
        for code in [BackupError.Code.connectionFailed, .locked, .usage, .passwordRequired] {
            shop.engine.beforeStep = { _ in throw BackupError(code, "nobody answers") }
            await #expect(throws: BackupError.self) { try await shop.backUp() }
        }
        shop.request.database = "mistaken"
        shop.engine.beforeStep = { _ in throw BackupError(.connectionFailed, "no such database") }
        await #expect(throws: BackupError.self) { try await shop.backUp() }
        let lines = try shop.catalog().backups
        // One for a server that does not answer, one for a table that somebody has locked.
        #expect(lines.map(\.status) == ["completed", "failed", "failed"])
        #expect(lines.last?.reason == "nobody answers" && lines.last?.path == nil)
        shop.request.database = "shop"
        shop.engine.beforeStep = { _ in }
        try await shop.backUp()
        let left = try shop.catalog().backups.filter { $0.status == "failed" }
        #expect(left.map(\.errorCode) == ["locked"])
    }

    @Test func `a base that is not there is refused before anything, and is no failed line`()
        async throws
    {
        var shop = Shop()
        let full = try await shop.point()
        shop.request.database = "shop"
        shop.request.kind = .differential
        shop.engine.beforeStep = { _ in
            throw BackupError(.serverRefused, "the server was asked")
        }
        for base in ["full_shop_20200102_030405_abcd", "nobody"] {
            shop.request.base = base
            let error = await #expect(throws: BackupError.self) { try await shop.backUp() }
            #expect(error?.code == .usage && error?.message.contains(base) == true)
        }
        #expect(try shop.catalog().backups.map(\.id) == [full.id.text])
    }

    @Test func `a cancelled backup leaves no folder but a failed line`() async throws {
        var shop = Shop()
        let arrived = AsyncStream<Void>.makeStream()
        shop.engine.beforeStep = { step in
            guard case .read(_, row: 4...) = step else { return }
            arrived.continuation.yield()
            try await Task.sleep(for: .seconds(1200))
        }
        let running = shop
        let task = Task { try await running.backUp() }
        for await _ in arrived.stream { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        try shop.expectOnlyAFailedLine(reason: "interrupted", "cancelled")
    }

    @Test func `a storage that fails once, at any step, leaves a whole backup or none`()
        async throws
    {
        for step in 0..<(try await Self.stepsOfABackup()) {
            let shop = Shop()
            let steps = Journal<MemoryStorage.Step>()
            shop.storage.beforeEachStep { next in
                steps.append(next)
                if steps.entries.count == step + 1 { throw BackupError(.storageFailed, "no disk") }
            }
            let report = try? await shop.backUp()
            shop.storage.beforeEachStep { _ in }
            let failed = "step \(step): \(steps.entries[step])"
            let points = try await shop.repository.contents().points
            #expect(points.count == (report == nil ? 0 : 1), "\(failed)")
            for point in points { #expect(try await shop.verify(point).passed, "\(failed)") }
            let folders = Set(
                shop.files.filter { $0.hasPrefix("full_") }.map { $0.prefix { $0 != "/" } })
            #expect(folders.count == points.count, "\(failed)")
            // The worst crash after that: what was removed comes back, beginning with the commit.
            shop.storage.crash { $0.last != "metadata.json" }
            for point in try await shop.repository.contents().points {
                #expect(try await shop.verify(point).passed, "a crash after \(failed)")
            }
        }
    }

    @Test func `a storage that dies at any step never leaves a backup that is not one`()
        async throws
    {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        for step in 0..<(try await Self.stepsOfABackup()) {
            let shop = Shop()
            let before = shop.rows(of: "shop")
            let steps = Journal<MemoryStorage.Step>()
            shop.storage.beforeEachStep { next in
                steps.append(next)
                if steps.entries.count > step { throw BackupError(.storageFailed, "it died") }
            }
            _ = try? await shop.backUp()
            shop.storage.crash { _ in Bool.random(using: &random) }
            let died = "seed \(seed), step \(step): \(steps.entries[step])"
            for point in try await shop.repository.contents().points {
                #expect(try await shop.verify(point).damage == [], "\(died)")
            }
            let report = try await shop.backUp()
            let contents = try await shop.repository.contents()
            #expect(contents.unfinished.isEmpty && contents.unreadable.isEmpty, "\(died)")
            try await shop.restore(report.metadata.id)
            #expect(shop.rows(of: "restored") == before, "\(died)")
        }
    }

    @Test func `a layer makes sure of a parent whose run was killed before it had`() async throws {
        var shop = Shop()
        try await shop.backUp()
        shop.request.kind = .incremental
        let deaths = Journal<MemoryStorage.Step>()
        shop.storage.beforeEachStep { step in
            guard deaths.entries.isEmpty else { throw BackupError(.storageFailed, "it died") }
            if case .endWrite(let name) = step, name.last == RepositoryLayout.metadata {
                deaths.append(step)
            }
        }
        await #expect(throws: BackupError.self) { try await shop.backUp() }
        shop.storage.beforeEachStep { _ in }
        let parent = try await shop.repository.contents().point(named: "latest")
        let layer = try await shop.backUp().metadata
        #expect(parent.metadata.type == .incremental && layer.parentID == parent.id.text)
        shop.storage.crash { _ in false }
        let point = try await shop.repository.contents().point(named: layer.id)
        #expect(try await shop.verify(point).passed)
    }

    @Test func `a zip archive that fails takes nothing away`() async throws {
        for failure in [BackupError(.storageFailed, "no disk"), CancellationError()] as [any Error]
        {
            var shop = Shop()
            shop.request.makesArchive = true
            shop.storage.beforeEachStep { step in
                if case .append(let name) = step, name.last.hasSuffix(".zip") { throw failure }
            }
            let report = try await shop.backUp()
            #expect(report.archive == nil && report.archiveFailure != nil && !report.isComplete)
            #expect(!shop.files.contains { $0.hasSuffix(".zip") })
            #expect(try shop.catalog().backups.map(\.status) == ["completed"])
            let point = try await shop.repository.contents().point(named: "latest")
            #expect(try await shop.verify(point).passed)
        }
    }

    @Test func `what an interrupted run left is removed by the next, and named`() async throws {
        let shop = Shop()
        let left = "full_shop_20250101_120000_a1b2"
        for (name, content) in [
            ("\(left)/data/items.csv", "x"), ("full_other_20250101_120000_a1b2/data/a.csv", "x"),
            ("full_shop_notes/metadata.txt", "x"),
        ] {
            try await shop.storage.write(StorageName(path: name), bytes: Array(content.utf8))
        }
        let notes = Journal<String>()
        try await shop.backUp(OperationProgress { notes.append($0) })
        #expect(notes.entries.count == 1 && notes.entries[0].contains(left))
        #expect(!shop.files.contains { $0.hasPrefix(left) })
        #expect(shop.files.contains("full_other_20250101_120000_a1b2/data/a.csv"))
        #expect(shop.files.contains("full_shop_notes/metadata.txt"))
    }

    @Test func `a second run is refused while the first goes on`() async throws {
        var shop = Shop()
        let first = shop
        let refusals = Journal<BackupError>()
        shop.engine.beforeStep = { step in
            guard step == .confirm else { return }
            do {
                try await first.backUp()
            } catch let error as BackupError {
                refusals.append(error)
            }
        }
        try await shop.backUp()
        #expect(refusals.entries.map(\.code) == [.locked])
        #expect(refusals.entries.first?.message.contains("the test") == true)
        #expect(try await shop.repository.contents().points.count == 1)
        #expect(try await shop.repository.contents().unfinished.isEmpty)
    }

    @Test
    func `too little space is refused before anything is read, less than wanted is a warning`()
        async throws
    {
        var shop = Shop()
        try shop.server.change("shop") { $0.contents[0].table.estimatedBytes = 1_000_000 }
        shop.storage.setAvailableBytes(400_000)
        shop.engine.beforeStep = { step in
            if case .read = step { throw DeliberateFailure("rows were read") }
        }
        let error = await #expect(throws: BackupError.self) { try await shop.backUp() }
        #expect(error?.code == .storageFailed)
        #expect(error?.message.contains("1.0 MB") == true)
        try shop.expectOnlyAFailedLine(reason: error?.message ?? "", "no space")
        shop.storage.setAvailableBytes(600_000)
        shop.engine.beforeStep = { _ in }
        let notes = Journal<String>()
        try await shop.backUp(OperationProgress { notes.append($0) })
        #expect(notes.entries.count == 1 && notes.entries[0].hasPrefix("warning: "))
    }

    @Test func `a merge that finds too little space writes nothing`() async throws {
        var shop = Shop()
        try await shop.backUp()
        shop.request.kind = .incremental
        try await shop.backUp()
        shop.storage.setAvailableBytes(10)
        let before = shop.files
        let error = await #expect(throws: BackupError.self) { try await shop.merge() }
        #expect(error?.code == .storageFailed && error?.message.contains("10 B free") == true)
        #expect(shop.files == before)
        shop.storage.setAvailableBytes(1 << 30)
        #expect(try await shop.merge().type == .full)
    }

    /// How many steps the storage takes for one backup.
    private static func stepsOfABackup() async throws -> Int {
        let shop = Shop()
        let steps = Journal<MemoryStorage.Step>()
        shop.storage.beforeEachStep { steps.append($0) }
        try await shop.backUp()
        return steps.entries.count
    }
}

extension Shop {
    fileprivate func expectOnlyAFailedLine(reason: String, _ what: String) throws {
        #expect(files == ["backup_catalog.json"], "\(what)")
        let lines = try catalog().backups
        #expect(lines.map(\.status) == ["failed"], "\(what)")
        #expect(lines.map(\.reason) == [reason], "\(what)")
        #expect(lines.map(\.path) == [nil], "\(what)")
    }
}
