import BackupTesting
import Testing

@testable import BackupCore

/// Rows that differ, more of them than are held in memory.
@Suite(.timeLimit(.minutes(10))) struct PointDiffTests {
    private static let items = Shop.sample.items
    private static let count = 6000

    /// More than a buffer holds.
    private static func rows(_ word: String, more: [String?] = []) -> [[String?]] {
        let filling = String(repeating: word, count: 80)
        return (0..<count).map { ["\($0)", "\(word) \($0) \(filling)"] + more }
    }

    /// With other columns rows are compared by those that both points have.
    @Test(arguments: [false, true])
    func `every changed row is shown as it was and as it is`(hasMoreColumns: Bool) async throws {
        var shop = Shop()
        shop.engine.rowsPerPart = 2000
        try shop.server.change("shop") { $0[rows: Self.items] = Self.rows("old") }
        let before = try await shop.backUp().metadata.id
        try shop.server.change("shop") { database in
            guard hasMoreColumns else {
                database[rows: Self.items] = Self.rows("new").reversed()
                return
            }
            database.contents.removeAll { $0.table.name == Self.items }
            database.contents.append(
                .init(
                    Table(
                        memory: "public", "items", columns: ["number", "label", "more"],
                        key: ["number"]), rows: Self.rows("new", more: ["m"])))
        }
        let after = try await shop.backUp().metadata.id
        let contents = try await shop.repository.contents()
        let diff = try PointDiff(
            from: contents.chain(named: before), to: contents.chain(named: after),
            in: shop.repository)
        let found = Journal<PointDiff.RowDifference>()
        let tables = try await diff.run(
            tables: [try TablePattern("items")], progress: OperationProgress()
        ) { found.append($0) }
        #expect(tables.first { $0.table == Self.items }?.changed == Self.count)
        let changed = found.entries.filter { $0.record.tableName == Self.items }
        let numbers = Set(changed.compactMap { $0.new?[0] })
        #expect(changed.count == Self.count && numbers.count == Self.count)
        let wrong = changed.filter { row in
            let number = row.new?[0] ?? ""
            let isRight =
                row.old?[0] == number && row.old?[1]?.hasPrefix("old \(number) ") == true
                && row.new?[1]?.hasPrefix("new \(number) ") == true
            return !isRight || row.new?.count != (hasMoreColumns ? 3 : 2)
                || row.old?.count != row.new?.count
        }.map { "\($0.old ?? []) \($0.new ?? [])" }
        #expect(wrong.isEmpty, "\(wrong.first ?? "")")
    }

    /// The damage is noticed behind the last key, when the keys of the other point are gone.
    @Test(arguments: [[0], [1], [0, 1]])
    func `a damaged row index of either point changes nothing`(damaged: [Int]) async throws {
        let shop = Shop()
        var ids = [try await shop.backUp().metadata.id]
        try shop.server.change("shop") { $0[rows: Self.items]?[3][1] = "changed" }
        ids.append(try await shop.backUp().metadata.id)
        for number in damaged {
            let index = try #require(
                shop.storage.files.keys.first { name in
                    name.last == "items.rows.zst" && "\(name)".contains(ids[number])
                })
            let whole = try #require(shop.storage.files[index])
            try await shop.storage.write(index, bytes: whole + [0])
        }
        let contents = try await shop.repository.contents()
        let diff = try PointDiff(
            from: contents.chain(named: ids[0]), to: contents.chain(named: ids[1]),
            in: shop.repository)
        let tables = try await diff.run(
            tables: [try TablePattern("items")], progress: OperationProgress()
        ) { _ in }
        let items = try #require(tables.first { $0.table == Self.items })
        #expect(items.changed == 1 && items.added == 0 && items.deleted == 0)
    }
}
