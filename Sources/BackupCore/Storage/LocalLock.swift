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

    /// - Throws: `BackupError.locked` when taken.
    init(_ name: String, in folder: LocalFolder, holder: String) throws {
        self.folder = folder
        self.name = name
        descriptor = try Self.acquire(name, in: folder)
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

    private static func acquire(_ name: String, in folder: LocalFolder) throws -> Int32 {
        let path = folder.path(of: name)
        var tries = 1
        while true {
            let descriptor = folder.openFile(name, O_RDWR | O_CREAT | O_NONBLOCK)
            guard descriptor >= 0 else {
                throw errno == ELOOP ? LocalFile.link(path) : LocalFile.failure("lock", path)
            }
            // Its text is replaced below: nobody else's file may be in its place.
            guard isOurs(descriptor) else {
                Platform.close(descriptor)
                throw BackupError(.damaged, "\(path) is not a lock's own file")
            }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                defer { Platform.close(descriptor) }
                guard errno == EWOULDBLOCK else { throw LocalFile.failure("lock", path) }
                guard tries < 3 else { throw taken(path, by: descriptor) }
                // Who only asks for its holder has it for an instant.
                usleep(2000)
                tries += 1
                continue
            }
            // Its last holder may have removed the file between our open and our lock.
            if folder.has(name, of: descriptor) { return descriptor }
            Platform.close(descriptor)
        }
    }

    private static func isOurs(_ descriptor: Int32) -> Bool {
        var status = stat()
        return LocalFile.isPlain(descriptor) && fstat(descriptor, &status) == 0
            && status.st_nlink <= 1
    }

    private static func taken(_ path: String, by descriptor: Int32) -> BackupError {
        BackupError(
            .locked, "\(path) is held by another run: \(text(of: descriptor))",
            hint: "Wait until it has finished, then run again.")
    }

    private static func text(of descriptor: Int32) -> String {
        let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            count = max(0, Platform.read(descriptor, buffer.baseAddress, 4096))
        }
        let holder = String(decoding: bytes, as: UTF8.self)
        return holder.split(separator: "\n").first.map { String($0) } ?? "?"
    }
}
