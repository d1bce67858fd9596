#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// An open file of this machine.
///
/// `@unchecked Sendable`: one task at a time uses it, as `StorageReader` and `StorageWriter` demand;
/// its only state is the descriptor, which changes once, on closing.
final class LocalFile: StorageReader, StorageWriter, @unchecked Sendable {
    static let chunkBytes = 1 << 20

    let path: String
    /// Where it has its name; nil for one without.
    private let place: (folder: LocalFolder, name: String)?
    private var descriptor: Int32
    /// Holds the lock of what is being written, until that has its name; negative without one.
    private var lockDescriptor: Int32 = -1
    private var (written, flushing) = (0, 0)
    /// So much is left to the system's own pace, lest the flush at the end take long.
    private static let unflushedBytes = 32 << 20

    init(reading name: String, in folder: LocalFolder) throws {
        path = folder.path(of: name)
        place = nil
        // A pipe in the place of a file would be waited for without end.
        descriptor = folder.openFile(name, O_RDONLY | O_NONBLOCK)
        if descriptor < 0 {
            throw errno == ELOOP ? Self.link(path) : Self.failure("read", path)
        }
        guard Self.isPlain(descriptor) else {
            close()
            throw Self.noFile(path)
        }
    }

    private static func noFile(_ path: String) -> BackupError {
        BackupError(.damaged, "\(path) is no file")
    }

    /// What is thrown for a link: whoever made it, it would lead out of the repository.
    static func link(_ path: String) -> BackupError {
        BackupError(
            .damaged, "\(path) is a symbolic link",
            hint:
                "Nothing within a repository is followed elsewhere: put the files themselves there."
        )
    }

    /// Whether it is a file, and nothing that goes on without end.
    static func isPlain(_ descriptor: Int32) -> Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// A new file under a temporary name, which `rename` replaces or `remove` frees.
    init(writing name: String, in folder: LocalFolder) throws {
        let temporary = Self.temporaryName(for: name)
        path = folder.path(of: temporary)
        place = (folder, temporary)
        descriptor = folder.openFile(temporary, O_WRONLY | O_CREAT | O_EXCL)
        if descriptor < 0 { throw Self.failure("write", path) }
    }

    /// A file that is written and then read, and that has no name: however the process ends, its room is free again.
    ///
    /// `path`: The name that it has for the moment of being made, for errors too.
    init(withoutName path: String) throws {
        self.path = path
        place = nil
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor < 0 { throw Self.failure("write", path) }
        // One that cannot be removed is no worse than one with a name.
        unlink(path)
    }

    deinit {
        if lockDescriptor >= 0 { Platform.close(lockDescriptor) }
    }

    /// Locks what is being written until it has its name or is gone: it is not what a killed process has left.
    ///
    /// False where somebody has taken it for that meanwhile.
    func lock() -> Bool {
        guard let place else { preconditionFailure("only what is written is locked") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            // Where there are no locks nobody finds it free either.
            return errno != EWOULDBLOCK
        }
        // The file is closed before it gets its name.
        lockDescriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        return place.folder.has(place.name, of: descriptor)
    }

    /// Removes a temporary file whose lock is free, as far as that can be done.
    static func removeUnlocked(_ name: String, in folder: LocalFolder) {
        let descriptor = folder.openFile(name, O_WRONLY | O_NONBLOCK)
        guard descriptor >= 0 else { return }
        defer { Platform.close(descriptor) }
        guard isPlain(descriptor), flock(descriptor, LOCK_EX | LOCK_NB) == 0,
            folder.has(name, of: descriptor)
        else { return }
        // One that stays is in nobody's way.
        try? folder.removeFile(name)
    }

    /// Runs `body`, which makes or fills a temporary file.
    ///
    /// - Throws: What it throws, with what to do about the folder: that it is not there is no different from one that
    ///   takes nothing.
    static func writingTemporary(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch var error as BackupError {
            error.code = .storageFailed
            error.hint =
                "Free some space there; TMPDIR names another folder for temporary files."
            throw error
        }
    }

    /// So much of a name fits beside the rest of a temporary one.
    ///
    /// A file system takes 255 bytes, the rest is 22 at most, and what is left of a character that was cut becomes three.
    private static let prefixBytes = 230

    static func temporaryName(for name: String) -> String {
        // Only what is none of a repository's own is cut: those have 210 bytes at most, and who finds one that was left
        // must know from its ending what it was to be.
        let prefix = String(decoding: name.utf8.prefix(prefixBytes), as: UTF8.self)
        let random = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        return ".\(prefix).\(random).tmp"
    }

    static func isTemporary(_ name: String) -> Bool {
        name.hasPrefix(".") && name.hasSuffix(".tmp")
    }

    /// The name that a temporary file was to have; nil for other names.
    static func finalName(ofTemporary name: String) -> String? {
        guard isTemporary(name) else { return nil }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count >= 4 ? parts[1..<(parts.count - 2)].joined(separator: ".") : nil
    }

    func next() async throws -> [UInt8] { try read() }

    /// The next bytes; none at the end.
    func read(atMost mostBytes: Int = LocalFile.chunkBytes) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: mostBytes) { buffer, count in
            while true {
                count = Platform.read(descriptor, buffer.baseAddress, mostBytes)
                if count >= 0 { return }
                if errno != EINTR { throw Self.failure("read", path) }
            }
        }
    }

    func write(_ bytes: [UInt8]) async throws { try append(bytes) }

    /// Writes bytes behind what has been written.
    func append(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let piece = UnsafeRawBufferPointer(rebasing: rest)
                let count = Platform.write(descriptor, piece.baseAddress, piece.count)
                if count >= 0 {
                    rest = rest.dropFirst(count)
                    written += count
                } else if errno != EINTR {
                    throw Self.failure("write", path)
                }
            }
        }
        guard written - flushing >= Self.unflushedBytes else { return }
        Platform.beginFlush(descriptor, from: flushing, count: written - flushing)
        flushing = written
    }

    /// Goes to a place: what is read or appended next is read or written there.
    func seek(to offset: Int) throws {
        guard lseek(descriptor, off_t(offset), SEEK_SET) == off_t(offset) else {
            throw Self.failure("read", path)
        }
    }

    /// Whether a crash could not take much of it.
    var isSmall: Bool { written < 1 << 20 }

    /// Lets the system begin to write a file to the disk, and waits for nothing.
    static func beginFlush(_ path: String) {
        let descriptor = reopened(path)
        guard descriptor >= 0 else { return }
        Platform.beginFlush(descriptor, from: 0, count: 0)
        Platform.close(descriptor)
    }

    /// Flushes a file that was written and closed; one that is gone needs it no more.
    ///
    /// - Throws: `BackupError.damaged` where something else is in its place; `BackupError.storageFailed`.
    static func flush(_ path: String) throws {
        let descriptor = reopened(path)
        guard descriptor >= 0 else {
            if errno == ENOENT { return }
            throw errno == ELOOP ? link(path) : failure("flush", path)
        }
        defer { Platform.close(descriptor) }
        guard isPlain(descriptor) else { throw noFile(path) }
        guard Platform.flush(descriptor) == 0 else { throw failure("flush", path) }
    }

    /// The descriptor of a file that was written and closed, to flush it; negative, with the reason in `errno`, where it
    /// cannot be had.
    private static func reopened(_ path: String) -> Int32 {
        // A pipe in its place would be waited for without end.
        open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)
    }

    func flush() throws {
        guard Platform.flush(descriptor) == 0 else { throw Self.failure("flush", path) }
    }

    /// Closes a file that was written and is to stay.
    ///
    /// - Throws: `BackupError.storageFailed`: a network's file system may tell only now that there was no room, and what
    ///   flushes the file later, under another descriptor, need not hear of it.
    func finish() throws {
        let closing = descriptor
        descriptor = -1
        // An interrupted close has closed it.
        guard Platform.close(closing) == 0 || errno == EINTR else {
            throw Self.failure("write", path)
        }
    }

    /// Closes a file that was only read, or that goes: what a failing close may lose is of no use to anybody.
    func close() {
        guard descriptor >= 0 else { return }
        Platform.close(descriptor)
        descriptor = -1
    }

    /// Gives what has been written its name.
    func rename(to name: String) throws {
        guard let place else { preconditionFailure("only what is written gets a name") }
        try place.folder.rename(place.name, to: name)
    }

    /// Removes what has been written; its name where that cannot be done.
    func remove() -> String? {
        guard let place else { return nil }
        do {
            try place.folder.removeFile(place.name)
            return nil
        } catch {
            // What stays is a temporary name that nobody reads, and the error that led here is told.
            return place.name
        }
    }

    /// What errno says about a path.
    static func failure(_ action: String, _ path: String) -> BackupError {
        let number = errno
        let words = String(cString: strerror(number))
        let hint: String? =
            switch number {
            case ENOSPC, EDQUOT: "Free some space there, or name another folder with -path."
            case EACCES, EPERM, EROFS:
                "Check the permissions of that folder, or name another one with -path."
            default: nil
            }
        let code: BackupError.Code = number == ENOENT ? .notFound : .storageFailed
        return BackupError(code, "cannot \(action) \(path): \(words)", hint: hint)
    }
}
