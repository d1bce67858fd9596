import BackupTesting
import Packing
import Testing

@testable import BackupCore

@Suite(.timeLimit(.minutes(10))) struct RestoreTests {
    @Test(arguments: [FilePacking.none, .zstd])
    func `what was backed up is restored, row for row`(packing: FilePacking) async throws {
        var shop = Shop()
        shop.request.packing = packing
        try await shop.backUp()
        let report = try await shop.restore()
        #expect(shop.rows(of: "restored") == shop.rows(of: "shop"))
        #expect(shop.server["restored"]?.sequences == [Shop.sample.sequence])
        #expect(shop.server["restored"]?.hasIndexes == true)
        #expect(report.problems.isEmpty)
    }

    @Test func `random tables come back as they were`() async throws {
        for seed in SeededGenerator.seeds(count: 20) {
            var random = SeededGenerator(seed: seed)
            let shop = Shop()
            shop.server["shop"] = MemoryDatabase(Self.contents(&random))
            try await shop.backUp()
            try await shop.restore()
            let (before, after) = (shop.rows(of: "shop"), shop.rows(of: "restored"))
            #expect(
                before.mapValues { $0.map(CSVDialect.record) }
                    == after.mapValues { $0.map(CSVDialect.record) }, "seed \(seed)")
        }
    }

    @Test func `a damaged row is refused before the target is touched`() async throws {
        let shop = Shop()
        let point = try await shop.point()
        let name = try StorageName(path: "\(point.id)/data/items.csv")
        let bytes = try #require(shop.storage.files[name])
        let place = try #require(bytes.lastIndex(of: UInt8(ascii: "p")))
        shop.storage.files[name]?[place] = UInt8(ascii: "q")
        let error = await #expect(throws: BackupError.self) { try await shop.restore() }
        #expect(error?.code == .damaged)
        #expect(error?.message.contains("data/items.csv") == true)
        #expect(shop.server["restored"] == nil)
    }

    @Test func `a row damaged once files were proven is refused, and its table is empty`()
        async throws
    {
        var shop = Shop()
        let point = try await shop.point()
        let name = try StorageName(path: "\(point.id)/data/items.csv")
        let place = try #require(shop.storage.files[name]?.lastIndex(of: UInt8(ascii: "p")))
        shop.engine.beforeStep = { [storage = shop.storage] step in
            guard step == .createStructure else { return }
            storage.files[name]?[place] = UInt8(ascii: "q")
        }
        let error = await #expect(throws: BackupError.self) { try await shop.restore() }
        #expect(error?.code == .damaged)
        #expect(error?.message.contains("data/items.csv") == true)
        #expect(shop.server["restored"]?[rows: Shop.sample.items] == [])
        #expect(shop.server["restored"]?.hasIndexes == false)
    }

    @Test func `no flipped bit of a data file is ever restored`() async throws {
        let shop = Shop()
        let point = try await shop.point()
        let whole = shop.storage.files
        for file in ["items", "words", "empty", "sales.Items"] {
            let name = try StorageName(path: "\(point.id)/data/\(file).csv")
            for index in (whole[name] ?? []).indices {
                shop.storage.files = whole
                shop.storage.files[name]?[index] ^= 1 << UInt8(index % 8)
                shop.server["restored"] = nil
                await #expect(throws: BackupError.self, "\(file), byte \(index)") {
                    try await shop.restore()
                }
                #expect(shop.server["restored"] == nil, "\(file), byte \(index)")
            }
        }
    }

    @Test(arguments: ["metadata.json", "schema.sql", "schema.dump", "SHA256SUMS"])
    func `an edited definition is refused before the target is touched`(file: String) async throws {
        let shop = Shop()
        let point = try await shop.point()
        let name = try StorageName(path: "\(point.id)/\(file)")
        let word = file == "SHA256SUMS" ? "  metadata" : "sales"
        let edited = try shop.text("\(name)").replacing(word, with: word.uppercased())
        shop.storage.files[name] = Array(edited.utf8)
        let error = await #expect(throws: BackupError.self) { try await shop.restore() }
        #expect(error?.code == .damaged)
        #expect(shop.server["restored"] == nil)
    }

    @Test(arguments: ["metadata.json", "schema.sql", "SHA256SUMS", "data/items.csv"])
    func `a missing file is refused before the target is touched`(file: String) async throws {
        let shop = Shop()
        let point = try await shop.point()
        try await shop.storage.remove(StorageName(path: "\(point.id)/\(file)"))
        await #expect(throws: BackupError.self) { try await shop.restore(point.id.text) }
        #expect(shop.server["restored"] == nil)
    }

    @Test func `a server that took another number of rows is not believed`() async throws {
        for error in [-1, 1] {
            var shop = Shop()
            try await shop.backUp()
            shop.engine.countError = error
            let refusal = await #expect(throws: BackupError.self) { try await shop.restore() }
            #expect(refusal?.code == .serverRefused)
            let restored = shop.rows(of: "restored").values
            #expect(restored.allSatisfy { $0 == [] })
        }
    }

    @Test func `rows lost on the way are noticed`() async throws {
        // The metadata says 23, and so does the file's fingerprint; the file has 22.
        let shop = Shop()
        let point = try await shop.point()
        let name = try StorageName(path: "\(point.id)/data/words.csv")
        let text = try shop.text("\(name)").replacing("plain\nplain\n", with: "plain\nplainplain")
        shop.storage.files[name] = Array(text.utf8)
        await #expect(throws: BackupError.self) { try await shop.restore() }
        #expect(shop.server["restored"]?[rows: Shop.sample.words] ?? [] == [])
    }

    @Test func `what was loaded before an interruption is read back`() async throws {
        let words = Shop.sample.words
        var shop = Shop()
        try await shop.backUp()
        try await shop.restore()
        var request = RestoreRequest(point: "latest", database: "restored")
        request.existing = .truncate
        request.content = .rows
        shop.engine.loadedBefore = Set(shop.rows(of: "shop").keys)
        #expect(try await shop.restore(request).differences == [])

        shop.server["restored"]?[rows: words]?.removeLast()
        let lost = try await shop.restore(request)
        #expect(lost.differences.count == 1, "\(lost.differences)")
        #expect(
            lost.differences.first?.hasPrefix("table \(words) is not as in the backup: it has")
                == true, "\(lost.differences)")

        let refusal = BackupError(.permissionDenied, "policies hide rows")
        shop.engine.beforeStep = { if $0 == .readBack(words) { throw refusal } }
        let refused = try await shop.restore(request)
        #expect(refused.differences == [])
        #expect(refused.unread.count == 1 && refused.unread[0].contains("policies hide rows"))

        shop.engine.beforeStep = {
            if $0 == .readBack(words) { throw BackupError(.connectionFailed, "it is gone") }
        }
        await #expect(throws: BackupError.self) { try await shop.restore(request) }

        // Nobody can tell what was added to other rows from these.
        shop.engine.beforeStep = { _ in }
        request.existing = .append
        #expect(try await shop.restore(request).differences == [])
    }

    @Test func `an engine that fails at any step passes its error on`() async throws {
        let steps: [MemoryEngine.Step] = [
            .openTarget, .createStructure, .load(Shop.sample.words, rows: 10),
            .commit(Shop.sample.items), .createIndexes, .setSequences, .finish,
        ]
        for failing in steps {
            var shop = Shop()
            try await shop.backUp()
            let reached = Journal<MemoryEngine.Step>()
            shop.engine.beforeStep = { step in
                guard step == failing else { return }
                reached.append(step)
                throw DeliberateFailure()
            }
            await #expect(throws: DeliberateFailure.self, "\(failing)") { try await shop.restore() }
            #expect(reached.entries.count == 1, "\(failing)")
            #expect(try await shop.repository.contents().points.count == 1)
        }
    }

    @Test func `tables that must be first are loaded before all others`() async throws {
        var shop = Shop()
        try shop.server.change("shop") { database in
            // The larger one would be loaded before the smaller one.
            for (name, count) in [("second", 9), ("first", 1)] {
                database.contents.append(
                    .init(
                        Table(memory: "public", name, columns: ["a"]),
                        rows: Array(repeating: ["1"], count: count)))
            }
        }
        try await shop.backUp()
        let steps = Journal<MemoryEngine.Step>()
        shop.engine.beforeStep = { steps.append($0) }
        try await shop.restore()
        let commits = steps.entries.filter { if case .commit = $0 { true } else { false } }
        #expect(commits.first == .commit(TableName(schema: "public", name: "first")))
        #expect(commits.dropFirst().first == .commit(TableName(schema: "public", name: "second")))
        #expect(commits.count == 6)
    }

    /// A check may read another table.
    @Test(arguments: [1, 2])
    func `a table that is refused for what others hold is loaded after these`(
        connections: Int
    ) async throws {
        var shop = Shop()
        try await shop.backUp()
        let commit = MemoryEngine.Step.commit(Shop.sample.items)
        let steps = Journal<MemoryEngine.Step>()
        shop.engine.beforeStep = { step in
            steps.append(step)
            let count = steps.entries.filter { $0 == commit }.count
            if step == commit, count == 1 { throw Self.refusal }
        }
        var request = RestoreRequest(point: "latest", database: "restored")
        request.creates = true
        request.connections = connections
        try await shop.restore(request)
        #expect(shop.rows(of: "restored") == shop.rows(of: "shop"))
        let commits = steps.entries.filter { if case .commit = $0 { true } else { false } }
        #expect(commits.last == commit)
        #expect(commits.filter { $0 == commit }.count == 2)
    }

    @Test func `a table that is refused again when all others are there ends the restore`()
        async throws
    {
        var shop = Shop()
        try await shop.backUp()
        let commit = MemoryEngine.Step.commit(Shop.sample.items)
        let attempts = Journal<MemoryEngine.Step>()
        shop.engine.beforeStep = { step in
            guard step == commit else { return }
            attempts.append(step)
            throw Self.refusal
        }
        let error = await #expect(throws: BackupError.self) { try await shop.restore() }
        #expect(error?.message == "a check does not hold")
        #expect(attempts.entries.count == 2)
        #expect(shop.server["restored"]?.hasIndexes == false)
    }

    private static var refusal: BackupError {
        var error = BackupError(.serverRefused, "a check does not hold")
        error.mayDependOnOtherTables = true
        return error
    }

    @Test func `a backup of another engine is refused`() async throws {
        let shop = Shop()
        let point = try await shop.point()
        let name = try StorageName(path: "\(point.id)/metadata.json")
        let edited = try shop.text("\(name)").replacing("\"memory\"", with: "\"oracle\"")
        shop.storage.files[name] = Array(edited.utf8)
        let error = await #expect(throws: BackupError.self) { try await shop.restore() }
        #expect(error?.code == .usage)
        #expect(error?.message.contains("oracle") == true)
    }

    @Test func `a restore leaves the repository as it was`() async throws {
        let shop = Shop()
        try await shop.backUp()
        let before = shop.storage.files
        let steps = Journal<MemoryStorage.Step>()
        shop.storage.beforeEachStep { steps.append($0) }
        try await shop.restore()
        #expect(shop.storage.files == before)
        #expect(!steps.entries.contains { $0.isChange })
    }

    private static func contents(
        _ random: inout SeededGenerator
    ) -> [MemoryDatabase.Content] {
        (0..<Int.random(in: 0...5, using: &random)).map { number in
            let columns = (0..<Int.random(in: 1...4, using: &random)).map { "c\($0)" }
            let rows = (0..<Int.random(in: 0...30, using: &random)).map { _ in
                columns.map { _ in
                    Int.random(in: 0..<4, using: &random) == 0
                        ? nil : random.text(maximumLength: 10)
                }
            }
            let name = "t\(number) " + random.text(maximumLength: 5)
            return .init(Table(memory: "public", name, columns: columns), rows: rows)
        }
    }
}
