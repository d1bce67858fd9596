import BackupCore
import Foundation

/// A file that grows to a few megabytes and is then set aside.
struct LogFile: Sendable {
    private static let limit = 5 << 20

    let path: String

    func checkWritable() throws {
        guard append("") else {
            throw BackupError(
                .storageFailed, "cannot write the log file \(path)",
                hint: "Name another one with --log-file.")
        }
    }

    /// Appends text; false when that is impossible.
    @discardableResult
    func append(_ text: String) -> Bool {
        let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size]) as? Int
        if let size, size > Self.limit { rotate() }
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return text.withCString { write(descriptor, $0, strlen($0)) } >= 0
    }

    private func rotate() {
        // Losing an old log to a race is no harm.
        try? FileManager.default.removeItem(atPath: path + ".1")
        try? FileManager.default.moveItem(atPath: path, toPath: path + ".1")
    }
}
