import BackupTesting
import Testing

@testable import BackupCore

/// Databases of one name in one repository: of two products, and of two servers of one.
@Suite struct SharedRepositoryTests {
    /// A full by each of two products, the newest by `other`.
    private static func shared() async throws -> (Shop, own: String, others: String) {
        var shop = Shop()
        let own = try await shop.backUp().metadata.id
        shop.engine.name = "other"
        let others = try await shop.backUp().metadata.id
        return (shop, own, others)
    }

    @Test(arguments: [BackupKind.differential, .incremental])
    func `nothing rests on what another product wrote`(kind: BackupKind) async throws {
        var shop = Shop()
        let other = try await shop.backUp().metadata.id
        shop.engine.name = "other"
        shop.request.kind = kind
        let report = try await shop.backUp()
        #expect(report.metadata.type == .full)
        #expect(report.fullReason?.contains("memory") == true, "\(report.fullReason ?? "")")
        #expect(try await shop.backUp().metadata.baseID == report.metadata.id)
        shop.engine.name = "memory"
        #expect(try await shop.backUp().metadata.baseID == other)
        shop.request.base = report.metadata.id
        let error = await #expect(throws: BackupError.self) { try await shop.backUp() }
        #expect(error?.code == .usage && error?.message.contains("other") == true)
    }

    @Test func `a backup by one product stands in for none by another`() async throws {
        let (shop, own, others) = try await Self.shared()
        var retention = Retention()
        retention.last = 1
        let prune = Prune(repository: shop.repository, retention: retention, holder: "the test")
        let plan = try await prune.run(database: "shop", progress: OperationProgress())
        #expect(plan.removed.isEmpty && Set(plan.decisions.map(\.id)) == [own, others])
    }

    @Test func `a prune of one product leaves the other's backups alone`() async throws {
        let (made, own, others) = try await Self.shared()
        var shop = made
        shop.engine.name = "memory"
        let newer = try await shop.backUp().metadata.id
        var retention = Retention()
        retention.last = 1
        let prune = Prune(repository: shop.repository, retention: retention, holder: "the test")
        let plan = try await prune.run(
            database: "shop", engine: "other", progress: OperationProgress())
        #expect(plan.removed.isEmpty && plan.decisions.map(\.id) == [others])
        let mine = try await prune.run(
            database: "shop", engine: "memory", progress: OperationProgress())
        #expect(mine.removed.map(\.id.text) == [own])
        #expect(mine.decisions.map(\.id).contains("\(newer)"))
    }

    @Test(arguments: ["latest", "9999-01-01"])
    func `whose newest is meant is chosen by the product, where there are several`(
        name: String
    ) async throws {
        let (shop, own, others) = try await Self.shared()
        let contents = try await shop.repository.contents()
        for engine in [nil, "third"] {
            let error = #expect(throws: BackupError.self) {
                try contents.point(named: name, database: "shop", engine: engine)
            }
            #expect(error?.code == .usage)
            #expect(error?.hint?.contains("--db: memory, other") == true)
        }
        for (engine, id) in [("memory", own), ("other", others)] {
            #expect(try contents.point(named: name, engine: engine).id.text == id)
        }
        // A restore is by one product.
        try await shop.restore(name)
        #expect(shop.rows(of: "restored") == shop.rows(of: "shop"))
        #expect(try contents.onlyDatabase() == "shop")
    }

    @Test func `a product chooses nothing where there is only one`() async throws {
        let shop = Shop()
        let id = try await shop.backUp().metadata.id
        let contents = try await shop.repository.contents()
        #expect(try contents.point(named: "latest", engine: "other").id.text == id)
    }

    @Test func `a full by another server of that name is told, as long as it is the newest`()
        async throws
    {
        var shop = Shop()
        let first = try await shop.backUp().metadata
        #expect(first.warnings == nil)
        shop.engine.identity = ["server": "staging"]
        let layer = try await shop.layer(.differential).metadata
        #expect(layer.baseID == first.id)
        let other = try await shop.backUp().metadata
        for warnings in [layer.warnings, other.warnings] {
            #expect(warnings?.contains { $0.contains(first.id) } == true, "\(warnings ?? [])")
        }
        #expect(try await shop.backUp().metadata.warnings == nil)
    }
}
