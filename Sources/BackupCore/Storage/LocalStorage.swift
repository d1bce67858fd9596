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

    /// Storage in the folder `path`, which is made by the first write.
    public init(path: String) {
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

    /// The path of a name none of whose folders is a link, which would lead out of the repository.
    ///
    /// - Throws: `BackupError.damaged` naming the link.
    private func safePath(of name: StorageName?) throws -> String {
        var path = root
        for component in name?.components ?? [] {
            path += "/\(component)"
            var status = stat()
            if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK {
                throw LocalFile.link(path)
            }
        }
        return path
    }

    /// - Throws: `BackupError.damaged` naming the link that leads to where a name lies.
    private func checkFolders(of name: StorageName) throws {
        guard name.components.count > 1 else { return }
        _ = try safePath(of: StorageName(name.components.dropLast()))
    }

    /// Lists a folder, without unfinished files.
    ///
    /// A link is listed as what it leads to, and not followed any further.
    public func list(_ folder: StorageName?) async throws -> [StorageEntry] {
        try names(in: safePath(of: folder)).filter { !LocalFile.isTemporary($0) }
            .compactMap { try Self.entry(folder?.appending($0) ?? StorageName([$0]), in: self) }
    }

    /// Removes temporary files.
    public func removeUnfinishedWrites(
        in folder: StorageName?, where isAbandoned: (String) -> Bool
    ) async throws {
        let path = try safePath(of: folder)
        for name in try names(in: path) {
            guard let final = LocalFile.finalName(ofTemporary: name), isAbandoned(final) else {
                continue
            }
            guard unlink("\(path)/\(name)") == 0 || errno == ENOENT else {
                throw LocalFile.failure("remove", "\(path)/\(name)")
            }
        }
    }

    private func names(in path: String) throws -> [String] {
        guard let directory = opendir(path) else {
            if errno == ENOENT || errno == ENOTDIR { return [] }
            throw LocalFile.failure("read folder", path)
        }
        defer { closedir(directory) }
        var names: [String] = []
        while true {
            // Nothing but this tells an error from the end.
            errno = 0
            guard let item = readdir(directory) else { break }
            names.append(
                withUnsafePointer(to: &item.pointee.d_name) { tuple in
                    tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        // Somebody else may have removed it meanwhile.
        guard errno == 0 || errno == ENOENT else { throw LocalFile.failure("read folder", path) }
        return names.sorted().filter { $0 != "." && $0 != ".." }
    }

    /// Looks at one name.
    public func entry(_ name: StorageName) async throws -> StorageEntry? {
        try checkFolders(of: name)
        return try Self.entry(name, in: self)
    }

    /// Reads a file.
    public func read<Result: Sendable>(
        _ name: StorageName, _ body: (any StorageReader) async throws -> Result
    ) async throws -> Result {
        let file = try LocalFile(reading: safePath(of: name))
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
        // Renaming replaces a link of that name, and does not follow it.
        try checkFolders(of: name)
        let path = path(of: name)
        let file = try open(name)
        do {
            try await body(file)
            let mayWait = survival == .whenSealed && file.isSmall
            if !mayWait { try file.flush() }
            file.close()
            try file.rename(to: path)
            if mayWait { unflushed.withValue { _ = $0.insert(name) } }
        } catch {
            file.close()
            // The name was never given; what is left of the attempt is of no use to anybody.
            unlink(file.path)
            throw error
        }
    }

    /// Opens a temporary file, in folders that are made only where they are missing.
    private func open(_ name: StorageName) throws -> LocalFile {
        let path = LocalFile.temporaryPath(for: path(of: name))
        do {
            return try LocalFile(writing: path)
        } catch let error as BackupError where error.code == .notFound {
            try makeFolder(holding: name)
            return try LocalFile(writing: path)
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
            for entry in try await list(folder) where entry.isFolder { try await seal(entry.name) }
        }
        do {
            try LocalFile.flushFolder(safePath(of: folder))
        } catch let error as BackupError where error.code == .notFound {
            // Another run has removed it meanwhile: it has no names to keep.
        }
    }

    /// Removes a file or a folder.
    public func remove(_ name: StorageName) async throws {
        let path = try safePath(of: name)
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            guard FileManager.default.fileExists(atPath: path) else { return }
            throw BackupError(
                .storageFailed, "cannot remove \(path)", underlying: error.localizedDescription)
        }
    }

    /// Holds an advisory lock on a file: the system frees it when the process dies.
    public func withLock<Result: Sendable>(
        _ name: StorageName, holder: String, _ body: () async throws -> Result
    ) async throws -> Result {
        try makeFolder(holding: name)
        let lock = try LocalLock(path: safePath(of: name), holder: holder)
        defer { lock.release() }
        return try await body()
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
        _ name: StorageName, in storage: LocalStorage
    ) throws -> StorageEntry? {
        var status = stat()
        guard stat(storage.path(of: name), &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            // A link that leads to itself is something, and nothing that can be read.
            if errno == ELOOP { return StorageEntry(name: name, isFolder: false, byteCount: 0) }
            throw LocalFile.failure("look at", storage.path(of: name))
        }
        let isFolder = status.st_mode & S_IFMT == S_IFDIR
        return StorageEntry(
            name: name, isFolder: isFolder, byteCount: isFolder ? 0 : Int(status.st_size))
    }

    private func makeFolder(holding name: StorageName) throws {
        if !FileManager.default.fileExists(atPath: root) {
            try makeFolder(root, withParents: true)
        }
        try checkFolders(of: name)
        var folder = root
        for component in name.components.dropLast() {
            folder += "/" + component
            try makeFolder(folder, withParents: false)
        }
    }

    private func makeFolder(_ path: String, withParents: Bool) throws {
        if withParents {
            let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
            if !FileManager.default.fileExists(atPath: parent) {
                try makeFolder(parent, withParents: true)
            }
        }
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw LocalFile.failure("make folder", path)
        }
    }
}
