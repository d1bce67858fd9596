/// What a member of a zip archive says of itself: before its bytes, and behind them.
struct ZipMember {
    let name: [UInt8]
    private let start: Int
    /// Version, flags, method and time, as they stand in the directory too.
    private let head: [UInt8]
    /// What the header says before the bytes are known: often nothing.
    private let announced: [Int]
    private let extra: ZipExtra
    private let dataStart: Int
    /// CRC, and the number of bytes as stored and as they are.
    private var numbers: [Int] = []

    /// A flag: what the bytes are is said behind them.
    private static let hasTrailer: UInt8 = 1 << 3
    /// Times, owners and large numbers take less than a tenth of that.
    private static let mostExtraBytes = 1 << 10

    /// Reads the header at a place.
    init(at start: Int, _ bytes: (_ from: Int, _ count: Int) throws -> ArraySlice<UInt8>) throws {
        self.start = start
        var header = ZipCursor(try bytes(start, 30))
        try header.take("PK\u{3}\u{4}")
        head = Array(try header.take(10))
        announced = [try header.number(4), try header.number(4), try header.number(4)]
        let (nameBytes, extraBytes) = (try header.number(2), try header.number(2))
        guard extraBytes <= Self.mostExtraBytes else {
            throw PackingError("zip: not as it was written")
        }
        var rest = ZipCursor(try bytes(start + 30, nameBytes + extraBytes))
        name = Array(try rest.take(nameBytes))
        extra = try ZipExtra(rest.take(extraBytes))
        dataStart = start + 30 + nameBytes + extraBytes
    }

    private var numberBytes: Int { extra.large == nil ? 4 : 8 }

    /// How many bytes follow those of the member.
    var trailerBytes: Int { head[2] & Self.hasTrailer == 0 ? 0 : 8 + 2 * numberBytes }

    /// A bound for what the directory says of it.
    var mostDirectoryBytes: Int { 46 + name.count + extra.common.count + 32 }

    /// Takes what is said behind its bytes; the next header begins at `end`.
    mutating func end(at end: Int, trailer: ArraySlice<UInt8>) throws {
        numbers = announced
        if trailerBytes > 0 {
            var trailer = ZipCursor(trailer)
            try trailer.take("PK\u{7}\u{8}")
            numbers = [
                try trailer.number(4), try trailer.number(numberBytes),
                try trailer.number(numberBytes),
            ]
        }
        let isAsAnnounced = zip(announced, numbers).allSatisfy { announced, number in
            announced == number || announced == 0 || announced == ZipDirectory.large
        }
        guard isAsAnnounced, end - trailerBytes - dataStart == numbers[1] else {
            throw PackingError("zip: the header of \(words) is not that of its bytes")
        }
    }

    /// Whether an entry of the directory says the same.
    func agrees(with entry: ZipDirectory.Entry) -> Bool {
        let isFolder = name.last == UInt8(ascii: "/")
        let permissions = isFolder ? 0o040_700 : 0o100_600
        // Numbers that are too large for their places raise the version, in the directory alone.
        let versionBytes = entry.extra.large == nil ? 0 : 2
        guard entry.name == name, entry.numbers == numbers + [start],
            entry.permissions == permissions << 16
        else { return false }
        return entry.head.dropFirst(versionBytes) == head.dropFirst(versionBytes)
            && extra.common.starts(with: entry.extra.common)
    }

    /// For people.
    var words: String { String(decoding: name, as: UTF8.self) }
}

/// The directory at the end of a zip archive, while it is compared with the members.
struct ZipDirectory {
    /// What stands for a number that is too large for its place.
    static let large = 0xFFFF_FFFF
    /// A bound for what follows the entries.
    static let mostEndBytes = 56 + 20 + 22

    /// What it says of one member.
    struct Entry {
        let name: [UInt8]
        /// Version, flags, method and time.
        let head: [UInt8]
        /// CRC, bytes as stored and as they are, and where the member begins.
        let numbers: [Int]
        let extra: ZipExtra
        let permissions: Int
    }

    private let start: Int
    private let count: Int
    private var cursor: ZipCursor

    init(_ bytes: ArraySlice<UInt8>, start: Int) {
        self.start = start
        count = bytes.count
        cursor = ZipCursor(bytes)
    }

    /// Compares its next entry with the next member.
    mutating func check(_ member: ZipMember) throws {
        guard let entry = try? entry(), member.agrees(with: entry) else {
            throw PackingError("zip: its directory says something else of \(member.words)")
        }
    }

    /// Compares what follows the entries with what there is.
    mutating func checkEnd(of entries: Int) throws {
        let size = count - cursor.rest.count
        let (end, isLarge) = (start + size, cursor.begins(with: "PK\u{6}\u{6}"))
        var found: [Int] = []
        var expected: [Int] = []
        if isLarge {
            try cursor.take("PK\u{6}\u{6}")
            found += [try cursor.number(8)]
            let versions = [try cursor.number(2), try cursor.number(2)]
            found += [versions[0], try cursor.number(4), try cursor.number(4)]
            for _ in 1...4 { found += [try cursor.number(8)] }
            expected += [44, versions[1], 0, 0, entries, entries, size, start]
            try cursor.take("PK\u{6}\u{7}")
            found += [try cursor.number(4), try cursor.number(8), try cursor.number(4)]
            expected += [0, end, 1]
        }
        try cursor.take("PK\u{5}\u{6}")
        for bytes in [2, 2, 2, 2, 4, 4, 2] { found += [try cursor.number(bytes)] }
        let few = min(entries, 0xFFFF)
        expected += [0, 0, few, few, min(size, Self.large), min(start, Self.large), 0]
        guard found == expected, cursor.rest.isEmpty,
            isLarge || max(size, start) <= Self.large && entries <= 0xFFFF
        else { throw PackingError("zip: its directory does not end as it must") }
    }

    private mutating func entry() throws -> Entry {
        try cursor.take("PK\u{1}\u{2}")
        // The system that the permissions are of, and a version of the format.
        let maker = try cursor.number(2)
        let head = Array(try cursor.take(10))
        var numbers = [try cursor.number(4), try cursor.number(4), try cursor.number(4)]
        let nameBytes = try cursor.number(2)
        let (extraBytes, commentBytes) = (try cursor.number(2), try cursor.number(2))
        let (disk, kind) = (try cursor.number(2), try cursor.number(2))
        let permissions = try cursor.number(4)
        numbers += [try cursor.number(4)]
        let name = Array(try cursor.take(nameBytes))
        let extra = try ZipExtra(cursor.take(extraBytes))
        guard maker >> 8 == 3, maker & 0xFF <= 63, commentBytes == 0, disk == 0, kind == 0 else {
            throw PackingError("zip: not as it was written")
        }
        if var large = extra.large.map({ ZipCursor($0[...]) }) {
            // In this order, and only those that need it.
            for place in [2, 1, 3] where numbers[place] == Self.large {
                numbers[place] = try large.number(8)
            }
            guard large.rest.isEmpty else { throw PackingError("zip: not as it was written") }
        }
        return Entry(
            name: name, head: head, numbers: numbers, extra: extra, permissions: permissions)
    }
}

/// The fields behind a name: each with its tag and its size.
///
/// It copies them: a slice would keep everything that was read with it.
struct ZipExtra {
    /// Those that headers and directory have alike, one after the other: times and owners.
    private(set) var common: [UInt8] = []
    /// The numbers that are too large for their places; nil where none is.
    private(set) var large: [UInt8]?

    init(_ bytes: ArraySlice<UInt8>) throws {
        var cursor = ZipCursor(bytes)
        while !cursor.rest.isEmpty {
            let field = cursor.rest
            let (tag, size) = (try cursor.number(2), try cursor.number(2))
            let value = try cursor.take(size)
            if tag == 1 { large = Array(value) } else { common += field.prefix(4 + size) }
        }
    }
}

/// A place among bytes whose numbers are little-endian.
struct ZipCursor {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    func begins(with signature: String) -> Bool { rest.starts(with: signature.utf8) }

    /// Goes behind a signature that must be there.
    mutating func take(_ signature: String) throws {
        guard begins(with: signature) else {
            throw PackingError("zip: a header is not where it must be")
        }
        rest = rest.dropFirst(signature.utf8.count)
    }

    mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
        guard count <= rest.count else { throw PackingError("zip: the archive is cut off") }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func number(_ byteCount: Int) throws -> Int {
        var value: UInt64 = 0
        for byte in try take(byteCount).reversed() { value = value << 8 | UInt64(byte) }
        guard let number = Int(exactly: value) else {
            throw PackingError("zip: a number is too large")
        }
        return number
    }
}
