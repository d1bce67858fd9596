import BackupCore
import Testing

@testable import MySQLEngine

/// Which rows go by statements that keep numbers of documents, and which by themselves.
@Suite struct MySQLInsertionsTests {
    private static let transfer = MySQLTransfer(
        table: TableName(schema: "s", name: "t"),
        columns: [
            column("id", .plain), column("j", .text, holdsDocuments: true), column("v", .text),
        ])

    private static func column(
        _ name: String, _ encoding: MySQLEncoding, holdsDocuments: Bool = false
    ) -> MySQLTransfer.Column {
        MySQLTransfer.Column(
            name: name, encoding: encoding, replacesNull: false, mayHoldError: false,
            counts: false, characterSet: nil, takesBytes: false, holdsDocuments: holdsDocuments,
            places: nil)
    }

    private static let bare = "7,[7],v"
    private static let exact = "1,[19.90],v"
    private static let long = String(repeating: "v", count: 400)

    /// What becomes of records: a statement as the numbers that it keeps, a row that goes by itself as nil.
    private func outcome(
        _ records: [String], usual: Int, most: Int
    ) throws -> (steps: [Int?], roundedCount: Int) {
        var batch = RowBatch()
        for record in records {
            Array("\(record)\n".utf8).withUnsafeBytes { batch.append(record: $0) }
        }
        let transfer = Self.transfer
        let insertions = try MySQLRowWriter(transfer).insertions(
            of: batch, transfer.insertion, MySQLTransfer.Limit(usual: usual, most: most))
        var next = 0
        let steps = insertions.steps.map { step -> Int? in
            switch step {
            case .statement(let bytes):
                let text = String(decoding: bytes, as: UTF8.self)
                #expect(text.hasPrefix("\(transfer.insertion)("), "\(text)")
                next += text.split(separator: "),(").count
                return text.split(separator: "JSON_REPLACE").count - 1
            case .row(let row):
                #expect(row == next)
                next += 1
                return nil
            }
        }
        #expect(next == records.count)
        return (steps, insertions.roundedCount)
    }

    @Test func `rows that fit share a statement`() throws {
        let rows = try outcome(
            [Self.exact, Self.bare, Self.exact], usual: 1000, most: 1000)
        #expect(rows.steps == [2])
        #expect(rows.roundedCount == 0)
    }

    @Test func `statements end where the next row has no room`() throws {
        let rows = try outcome(
            Array(repeating: Self.exact, count: 4), usual: 250, most: 250)
        #expect(rows.steps.count > 1)
        #expect(rows.steps.allSatisfy { ($0 ?? 0) > 0 })
        #expect(rows.steps.compactMap(\.self).reduce(0, +) == 4)
        #expect(rows.roundedCount == 0)
    }

    /// It took the decimals of all rows of its batch.
    @Test func `a long row takes nothing from those beside it`() throws {
        let rows = try outcome(
            [Self.exact, "2,[7],\(Self.long)", Self.exact, Self.exact, "3,,\(Self.long)"],
            usual: 300, most: 300)
        #expect(rows.steps == [1, nil, 2, nil])
        #expect(rows.roundedCount == 0)
    }

    @Test func `a long row keeps its own where a statement has room`() throws {
        let rows = try outcome(
            [Self.exact, "2,[1.10],\(Self.long)", Self.exact], usual: 300, most: 3000)
        #expect(rows.steps == [1, 1, 1])
        #expect(rows.roundedCount == 0)
    }

    @Test func `what is lost is counted`() throws {
        let many = "[" + Array(repeating: "1.10", count: 20).joined(separator: ", ") + "]"
        let rows = try outcome(
            [
                Self.exact, "2,[1.10],\(Self.long)", "3,\"\(many)\",v", "4,[1],\(Self.long)",
                Self.exact,
            ], usual: 300, most: 300)
        #expect(rows.steps == [1, nil, nil, nil, 1])
        #expect(rows.roundedCount == 2)
    }

    @Test func `a row that goes by itself has its documents as text`() throws {
        var batch = RowBatch()
        for record in ["\(Self.bare)\n", "\(Self.exact)\n"] {
            Array(record.utf8).withUnsafeBytes { batch.append(record: $0) }
        }
        let writer = MySQLRowWriter(Self.transfer)
        let line = try writer.line(of: batch, row: 1)
        #expect(String(decoding: line, as: UTF8.self) == "1\t[19.90]\tv\n")
        let statement = try writer.insertion(of: batch, row: 1, "")
        #expect(String(decoding: statement, as: UTF8.self) == "('1','[19.90]','v')")
        #expect(try writer.lines(of: batch) == nil)
    }

    @Test func `a statement with one row may be as long as half a packet`() {
        let limit = MySQLTransfer.Limit(packet: 64 << 20)
        #expect(limit == MySQLTransfer.Limit(usual: 1 << 20, most: 32 << 20))
        #expect(MySQLTransfer.Limit(packet: 1024) == MySQLTransfer.Limit(usual: 512, most: 512))
    }
}
