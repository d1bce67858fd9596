import BackupCore
import CPostgres

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The rows of a `COPY … TO STDOUT` as they come from the server, past libpq.
///
/// libpq gives out one row at a time, in memory of its own for each, after reading at most 16 KB from
/// the socket; on a small machine that takes as long as formatting the rows takes the server. So while
/// rows flow, the socket is read here in large pieces, and only messages that are no rows (the
/// beginning, the end, errors, notices) reach libpq, through a pair of sockets that stands in the place
/// of its own. Not for connections with encryption, which is libpq's.
///
/// - SeeAlso: <https://www.postgresql.org/docs/current/protocol-flow.html>, "COPY Operations"
struct PostgresCopyStream: ~Copyable {
    private static let bufferBytes = 256 << 10
    private static let headBytes = 5
    private static let gulpBytes = 64 << 10
    private static let napMicroseconds = UInt32(200)

    private let connection: OpaquePointer
    /// The number under which libpq knows its socket.
    private let place: Int32
    /// The server's socket, beside its usual place.
    private let server: Int32
    /// Where libpq is given what it reads.
    private let libpq: Int32
    private let buffer: UnsafeMutableRawBufferPointer
    /// What of the buffer has been read and not been used.
    private var rest = 0..<0
    private var isOver = false
    /// How much has been read, and how much of it at last.
    private var (total, latest) = (0, 0)

    // MARK: Beginning

    /// Sends a statement; nil, and nothing sent, where this way is not open.
    ///
    /// - Throws: `PostgresError`.
    init?(_ sql: String, on connection: OpaquePointer) throws {
        guard PQsslInUse(connection) == 0, PQgssEncInUse(connection) == 0 else { return nil }
        let place = PQsocket(connection)
        var pair: [Int32] = [-1, -1]
        let server = fcntl(place, F_DUPFD_CLOEXEC, 0)
        guard server >= 0 else { return nil }
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0 else {
            close(server)
            return nil
        }
        guard PQsendQuery(connection, sql) == 1, PQflush(connection) == 0 else {
            [server, pair[0], pair[1]].forEach { _ = close($0) }
            throw PostgresError(result: nil, connection: connection)
        }
        // libpq never waits inside a read.
        pair.forEach { _ = fcntl($0, F_SETFL, fcntl($0, F_GETFL) | O_NONBLOCK) }
        dup2(pair[1], place)
        close(pair[1])
        [place, pair[0]].forEach { _ = fcntl($0, F_SETFD, FD_CLOEXEC) }
        self.connection = connection
        self.place = place
        self.server = server
        libpq = pair[0]
        buffer = .allocate(byteCount: Self.bufferBytes, alignment: 16)
    }

    deinit {
        dup2(server, place)
        _ = fcntl(place, F_SETFD, FD_CLOEXEC)
        close(server)
        close(libpq)
        buffer.deallocate()
    }

    // MARK: Rows

    /// The next rows; nil when there are no more, and libpq knows why.
    mutating func next() throws -> RowBatch? {
        var ends: [Int] = []
        var capacity = RowBatch.targetBytes + RowBatch.targetBytes >> 3
        // A row that does not fit into a usual batch gets one of its own size.
        guard let head = try nextRowHead() else { return nil }
        capacity = max(capacity, head.length)
        let bytes = try [UInt8](unsafeUninitializedCapacity: capacity) { space, count in
            try fill(UnsafeMutableRawBufferPointer(space), &count, &ends)
        }
        return ends.isEmpty ? nil : RowBatch(bytes: bytes, ends: ends)
    }

    /// HOT PATH: every row of a backup passes here.
    private mutating func fill(
        _ space: UnsafeMutableRawBufferPointer, _ count: inout Int, _ ends: inout [Int]
    ) throws {
        while count < RowBatch.targetBytes, ends.count < RowBatch.targetRows,
            let head = try nextRowHead()
        {
            guard head.length <= space.count - count else { return }
            let start = count
            rest = rest.lowerBound + Self.headBytes..<rest.upperBound
            var missing = head.length
            while true {
                let piece = min(missing, rest.count)
                UnsafeMutableRawBufferPointer(rebasing: space[count..<(count + piece)])
                    .copyMemory(
                        from: UnsafeRawBufferPointer(
                            rebasing: buffer[rest.lowerBound..<(rest.lowerBound + piece)]))
                count += piece
                missing -= piece
                rest = rest.lowerBound + piece..<rest.upperBound
                if missing == 0 { break }
                guard read() else {
                    count = start
                    return
                }
            }
            ends.append(count)
        }
    }

    /// Reads what is left without keeping it.
    mutating func drain() throws {
        while let head = try nextRowHead() { try skip(Self.headBytes + head.length) }
    }

    // MARK: Messages

    /// The kind of a message, and how many bytes follow its head.
    private struct Head {
        let kind: UInt8
        let length: Int
    }

    /// The head of the next row, which stays where it is; what comes before goes to libpq.
    @inline(__always)
    private mutating func nextRowHead() throws -> Head? {
        while let head = try nextHead() {
            if head.kind == UInt8(ascii: "d") { return head }
            try forward(head)
        }
        return nil
    }

    /// Nil when the server has nothing more to say about the statement.
    @inline(__always)
    private mutating func nextHead() throws -> Head? {
        guard !isOver else { return nil }
        while rest.count < Self.headBytes {
            guard read() else { return nil }
        }
        let start = rest.lowerBound
        let length = buffer.loadUnaligned(fromByteOffset: start + 1, as: UInt32.self).bigEndian
        // The length counts itself; no message is larger than a gigabyte.
        guard (4...(1 << 30)).contains(length) else { throw Self.garbled }
        return Head(kind: buffer[start], length: Int(length) - 4)
    }

    /// Hands a whole message to libpq.
    private mutating func forward(_ head: Head) throws {
        guard Self.kinds.contains(head.kind) else { throw Self.garbled }
        if head.kind == UInt8(ascii: "Z") { isOver = true }
        try skip(Self.headBytes + head.length) { [libpq, connection] bytes in
            var bytes = bytes
            while !bytes.isEmpty {
                let piece = bytes.prefix(8 << 10)
                let count = send(libpq, piece.baseAddressOfSlice, piece.count, Self.sendFlags)
                guard count > 0, PQconsumeInput(connection) == 1 else {
                    throw PostgresError(result: nil, connection: connection)
                }
                bytes = bytes.dropFirst(count)
            }
        }
    }

    /// What the server may say during a COPY: its beginning and end, the end of the statement, errors,
    /// notices, changed settings, notifications.
    private static let kinds = Set("HcCZENSA".utf8)

    private mutating func skip(
        _ count: Int, _ use: (Slice<UnsafeRawBufferPointer>) throws -> Void = { _ in }
    ) throws {
        var missing = count
        while missing > 0 {
            if rest.isEmpty { guard read() else { return } }
            let piece = min(missing, rest.count)
            try use(UnsafeRawBufferPointer(buffer)[rest.lowerBound..<(rest.lowerBound + piece)])
            rest = rest.lowerBound + piece..<rest.upperBound
            missing -= piece
        }
    }

    // MARK: The socket

    /// Reads more, behind what is left; false at the end of the connection, of which libpq then learns
    /// by itself.
    private mutating func read() -> Bool {
        if rest.isEmpty {
            rest = 0..<0
        } else if rest.upperBound == buffer.count {
            let left = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[rest])
            buffer.copyMemory(from: left)
            rest = 0..<rest.count
        }
        // The server sends 8 KB at a time, and waking a sleeping reader costs it more than that. So where it
        // is the slower one, it is left alone until there is more; small tables do not wait.
        if total > Self.gulpBytes, latest < Self.gulpBytes { usleep(Self.napMicroseconds) }
        while true {
            let end = rest.upperBound
            let count = recv(
                server, buffer.baseAddress?.advanced(by: end), buffer.count - end, 0)
            if count > 0 {
                rest = rest.lowerBound..<(end + count)
                (total, latest) = (total + count, count)
                return true
            }
            guard count < 0, errno == EAGAIN || errno == EINTR else {
                isOver = true
                return false
            }
            var wait = pollfd(fd: server, events: Int16(POLLIN), revents: 0)
            _ = poll(&wait, 1, -1)
        }
    }

    #if canImport(Darwin)
        private static let sendFlags: Int32 = 0
    #else
        private static let sendFlags = Int32(MSG_NOSIGNAL)
    #endif

    private static var garbled: PostgresError {
        PostgresError(message: "the server's messages during COPY cannot be understood")
    }
}

extension Slice<UnsafeRawBufferPointer> {
    fileprivate var baseAddressOfSlice: UnsafeRawPointer? {
        base.baseAddress?.advanced(by: startIndex)
    }
}
