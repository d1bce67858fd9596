import BackupCore
import Testing

@testable import DBTool

/// What programs read of SQL is one document, wherever it ends.
@Suite struct SQLDocumentTests {
    private let written: Exclusive<[UInt8]>
    private let document: SQLDocument

    init() {
        let written = Exclusive<[UInt8]>([])
        self.written = written
        document = SQLDocument { bytes in
            written.withValue { $0 += bytes }
            return true
        }
    }

    /// What has been written, which is exactly one document.
    private var json: JSON {
        get throws {
            try JSON(parsing: String(decoding: written.withValue { $0 }, as: UTF8.self))
        }
    }

    private static func rows(_ values: String?...) -> SQLRows {
        var rows = SQLRows(columnCount: 1)
        for value in values {
            if let value {
                Array(value.utf8).withUnsafeBytes { rows.append($0) }
            } else {
                rows.append(nil)
            }
            rows.endRow()
        }
        return rows
    }

    private static let columns = [SQLColumn(name: "id", kind: .number)]

    private func sink() -> DocumentSink {
        DocumentSink(document) { [document] in _ = document.add(rows: $0) }
    }

    @Test func `every result is there, in its order`() async throws {
        let first = sink()
        try await first.begin(Self.columns)
        try await first.take(Self.rows("1", nil))
        try await first.take(Self.rows("2"))
        try await first.end()
        document.add(done: "UPDATE 1")
        document.add(skipped: "DELETE FROM \"t\"")
        document.add(file: "/a/b.csv", rows: 3, bytes: 40)
        // A procedure has several, and one may be empty.
        let last = sink()
        try await last.begin(Self.columns)
        try await last.begin(Self.columns)
        try await last.take(Self.rows("9"))
        try await last.end()
        document.end()
        func result(_ rows: JSON...) -> JSON { .object(["rows": .array(rows)]) }
        let file: [String: JSON] = [
            "file": .text("/a/b.csv"), "row_count": .number(3), "size_bytes": .number(40),
        ]
        let expected: [JSON] = [
            result(
                .object(["id": .number(1)]), .object(["id": .null]), .object(["id": .number(2)])),
            .object(["done": .text("UPDATE 1")]),
            .object(["skipped": .text("DELETE FROM \"t\"")]), .object(file),
            result(), result(.object(["id": .number(9)])),
        ]
        #expect(try json["results"].items == expected)
        #expect(try json.keys == ["results"])
    }

    /// How far the line has come before it fails.
    enum Place: CaseIterable { case result, resultAndBeginning, rows, between }

    @Test(arguments: Place.allCases)
    func `an error ends the document that has begun`(place: Place) async throws {
        let sink = sink()
        switch place {
        case .result: document.add(done: "BEGIN")
        case .resultAndBeginning:
            document.add(done: "BEGIN")
            // A result without a row is none before it has ended.
            try await sink.begin(Self.columns)
        case .rows, .between:
            try await sink.begin(Self.columns)
            try await sink.take(Self.rows("1", "2"))
        }
        if place == .between { try await sink.end() }
        let error = BackupError(.serverRefused, "it \"broke\"\nhere", hint: "Mend it.")
        #expect(document.end(with: .init(error)))
        let found = try json
        #expect(found.keys == ["results", "error"] && found["results"].items.count == 1)
        #expect(found["error"]["code"].string == "server_refused")
        #expect(found["error"]["message"].string == "it \"broke\"\nhere")
        #expect(found["error"]["hint"].string == "Mend it.")
    }

    @Test func `a line of which nothing came leaves its error to whoever has it`() throws {
        #expect(!document.end(with: .init(BackupError(.usage, "no"))))
        #expect(written.withValue { $0.isEmpty })
        // The next line has a document of its own.
        document.end()
        #expect(try json == .object(["results": .array([])]))
    }
}
