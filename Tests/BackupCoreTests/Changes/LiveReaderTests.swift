import Packing
import Testing

@testable import BackupCore

/// A key is the same key, whatever is read beside it.
@Suite struct LiveReaderTests {
    private static let seed: UInt64 = 7

    @Test(arguments: [
        ["1", "2", "30"], ["\"\"", "\" \"", "\"a,b\"", "\"say \"\"hi\"\"\"", "\"line\nend\""],
        ["\"\\.\"", "\\..", "\"\\.,\"", "é", "NULL"],
    ])
    func `keys that are read alone are those of the rows`(keys: [String]) {
        // COPY quotes this one only where it is the row's only column.
        let records = keys.map { ($0 == "\"\\.\"" ? "\\." : $0) + ",value" }
        var alone = LiveReader(.keys, seed: Self.seed)
        var whole = LiveReader(.rows(keyPositions: [0]), seed: Self.seed)
        let found = alone.rows(of: Self.batch(keys), from: 0)
        let rows = whole.rows(of: Self.batch(records), from: 0)
        #expect(found.rows.map(\.digest) == rows.rows.map(\.digest))
        #expect(found.rows.allSatisfy { !$0.isShown && !$0.isMarked })
        #expect(
            found.rows.map { String(decoding: found.bytes[$0.key], as: UTF8.self) }
                == records.map { String($0.dropLast(6)) })
        #expect(alone.passedMarked == 0)
    }

    @Test(arguments: [(["", "2", ""], ["2"]), ([",x", "1,y", ",\"\""], ["1,y"]), ([], [])])
    func `a key without its first field is of a marked row`(records: [String], keys: [String]) {
        var reader = LiveReader(.keys, seed: Self.seed)
        let found = reader.rows(of: Self.batch(records), from: 0)
        #expect(found.rows.map { String(decoding: found.bytes[$0.key], as: UTF8.self) } == keys)
        #expect(reader.passedMarked == records.count - keys.count)
    }

    private static func batch(_ records: [String]) -> RowBatch {
        var batch = RowBatch()
        for record in records {
            Array("\(record)\n".utf8).withUnsafeBytes { batch.append(record: $0) }
        }
        return batch
    }
}
