/// Where a repository's bytes live: names to bytes, and no more.
///
/// Every implementation passes the same contract suite (`StorageContract`).
public protocol Storage: Sendable {
    /// Where this is, for people: a path, a URL.
    var location: String { get }

    /// What lies directly in a folder (nil is the root), in order of names.
    ///
    /// A folder that does not exist is empty. Unfinished writes are not listed.
    func list(_ folder: StorageName?) async throws -> [StorageEntry]

    /// What is known about one name; nil when nothing has it.
    func entry(_ name: StorageName) async throws -> StorageEntry?

    /// Reads a stored thing from its beginning.
    ///
    /// - Throws: `BackupError.notFound`, `BackupError.storageFailed`, whatever `body` throws.
    func read<Result: Sendable>(
        _ name: StorageName, _ body: (any StorageReader) async throws -> Result
    ) async throws -> Result

    /// Writes a thing; returning commits, throwing undoes.
    ///
    /// The name appears whole or not at all, and replaces what had it before. Folders appear as needed.
    /// That the *name* survives a crash is promised by `seal`.
    /// `survival`: Whether its bytes survive a crash from now on, or once they are sealed too.
    ///
    /// - Throws: `BackupError.storageFailed`, whatever `body` throws.
    func write(
        _ name: StorageName, survival: WriteSurvival,
        _ body: (any StorageWriter) async throws -> Void
    ) async throws

    /// Makes what is in a folder and in the folders below it survive a crash; of the root (nil)
    /// only its own names.
    func seal(_ folder: StorageName?) async throws

    /// Makes the names in one folder survive a crash, and nothing of what lies below it.
    func sealNames(in folder: StorageName) async throws

    /// Removes a thing, or a folder with all it holds; that nothing has the name is not an error.
    func remove(_ name: StorageName) async throws

    /// Removes what writes directly in a folder (nil is the root) have left that were cut off.
    ///
    /// Only for who knows that none of them goes on: `isAbandoned` gets the last component of the
    /// name that a write was to have.
    func removeUnfinishedWrites(
        in folder: StorageName?, where isAbandoned: (String) -> Bool
    ) async throws

    /// Runs `body` while nobody else, in this process or another, runs one under the same name.
    ///
    /// A lock whose holder died is free.
    ///
    /// `holder`: Stored with the lock, for those who find it taken.
    /// - Throws: `BackupError.locked` at once when taken, with the holder in its message.
    func withLock<Result: Sendable>(
        _ name: StorageName, holder: String, _ body: () async throws -> Result
    ) async throws -> Result

    /// What the holder of a lock says of itself, in one line; nil when nobody has taken it.
    ///
    /// Takes and writes nothing, and keeps nobody from taking it.
    func holder(ofLock name: StorageName) async throws -> String?

    /// Whether things could be written, as far as can be told without writing any.
    ///
    /// - Throws: `BackupError.storageFailed` when they certainly cannot.
    func checkWritable() async throws

    /// How many bytes can still be written; nil when nobody can say.
    func availableBytes() async throws -> Int?
}

/// When the bytes of a write survive a crash.
public enum WriteSurvival: Sendable {
    /// When the write returns.
    case atOnce
    /// When its folder is sealed: many small things are made sure of together much faster than each alone.
    case whenSealed
}

/// A stored thing or a folder of them.
public struct StorageEntry: Sendable, Hashable {
    /// Where it is.
    public let name: StorageName
    /// Whether it holds things instead of bytes.
    public let isFolder: Bool
    /// How many bytes it has; 0 for a folder.
    public let byteCount: Int

    /// Describes an entry.
    public init(name: StorageName, isFolder: Bool, byteCount: Int) {
        self.name = name
        self.isFolder = isFolder
        self.byteCount = byteCount
    }
}

/// The bytes of one stored thing, in order.
public protocol StorageReader: Sendable {
    /// The next bytes, about a megabyte at most; empty at the end.
    func next() async throws -> [UInt8]
}

/// Takes the bytes of one stored thing, in order.
public protocol StorageWriter: Sendable {
    /// Appends bytes. Calls must not overlap.
    func write(_ bytes: [UInt8]) async throws
}

extension Storage {
    /// All bytes of a thing that is held in memory whole.
    ///
    /// - Throws: `BackupError.notFound`, `BackupError.storageFailed`; `BackupError.damaged` for one that is larger
    ///   than anything of that kind.
    public func bytes(of name: StorageName) async throws -> [UInt8] {
        try await read(name) { reader in
            var bytes: [UInt8] = []
            while case let piece = try await reader.next(), !piece.isEmpty {
                bytes += piece
                guard bytes.count <= RepositoryLayout.mostBytesAtOnce else {
                    throw BackupError(
                        .damaged,
                        "\(name) has more than \(ByteText(RepositoryLayout.mostBytesAtOnce))")
                }
            }
            return bytes
        }
    }

    /// Writes a small thing.
    public func write(
        _ name: StorageName, survival: WriteSurvival = .atOnce, bytes: [UInt8]
    ) async throws {
        try await write(name, survival: survival) { try await $0.write(bytes) }
    }

    /// Writes a thing whose bytes survive a crash at once.
    public func write(
        _ name: StorageName, _ body: (any StorageWriter) async throws -> Void
    ) async throws {
        try await write(name, survival: .atOnce, body)
    }
}
