/// What a backup says of its tables, in order of their names.
///
/// A repository has thousands of backups, each of which says the same of most tables as the one before: that is held
/// once.
public struct TableRecords: Sendable, RandomAccessCollection {
    private final class Held: Sendable {
        let record: TableRecord

        init(_ record: TableRecord) { self.record = record }
    }

    private var held: [Held]

    /// Puts records into order.
    public init(_ records: some Sequence<TableRecord>) {
        held = records.sorted { $0.tableName < $1.tableName }.map(Held.init)
    }

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

    /// Holds what is the same in another backup's together with it.
    mutating func share(with other: TableRecords) {
        var place = 0
        for index in held.indices {
            let name = held[index].record.tableName
            while place < other.held.count, other.held[place].record.tableName < name { place += 1 }
            guard place < other.held.count, other.held[place].record.tableName == name else {
                continue
            }
            if held[index].record.isExactly(other.held[place].record) {
                held[index] = other.held[place]
            } else {
                var record = held[index].record
                record.share(with: other.held[place].record)
                held[index] = Held(record)
            }
        }
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
