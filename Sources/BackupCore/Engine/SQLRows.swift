/// Rows of a result: the bytes of their values one behind the other, as the server sent them.
///
/// Bytes and not text: a database without an encoding holds what is no text, and a copy of it is exact.
public struct SQLRows: Sendable {
    /// The columns of each row.
    public let columnCount: Int
    /// How many rows there are.
    public private(set) var count = 0
    private var bytes: [UInt8] = []
    /// Where each value ends; a NULL is the complement of where it would.
    private var ends: [Int] = []

    /// No rows of so many columns.
    public init(columnCount: Int) { self.columnCount = columnCount }

    /// How many bytes their values take.
    public var byteCount: Int { bytes.count }

    /// Adds a value, nil being NULL; as many as there are columns are a row.
    public mutating func append(_ value: UnsafeRawBufferPointer?) {
        if let value { bytes.append(contentsOf: value) }
        ends.append(value == nil ? ~bytes.count : bytes.count)
    }

    /// Ends a row, which has all its values.
    public mutating func endRow() { count += 1 }

    /// A value; nil is NULL.
    public func value(row: Int, column: Int) -> ArraySlice<UInt8>? {
        let index = row * columnCount + column
        guard ends[index] >= 0 else { return nil }
        let before = index == 0 ? 0 : ends[index - 1]
        return bytes[(before < 0 ? ~before : before)..<ends[index]]
    }

    /// A row as text, with a sign in place of what is none; nil is NULL.
    public func texts(row: Int) -> [String?] {
        (0..<columnCount).map { column in
            value(row: row, column: column).map { String(decoding: $0, as: UTF8.self) }
        }
    }
}
