import BackupCore
import Foundation

/// A file that grows to a few megabytes and is then set aside.
struct LogFile: Sendable {
    private static let limit = 5 << 20

    let path: String

    func checkWritable() throws {
        do throws(Refusal) {
            close(try opened())
        } catch {
            throw BackupError(
                .storageFailed, "cannot write the log file \(path): \(error.words)",
                hint: "Name another one with --log-file.")
        }
    }

    /// Appends text; false when that is impossible.
    @discardableResult
    func append(_ text: String) -> Bool {
        let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size]) as? Int
        if let size, size > Self.limit { rotate() }
        // A run goes on without its log.
        guard let descriptor = try? opened() else { return false }
        defer { close(descriptor) }
        return text.withCString { write(descriptor, $0, strlen($0)) } >= 0
    }

    private func rotate() {
        // Losing an old log to a race is no harm.
        try? FileManager.default.removeItem(atPath: path + ".1")
        try? FileManager.default.moveItem(atPath: path, toPath: path + ".1")
    }

    // MARK: Opening it

    private struct Refusal: Error {
        let words: String

        init(_ words: String) { self.words = words }

        /// What errno says; of what nobody reads, and of sockets, that there is no such device.
        init() { words = errno == ENXIO ? Self.noFile.words : String(cString: strerror(errno)) }

        static let noFile = Refusal("it is not a file")
    }

    /// The file, at its end; a descriptor that is to be closed.
    ///
    /// Nothing is waited for: opening a pipe could take for ever.
    private func opened() throws(Refusal) -> Int32 {
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        var descriptor = open(path, flags | O_NOFOLLOW, 0o600)
        if descriptor < 0, errno == ELOOP {
            guard isLinkOfOurs else { throw Refusal("it is a link that another user has made") }
            descriptor = open(path, flags, 0o600)
        }
        guard descriptor >= 0 else { throw Refusal() }
        guard Self.takesLines(descriptor) else {
            close(descriptor)
            throw Refusal.noFile
        }
        // Where a terminal or a pipe is slow it is waited for, as for every other output.
        _ = fcntl(descriptor, F_SETFL, O_APPEND)
        return descriptor
    }

    /// Others' links could lead to what only we may write, as in `/tmp` where the system does not protect from it;
    /// `/dev/stderr` is a link of root's.
    private var isLinkOfOurs: Bool {
        var status = stat()
        return lstat(path, &status) == 0 && [geteuid(), 0].contains(status.st_uid)
    }

    /// A file or a device such as `/dev/null`; of pipes only those that standard output or standard error is.
    private static func takesLines(_ descriptor: Int32) -> Bool {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return false }
        if [S_IFREG, S_IFCHR].contains(status.st_mode & S_IFMT) { return true }
        return [STDOUT_FILENO, STDERR_FILENO].contains { own in
            var its = stat()
            return fstat(own, &its) == 0 && its.st_dev == status.st_dev
                && its.st_ino == status.st_ino
        }
    }
}
