/// Reads a row's key out of its CSV record.
///
/// A key is a CSV record of the key's columns in key order, without line end. Its fields are the
/// record's own bytes, except that a quoted `\.` is unquoted: COPY quotes it only where it is the
/// row's only column, and a key must not depend on that.
struct KeyReader {
    private let positions: [Int]
    private let fieldCount: Int
    private var starts: [Int]
    private var ends: [Int]

    /// - Parameter positions: The key columns' positions in the record, in key order; not empty.
    init(positions: [Int]) {
        self.positions = positions
        fieldCount = (positions.max() ?? -1) + 1
        starts = Array(repeating: 0, count: fieldCount)
        ends = starts
    }

    /// Appends the key of `record`, given without its line end.
    ///
    /// HOT PATH: called for every row of a backup; it reads no further than the last key column.
    mutating func appendKey(of record: UnsafeRawBufferPointer, to key: inout [UInt8]) {
        locateFields(in: record)
        for (index, position) in positions.enumerated() {
            if index > 0 { key.append(CSVDialect.comma) }
            let field = UnsafeRawBufferPointer(rebasing: record[starts[position]..<ends[position]])
            key.append(contentsOf: Self.isQuotedEndMark(field) ? Self.unquoted(field) : field)
        }
    }

    /// Where the key is in a record that has no other fields, given without its line end.
    static func key(in bytes: UnsafeRawBufferPointer, _ record: Range<Int>) -> Range<Int> {
        let isQuoted =
            record.count == 4
            && isQuotedEndMark(UnsafeRawBufferPointer(rebasing: bytes[record]))
        return isQuoted ? (record.lowerBound + 1)..<(record.upperBound - 1) : record
    }

    private mutating func locateFields(in record: UnsafeRawBufferPointer) {
        var offset = 0
        for field in 0..<fieldCount {
            starts[field] = offset
            var isInside = false
            while offset < record.count, isInside || record[offset] != CSVDialect.comma {
                if record[offset] == CSVDialect.quote { isInside.toggle() }
                offset += 1
            }
            ends[field] = offset
            offset = min(offset + 1, record.count)
        }
    }

    private static func isQuotedEndMark(_ field: UnsafeRawBufferPointer) -> Bool {
        field.count == 4 && field[0] == CSVDialect.quote && field[1] == UInt8(ascii: "\\")
            && field[2] == UInt8(ascii: ".")
    }

    private static func unquoted(_ field: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: field[1..<3])
    }
}
