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
            let isText = ![.binary, .bits].contains(column.encoding)
            var bind = MYSQL_BIND()
            bind.buffer_type = isText ? MYSQL_TYPE_STRING : MYSQL_TYPE_BLOB
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

    /// A value, and what it is sent as.
    struct Value {
        let type: enum_field_types
        /// Nil for NULL.
        let bytes: UnsafeRawBufferPointer?
    }

    /// The values of its first row.
    var firstRow: [Value] {
        (0..<columnCount).map { column in
            let place = column * Self.capacity
            let isNull = indicators[place] == CChar(STMT_INDICATOR_NULL.rawValue)
            return Value(
                type: binds[column].buffer_type,
                bytes: isNull
                    ? nil : UnsafeRawBufferPointer(start: values[place], count: Int(lengths[place]))
            )
        }
    }

    /// How many bytes the values of its first row have.
    var firstRowBytes: Int {
        (0..<columnCount).reduce(0) { $0 + Int(lengths[$1 * Self.capacity]) }
    }

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

    /// A value that stays where it is until the portion is taken.
    @inline(__always)
    func set(_ column: Int, _ value: UnsafeRawBufferPointer) {
        let place = column * Self.capacity + count
        values[place] = value.baseAddress ?? UnsafeRawPointer(values)
        lengths[place] = UInt(value.count)
        indicators[place] = CChar(STMT_INDICATOR_NONE.rawValue)
    }

    /// Bytes as pairs of hexadecimal digits.
    @inline(__always)
    func set(_ column: Int, hex digits: UnsafeRawBufferPointer) {
        func value(_ digit: UInt8) -> UInt8 {
            digit > 0x39 ? (digit | 0x20) - 0x57 : digit - 0x30
        }
        let start = used
        for offset in stride(from: 0, to: digits.count - 1, by: 2) {
            room[used] = value(digits[offset]) &* 16 &+ value(digits[offset + 1])
            used += 1
        }
        set(column, UnsafeRawBufferPointer(rebasing: room[start..<used]))
    }

    /// A number as its bytes, the highest first, without zeros in front.
    func set(_ column: Int, bits number: UInt64) {
        let start = used
        for shift in stride(from: 56, through: 0, by: -8) where number >> shift != 0 || shift == 0 {
            room[used] = UInt8(truncatingIfNeeded: number >> shift)
            used += 1
        }
        set(column, UnsafeRawBufferPointer(rebasing: room[start..<used]))
    }

    /// A text whose quotes are doubled.
    @inline(__always)
    func set(_ column: Int, unquoted value: UnsafeRawBufferPointer) {
        let start = used
        var isSecond = false
        for byte in value {
            isSecond = byte == UInt8(ascii: "\"") && !isSecond
            if !isSecond {
                room[used] = byte
                used += 1
            }
        }
        set(column, UnsafeRawBufferPointer(rebasing: room[start..<used]))
    }
}
