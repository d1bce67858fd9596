/// What a backup says of its tables, in order of their names.
///
/// A repository has thousands of backups, each of which says the same of most tables as the one before: that is held
/// once.
public struct TableRecords: Sendable, RandomAccessCollection {
    private var held: [HeldRecord]

    /// Puts records into order.
    public init(_ records: some Sequence<TableRecord>) {
        self.init(held: records.map(HeldRecord.init))
    }

    /// Puts records into order that others may hold too.
    init(held records: [HeldRecord]) {
        // Files have them in order.
        let isSorted = zip(records, records.dropFirst())
            .allSatisfy { $0.record.tableName < $1.record.tableName }
        held = isSorted ? records : records.sorted { $0.record.tableName < $1.record.tableName }
    }

    /// Whether each has counts that a table can have.
    var havePossibleNumbers: Bool { held.allSatisfy(\.hasPossibleNumbers) }

    /// Zero.
    public var startIndex: Int { 0 }
    /// Their number.
    public var endIndex: Int { held.count }

    /// The record at a place in the order.
    public subscript(position: Int) -> TableRecord { held[position].record }

    /// The record of a table; nil where there is none.
    public subscript(name: TableName) -> TableRecord? {
        var range = held.indices
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            if held[middle].record.tableName < name {
                range = (middle + 1)..<range.upperBound
            } else {
                range = range.lowerBound..<middle
            }
        }
        guard range.lowerBound < held.count else { return nil }
        let record = held[range.lowerBound].record
        return record.tableName == name ? record : nil
    }
}

/// What a backup says of a table, as several may hold it.
final class HeldRecord: Sendable {
    let record: TableRecord
    /// Whether it has counts that a table can have.
    let hasPossibleNumbers: Bool

    init(_ record: TableRecord) {
        self.record = record
        hasPossibleNumbers = record.hasPossibleNumbers
    }
}

extension TableRecords: Codable {
    /// Reads an array.
    public init(from decoder: any Decoder) throws {
        self.init(try [TableRecord](from: decoder))
    }

    /// Writes an array.
    public func encode(to encoder: any Encoder) throws {
        try Array(self).encode(to: encoder)
    }
}

extension TableRecords: ExpressibleByArrayLiteral {
    /// Puts records into order.
    public init(arrayLiteral elements: TableRecord...) {
        self.init(elements)
    }
}
