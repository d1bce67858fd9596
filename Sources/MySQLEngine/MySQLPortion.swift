import CMariaDB

/// Rows for a prepared statement that takes many at once: for each column where its values are, how long they
/// are, and which are NULL.
///
/// It keeps its values itself, so that it can be made while the server takes the one before.
///
/// - SeeAlso: <https://mariadb.com/kb/en/bulk-insert-column-wise-binding/>
///
/// `@unchecked Sendable`: whoever fills it hands it over once it is filled.
final class MySQLPortion: @unchecked Sendable {
    /// For each column, what the client library is told of it.
    let binds: UnsafeMutablePointer<MYSQL_BIND>
    private(set) var count = 0

    /// What a value is sent as.
    enum Form {
        /// Numbers as such, where a column has any.
        case numbers
        case texts
    }

    /// A value is not the number that its column would take.
    struct NoNumber: Error {}

    /// How many rows it holds.
    private let capacity: Int
    /// The columns whose values are sent as numbers.
    private let numbers: [MySQLNumber?]
    /// Column by column.
    private let values: UnsafeMutablePointer<UnsafeRawPointer?>
    private let lengths: UnsafeMutablePointer<UInt>
    private let indicators: UnsafeMutablePointer<CChar>
    private let room: UnsafeMutableRawBufferPointer
    private var used = 0

    /// How many rows of so many columns one holds at most: no more than a megabyte of pointers to their values.
    static func capacity(columns: Int) -> Int { max(16, min(2048, 65_536 / max(1, columns))) }

    /// How many values those of a batch may have together: each takes seventeen bytes beside itself, however short it is.
    static let mostCells = 200_000

    /// `capacity`: How many rows it holds; `size`: how many bytes their values may take together.
    init(
        _ columns: [MySQLTransfer.Column], as form: Form, rows capacity: Int, bytes size: Int
    ) {
        self.capacity = capacity
        numbers = columns.map { form == .numbers ? $0.number : nil }
        let all = columns.count * capacity
        values = .allocate(capacity: all)
        lengths = .allocate(capacity: all)
        indicators = .allocate(capacity: all)
        room = .allocate(byteCount: size, alignment: 1)
        binds = .allocate(capacity: columns.count)
        for (index, column) in columns.enumerated() {
            var bind = MYSQL_BIND()
            bind.buffer_type = numbers[index]?.parameterType ?? column.parameterType
            bind.is_unsigned = numbers[index] == .unsigned ? 1 : 0
            bind.buffer = UnsafeMutableRawPointer(values + index * capacity)
            bind.length = lengths + index * capacity
            bind.u.indicator = indicators + index * capacity
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

    var isFull: Bool { count == capacity }

    func endRow() { count += 1 }

    // MARK: Values of the row at the end

    @inline(__always)
    func setNull(_ column: Int) {
        let place = column * capacity + count
        values[place] = nil
        lengths[place] = 0
        indicators[place] = CChar(STMT_INDICATOR_NULL.rawValue)
    }

    /// - Throws: `NoNumber`; as `MySQLValue.decode`.
    @inline(__always)
    func set(_ column: Int, _ value: MySQLValue) throws {
        let place = column * capacity + count
        if let number = numbers[column] {
            guard let bits = number.bits(of: value.content) else { throw NoNumber() }
            // Numbers stand one after the other themselves; a pointer has as many bytes.
            UnsafeMutableRawPointer(values).storeBytes(
                of: bits, toByteOffset: place * 8, as: UInt64.self)
            indicators[place] = CChar(STMT_INDICATOR_NONE.rawValue)
            return
        }
        let free = UnsafeMutableRawBufferPointer(rebasing: room[used...])
        let size = try value.decode(into: free)
        values[place] = UnsafeRawPointer(free.baseAddress) ?? UnsafeRawPointer(values)
        lengths[place] = UInt(size)
        indicators[place] = CChar(STMT_INDICATOR_NONE.rawValue)
        used += size
    }
}
