import ArgumentParser
import BackupCore
import Foundation
import Logging
import Terminal

/// How lines of the log look: the values of `--log-format`.
enum LogFormat: String, ExpressibleByArgument, CaseIterable { case text, json }

/// What is worth a line of the log: the values of `--log-level`.
enum LogLevel: String, ExpressibleByArgument, CaseIterable {
    case debug, info, notice, warning, error

    var level: Logger.Level { Logger.Level(rawValue: rawValue) ?? .info }
}

/// One event of the log: always one line.
struct LogLine {
    let time: Timestamp
    let level: Logger.Level
    let message: String
    /// By name; numbers stay numbers.
    let fields: Logger.Metadata

    func text(as format: LogFormat) -> String {
        switch format {
        case .text:
            "\(time.text) [\(Self.process)] \(level) \(VisibleText.of(message))\n"
        case .json: json + "\n"
        }
    }

    /// The fields that every line has come first, in an order that people can read.
    private var json: String {
        let fixed = [
            ("time", Self.quoted(time.text)), ("level", Self.quoted("\(level)")),
            ("message", Self.quoted(message)), ("pid", "\(Self.process)"),
        ]
        let others = fields.sorted { $0.key < $1.key }.map { ($0.key, Self.value($0.value)) }
        let members = (fixed + others).map { "\(Self.quoted($0)):\($1)" }
        return "{\(members.joined(separator: ","))}"
    }

    private static var process: Int32 { ProcessInfo.processInfo.processIdentifier }

    private static func value(_ value: Logger.MetadataValue) -> String {
        if case .stringConvertible(let number as Int) = value { return "\(number)" }
        if case .stringConvertible(let number as Double) = value, number.isFinite {
            return "\(number)"
        }
        return quoted("\(value)")
    }

    /// Text as JSON has it: no line end and no control character stays as it is.
    private static func quoted(_ text: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        // Every text can be written as JSON.
        return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }
}
