import CArchive

/// Reads a zip archive as `ZipWriter` makes them, from beginning to end, in bounded memory.
///
/// Ask for a member, take its bytes with `next` until there are none, and at the end `finish`, which proves that what each
/// member says of itself is what the archive's directory says: some programs go by the one, some by the other.
///
/// - SeeAlso: <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>
public final class ZipReader {
    /// At least so much stays at hand of what libarchive has asked for: it looks less far ahead.
    private static let keptBytes = 1 << 18
    private static let outputBytes = 1 << 20

    private let archive: OpaquePointer
    private let source: Source
    /// Every member that has ended.
    private var members: [ZipMember] = []
    private var current: ZipMember?
    private var directoryStart = 0

    /// `read`: Gives the archive's next bytes; none at its end.
    ///
    /// - Throws: `PackingError` with libarchive's own words; whatever `read` throws.
    public init(read: @escaping () throws -> [UInt8]) throws {
        guard let archive = archive_read_new() else {
            throw PackingError("libarchive could not allocate an archive")
        }
        self.archive = archive
        source = Source(read)
        try check(archive_read_support_format_zip_streamable(archive))
        let client = Unmanaged.passUnretained(source).toOpaque()
        try check(
            archive_read_open(
                archive, client, nil,
                { _, client, piece in
                    guard let client, let piece else { return -1 }
                    let source = Unmanaged<Source>.fromOpaque(client).takeUnretainedValue()
                    guard let bytes = source.next() else { return -1 }
                    piece.pointee = bytes.baseAddress
                    return bytes.count
                }, nil))
    }

    deinit {
        archive_read_free(archive)
    }

    /// Goes to the next member and gives its name, which ends in a slash for a folder; nil behind the last one.
    ///
    /// The bytes of the one before must have been taken.
    /// - Throws: `PackingError` where the archive is damaged; whatever `read` threw.
    public func nextMember() throws -> String? {
        var entry: OpaquePointer?
        let code = archive_read_next_header(archive, &entry)
        if code != ARCHIVE_EOF { try check(code) }
        let place = Int(archive_read_header_position(archive))
        if let current {
            members.append(try ended(current, at: place))
            self.current = nil
        }
        guard code != ARCHIVE_EOF else {
            directoryStart = place
            return nil
        }
        let member = try ZipMember(at: place) { try source.bytes(from: $0, count: $1) }
        current = member
        return String(decoding: member.name, as: UTF8.self)
    }

    /// The next bytes of the member, about a megabyte at most; none at its end, where its CRC was right.
    ///
    /// - Throws: `PackingError` where the archive is damaged; whatever `read` threw.
    public func next() throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: Self.outputBytes) { buffer, count in
            count = archive_read_data(archive, buffer.baseAddress, buffer.count)
            guard count >= 0 else {
                count = 0
                throw failure()
            }
        }
    }

    /// Proves the directory, once there are no more members.
    ///
    /// - Throws: `PackingError` where it is not that of the members, or something follows it; whatever `read` threw.
    public func finish() throws {
        let mostBytes = members.reduce(ZipDirectory.mostEndBytes) { $0 + $1.mostDirectoryBytes }
        let bytes = try source.rest(from: directoryStart, atMost: mostBytes)
        var directory = ZipDirectory(bytes, start: directoryStart)
        for member in members { try directory.check(member) }
        try directory.checkEnd(of: members.count)
    }

    /// A member whose bytes and whose numbers about them end at a place.
    private func ended(_ member: ZipMember, at end: Int) throws -> ZipMember {
        var member = member
        let numbers = try source.bytes(
            from: end - member.trailerBytes, count: member.trailerBytes)
        try member.end(at: end, trailer: numbers)
        return member
    }

    private func check(_ code: Int32) throws {
        guard code == ARCHIVE_OK || code == ARCHIVE_WARN else { throw failure() }
    }

    private func failure() -> any Error {
        if let failure = source.failure { return failure }
        let words = archive_error_string(archive).map { String(cString: $0) }
        return PackingError("zip: \(words ?? "unknown failure")")
    }

    /// What libarchive asks for, and the last of what it got.
    private final class Source {
        private let read: () throws -> [UInt8]
        /// What libarchive works on: it stays where it is until the next piece is asked for.
        private var piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 0, alignment: 1)
        private var recent: [UInt8] = []
        private var recentStart = 0
        /// What `read` threw.
        private(set) var failure: (any Error)?

        init(_ read: @escaping () throws -> [UInt8]) { self.read = read }

        deinit { piece.deallocate() }

        func next() -> UnsafeRawBufferPointer? {
            do {
                let bytes = try read()
                // Seldom, so that small pieces do not have everything moved each time.
                if recent.count > 2 * ZipReader.keptBytes {
                    let surplus = recent.count - ZipReader.keptBytes
                    recent.removeFirst(surplus)
                    recentStart += surplus
                }
                recent += bytes
                piece.deallocate()
                piece = .allocate(byteCount: bytes.count, alignment: 1)
                piece.copyBytes(from: bytes)
                return UnsafeRawBufferPointer(piece)
            } catch {
                failure = error
                return nil
            }
        }

        /// Bytes that have been read lately, by their place in the archive.
        func bytes(from place: Int, count: Int) throws -> ArraySlice<UInt8> {
            let start = place - recentStart
            guard start >= 0, count >= 0, count <= recent.count - start else {
                throw PackingError("zip: a header is not where it must be")
            }
            return recent[start..<(start + count)]
        }

        /// Everything from a place on that was read lately.
        func rest(from place: Int, atMost mostBytes: Int) throws -> ArraySlice<UInt8> {
            let known = recentStart + recent.count - place
            var bytes = Array(try bytes(from: place, count: known))
            while case let piece = try read(), !piece.isEmpty {
                bytes += piece
                guard bytes.count <= mostBytes else { break }
            }
            guard bytes.count <= mostBytes else {
                throw PackingError("zip: something else follows its directory")
            }
            return bytes[...]
        }
    }
}
