import BackupTesting
import Testing

@testable import BackupCore

/// What became of one row, over points whose tables are not all alike.
@Suite struct RowHistoryTests {
    /// A row of a table whose key is another one at each point: one column, two, none, and the first one again.
    private static func shop() async throws -> Shop {
        var shop = Shop()
        for (number, key) in [["a"], ["a", "b"], ["a", "b"], [], ["a"]].enumerated() {
            try shop.server.change("shop") { database in
                database.contents.removeAll { $0.table.name.name == "keyed" }
                database.contents.append(
                    .init(
                        Table(memory: "public", "keyed", columns: ["a", "b"], key: key),
                        rows: [["1", "x"], ["2", "y"]]))
            }
            if number == 0 {
                try await shop.backUp()
            } else {
                try await shop.layer(.incremental)
            }
        }
        return shop
    }

    private func events(of key: String, _ table: String = "keyed") async throws
        -> [RowHistory.Event]
    {
        try await RowHistory(repository: Self.shop().repository).run(
            TablePattern(table), key: key, database: nil, progress: OperationProgress())
    }

    @Test func `points at which the key has another number of columns are passed over`()
        async throws
    {
        let short = try await events(of: "1")
        #expect(short.map(\.kind) == [.appeared, .keyChanged, .keyChanged])
        #expect(short.map(\.fields) == [["1", "x"], nil, ["1", "x"]])
        let long = try await events(of: "1,x")
        #expect(long.map(\.kind) == [.keyChanged, .keyChanged])
        #expect(long.map(\.fields) == [["1", "x"], nil])
    }

    @Test func `a key that fits at no point is refused by what the newest has`() async throws {
        let tooLong = await #expect(throws: BackupError.self) { _ = try await events(of: "1,x,y") }
        #expect(tooLong?.code == .usage && tooLong?.message.contains("has 1 columns: a") == true)
        #expect(tooLong?.hint == "Write it as a CSV record has it: 17 or \"a, b\".")
        let keyless = await #expect(throws: BackupError.self) {
            _ = try await events(of: "1", "words")
        }
        #expect(keyless?.code == .usage && keyless?.message.contains("has no key") == true)
        let broken = await #expect(throws: BackupError.self) { _ = try await events(of: "\"1") }
        #expect(broken?.code == .usage)
    }
}
