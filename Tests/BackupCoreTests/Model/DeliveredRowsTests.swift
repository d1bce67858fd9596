import BackupCore
import Testing

/// A second reading goes on behind the first one, or is seen to be another one.
@Suite struct DeliveredRowsTests {
    private static let records = (1...40).map { "\($0),\(String(repeating: "x", count: $0 % 7))\n" }

    @Test(arguments: 0...40)
    func `every record is handed over once, however two readings are divided`(
        delivered: Int
    ) throws {
        for (first, second) in [(1, 1), (3, 7), (7, 3), (40, 1), (1, 40), (5, 40)] {
            var rows = try DeliveredRows()
            var taken = try Self.take(Self.records.prefix(delivered), by: first, from: &rows)
            rows.beginAgain()
            #expect(rows.isWhole == (delivered == 0))
            taken += try Self.take(Self.records[...], by: second, from: &rows)
            #expect(taken == Self.records, "\(first) records at a time, then \(second)")
            #expect(rows.isWhole)
        }
    }

    @Test func `a reading that ends before or behind what was handed over takes nothing back`()
        throws
    {
        var rows = try DeliveredRows()
        var taken = try Self.take(Self.records.prefix(20), by: 6, from: &rows)
        for count in [5, 0, 20, 31, 30] {
            rows.beginAgain()
            taken += try Self.take(Self.records.prefix(count), by: 4, from: &rows)
        }
        #expect(!rows.isWhole)
        rows.beginAgain()
        taken += try Self.take(Self.records[...], by: 9, from: &rows)
        #expect(taken == Self.records)
        #expect(rows.isWhole)
    }

    @Test(arguments: [
        // Two records exchanged, one changed, one missing, one more.
        ["1\n", "3\n", "2\n", "4\n", "5\n"], ["1\n", "2\n", "7\n", "4\n", "5\n"],
        ["1\n", "3\n", "4\n", "5\n", "6\n"], ["0\n", "1\n", "2\n", "3\n", "4\n"],
        // The same bytes in other records, and too few of them.
        ["1\n", "2\n", "3\n4\n", "5\n"], ["1\n", "2\n"],
    ])
    func `other rows than those that were handed over are noticed`(again: [String]) throws {
        for size in 1...5 {
            var rows = try DeliveredRows()
            _ = try Self.take(["1\n", "2\n", "3\n"], by: 2, from: &rows)
            rows.beginAgain()
            for batch in Self.batches(again[...], of: size) {
                guard let rest = rows.rest(of: batch) else { break }
                #expect(rest.isEmpty)
            }
            #expect(!rows.isWhole, "\(again) by \(size)")
            let isRefused = rows.rest(of: Self.batch(["8\n"])) == nil
            #expect(isRefused)
        }
    }

    // MARK: Steps

    private static func take(
        _ records: ArraySlice<String>, by size: Int, from rows: inout DeliveredRows
    ) throws -> [String] {
        var taken: [String] = []
        for batch in batches(records, of: size) {
            let found = rows.rest(of: batch)
            let rest = try #require(found)
            var start = 0
            for end in rest.ends {
                taken.append(String(decoding: rest.bytes[start..<end], as: UTF8.self))
                start = end
            }
            #expect(start == rest.bytes.count)
        }
        return taken
    }

    private static func batches(_ records: ArraySlice<String>, of size: Int) -> [RowBatch] {
        stride(from: records.startIndex, to: records.endIndex, by: size).map {
            batch(records[$0..<min($0 + size, records.endIndex)])
        }
    }

    private static func batch(_ records: ArraySlice<String>) -> RowBatch {
        var batch = RowBatch(bytes: [], ends: [])
        for record in records {
            batch.bytes += Array(record.utf8)
            batch.ends.append(batch.bytes.count)
        }
        return batch
    }
}
