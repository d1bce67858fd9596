import BackupCore
import Testing

@testable import MySQLEngine

/// How many rows go to a server at once, as a prepared statement takes them.
@Suite struct MySQLPortionTests {
    /// So many whole numbers in a row.
    private static func transfer(columns count: Int) -> MySQLTransfer {
        MySQLTransfer(
            table: TableName(schema: "s", name: "t"),
            columns: (0..<count).map { index in
                MySQLTransfer.Column(
                    name: "c\(index)", encoding: .plain, replacesNull: false, mayHoldError: false,
                    counts: false, characterSet: nil, takesBytes: false, holdsDocuments: false,
                    places: nil, number: .integer)
            })
    }

    /// Rows of so many numbers of one digit.
    private static func batch(rows: Int, columns: Int) -> RowBatch {
        let record = Array(
            (Array(repeating: "1", count: columns).joined(separator: ",") + "\n").utf8)
        var batch = RowBatch()
        for _ in 0..<rows { record.withUnsafeBytes { batch.append(record: $0) } }
        return batch
    }

    /// How many rows each portion has; nil where there are none.
    private func counts(rows: Int, columns: Int, limit: Int) throws -> [Int]? {
        try MySQLRowWriter(Self.transfer(columns: columns))
            .portions(of: Self.batch(rows: rows, columns: columns), limit: limit)?.map(\.count)
    }

    /// A number of one digit is two bytes of a record, and nine on its way.
    @Test func `numbers take the room that they have on their way`() throws {
        let (rows, columns, limit) = (600, 100, 16_384)
        let all = try counts(rows: rows, columns: columns, limit: limit) ?? []
        #expect(all.reduce(0, +) == rows)
        #expect(all.allSatisfy { $0 * columns * 9 <= limit }, "\(all)")
    }

    @Test func `portions have room for the rows that they take, and for no more`() throws {
        for (rows, columns, limit) in [(600, 100, 16_384), (5000, 3, 1 << 20), (7, 2, 1 << 20)] {
            let portions = try MySQLRowWriter(Self.transfer(columns: columns))
                .portions(of: Self.batch(rows: rows, columns: columns), limit: limit)
            let isTight = portions?.allSatisfy { $0.isFull }
            #expect(isTight == true, "\(rows) \(columns) \(limit)")
        }
    }

    /// A long row has values of its own; those behind it share what was made where it stood.
    @Test func `rows behind long ones lose nothing`() throws {
        let long = String(repeating: "7", count: 50)
        let records = [long, long, "1", "2", "3", long, "4"]
        var batch = RowBatch()
        for record in records {
            Array("\(record)\n".utf8).withUnsafeBytes { batch.append(record: $0) }
        }
        var (short, alone) = (0, 0)
        try MySQLRowWriter(Self.transfer(columns: 1))
            .portions(of: batch, batch.ends.indices, as: .texts, limit: 5) {
                short += $0.count
            } long: { _ in
                alone += 1
            }
        #expect(short == 4 && alone == 3)
    }

    @Test func `what many narrow columns would make is not made ahead`() throws {
        let rows = MySQLPortion.mostCells / 1000
        #expect(try counts(rows: rows, columns: 1000, limit: 1 << 20)?.reduce(0, +) == rows)
        #expect(try counts(rows: rows + 1, columns: 1000, limit: 1 << 20) == nil)
    }

    @Test func `a row whose numbers are too long for a statement is left to others`() throws {
        #expect(try counts(rows: 2, columns: 100, limit: 1099) == nil)
        #expect(try counts(rows: 2, columns: 100, limit: 1100) == [1, 1])
    }
}
