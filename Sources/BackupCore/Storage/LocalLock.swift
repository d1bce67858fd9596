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

    private static func acquire(_ name: String, in folder: LocalFolder) throws -> Int32 {
        let path = folder.path(of: name)
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
                throw taken(path, by: descriptor)
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
        let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            count = max(0, Platform.read(descriptor, buffer.baseAddress, 4096))
        }
        let holder = String(decoding: bytes, as: UTF8.self)
        return BackupError(
            .locked,
            "\(path) is held by another run: \(holder.split(separator: "\n").first ?? "?")",
            hint: "Wait until it has finished, then run again.")
    }
}
