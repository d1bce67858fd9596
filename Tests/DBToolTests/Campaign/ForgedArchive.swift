import BackupTesting
import Foundation
import Packing

/// The zip archive beside a full, in the hands of somebody who knows how such files are read.
struct ForgedArchive {
    /// What such a person makes of it.
    enum Trick: CaseIterable {
        /// Numbers that say something else of a member than it is.
        case size, offset
        /// Kilobytes that unpack to gigabytes: a file of the backup, one more, and what calls itself a folder.
        case bomb, anotherBomb, bombAsFolder
        /// Names that lead out of the folder in which it is unpacked.
        case upward, absolute, link
        /// Members that are there twice, and thousands of them.
        case twice, manyFiles, manyFolders

        /// Whether what is unpacked is the backup still.
        var isHarmless: Bool { self == .manyFolders }
    }

    private struct Member {
        let name: String
        let bytes: [UInt8]
        var isFolder: Bool { name.hasSuffix("/") }
    }

    private let path: String
    private let outside: Outside
    private let members: [Member]

    /// The name of the backup's folder in it.
    private let top: String

    /// Learns what the archive of a full is like that nobody has touched.
    init(of full: String, in shop: CampaignShop, luringTo outside: Outside) throws {
        (self.outside, top) = (outside, full)
        path = "\(shop.repository)/\(full).zip"
        members = try Self.members(of: [UInt8](Data(contentsOf: URL(fileURLWithPath: path))))
    }

    private static func members(of archive: [UInt8]) throws -> [Member] {
        var rest = archive
        let zip = try ZipReader {
            defer { rest = [] }
            return rest
        }
        var members: [Member] = []
        while let name = try zip.nextMember() {
            var bytes: [UInt8] = []
            while case let piece = try zip.next(), !piece.isEmpty { bytes += piece }
            members.append(Member(name: name, bytes: bytes))
        }
        return members
    }

    // MARK: The tricks

    /// Does one; what was done.
    func play(_ trick: Trick, _ random: inout SeededGenerator) throws -> String {
        var details = ""
        let archive: [UInt8]
        switch trick {
        case .size:
            archive = try renumbered(Self.sizes, &details, &random)
        case .offset:
            archive = try renumbered(
                [("PK\u{1}\u{2}", 42), ("PK\u{5}\u{6}", 16)], &details, &random)
        case .link:
            // Of a link in Unix the bytes are where it leads to.
            archive = try renumbered(
                [("PK\u{1}\u{2}", 38)], to: [0o120_777 << 16], &details, &random)
        case .bomb:
            archive = try bombed(
                members.filter { !$0.isFolder }.randomElement(using: &random)?.name)
        case .anotherBomb: archive = try written(byteCount: Self.bombBytes, "\(top)/data/zero.csv")
        case .bombAsFolder: archive = try written(byteCount: Self.bombBytes, "\(top)/data/")
        case .upward, .absolute:
            let name = try outwardName(isAbsolute: trick == .absolute, &random)
            details = name
            archive = try written(byteCount: 100, name)
        case .twice:
            let name = members.randomElement(using: &random)?.name ?? top
            details = name
            archive = try written(byteCount: name.hasSuffix("/") ? 0 : 100, name)
        case .manyFiles: archive = try written { try Self.addFiles("\(top)/many", to: $0) }
        case .manyFolders:
            archive = try written { zip in
                for _ in 0..<Self.manyMembers { try zip.addFolder(top, modified: 0) }
            }
        }
        try Data(archive).write(to: URL(fileURLWithPath: path))
        return "\(trick) \(details.prefix(60).debugDescription)"
    }

    private static let bombBytes = Attack.isLong ? 2 << 30 : 1 << 30
    private static let manyMembers = Attack.isLong ? 100_000 : 20_000

    private func outwardName(
        isAbsolute: Bool, _ random: inout SeededGenerator
    ) throws -> String {
        let up = String(repeating: "../", count: Int.random(in: 1...6, using: &random))
        let all =
            isAbsolute
            ? [outside.file, "/\(outside.file)", "C:\\\(Outside.name)", "/etc/passwd"]
            : [
                "\(up)outside/\(Outside.name)", "\(top)/\(up)outside/\(Outside.name)",
                "\(top)/data/..", "\(top)/./schema.sql", "\(top)//schema.sql",
                "\(top)\\..\\..\\outside\\\(Outside.name)", "\(top)/\(up)",
            ]
        return all.randomElement(using: &random) ?? up
    }

    // MARK: Other members

    private static func addFiles(_ folder: String, to zip: ZipWriter) throws {
        for number in 0..<manyMembers {
            try zip.beginFile("\(folder)/\(number)", byteCount: 1, modified: 0)
            try zip.append([0x78])
        }
    }

    /// The same with one file of zeros in the place of what it was.
    private func bombed(_ name: String?) throws -> [UInt8] {
        let zip = try ZipWriter()
        var archive: [UInt8] = []
        for member in members {
            if member.name == name {
                archive += try Self.addZeros(Self.bombBytes, member.name, to: zip)
            } else {
                try Self.add(member, to: zip)
            }
        }
        try zip.finish()
        return archive + zip.takeOutput()
    }

    /// The same with zeros of another name behind all others.
    private func written(byteCount: Int, _ name: String) throws -> [UInt8] {
        let zip = try ZipWriter()
        for member in members { try Self.add(member, to: zip) }
        let archive = try Self.addZeros(byteCount, name, to: zip)
        try zip.finish()
        return archive + zip.takeOutput()
    }

    /// The same with whatever else behind it.
    private func written(_ more: (ZipWriter) throws -> Void) throws -> [UInt8] {
        let zip = try ZipWriter()
        for member in members { try Self.add(member, to: zip) }
        try more(zip)
        try zip.finish()
        return zip.takeOutput()
    }

    private static func add(_ member: Member, to zip: ZipWriter) throws {
        guard !member.isFolder else {
            return try zip.addFolder(String(member.name.dropLast()), modified: 0)
        }
        try zip.beginFile(member.name, byteCount: member.bytes.count, modified: 0)
        try zip.append(member.bytes)
    }

    /// What the archive has grown by, and had not given out before.
    private static func addZeros(
        _ byteCount: Int, _ name: String, to zip: ZipWriter
    ) throws -> [UInt8] {
        try zip.beginFile(name, byteCount: byteCount, modified: 0)
        let piece = [UInt8](repeating: 0, count: 1 << 20)
        var rest = byteCount
        while rest > 0 {
            let count = min(rest, piece.count)
            try zip.append(count == piece.count ? piece : Array(piece[..<count]))
            rest -= count
        }
        return zip.takeOutput()
    }

    // MARK: Other numbers

    /// Signatures, and where the sizes of a member are behind them.
    /// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
    private static let sizes: [(signature: String, place: Int)] = [
        ("PK\u{3}\u{4}", 18), ("PK\u{3}\u{4}", 22), ("PK\u{7}\u{8}", 8), ("PK\u{7}\u{8}", 12),
        ("PK\u{1}\u{2}", 20), ("PK\u{1}\u{2}", 24),
    ]
    /// Zero, and all ones, may say that a number is elsewhere.
    private static let wrongNumbers: [UInt32] = [
        1, 4097, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE,
    ]

    /// The archive with another number at one of some places.
    private func renumbered(
        _ places: [(signature: String, place: Int)], to numbers: [UInt32] = Self.wrongNumbers,
        _ details: inout String, _ random: inout SeededGenerator
    ) throws -> [UInt8] {
        var archive = try written { _ in }
        let found = places.flatMap { signature, place in
            Self.starts(of: Array(signature.utf8), in: archive).map { $0 + place }
        }.filter { $0 + 4 <= archive.count }
        guard let place = found.randomElement(using: &random),
            let number = numbers.randomElement(using: &random)
        else { throw ProgramFailure("\(path) has none of \(places)") }
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
        let isSame = archive[place..<place + 4].elementsEqual(bytes)
        archive.replaceSubrange(place..<place + 4, with: bytes)
        if isSame { archive[place] ^= 2 }
        details = "\(number) at \(place)"
        return archive
    }

    private static func starts(of signature: [UInt8], in bytes: [UInt8]) -> [Int] {
        bytes.indices.dropLast(signature.count - 1).filter {
            bytes[$0] == signature[0] && bytes[$0...].starts(with: signature)
        }
    }
}
