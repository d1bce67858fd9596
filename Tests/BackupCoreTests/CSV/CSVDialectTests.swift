import BackupTesting
import Testing

@testable import BackupCore

@Suite struct CSVDialectTests {
    @Test(
        arguments: [
            ([], "\n"), ([nil], "\n"), ([""], "\"\"\n"), ([nil, nil], ",\n"),
            (["", nil], "\"\",\n"),
            (["a", "b c"], "a,b c\n"), (["a,b"], "\"a,b\"\n"),
            (["say \"hi\""], "\"say \"\"hi\"\"\"\n"),
            (["two\nlines", "x"], "\"two\nlines\",x\n"), (["\r"], "\"\r\"\n"), ([" a "], " a \n"),
            (["\\."], "\"\\.\"\n"), (["\\.", "x"], "\\.,x\n"), (["\\N"], "\\N\n"), (["é"], "é\n"),
        ] as [([String?], String)])
    func `a record is as PostgreSQL's COPY writes it`(fields: [String?], text: String) {
        #expect(String(decoding: CSVDialect.record(fields), as: UTF8.self) == text)
    }

    @Test func `a record's fields are those that it was made of`() throws {
        for seed in SeededGenerator.seeds(count: 500) {
            var random = SeededGenerator(seed: seed)
            let fields: [String?] = (0..<Int.random(in: 1...6, using: &random)).map { _ in
                Int.random(in: 0..<5, using: &random) == 0 ? nil : random.text(maximumLength: 12)
            }
            let record = CSVDialect.record(fields)
            #expect(record.last == CSVDialect.lineEnd, "seed \(seed)")
            let found = try CSVDialect.fields(of: record.dropLast())
            #expect(found.map(\.bytes) == fields.map(\.bytes), "seed \(seed)")
        }
    }

    @Test func `NULL and the empty string are told apart`() throws {
        #expect(try CSVDialect.fields(of: ",\"\",".utf8) == [nil, "", nil])
        #expect(try CSVDialect.fields(of: "".utf8) == [nil])
        #expect(try CSVDialect.fields(of: "\"\"".utf8) == [""])
    }

    @Test(arguments: [
        "\"open", "a\"b", "a\"", "\"a\"b", "\"a\" ", "x,\"open", "\"\"\"", "\"a\"\"", " \"a\"",
        "\"a\"b\"c\"",
    ])
    func `a quote that does not fit is damage`(text: String) throws {
        let error = #expect(throws: BackupError.self) { try CSVDialect.fields(of: text.utf8) }
        #expect(error?.code == .damaged)
    }
}

extension String? {
    /// Swift's own equality takes texts for equal that databases tell apart.
    fileprivate var bytes: [UInt8]? { map { Array($0.utf8) } }
}
