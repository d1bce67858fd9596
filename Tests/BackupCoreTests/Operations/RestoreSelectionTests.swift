import BackupTesting
import Testing

@testable import BackupCore

/// Some tables, into a database that holds something already.
@Suite(.timeLimit(.minutes(10))) struct RestoreSelectionTests {
    private static let items = Shop.sample.items
    private static let words = Shop.sample.words

    @Test func `only the tables that are named are restored`() async throws {
        let shop = try await backedUp()
        var request = try request("items")
        request.creates = true
        let report = try await shop.restore(request)
        #expect(Array(shop.rows(of: "other").keys) == [Self.items])
        #expect(report.plan.tables.map(\.tableName) == [Self.items])
    }

    @Test func `a table is restored beside the one that is there`() async throws {
        let shop = try await backedUp()
        try shop.server.change("shop") { $0[rows: Self.words] = [["live"]] }
        var request = try request("words", into: "shop")
        request.newName = try TablePattern("words_before")
        try await shop.restore(request)
        #expect(shop.rows(of: "shop")[Self.words] == [["live"]])
        let copy = TableName(schema: "public", name: "words_before")
        #expect(shop.rows(of: "shop")[copy] == Shop.sample.wordRows.sortedRows)
    }

    @Test func `a table that is there is kept, replaced or added to, as was asked`() async throws {
        let shop = try await backedUp()
        let before = Shop.sample.wordRows.sortedRows
        var request = try request("words", into: "shop")
        let error = await #expect(throws: BackupError.self) { try await shop.restore(request) }
        #expect(error?.code == .targetUnsuitable)
        request.existing = .append
        try await shop.restore(request)
        #expect(shop.rows(of: "shop")[Self.words] == (before + before).sortedRows)
        request.existing = .truncate
        try await shop.restore(request)
        #expect(shop.rows(of: "shop")[Self.words] == before)
    }

    @Test func `tables that are there change together or not at all`() async throws {
        var shop = try await backedUp()
        try shop.server.change("shop") { database in
            database[rows: Self.words] = [["live"]]
            database[rows: Self.items] = [["1", "live"]]
        }
        let before = shop.rows(of: "shop")
        var request = try request("*", into: "shop")
        request.existing = .truncate
        for step in [
            MemoryEngine.Step.commitExisting, .load(Self.words, rows: 10),
            .load(Self.items, rows: 23),
        ] {
            shop.engine.beforeStep = { if $0 == step { throw DeliberateFailure() } }
            await #expect(throws: DeliberateFailure.self, "\(step)") {
                try await shop.restore(request)
            }
            #expect(shop.rows(of: "shop") == before, "\(step)")
        }
        shop.engine.beforeStep = { _ in }
        shop.engine.countError = 1
        await #expect(throws: BackupError.self) { try await shop.restore(request) }
        #expect(shop.rows(of: "shop") == before)
    }

    @Test func `a damaged file leaves tables that were there as they are`() async throws {
        let shop = try await backedUp()
        let point = try await shop.repository.contents().point(named: "latest")
        let name = try StorageName(path: "\(point.id)/data/words.csv")
        let place = try #require(shop.storage.files[name]?.lastIndex(of: UInt8(ascii: "p")))
        shop.storage.files[name]?[place] = UInt8(ascii: "q")
        let before = shop.rows(of: "shop")
        var request = try request("words", into: "shop")
        request.existing = .truncate
        await #expect(throws: BackupError.self) { try await shop.restore(request) }
        #expect(shop.rows(of: "shop") == before)
    }

    @Test func `structure alone, and rows alone`() async throws {
        let shop = try await backedUp()
        var request = try request("*")
        request.creates = true
        request.content = .structure
        try await shop.restore(request)
        #expect(shop.rows(of: "other")[Self.words] == [])
        request.creates = false
        request.content = .rows
        try await shop.restore(request)
        #expect(shop.rows(of: "other")[Self.words] == Shop.sample.wordRows.sortedRows)
    }

    @Test func `a plan that is not approved changes nothing`() async throws {
        let shop = try await backedUp()
        var request = try request("words")
        request.creates = true
        var plans: [RestorePlan] = []
        let report = try await Restore(
            engine: shop.engine, repository: shop.repository, request: request
        ).run(progress: OperationProgress()) { plan in
            plans.append(plan)
            return false
        }
        #expect(report == nil)
        #expect(shop.server["other"] == nil)
        #expect(plans.first?.target.createsDatabase == true)
        #expect(plans.first?.rowCount == Shop.sample.wordRows.count)
    }

    @Test func `rows are read back when that is asked for, and a difference is told`() async throws
    {
        var shop = try await backedUp()
        var request = try request("words")
        request.creates = true
        request.check = .rows
        #expect(try await shop.restore(request).differences == [])
        shop.server["other"] = nil
        let server = shop.server
        shop.engine.beforeStep = { step in
            guard step == .readBack(Self.words) else { return }
            try server.change("other") { $0[rows: Self.words]?[0] = ["else"] }
        }
        let differences = try await shop.restore(request).differences
        #expect(differences == ["table public.words is not as in the backup: its rows differ"])
    }

    @Test(arguments: Self.contradictions)
    func `what makes no sense together is refused before anything is opened`(
        contradiction: Contradiction
    ) async throws {
        var shop = try await backedUp()
        shop.engine.beforeStep = { _ in throw DeliberateFailure() }
        var request = RestoreRequest(point: "latest", database: "other")
        try contradiction.apply(&request)
        let error = await #expect(throws: BackupError.self) { try await shop.restore(request) }
        #expect(error?.code == .usage)
        #expect(error?.hint != nil)
    }

    struct Contradiction: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let apply: @Sendable (inout RestoreRequest) throws -> Void
    }

    static let contradictions: [Contradiction] = [
        .init(testDescription: "--as without a table") { $0.newName = try TablePattern("x") },
        .init(testDescription: "--as with a wildcard") {
            $0.tables = [try TablePattern("words")]
            $0.newName = try TablePattern("x*")
        },
        .init(testDescription: "--clean and --existing") {
            ($0.drops, $0.existing) = (true, .append)
        },
        .init(testDescription: "--clean and --data-only") {
            ($0.drops, $0.content) = (true, .rows)
        },
        .init(testDescription: "--schema-only and --existing") {
            ($0.content, $0.existing) = (.structure, .truncate)
        },
        .init(testDescription: "--schema-only and --check rows") {
            ($0.content, $0.check) = (.structure, .rows)
        },
        .init(testDescription: "--create and --data-only") {
            ($0.creates, $0.content) = (true, .rows)
        },
    ]

    private func backedUp() async throws -> Shop {
        let shop = Shop()
        try await shop.backUp()
        return shop
    }

    private func request(_ table: String, into database: String = "other") throws -> RestoreRequest
    {
        var request = RestoreRequest(point: "latest", database: database)
        request.tables = [try TablePattern(table)]
        return request
    }
}
