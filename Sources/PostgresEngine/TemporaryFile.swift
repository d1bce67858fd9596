import BackupCore
import Foundation

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A file for other programs, gone when `body` ends.
///
/// It is locked while it is in use, and the lock ends with the process: what a run that was killed has left is free,
/// and the next run removes it.
enum TemporaryFile {
    private static let prefix = "dbtool-file-"
    private static let folder = FileManager.default.temporaryDirectory.path
    /// Done once in a process.
    private static let cleaning: Void = removeAbandoned(in: folder)

    /// Runs `body` with the path of a file that only this user can read.
    static func with<Result: Sendable>(
        _ bytes: [UInt8], _ body: (String) async throws -> Result
    ) async throws -> Result {
        _ = cleaning
        let (path, descriptor) = try made()
        defer {
            // A file left behind in a temporary folder harms nobody.
            unlink(path)
            close(descriptor)
        }
        try fill(path, descriptor, with: bytes)
        return try await body(path)
    }

    /// Removes what runs that were killed have left in a folder; what cannot be removed harms nobody.
    static func removeAbandoned(in folder: String) {
        // A folder that cannot be read is told of when something is to be written there.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names where name.hasPrefix(prefix) {
            let path = "\(folder)/\(name)"
            let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
            guard descriptor >= 0 else { continue }
            if isOurs(descriptor), flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unlink(path) }
            close(descriptor)
        }
    }

    private static func isOurs(_ descriptor: Int32) -> Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
            && status.st_uid == geteuid()
    }

    /// A new file that is locked.
    private static func made() throws -> (path: String, descriptor: Int32) {
        while true {
            let path = "\(folder)/\(prefix)\(UUID().uuidString)"
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw failure(path) }
            let isLocked = flock(descriptor, LOCK_EX | LOCK_NB) == 0
            // Where nothing can be locked nobody removes it either.
            let isWanted = !isLocked && errno == EWOULDBLOCK
            // Between these calls another run may have taken it for one that was left.
            if !isWanted, access(path, F_OK) == 0 { return (path, descriptor) }
            close(descriptor)
        }
    }

    private static func fill(_ path: String, _ descriptor: Int32, with bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let piece = UnsafeRawBufferPointer(rebasing: rest)
                let count = write(descriptor, piece.baseAddress, piece.count)
                if count >= 0 {
                    rest = rest.dropFirst(count)
                } else if errno != EINTR {
                    throw failure(path)
                }
            }
        }
    }

    /// What errno says.
    private static func failure(_ path: String) -> BackupError {
        let words = String(cString: strerror(errno))
        return BackupError(
            .storageFailed, "cannot write the temporary file \(path): \(words)",
            hint: "Free some space there; TMPDIR names another folder for temporary files.")
    }
}
