#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// An advisory lock on a file, free again when its holder releases it or dies.
///
/// A process number in the file could not tell a dead holder from another process that got its
/// number, nor from one in another container; the kernel's own lock can.
struct LocalLock {
    private let folder: LocalFolder
    private let name: String
    private let descriptor: Int32

    /// Takes the lock, and waits for nobody who has taken it, but for those who only ask for its holder.
    ///
    /// `patience`: How long those may take. They have the file for an instant, but a busy machine may stop them in the middle of it.
    /// - Throws: `BackupError.locked` when taken; `CancellationError`.
    init(
        _ name: String, in folder: LocalFolder, holder: String, patience: Duration = .seconds(2)
    ) async throws {
        self.folder = folder
        self.name = name
        descriptor = try await Self.acquire(name, in: folder, patience: patience)
        ftruncate(descriptor, 0)
        let text = Array((holder + "\n").utf8)
        // The text is for people who look; the lock holds without it.
        _ = text.withUnsafeBytes { Platform.write(descriptor, $0.baseAddress, $0.count) }
    }

    func release() {
        // One that stays means nothing.
        try? folder.removeFile(name)
        Platform.close(descriptor)
    }

    /// What the holder says of itself; nil when nobody holds it.
    ///
    /// Shares the file for an instant, which is not holding the lock: `Attempt.shared`.
    static func holder(of name: String, in folder: LocalFolder) -> String? {
        let descriptor = folder.openFile(name, O_RDONLY | O_NONBLOCK)
        // What is not there is not held, and what may not be read is not known.
        guard descriptor >= 0 else { return nil }
        defer { Platform.close(descriptor) }
        guard LocalFile.isPlain(descriptor), flock(descriptor, LOCK_SH | LOCK_NB) != 0,
            errno == EWOULDBLOCK
        else { return nil }
        return text(of: descriptor)
    }

    /// What one try to take a lock has come to.
    private enum Attempt {
        case taken(Int32)
        /// The file has lost its name since it was opened: its lock is nobody's.
        case gone
        /// Nobody holds it, but somebody asks who does.
        case shared
    }

    private static func acquire(
        _ name: String, in folder: LocalFolder, patience: Duration
    ) async throws -> Int32 {
        let deadline = ContinuousClock.now + patience
        while true {
            switch try attempt(name, in: folder) {
            case .taken(let descriptor): return descriptor
            case .gone: continue
            case .shared:
                guard ContinuousClock.now < deadline else { throw askedFor(folder.path(of: name)) }
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }

    /// - Throws: `BackupError.locked` when somebody holds it.
    private static func attempt(_ name: String, in folder: LocalFolder) throws -> Attempt {
        let path = folder.path(of: name)
        let descriptor = try opened(name, in: folder)
        var isTaken = false
        defer { if !isTaken { Platform.close(descriptor) } }
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
            // Its last holder may have removed the file between our open and our lock.
            isTaken = folder.has(name, of: descriptor)
            return isTaken ? .taken(descriptor) : .gone
        }
        guard errno == EWOULDBLOCK else { throw LocalFile.failure("lock", path) }
        // A holder shares it with nobody, those who ask share it with everybody.
        if flock(descriptor, LOCK_SH | LOCK_NB) == 0 { return .shared }
        guard errno == EWOULDBLOCK else { throw LocalFile.failure("lock", path) }
        guard folder.has(name, of: descriptor) else { return .gone }
        throw held(path, by: descriptor)
    }

    private static func opened(_ name: String, in folder: LocalFolder) throws -> Int32 {
        let path = folder.path(of: name)
        let descriptor = folder.openFile(name, O_RDWR | O_CREAT | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw errno == ELOOP ? LocalFile.link(path) : LocalFile.failure("lock", path)
        }
        // Its text is replaced when it is taken: nobody else's file may be in its place.
        guard isOurs(descriptor) else {
            Platform.close(descriptor)
            throw BackupError(.damaged, "\(path) is not a lock's own file")
        }
        return descriptor
    }

    private static func isOurs(_ descriptor: Int32) -> Bool {
        var status = stat()
        return LocalFile.isPlain(descriptor) && fstat(descriptor, &status) == 0
            && status.st_nlink <= 1
    }

    private static func held(_ path: String, by descriptor: Int32) -> BackupError {
        BackupError(
            .locked, "\(path) is held by another run: \(text(of: descriptor))",
            hint: "Wait until it has finished, then run again.")
    }

    private static func askedFor(_ path: String) -> BackupError {
        BackupError(
            .locked, "\(path) is not held, but a program that looks at it does not let it go",
            hint: "A suspended \"dbtool check\" does that: let it go on or end it, then run again.")
    }

    private static func text(of descriptor: Int32) -> String {
        let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            count = max(0, Platform.read(descriptor, buffer.baseAddress, 4096))
        }
        let holder = String(decoding: bytes, as: UTF8.self)
        return holder.split(separator: "\n").first.map { String($0) } ?? "?"
    }
}
