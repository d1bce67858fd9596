import BackupCore
import Foundation
import Logging

/// The log file of every run: what was asked, what was noteworthy, how it ended.
///
/// Never a password.
struct RunLog: Sendable {
    private let logger: Logger

    /// Opens the log and notes the command.
    ///
    /// - Throws: `BackupError.storageFailed` when a log file that was named cannot be written.
    init(options: OutputOptions, settings: Settings, arguments: [String]) throws {
        let named = settings.value(options.logFile, "DB_LOG_FILE")
        let path = named ?? StateFolder.path("dbtool.log")
        let file = LogFile(path: path)
        if named != nil { try file.checkWritable() }
        logger = Logger(label: "dbtool") { _ in FileLogHandler(file: file) }
        logger.info(
            "dbtool \(Version.text) \(Self.withoutSecrets(arguments).joined(separator: " "))")
    }

    func note(_ text: String) { logger.notice("\(text)") }

    func fail(_ error: BackupError) {
        logger.error("\(error.description.replacing("\n", with: " | "))")
    }

    func end(_ code: ExitCode) { logger.info("exit code \(code.rawValue) (\(code.meaning))") }

    /// The words of a command without the values of options that hold secrets.
    static func withoutSecrets(_ arguments: [String]) -> [String] {
        var hidesNext = false
        return arguments.map { word in
            defer { hidesNext = ["-password", "--password", "-url", "--url"].contains(word) }
            if hidesNext { return "••••" }
            let name = word.prefix { $0 != "=" }
            let isSecret = ["-password", "--password", "-url", "--url"].contains(String(name))
            return isSecret && name.count < word.count ? "\(name)=••••" : word
        }
    }
}

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

/// Writes log lines to a file: time, process, level, text.
struct FileLogHandler: LogHandler {
    let file: LogFile
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info

    init(file: LogFile) {
        self.file = file
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let process = ProcessInfo.processInfo.processIdentifier
        file.append("\(Timestamp.now.text) [\(process)] \(event.level) \(event.message)\n")
    }
}
