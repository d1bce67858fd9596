import BackupCore
import BackupTesting
import Testing

@Suite struct RecordSplitterTests {
    @Test func `any split into pieces gives the records of one piece`() throws {
        for seed in SeededGenerator.seeds(count: 300) {
            var random = SeededGenerator(seed: seed)
            let records = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                CSVDialect.record([random.text(maximumLength: 9), random.text(maximumLength: 9)])
            }
            var splitter = RecordSplitter()
            var found: [[UInt8]] = []
            for piece in Self.pieces(of: records.flatMap(\.self), &random) {
                let batch = splitter.records(completedBy: piece)
                try #require(batch.ends.last ?? 0 == batch.bytes.count, "seed \(seed)")
                found += zip([0] + batch.ends, batch.ends).map { Array(batch.bytes[$0..<$1]) }
            }
            try splitter.finish()
            #expect(found == records, "seed \(seed)")
        }
    }

    @Test func `a line feed inside quotes ends no record`() throws {
        var splitter = RecordSplitter()
        let batch = splitter.records(completedBy: Array("1,\"a\nb\"\n2,\"\"\"\n\"\n\n".utf8))
        #expect(
            batch.records.map { String(decoding: $0, as: UTF8.self) } == [
                "1,\"a\nb\"", "2,\"\"\"\n\"", "",
            ])
        try splitter.finish()
    }

    @Test func `empty pieces change nothing`() throws {
        var splitter = RecordSplitter()
        #expect(splitter.records(completedBy: []).isEmpty)
        #expect(splitter.records(completedBy: Array("a".utf8)).isEmpty)
        #expect(splitter.records(completedBy: []).isEmpty)
        #expect(splitter.records(completedBy: Array("\n".utf8)).count == 1)
        try splitter.finish()
    }

    @Test(arguments: ["a", "a\nb", "\"a\n", "\"a\nb\n", "a\n\"\"\""])
    func `a stream that ends inside a record is damaged`(text: String) {
        var splitter = RecordSplitter()
        _ = splitter.records(completedBy: Array(text.utf8))
        let error = #expect(throws: BackupError.self) { try splitter.finish() }
        #expect(error?.code == .damaged)
    }

    @Test func `a record larger than many pieces is one record`() throws {
        let field = String(repeating: "large \"\n", count: 500_000)
        let record = CSVDialect.record(["1", field])
        var splitter = RecordSplitter()
        var batches: [RowBatch] = []
        for start in stride(from: 0, to: record.count, by: 1 << 20) {
            batches.append(
                splitter.records(
                    completedBy: Array(record[start..<min(start + 1 << 20, record.count)])))
        }
        try splitter.finish()
        #expect(batches.map(\.count).reduce(0, +) == 1)
        #expect(batches.last?.bytes == record)
        // As an array that grows it had room for nearly twice as much.
        #expect((batches.last?.bytes.capacity ?? 0) < record.count + (1 << 20))
    }

    private static func pieces(
        of bytes: [UInt8], _ random: inout SeededGenerator
    ) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Int.random(in: 0...min(rest.count, 8), using: &random)
            pieces.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return pieces
    }
}
