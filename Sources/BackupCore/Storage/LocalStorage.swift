import Foundation

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A folder of this machine's file system.
///
/// Folders have mode 700, files 600.
public struct LocalStorage: Storage {
    private let root: String
    /// Files that are flushed when their folder is sealed.
    private let unflushed = Exclusive<Set<StorageName>>([])
    /// Temporary files that were given up and could not be removed at once: they must not stay in what is sealed.
    private let leftovers = Exclusive<Set<StorageName>>([])
    private let locksWrites: Bool

    /// Storage in the folder `path`, which is made by the first write.
    ///
    /// `locksWrites`: Whether each file is locked while it is written, for a folder where nothing else tells what killed
    /// processes have left.
    public init(path: String, locksWrites: Bool = false) {
        self.locksWrites = locksWrites
        let absolute = URL(fileURLWithPath: path).standardizedFileURL.path
        root =
            absolute.count > 1 && absolute.hasSuffix("/") ? String(absolute.dropLast()) : absolute
    }

    /// The folder's absolute path.
    public var location: String { root }

    /// The path of a name; for other programs that must open the file.
    public func path(of name: StorageName?) -> String {
        name.map { "\(root)/\($0)" } ?? root
    }

    /// The open folder in which a name lies.
    ///
    /// - Throws: `BackupError.notFound`; `BackupError.damaged` naming the link that leads there.
    private func folder(holding name: StorageName) throws -> LocalFolder {
        try name.components.dropLast().reduce(LocalFolder(root: root)) { try $0.folder($1) }
    }

    /// An open folder; nil is the repository.
    private func folder(_ name: StorageName?) throws -> LocalFolder {
        try (name?.components ?? []).reduce(LocalFolder(root: root)) { try $0.folder($1) }
    }

    /// The open folder in which a name lies, or will lie: it is made where it is missing.
    private func madeFolder(holding name: StorageName) throws -> LocalFolder {
        do {
            return try folder(holding: name)
        } catch let error as BackupError where error.code == .notFound {
            if !FileManager.default.fileExists(atPath: root) { try makeFolder(root) }
        }
        do {
            return try name.components.dropLast().reduce(LocalFolder(root: root)) {
                try $0.madeFolder($1)
            }
        } catch var error as BackupError where error.code == .notFound {
            // A file is in its place.
            error.code = .storageFailed
            throw error
        }
    }

    /// Lists a folder, without unfinished files.
    ///
    /// A link is listed as what it leads to, and not followed any further.
    public func list(_ folder: StorageName?) async throws -> [StorageEntry] {
        do {
            let place = try self.folder(folder)
            return try place.names().filter { !LocalFile.isTemporary($0) }.compactMap {
                try Self.entry(folder?.appending($0) ?? StorageName([$0]), in: place)
            }
        } catch let error as BackupError where error.code == .notFound {
            return []
        }
    }

    /// Removes temporary files.
    public func removeUnfinishedWrites(
        in folder: StorageName?, where isAbandoned: (String) -> Bool
    ) async throws {
        do {
            let place = try self.folder(folder)
            for name in try place.names() {
                guard let final = LocalFile.finalName(ofTemporary: name), isAbandoned(final) else {
                    continue
                }
                try place.removeFile(name)
            }
        } catch let error as BackupError where error.code == .notFound {
            // What is not there holds none.
        }
    }

    /// Removes temporary files that no process writes any more, where all lock what they write.
    ///
    /// `isOurs`: Gets the name that a file was to have.
    public func removeUnlockedWrites(
        in folder: StorageName?, where isOurs: (String) -> Bool
    ) async throws {
        let place = try self.folder(folder)
        for name in try place.names() {
            guard let final = LocalFile.finalName(ofTemporary: name), isOurs(final) else {
                continue
            }
            LocalFile.removeUnlocked(name, in: place)
        }
    }

    /// Looks at one name.
    public func entry(_ name: StorageName) async throws -> StorageEntry? {
        do {
            return try Self.entry(name, in: folder(holding: name))
        } catch let error as BackupError where error.code == .notFound {
            return nil
        }
    }

    /// Reads a file.
    public func read<Result: Sendable>(
        _ name: StorageName, _ body: (any StorageReader) async throws -> Result
    ) async throws -> Result {
        let file = try LocalFile(reading: name.last, in: folder(holding: name))
        defer { file.close() }
        return try await body(file)
    }

    /// Writes a file under a temporary name, flushes it to the disk and renames it.
    ///
    /// A small one that need not survive before its folder is sealed is flushed then.
    public func write(
        _ name: StorageName, survival: WriteSurvival,
        _ body: (any StorageWriter) async throws -> Void
    ) async throws {
        let file = try newFile(name)
        do {
            try await body(file)
            let mayWait = survival == .whenSealed && file.isSmall
            if !mayWait { try file.flush() }
            try file.finish()
            // Replaces a link of that name, and does not follow it.
            try file.rename(to: name.last)
            if mayWait { unflushed.withValue { _ = $0.insert(name) } }
        } catch {
            file.close()
            // The name was never given; what is left of the attempt is of no use to anybody.
            if let left = file.remove(),
                let place = try? StorageName(name.components.dropLast() + [left])
            {
                leftovers.withValue { _ = $0.insert(place) }
            }
            throw error
        }
    }

    /// A new file under a temporary name.
    private func newFile(_ name: StorageName) throws -> LocalFile {
        let folder = try madeFolder(holding: name)
        while true {
            let file = try LocalFile(writing: name.last, in: folder)
            guard locksWrites, !file.lock() else { return file }
            file.close()
        }
    }

    /// Flushes a folder and those below it, and the small files that waited for this.
    public func seal(_ folder: StorageName?) async throws {
        if let folder {
            let waiting = unflushed.withValue { names in
                let due = names.filter { $0.description.hasPrefix("\(folder)/") }
                names.subtract(due)
                return due
            }
            try await LocalFlush.flush(waiting.map { path(of: $0) })
            let left = leftovers.withValue { names in
                let due = names.filter { $0.description.hasPrefix("\(folder)/") }
                names.subtract(due)
                return due
            }
            for name in left { try self.folder(holding: name).removeFile(name.last) }
            for entry in try await list(folder) where entry.isFolder { try await seal(entry.name) }
        }
        try flushNames(in: folder)
    }

    /// Flushes a folder alone.
    public func sealNames(in folder: StorageName) async throws { try flushNames(in: folder) }

    private func flushNames(in folder: StorageName?) throws {
        do {
            try self.folder(folder).flush()
        } catch let error as BackupError where error.code == .notFound {
            // Another run has removed it meanwhile: it has no names to keep.
        }
    }

    /// Removes a file or a folder.
    public func remove(_ name: StorageName) async throws {
        unflushed.withValue { names in
            names = names.filter { $0 != name && !$0.description.hasPrefix("\(name)/") }
        }
        do {
            try folder(holding: name).remove(name.last)
        } catch let error as BackupError where error.code == .notFound {
            // Somebody else may have removed it, or what it lies in.
        }
    }

    /// Holds an advisory lock on a file: the system frees it when the process dies.
    public func withLock<Result: Sendable>(
        _ name: StorageName, holder: String, _ body: () async throws -> Result
    ) async throws -> Result {
        let lock = try await LocalLock(name.last, in: madeFolder(holding: name), holder: holder)
        defer { lock.release() }
        return try await body()
    }

    /// Reads what the file of a lock says, where somebody holds it.
    public func holder(ofLock name: StorageName) async throws -> String? {
        do {
            return try LocalLock.holder(of: name.last, in: folder(holding: name))
        } catch let error as BackupError where error.code == .notFound {
            return nil
        }
    }

    /// Looks at the folder, or at the one in which it would be made.
    public func checkWritable() async throws {
        let folder = nearestFolder
        var status = stat()
        guard stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw BackupError(
                .storageFailed, "\(folder) is not a folder",
                hint: "Name another folder with -path.")
        }
        guard access(folder, W_OK | X_OK) == 0 else {
            throw LocalFile.failure("write to folder", folder)
        }
    }

    /// What the file system has left for this user.
    public func availableBytes() async throws -> Int? {
        var status = statvfs()
        guard statvfs(nearestFolder, &status) == 0 else { return nil }
        return Int(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
    }

    /// The folder itself, or the nearest one above it that is there.
    private var nearestFolder: String {
        var folder = root
        while !FileManager.default.fileExists(atPath: folder), folder.count > 1 {
            folder = URL(fileURLWithPath: folder).deletingLastPathComponent().path
        }
        return folder
    }

    private static func entry(
        _ name: StorageName, in folder: LocalFolder
    ) throws -> StorageEntry? {
        try folder.entry(name.last).map {
            StorageEntry(name: name, isFolder: $0.isFolder, byteCount: $0.byteCount)
        }
    }

    /// Makes the repository's own folder, and those above it.
    private func makeFolder(_ path: String) throws {
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
        if !FileManager.default.fileExists(atPath: parent) { try makeFolder(parent) }
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw LocalFile.failure("make folder", path)
        }
        // Its name must outlive a crash as what comes to lie in it; a folder that may not be read cannot be flushed.
        try? LocalFolder(root: parent).flush()
    }
}
