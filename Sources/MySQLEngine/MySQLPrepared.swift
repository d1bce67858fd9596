import CMariaDB

/// A statement that the server has prepared: values come and go in the form in which they are kept, not as
/// text.
///
/// With a table of numbers, times and texts that spares the server a third of its work.
///
/// - SeeAlso: <https://mariadb.com/kb/en/resultset-row/>,
///   <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html>
struct MySQLPrepared: ~Copyable {
    private let handle: UnsafeMutablePointer<MYSQL_STMT>

    /// - Throws: `MySQLError`.
    init(_ connection: UnsafeMutablePointer<MYSQL>, _ sql: String) throws {
        guard let handle = mysql_stmt_init(connection) else { throw MySQLError(connection) }
        guard mysql_stmt_prepare(handle, sql, UInt(sql.utf8.count)) == 0 else {
            defer { mysql_stmt_close(handle) }
            throw MySQLError(handle)
        }
        self.handle = handle
    }

    /// Reads what is left of its rows, so that the connection can be used again.
    deinit { mysql_stmt_close(handle) }

    /// - Throws: `MySQLError`.
    func execute() throws {
        guard mysql_stmt_execute(handle) == 0 else { throw MySQLError(handle) }
    }

    // MARK: Rows that come

    /// What the server says of the values that it sends.
    var fields: UnsafeBufferPointer<MYSQL_FIELD> {
        UnsafeBufferPointer(
            start: handle.pointee.fields, count: Int(mysql_stmt_field_count(handle)))
    }

    /// The next row, valid until the one after it; nil behind the last one.
    ///
    /// Where nothing is bound the library leaves in each bind where its value begins (nowhere for NULL), and
    /// how long it is.
    /// - Throws: `MySQLError`.
    @inline(__always)
    func nextRow() throws -> UnsafeMutablePointer<MYSQL_BIND>? {
        switch mysql_stmt_fetch(handle) {
        case 0: return handle.pointee.bind
        case MYSQL_NO_DATA: return nil
        default: throw MySQLError(handle)
        }
    }

    // MARK: Rows that go

    /// Runs it once for each of `count` rows, whose values `binds` point to.
    ///
    /// - Throws: `MySQLError`.
    func execute(_ binds: UnsafeMutablePointer<MYSQL_BIND>, rows count: Int) throws {
        var count = UInt32(count)
        guard mysql_stmt_attr_set(handle, STMT_ATTR_ARRAY_SIZE, &count) == 0,
            mysql_stmt_bind_param(handle, binds) == 0
        else { throw MySQLError(handle) }
        try execute()
    }

    /// Runs it for one row whose long values go ahead in pieces: no packet is larger than these, however large the row.
    ///
    /// `types`: What each value is sent as.
    /// - SeeAlso: <https://dev.mysql.com/doc/c-api/9.7/en/mysql-stmt-send-long-data.html>
    /// - Throws: `MySQLError`.
    func execute(long row: [MySQLValue?], as types: [enum_field_types]) throws {
        func isLong(_ value: MySQLValue) -> Bool { value.content.count > Self.pieceBytes }
        let size = row.compactMap(\.self).reduce(0) { $0 + (isLong($1) ? 0 : $1.content.count) }
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 1)
        defer { room.deallocate() }
        var (used, lengths, one) = (0, row.map { _ in UInt(0) }, UInt32(0))
        try lengths.withUnsafeMutableBufferPointer { lengths in
            var binds = try row.indices.map { index in
                var bind = MYSQL_BIND()
                bind.buffer_type = row[index] == nil ? MYSQL_TYPE_NULL : types[index]
                bind.buffer = room.baseAddress?.advanced(by: used)
                if let value = row[index], !isLong(value) {
                    let count = try value.decode(
                        into: UnsafeMutableRawBufferPointer(rebasing: room[used...]))
                    lengths[index] = UInt(count)
                    used += count
                }
                bind.buffer_length = lengths[index]
                bind.length = lengths.baseAddress?.advanced(by: index)
                return bind
            }
            guard mysql_stmt_attr_set(handle, STMT_ATTR_ARRAY_SIZE, &one) == 0,
                mysql_stmt_bind_param(handle, &binds) == 0
            else { throw MySQLError(handle) }
            for (index, value) in row.enumerated() {
                guard let value, isLong(value) else { continue }
                try value.decode(inPiecesOf: Self.pieceBytes) { piece in
                    let bytes = piece.baseAddress?.assumingMemoryBound(to: CChar.self)
                    guard
                        mysql_stmt_send_long_data(
                            handle, UInt32(index), bytes, UInt(piece.count)) == 0
                    else { throw MySQLError(handle) }
                }
            }
            try execute()
        }
    }

    private static let pieceBytes = 256 << 10
}
