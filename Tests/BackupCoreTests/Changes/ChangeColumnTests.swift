import Testing

@testable import BackupCore

/// Which column tells what changed, and how its values are ordered.
@Suite struct ChangeColumnTests {
    @Test func `times are ordered as the server orders them`() throws {
        let ordered = [
            "-infinity", "4713-01-01 00:00:00+00 BC", "0044-03-15 12:00:00 BC",
            "0044-03-15 12:00:00.5 BC", "0001-01-01 00:00:00", "1999-12-31 23:59:59.999999+00",
            "2000-01-01 00:00:00+00", "2000-01-01 00:00:00.000001+00", "2000-01-01 00:00:00.1+00",
            "2000-01-01 00:00:01+00", "9999-12-31 00:00:00+00", "10000-01-01 00:00:00+00",
            "294276-12-31 23:59:59+00", "infinity",
        ]
        let values = try ordered.map {
            try #require(ColumnValue(Array($0.utf8)[...], kind: .time), "\($0)")
        }
        for (index, value) in values.enumerated() {
            for other in values[(index + 1)...] {
                #expect(value < other && !(other < value) && value != other, "\(value) \(other)")
            }
        }
        #expect(ColumnValue([], kind: .time) == nil && ColumnValue([], kind: .number) == nil)
        #expect(values[2].isAncient && !values[4].isAncient)
    }

    @Test func `numbers are ordered as numbers`() throws {
        let values = try ["-10", "-9", "0", "9", "10", "9223372036854775807"].map {
            try #require(ColumnValue(Array($0.utf8)[...], kind: .number))
        }
        #expect(values == values.reversed().sorted())
    }

    private func table(_ name: String, _ columns: [(String, String)]) -> Table {
        Table(
            name: TableName(schema: "s", name: name),
            columns: columns.enumerated().map {
                Column(name: $1.0, type: $1.1, number: $0 + 1)
            }, key: ["id"], identity: TableIdentity(object: "1", storage: "1", textDigest: ""))
    }

    private func kind(_ column: Column) -> ColumnKind? {
        ["time": .time, "number": .number][column.type]
    }

    @Test func `the likeliest usable column is taken, and the others are told of`() throws {
        let tables = [
            table("a", [("id", "number"), ("modified_at", "time"), ("updated_at", "time")]),
            table("b", [("id", "number"), ("updated_at", "text"), ("changed_at", "time")]),
            table("c", [("id", "number"), ("last_modified", "number")]),
            table("d", [("id", "number")]),
        ]
        var notes: [String] = []
        let columns = try ColumnRequest().columns(of: tables, kind: kind) { notes.append($0) }
        let names = columns.map { "\($0.key.name) \($0.value.column.name)" }
        #expect(names.sorted() == ["a updated_at", "b changed_at"])
        #expect(notes.count == 1 && notes[0].contains("s.c.last_modified is number"))
        var asked = ColumnRequest()
        asked.isMonotonic = true
        #expect(try asked.columns(of: tables, kind: kind) { _ in }.count == 3)
    }

    @Test(arguments: ["id", "updated_at", "nothing"])
    func `a column that was named and cannot tell is an error`(name: String) {
        let tables = [
            table("a", [("id", "number"), ("updated_at", "time")]),
            table("b", [("id", "number"), ("updated_at", "text")]),
        ]
        #expect(throws: BackupError.self) {
            try ColumnRequest(name: name).columns(of: tables, kind: kind) { _ in }
        }
    }
}
