import CMariaDB

/// Rows for a prepared statement that takes many at once: for each column where its values are, how long they
/// are, and which are NULL.
///
/// Most values stay where they are, in the bytes of the batch.
///
/// - SeeAlso: <https://mariadb.com/kb/en/bulk-insert-column-wise-binding/>
final class MySQLPortion {
    private static let capacity = 2048

    /// For each column, what the client library is told of it.
    let binds: UnsafeMutablePointer<MYSQL_BIND>
    private(set) var count = 0

    private let columnCount: Int
    /// Column by column.
    private let values: UnsafeMutablePointer<UnsafeRawPointer?>
    private let lengths: UnsafeMutablePointer<UInt>
    private let indicators: UnsafeMutablePointer<CChar>
    /// Values that do not stand in the batch as they are.
    private let room: UnsafeMutableRawBufferPointer
    private var used = 0

    /// `decoding`: How many bytes decoded values may take together.
    init(_ columns: [MySQLTransfer.Column], decoding size: Int) {
        let all = columns.count * Self.capacity
        columnCount = columns.count
        values = .allocate(capacity: all)
        lengths = .allocate(capacity: all)
        indicators = .allocate(capacity: all)
        room = .allocate(byteCount: size, alignment: 1)
        binds = .allocate(capacity: columns.count)
        for (index, column) in columns.enumerated() {
            var bind = MYSQL_BIND()
            bind.buffer_type = column.parameterType
            bind.buffer = UnsafeMutableRawPointer(values + index * Self.capacity)
            bind.length = lengths + index * Self.capacity
            bind.u.indicator = indicators + index * Self.capacity
            (binds + index).initialize(to: bind)
        }
    }

    deinit {
        values.deallocate()
        lengths.deallocate()
        indicators.deallocate()
        room.deallocate()
        binds.deallocate()
    }

    var isFull: Bool { count == Self.capacity }

    func clear() { (count, used) = (0, 0) }

    func endRow() { count += 1 }

    // MARK: Values of the row at the end

    @inline(__always)
    func setNull(_ column: Int) {
        let place = column * Self.capacity + count
        values[place] = nil
        lengths[place] = 0
        indicators[place] = CChar(STMT_INDICATOR_NULL.rawValue)
    }

    /// A value that stays where it is until the portion is taken, unless it must be decoded.
    @inline(__always)
    ///
    /// - Throws: As `MySQLValue.decode`.
    func set(_ column: Int, _ value: MySQLValue) throws {
        guard value.coding != .asIs else { return set(column, value.content) }
        let free = UnsafeMutableRawBufferPointer(rebasing: room[used...])
        let count = try value.decode(into: free)
        set(column, UnsafeRawBufferPointer(rebasing: free[..<count]))
        used += count
    }

    @inline(__always)
    private func set(_ column: Int, _ bytes: UnsafeRawBufferPointer) {
        let place = column * Self.capacity + count
        values[place] = bytes.baseAddress ?? UnsafeRawPointer(values)
        lengths[place] = UInt(bytes.count)
        indicators[place] = CChar(STMT_INDICATOR_NONE.rawValue)
    }
}
