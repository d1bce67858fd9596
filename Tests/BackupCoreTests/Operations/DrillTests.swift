import BackupTesting
import Testing

@testable import BackupCore

@Suite(.timeLimit(.minutes(10))) struct DrillTests {
    @Test func `a drill restores, compares, drops and remembers`() async throws {
        let shop = Shop()
        let point = try await shop.point()
        let report = try await drill(shop, point)
        #expect(report.passed)
        #expect(report.restored.check == .rows)
        #expect(shop.server["scratch"] == nil)
        let state = try await shop.repository.state(of: point)
        #expect(state.drilled?.passed == true)
        #expect(state.drilled?.seconds == report.recoverySeconds)
        #expect(state.verified == nil)
    }

    @Test(arguments: [0, 5]) func `a drill finds a row that changed in the scratch database`(
        row: Int
    ) async throws {
        var shop = Shop()
        let point = try await shop.point()
        let server = shop.server
        shop.engine.beforeStep = { step in
            guard step == .readBack(Shop.sample.items) else { return }
            try server.change("scratch") { $0[rows: Shop.sample.items]?[row][1] = "changed" }
        }
        let report = try await drill(shop, point)
        #expect(!report.passed)
        #expect(report.restored.differences.count == 1)
        #expect(report.restored.differences.first?.contains("public.items") == true)
        #expect(try await shop.repository.state(of: point).drilled?.passed == false)
        #expect(shop.server["scratch"] == nil)
    }

    @Test func `a drill counts rows that came or went`() async throws {
        for change in [-1, 1] {
            var shop = Shop()
            let point = try await shop.point()
            let server = shop.server
            shop.engine.beforeStep = { step in
                guard step == .readBack(Shop.sample.words) else { return }
                try server.change("scratch") { database in
                    if change < 0 { database[rows: Shop.sample.words]?.removeLast() }
                    if change > 0 { database[rows: Shop.sample.words]?.append(["more"]) }
                }
            }
            let report = try await drill(shop, point)
            #expect(report.restored.differences.first?.contains("not 10") == true)
        }
    }

    @Test func `a backup that cannot be restored has failed its drill`() async throws {
        var shop = Shop()
        let point = try await shop.point()
        shop.engine.beforeStep = { step in
            guard step == .createIndexes else { return }
            throw BackupError(.serverRefused, "no index today")
        }
        await #expect(throws: BackupError.self) { try await drill(shop, point) }
        #expect(try await shop.repository.state(of: point).drilled?.passed == false)
        #expect(shop.server["scratch"] == nil)
    }

    @Test func `a drill that could not begin says nothing about the backup`() async throws {
        var shop = Shop()
        let point = try await shop.point()
        shop.engine.beforeStep = { step in
            guard step == .openTarget else { return }
            throw BackupError(.connectionFailed, "nobody there")
        }
        await #expect(throws: BackupError.self) { try await drill(shop, point) }
        #expect(try await shop.repository.state(of: point).drilled == nil)
    }

    @Test func `a server that would not take the restore is told before`() async throws {
        var shop = Shop()
        let point = try await shop.point()
        shop.engine.beforeStep = { step in
            guard step == .openTarget else { return }
            throw BackupError(.targetUnsuitable, "the server is not ready")
        }
        let drill = Drill(
            engine: shop.engine, repository: shop.repository, request: DrillRequest())
        let error = await #expect(throws: BackupError.self) {
            try await drill.checkServer(for: point, progress: OperationProgress())
        }
        #expect(error?.code == .targetUnsuitable)
        shop.engine.name = "other"
        let other = Drill(
            engine: shop.engine, repository: shop.repository, request: DrillRequest())
        let product = await #expect(throws: BackupError.self) {
            try await other.checkServer(for: point, progress: OperationProgress())
        }
        #expect(product?.code == .usage)
        #expect(try await shop.repository.state(of: point).drilled == nil)
    }

    @Test func `asking a server makes nothing there, and leaves damage alone`() async throws {
        var shop = Shop()
        let point = try await shop.point()
        let steps = Journal<MemoryEngine.Step>()
        shop.engine.beforeStep = { steps.append($0) }
        let drill = Drill(
            engine: shop.engine, repository: shop.repository, request: DrillRequest())
        try await drill.checkServer(for: point, progress: OperationProgress())
        #expect(steps.entries == [.openTarget])
        #expect(shop.server["scratch"] == nil)
        shop.storage.files = shop.storage.files.filter { !$0.key.components.contains("data") }
        try await drill.checkServer(for: point, progress: OperationProgress())
        #expect(try await shop.repository.state(of: point).drilled == nil)
    }

    @Test func `a drill that the server had no room for says nothing about the backup`()
        async throws
    {
        var shop = Shop()
        let point = try await shop.point()
        shop.engine.beforeStep = { step in
            guard step == .createIndexes else { return }
            var error = BackupError(.serverRefused, "no space left on device")
            error.isCircumstantial = true
            throw error
        }
        let error = await #expect(throws: BackupError.self) { try await drill(shop, point) }
        #expect(error?.code == .serverRefused)
        #expect(try await shop.repository.state(of: point).drilled == nil)
        #expect(shop.server["scratch"] == nil)
    }

    private func drill(_ shop: Shop, _ point: Point) async throws -> DrillReport {
        try await Drill(engine: shop.engine, repository: shop.repository, request: DrillRequest())
            .run(point, progress: OperationProgress())
    }
}
