import Testing

@testable import Packing

/// An archive is read back as it was written, or not at all.
@Suite(.timeLimit(.minutes(10))) struct ZipReaderTests {
    private struct Member: Equatable {
        let name: String
        let digest: String
    }

    private struct ReadingFailure: Error {}

    /// Sizes that are no power of two: of such a number one flipped bit leaves zero, which means that it is said later.
    private static let files: [(name: String, bytes: [UInt8])] = [
        ("top/", []), ("top/empty.csv", []), ("top/people.csv", Array("id,name\n1,Ann\n22\n".utf8)),
        ("top/data/", []), ("top/data/mixed.bin", mixed(3001)), ("top/last.csv", [1, 2, 3]),
    ]

    private static func mixed(_ count: Int) -> [UInt8] {
        var state: UInt32 = 1
        return (0..<count).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(truncatingIfNeeded: state >> 24)
        }
    }

    private static func archive(_ files: [(name: String, bytes: [UInt8])]) throws -> [UInt8] {
        let zip = try ZipWriter()
        for file in files {
            if file.name.hasSuffix("/") {
                try zip.addFolder(String(file.name.dropLast()), modified: 1_700_000_000)
            } else {
                try zip.beginFile(
                    file.name, byteCount: file.bytes.count, modified: 1_700_000_000)
                try zip.append(file.bytes)
            }
        }
        try zip.finish()
        return zip.takeOutput()
    }

    private static func members(_ files: [(name: String, bytes: [UInt8])]) -> [Member] {
        files.map { Member(name: $0.name, digest: SHA256Stream.hexDigest(of: $0.bytes)) }
    }

    private static func read(
        _ archive: [UInt8], pieceBytes: Int = 1 << 20, failingAt: Int = .max
    ) throws -> [Member] {
        var place = 0
        let zip = try ZipReader {
            guard place < failingAt else { throw ReadingFailure() }
            let end = min(place + pieceBytes, archive.count)
            defer { place = end }
            return Array(archive[place..<end])
        }
        var members: [Member] = []
        while let name = try zip.nextMember() {
            var hash = SHA256Stream()
            while case let piece = try zip.next(), !piece.isEmpty {
                try #require(piece.count <= 1 << 20)
                hash.update(piece)
            }
            members.append(Member(name: name, digest: hash.hexDigest()))
        }
        try zip.finish()
        return members
    }

    @Test(arguments: [1, 7, 4096, 1 << 20])
    func `every member comes out as it went in, however it arrives`(pieceBytes: Int) throws {
        let found = try Self.read(Self.archive(Self.files), pieceBytes: pieceBytes)
        #expect(found == Self.members(Self.files))
    }

    @Test func `large members and many of them are read in bounded pieces`() throws {
        var files = Self.files + [(name: "top/large", bytes: Self.mixed(3_000_000))]
        files += (0..<3000).map { (name: "top/many/\($0)", bytes: Self.mixed($0 % 50)) }
        let archive = try Self.archive(files)
        for pieceBytes in [50_000, 1 << 20] {
            let found = try Self.read(archive, pieceBytes: pieceBytes)
            #expect(found == Self.members(files), "\(pieceBytes)")
        }
    }

    /// Zip's first directory counts to 65,535.
    @Test(arguments: [65_535, 65_536, 70_000])
    func `an archive of very many members is read`(count: Int) throws {
        let files = (0..<count).map { (name: "\($0)", bytes: [] as [UInt8]) }
        let found = try Self.read(Self.archive(files))
        #expect(found.count == count && found.last?.name == "\(count - 1)")
    }

    /// What comes out is what went in, or nothing does: in each stream of packed bytes a few bits mean nothing, and in each
    /// entry of the directory the version of what wrote it.
    @Test func `a flipped bit is found`() throws {
        let archive = try Self.archive(Self.files)
        var silent: [Int] = []
        for place in archive.indices {
            var damaged = archive
            damaged[place] ^= 1 << UInt8(place % 8)
            guard let found = try? Self.read(damaged) else { continue }
            #expect(found == Self.members(Self.files), "byte \(place) of \(archive.count)")
            silent.append(place)
        }
        #expect(silent.count <= 3 * Self.files.count, "\(silent)")
    }

    @Test func `an archive that is cut off, longer or none at all is refused`() throws {
        let archive = try Self.archive(Self.files)
        for count in archive.indices {
            #expect(throws: PackingError.self, "\(count) bytes of \(archive.count)") {
                try Self.read(Array(archive[..<count]))
            }
        }
        for more in [[0], archive, Array(repeating: 80, count: 3 << 20)] as [[UInt8]] {
            #expect(throws: PackingError.self) { try Self.read(archive + more) }
        }
        #expect(throws: PackingError.self) { try Self.read(Array("id,name\n".utf8)) }
    }

    /// Every member is remembered to the end: with the bytes around it a large archive would fill the memory.
    @Test func `what is remembered of a member keeps nothing else of the archive`() throws {
        var archive = try Self.archive(Self.files)
        let place = archive.withUnsafeBytes { $0.baseAddress }
        let member = try ZipMember(at: 0) { archive[$0..<($0 + $1)] }
        #expect(member.words == "top/" && member.mostDirectoryBytes > 46 + 4 + 32)
        // Who alone holds bytes changes them where they are.
        archive[0] ^= 1
        #expect(archive.withUnsafeBytes { $0.baseAddress } == place)
        withExtendedLifetime(member) {}
    }

    @Test func `a member that says more of itself than any does is refused`() throws {
        let extraBytes = 2000
        let head = Array("PK\u{3}\u{4}".utf8) + [UInt8](repeating: 0, count: 22)
        let counts: [UInt8] = [1, 0, UInt8(extraBytes & 0xFF), UInt8(extraBytes >> 8)]
        let header = head + counts + [97] + [UInt8](repeating: 0, count: extraBytes)
        #expect(throws: PackingError.self) {
            try ZipMember(at: 0) { header[$0..<($0 + $1)] }
        }
    }

    @Test func `what fails in reading is told as it is`() throws {
        let archive = try Self.archive(Self.files)
        for place in [0, 40, 200, archive.count - 100, archive.count - 10] {
            #expect(throws: ReadingFailure.self, "\(place)") {
                try Self.read(archive, pieceBytes: 10, failingAt: place)
            }
        }
    }
}
