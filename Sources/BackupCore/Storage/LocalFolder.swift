#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// An open folder of a repository on this machine; what lies in it is reached from it, and never through a link.
///
/// A path that was looked at may lead elsewhere when it is used: who can write to the repository can put a link in the place of a
/// folder. What is opened from a folder that is open cannot be elsewhere.
final class LocalFolder: Sendable {
    /// For errors, and for programs that are no adversaries.
    let path: String
    private let descriptor: Int32

    /// The repository's own folder, which may be reached through links.
    ///
    /// - Throws: `BackupError.notFound` where there is no folder.
    init(root path: String) throws {
        self.path = path
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if descriptor < 0 { throw Self.failureToOpen(path) }
    }

    private init(path: String, descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit {
        if descriptor >= 0 { Platform.close(descriptor) }
    }

    /// A folder in this one.
    ///
    /// - Throws: `BackupError.damaged` for a link; `BackupError.notFound` where there is no folder of that name.
    func folder(_ name: String) throws -> LocalFolder {
        let found = openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard found >= 0 else {
            let failure = Self.failureToOpen(path(of: name))
            throw isLink(name) ? LocalFile.link(path(of: name)) : failure
        }
        return LocalFolder(path: path(of: name), descriptor: found)
    }

    /// A folder in this one, which is made where it is missing.
    func madeFolder(_ name: String) throws -> LocalFolder {
        guard mkdirat(descriptor, name, 0o700) == 0 || errno == EEXIST else {
            throw LocalFile.failure("make folder", path(of: name))
        }
        return try folder(name)
    }

    /// The descriptor of a file in it, to be closed by the caller; negative, with the reason in `errno`, where it cannot be had.
    func openFile(_ name: String, _ flags: Int32) -> Int32 {
        openat(descriptor, name, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
    }

    /// Where something lies, for people.
    func path(of name: String) -> String { "\(path)/\(name)" }

    /// What has a name, or what a link of that name leads to; nil where nothing has it.
    func entry(_ name: String) throws -> (isFolder: Bool, byteCount: Int)? {
        var status = stat()
        guard fstatat(descriptor, name, &status, 0) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            // A link that leads to itself is something, and nothing that can be read.
            if errno == ELOOP { return (false, 0) }
            throw LocalFile.failure("look at", path(of: name))
        }
        let isFolder = status.st_mode & S_IFMT == S_IFDIR
        return (isFolder, isFolder ? 0 : Int(status.st_size))
    }

    /// Whether a name is still that of an open file.
    func has(_ name: String, of file: Int32) -> Bool {
        var ours = stat()
        var named = stat()
        return fstat(file, &ours) == 0
            && fstatat(descriptor, name, &named, AT_SYMLINK_NOFOLLOW) == 0
            && ours.st_ino == named.st_ino && ours.st_dev == named.st_dev
    }

    private func isLink(_ name: String) -> Bool {
        var status = stat()
        return fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0
            && status.st_mode & S_IFMT == S_IFLNK
    }

    /// The names in it, in order.
    func names() throws -> [String] { try rawNames().map(Self.text).sorted() }

    /// A name without the zero that ends it.
    private static func text(_ name: [CChar]) -> String {
        String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The names in it as the system has them, which need be no text.
    private func rawNames() throws -> [[CChar]] {
        // Whoever reads names moves on in what it reads from.
        let own = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard own >= 0, let directory = fdopendir(own) else {
            let failure = LocalFile.failure("read folder", path)
            if own >= 0 { Platform.close(own) }
            throw failure
        }
        defer { closedir(directory) }
        var names: [[CChar]] = []
        while true {
            // Nothing but this tells an error from the end.
            errno = 0
            guard let item = readdir(directory) else { break }
            names.append(
                withUnsafePointer(to: &item.pointee.d_name) { tuple in
                    tuple.withMemoryRebound(to: CChar.self, capacity: 256) { name in
                        Array(UnsafeBufferPointer(start: name, count: strlen(name) + 1))
                    }
                })
        }
        // Somebody else may have removed it meanwhile.
        guard errno == 0 || errno == ENOENT else { throw LocalFile.failure("read folder", path) }
        return names.filter { ![".", ".."].contains(Self.text($0)) }
    }

    /// Gives a file another name in this folder, and replaces what had it.
    func rename(_ name: String, to newName: String) throws {
        guard renameat(descriptor, name, descriptor, newName) == 0 else {
            throw LocalFile.failure("write", path(of: newName))
        }
    }

    /// Removes a file or a link; that nothing has the name is not an error.
    func removeFile(_ name: String) throws {
        guard unlinkat(descriptor, name, 0) == 0 || errno == ENOENT else {
            throw LocalFile.failure("remove", path(of: name))
        }
    }

    /// Removes a file, a link, or a folder with all it holds; that nothing has the name is not an error.
    func remove(_ name: String) throws {
        try name.withCString { try remove(raw: $0) }
    }

    private func remove(raw name: UnsafePointer<CChar>) throws {
        if unlinkat(descriptor, name, 0) == 0 || errno == ENOENT { return }
        let isFolder = errno == EISDIR || errno == EPERM
        let path = path(of: String(cString: name))
        let failure = LocalFile.failure("remove", path)
        // What cannot be opened as a folder is none, or cannot be emptied: the first failure tells it better.
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW
        let found = isFolder ? openat(descriptor, name, flags) : -1
        guard found >= 0 else { throw failure }
        let folder = LocalFolder(path: path, descriptor: found)
        for name in try folder.rawNames() { try folder.remove(raw: name) }
        guard unlinkat(descriptor, name, AT_REMOVEDIR) == 0 || errno == ENOENT else {
            throw LocalFile.failure("remove", path)
        }
    }

    /// Makes the names in it survive a crash.
    func flush() throws {
        guard fsync(descriptor) == 0 else { throw LocalFile.failure("flush folder", path) }
    }

    /// A file in the place of a folder holds nothing, as a folder that is not there.
    private static func failureToOpen(_ path: String) -> BackupError {
        guard errno == ENOTDIR || errno == ELOOP else {
            return LocalFile.failure("open folder", path)
        }
        return BackupError(.notFound, "\(path) is not a folder")
    }
}
