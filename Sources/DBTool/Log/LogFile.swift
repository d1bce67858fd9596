import BackupCore
import Foundation

/// A file that grows to a few megabytes and is then set aside.
struct LogFile: Sendable {
    private static let limit = 5 << 20
    /// As many links as Linux itself follows.
    private static let mostLinks = 40

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
        let descriptor = try followed()
        guard Self.takesLines(descriptor) else {
            close(descriptor)
            throw Refusal.noFile
        }
        // Where a terminal or a pipe is slow it is waited for, as for every other output.
        _ = fcntl(descriptor, F_SETFL, O_APPEND)
        return descriptor
    }

    /// Opens what has the path, or what links of ours lead to.
    ///
    /// Others' links could lead to what only we may write, as in `/tmp` where the system does not protect from it;
    /// `/dev/stderr` is a link of root's. Each is opened itself and read from there: one that was only looked at may be
    /// another one when the system follows it.
    private func followed() throws(Refusal) -> Int32 {
        var flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW
        var place = Array(path.utf8CString)
        for _ in 0...Self.mostLinks {
            let descriptor = open(place, flags, 0o600)
            if descriptor >= 0 { return descriptor }
            guard errno == ELOOP else { throw Refusal() }
            // What has become something else meanwhile is tried again.
            guard let link = OpenedLink(place) else { continue }
            guard [geteuid(), 0].contains(link.owner) else {
                throw Refusal("it is a link that another user has made")
            }
            if link.isOfSystem {
                flags &= ~O_NOFOLLOW
            } else {
                place = link.place(from: place)
            }
        }
        errno = ELOOP
        throw Refusal()
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
