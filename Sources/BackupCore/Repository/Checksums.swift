import Packing

/// `SHA256SUMS` of one backup: file names below its folder, and their digests.
struct Checksums: Sendable {
    private let digests: [String: String]

    /// The files that it lists, in order.
    var files: [String] { digests.keys.sorted() }

    /// The digest of the list itself.
    var ownDigest: String { SHA256Stream.hexDigest(of: Self.bytes(of: digests)) }

    /// The digest of a file; nil when the list does not have it.
    subscript(file: String) -> String? { digests[file] }

    /// Reads the list of a backup.
    ///
    /// - Throws: `BackupError.damaged` when it is missing or is not such a list.
    init(of point: Point, in storage: any Storage) async throws {
        let name = try point.folder.appending(RepositoryLayout.checksums)
        guard try await storage.entry(name) != nil else {
            throw BackupError(.damaged, "\(name) is missing")
        }
        let bytes = try await storage.bytes(of: name)
        let text = String(decoding: bytes, as: UTF8.self)
        var digests: [String: String] = [:]
        for line in text.utf8.split(separator: 0x0A) {
            guard line.count > 66, line.dropFirst(64).starts(with: "  ".utf8) else {
                throw BackupError(.damaged, "\(name) has a line that is no checksum")
            }
            digests[String(line.dropFirst(66)) ?? ""] = String(line.prefix(64))
        }
        guard Self.bytes(of: digests) == bytes else {
            throw BackupError(.damaged, "\(name) is not as it was written")
        }
        self.digests = digests
    }

    /// The list of these files and digests: in order, each on a line that ends.
    static func bytes(of digests: [String: String]) -> [UInt8] {
        let lines = digests.sorted { $0.key < $1.key }.map { "\($0.value)  \($0.key)\n" }
        return Array(lines.joined().utf8)
    }

    /// Proves what was read of the backup's metadata, and with it that of all backups that it rests on: whoever follows a
    /// chain compares each with the digest that its child holds.
    ///
    /// - Throws: `BackupError.damaged` naming the file.
    func proveMetadata(of point: Point) throws {
        guard self[RepositoryLayout.metadata] == point.digest else {
            let name = try point.folder.appending(RepositoryLayout.metadata)
            throw BackupError(.damaged, "checksum of \(name) differs from SHA256SUMS")
        }
    }

    /// The bytes of a small file, once they are proven.
    ///
    /// - Throws: `BackupError.damaged` naming the file.
    func provenBytes(
        of file: String, of point: Point, in storage: any Storage
    ) async throws -> [UInt8] {
        let name = try point.folder.appending(file)
        guard try await storage.entry(name) != nil else {
            throw BackupError(.damaged, "\(name) is missing")
        }
        let bytes = try await storage.bytes(of: name)
        guard SHA256Stream.hexDigest(of: bytes) == self[file] else {
            throw BackupError(.damaged, "checksum of \(name) differs from SHA256SUMS")
        }
        return bytes
    }
}

extension Storage {
    /// The SHA-256 of a stored thing, read piece by piece.
    ///
    /// `reading`: Told of the bytes of each piece.
    func digest(of name: StorageName, reading: (Int) -> Void) async throws -> String {
        try await read(name) { reader in
            var hash = SHA256Stream()
            while case let piece = try await reader.next(), !piece.isEmpty {
                try Task.checkCancellation()
                hash.update(piece)
                reading(piece.count)
            }
            return hash.hexDigest()
        }
    }
}
