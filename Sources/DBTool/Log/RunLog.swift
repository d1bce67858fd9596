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
    /// `database`: Which one the run is about, where that is known from the beginning.
    /// - Throws: `BackupError.storageFailed` when a log file that was named cannot be written;
    ///   `BackupError.usage` for a format or a level that there is not.
    init(
        options: OutputOptions, settings: Settings, database: String? = nil, arguments: [String]
    ) throws {
        let format: LogFormat = try settings.choice(options.logFormat, "DB_LOG_FORMAT") ?? .text
        let level: LogLevel = try settings.choice(options.logLevel, "DB_LOG_LEVEL") ?? .info
        let named = settings.value(options.logFile, "DB_LOG_FILE").map(HomeFolder.expanded)
        let file = LogFile(path: named ?? StateFolder.path("dbtool.log"))
        if named != nil { try file.checkWritable() }
        var logger = Logger(label: "dbtool") { _ in FileLogHandler(file: file, format: format) }
        logger.logLevel = level.level
        let command = CommandWords.command(in: arguments, of: DBTool.self)
        logger[metadataKey: "command"] = .string(command.joined(separator: " "))
        if let database { logger[metadataKey: "database"] = .string(database) }
        self.logger = logger
        logger.info(
            "dbtool \(Version.text) \(Self.withoutSecrets(arguments).joined(separator: " "))")
    }

    /// Notes that a part of the work begins.
    func begin(phase: String) { logger.debug("\(phase)") }

    /// Notes what a person was told meanwhile.
    func note(_ text: String) {
        let warning = "warning: "
        if text.hasPrefix(warning) {
            logger.warning("\(text.dropFirst(warning.count))")
        } else {
            logger.notice("\(text)")
        }
    }

    /// Notes what came out.
    func note(_ result: LogResult) {
        var fields: Logger.Metadata = [:]
        if let backup = result.backup { fields["backup"] = .string(backup) }
        if let database = result.database { fields["database"] = .string(database) }
        if let seconds = result.seconds { fields["seconds"] = .stringConvertible(seconds) }
        logger.info("\(result.message)", metadata: fields)
        for warning in result.warnings {
            logger.warning("\(Self.withoutURLPasswords(warning))", metadata: fields)
        }
        for error in result.errors {
            logger.error("\(Self.withoutURLPasswords(error))", metadata: fields)
        }
    }

    /// Notes why the run failed.
    func fail(_ error: BackupError) {
        var fields: Logger.Metadata = ["error_code": .string(error.code.rawValue)]
        if let hint = error.hint { fields["hint"] = .string(hint) }
        let message = error.description.replacing("\n", with: " | ")
        logger.error("\(Self.withoutURLPasswords(message))", metadata: fields)
    }

    /// Notes how the run ended.
    func end(_ code: ExitCode) {
        logger.info(
            "exit code \(code.rawValue) (\(code.meaning))",
            metadata: ["exit_code": .stringConvertible(Int(code.rawValue))])
    }

    // MARK: Secrets

    private static let secretOptions = ["-password", "--password", "-url", "--url"]

    /// The words of a command without the values of options that hold secrets, and without
    /// passwords in what looks like a URL, wherever it stands.
    static func withoutSecrets(_ arguments: [String]) -> [String] {
        var hidesNext = false
        return arguments.map { word in
            defer { hidesNext = secretOptions.contains(word) }
            if hidesNext { return "••••" }
            // Statements may hold anything.
            if word.contains(where: \.isWhitespace), SecretText.mayBe(in: word) { return "••••" }
            let name = word.prefix { $0 != "=" }
            let isSecret = secretOptions.contains(String(name))
            if isSecret && name.count < word.count { return "\(name)=••••" }
            return withoutURLPasswords(word)
        }
    }

    private static func withoutURLPasswords(_ text: String) -> String {
        text.replacing(/(:\/\/[^:\/@\s]*):.*@/) { "\($0.1):••••@" }
    }
}

/// What a command reports to the log when it is done.
struct LogResult: Sendable {
    let message: String
    var backup: String?
    var database: String?
    var seconds: Double?
    var warnings: [String] = []
    var errors: [String] = []
}

/// Writes events to the log's file.
struct FileLogHandler: LogHandler {
    let file: LogFile
    let format: LogFormat
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info

    init(file: LogFile, format: LogFormat) {
        self.file = file
        self.format = format
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { $1 }
        let line = LogLine(
            time: .now, level: event.level, message: "\(event.message)", fields: fields)
        file.append(line.text(as: format))
    }
}
