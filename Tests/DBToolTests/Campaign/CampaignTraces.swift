import BackupTesting
import Foundation
import Packing
import Testing

/// What runs have left in folders: secrets in files, and files that others may read.
enum CampaignTraces {
    /// The files that hold a secret, in whatever form, also within what is packed.
    static func files(holding secret: CampaignSecret, in folders: [String]) -> [String] {
        paths(in: folders).filter { path in
            // What is gone or is a folder holds none.
            let bytes = FileManager.default.contents(atPath: path).map { [UInt8]($0) } ?? []
            return holds(secret, bytes)
        }
    }

    private static func holds(_ secret: CampaignSecret, _ bytes: [UInt8]) -> Bool {
        if secret.isIn(bytes) { return true }
        if bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) { return secret.isIn(unpacked(bytes)) }
        guard bytes.starts(with: Array("PK\u{3}\u{4}".utf8)) else { return false }
        return members(of: bytes).contains { holds(secret, $0) }
    }

    /// What is in a `.zst` file; of one that was cut off what there is.
    private static func unpacked(_ bytes: [UInt8]) -> [UInt8] {
        guard let zstd = try? ZstdDecompressor() else { return [] }
        zstd.feed(bytes)
        var all: [UInt8] = []
        while let piece = try? zstd.next() { all += piece }
        return all
    }

    /// What is in an archive; of one that was cut off what there is.
    private static func members(of archive: [UInt8]) -> [[UInt8]] {
        var rest = archive
        let read: () throws -> [UInt8] = {
            defer { rest = [] }
            return rest
        }
        guard let zip = try? ZipReader(read: read) else { return [] }
        var members: [[UInt8]] = []
        while let name = try? zip.nextMember() {
            var bytes: [UInt8] = []
            while let piece = try? zip.next(), !piece.isEmpty { bytes += piece }
            members += [Array(name.utf8), bytes]
        }
        return members
    }

    // MARK: Modes

    /// What anybody but its owner may use: folders whose mode is not 700, files whose mode is not 600, each with what it has.
    static func openPlaces(in folders: [String]) throws -> [String] {
        try (folders + paths(in: folders)).compactMap { path -> String? in
            var status = stat()
            guard lstat(path, &status) == 0 else {
                throw ProgramFailure("cannot look at \(path): \(errno)")
            }
            let isFolder = status.st_mode & S_IFMT == S_IFDIR
            let mode = status.st_mode & 0o7777
            return mode == (isFolder ? 0o700 : 0o600)
                ? nil : "\(path) has \(String(mode, radix: 8))"
        }
    }

    /// The same within the zip archives of a repository, as `unzip` makes their files in an empty folder.
    static func openPlaces(
        inArchivesOf repository: String, unpackedTo folder: String,
        _ environment: [String: String]
    ) async throws -> [String] {
        // It is not there the first time.
        try? FileManager.default.removeItem(atPath: folder)
        let script = """
            umask 000
            mkdir -m 700 "$2" && cd "$1" || exit 1
            for archive in ./*.zip; do
              [ ! -f "$archive" ] || unzip -q -o "$archive" -d "$2" || exit 1
            done
            """
        try await Program.run(
            "/bin/sh", ["-c", script, "sh", repository, folder], environment: environment,
            folder: "/"
        ).requireCode(0)
        return try openPlaces(in: [folder])
    }

    /// Everything below some folders.
    private static func paths(in folders: [String]) -> [String] {
        folders.flatMap { folder in
            let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String }
            return (names ?? []).sorted().map { "\(folder)/\($0)" }
        }
    }
}
