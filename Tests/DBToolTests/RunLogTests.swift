import ArgumentParser
import BackupCore
import BackupTesting
import Foundation
import Testing

@testable import DBTool

@Suite struct RunLogTests {
    private static let secret = "hunter2"

    @Test(arguments: [
        ["full", "database", "--password", secret, "-path", "x"], ["list", "-password", secret],
        ["list", "--password=\(secret)"], ["list", "-password=\(secret)"],
        ["list", "--url", "postgresql://u:\(secret)@h/d"],
        ["list", "-url=postgresql://u:\(secret)@h/d"],
        ["list", "--password", "--password", secret], ["list", "--password", "-\(secret)"],
        ["list", "--password=a=\(secret)"],
    ])
    func `a secret is never in the log`(arguments: [String]) async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/dbtool.log"
            let options = try OutputOptions.parse(["--log-file", path])
            let log = try RunLog(
                options: options, settings: try await .none, arguments: arguments)
            log.end(.done)
            let text = String(
                decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
            #expect(!text.contains(Self.secret))
            #expect(text.contains("••••"))
            #expect(text.contains(arguments[0]))
        }
    }

    @Test func `words without secrets are as they were given`() {
        let words = ["full", "tables", "-tablename", "a=b", "--passwordless", "--user", "me"]
        #expect(RunLog.withoutSecrets(words) == words)
    }

    @Test func `a run's command, notes, failure and end are lines of one file with mode 600`()
        async throws
    {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/dbtool.log"
            let options = try OutputOptions.parse(["--log-file", path])
            let log = try RunLog(
                options: options, settings: try await .none, arguments: ["list"])
            log.note("a warning")
            log.fail(BackupError(.damaged, "it broke", hint: "Mend it.", underlying: "a\nb"))
            log.end(.verificationFailed)
            let text = String(
                decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
            let lines = text.split(separator: "\n")
            #expect(lines.count == 4)
            #expect(lines[0].hasSuffix("info dbtool \(Version.text) list"))
            #expect(lines[1].hasSuffix("notice a warning"))
            #expect(lines[2].hasSuffix("error it broke | a | b | hint: Mend it."))
            #expect(lines[3].hasSuffix("info exit code 4 (a file is damaged)"))
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
            #expect(mode as? Int == 0o600)
        }
    }

    @Test func `a log that has grown large is set aside`() async throws {
        try await withTemporaryFolder { folder in
            let file = LogFile(path: "\(folder)/dbtool.log")
            file.append(String(repeating: "x", count: 6 << 20))
            file.append("next\n")
            #expect(
                FileManager.default.contents(atPath: file.path).map { Array($0) }
                    == Array("next\n".utf8))
            #expect(FileManager.default.contents(atPath: file.path + ".1")?.count == 6 << 20)
        }
    }

    @Test func `a log file that was named and cannot be written is an error`() async throws {
        let options = try OutputOptions.parse(["--log-file", "/nowhere/dbtool.log"])
        let settings = try await Settings.none
        let error = #expect(throws: BackupError.self) {
            try RunLog(options: options, settings: settings, arguments: [])
        }
        #expect(error?.code == .storageFailed)
    }
}

extension Settings {
    /// What the environment says, without a file.
    fileprivate static var none: Settings {
        get async throws {
            try await Settings(ConnectionOptions.parse(["--config", "manual"]))
        }
    }
}
