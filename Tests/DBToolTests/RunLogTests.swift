import ArgumentParser
import BackupCore
import BackupTesting
import Foundation
import Logging
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
        ["list", "--password=a=\(secret)"], ["list", "postgresql://u:a@\(secret)@h/d"],
        ["list", "--database", "postgresql://u:\(secret)@h/d"],
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

    @Test func `a log file that is no file is refused, and nothing is waited for`() async throws {
        try await withTemporaryFolder { folder in
            let pipe = "\(folder)/pipe"
            try #require(mkfifo(pipe, 0o600) == 0)
            let reader = "\(folder)/read"
            try #require(mkfifo(reader, 0o600) == 0)
            let descriptor = open(reader, O_RDONLY | O_NONBLOCK)
            defer { close(descriptor) }
            let loop = "\(folder)/loop"
            try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: "loop")
            for path in [pipe, reader, folder, "\(folder)/none/log", loop] {
                let error = #expect(throws: BackupError.self) {
                    try LogFile(path: path).checkWritable()
                }
                #expect(error?.code == .storageFailed)
                #expect(error?.message.contains("cannot write the log file \(path): ") == true)
                #expect(!LogFile(path: path).append("a line\n"))
            }
        }
    }

    @Test func `a link to a log file is followed, unless another user has made it`() async throws {
        try await withTemporaryFolder { folder in
            let (path, link) = ("\(folder)/log", "\(folder)/link")
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
            try LogFile(path: link).checkWritable()
            #expect(LogFile(path: link).append("a line\n"))
            #expect(FileManager.default.contents(atPath: path) == Data("a line\n".utf8))
            try LogFile(path: "/dev/null").checkWritable()
            let before = "\(folder)/before"
            try FileManager.default.createSymbolicLink(atPath: before, withDestinationPath: "link")
            #expect(LogFile(path: before).append("another\n"))
            let lines = Data("a line\nanother\n".utf8)
            #expect(FileManager.default.contents(atPath: path) == lines)
            // Only root can give a link away.
            guard lchown(link, 65533, 65533) == 0 else { return }
            for path in [link, before] {
                let error = #expect(throws: BackupError.self) {
                    try LogFile(path: path).checkWritable()
                }
                #expect(error?.message.contains("another user") == true)
                #expect(!LogFile(path: path).append("nobody's\n"))
            }
            #expect(FileManager.default.contents(atPath: path) == lines)
        }
    }

    @Test func `another user's link is not followed, however often it is exchanged for ours`()
        async throws
    {
        try await withTemporaryFolder { folder in
            let (path, victim) = ("\(folder)/log", "\(folder)/victim")
            let links = ["\(folder)/theirs", "\(folder)/ours"]
            for (link, target) in zip(links, [victim, "\(folder)/own"]) {
                try FileManager.default.createSymbolicLink(
                    atPath: link, withDestinationPath: target)
            }
            // Only root can give a link away.
            guard lchown(links[0], 65533, 65533) == 0 else { return }
            let exchanging = Task.detached {
                while !Task.isCancelled {
                    for name in links {
                        _ = link(name, "\(folder)/next")
                        _ = rename("\(folder)/next", path)
                    }
                }
            }
            for _ in 1...5_000 { LogFile(path: path).append("a line\n") }
            exchanging.cancel()
            await exchanging.value
            #expect(!FileManager.default.fileExists(atPath: victim))
        }
    }

    @Test(arguments: ["/dev/stderr", "/dev/stdout"])
    func `the log may go where other output goes`(path: String) async throws {
        try await withTemporaryFolder { folder in
            let end = try await Program.run(
                DBToolBinary.path(), ["list", "-path", "x", "--log-file", path],
                environment: ["HOME": folder], folder: folder)
            let lines = path == "/dev/stderr" ? end.errors : end.output
            #expect(lines.contains("info dbtool \(Version.text) list"), "\(end)")
            #expect(lines.contains("info exit code 1"), "\(end)")
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
            #expect(lines[3].hasSuffix("info exit code 4 (a file is damaged, or rows differ)"))
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
            #expect(mode as? Int == 0o600)
        }
    }

    @Test(arguments: [
        ("debug", ["info", "debug", "notice", "warning", "error", "info"]),
        ("info", ["info", "notice", "warning", "error", "info"]),
        ("notice", ["notice", "warning", "error"]), ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ])
    func `the level says what is worth a line`(level: String, levels: [String]) async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/dbtool.log"
            let options = try OutputOptions.parse([
                "--log-file", path, "-log-level", level, "--log-format", "json",
            ])
            let log = try RunLog(
                options: options, settings: try await .none, database: "shop",
                arguments: ["full", "database", "-path", "x"])
            log.begin(phase: "reading rows")
            log.note("a note")
            log.note("warning: it is\nlate")
            log.fail(
                BackupError(
                    .serverRefused, "refused", hint: "Ask.", underlying: "at postgres://u:pw@h/d"))
            log.end(.failed)
            let text = String(
                decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
            let lines = try text.split(separator: "\n").map { try JSON(parsing: String($0)) }
            #expect(lines.map { $0["level"].string ?? "" } == levels)
            for line in lines {
                #expect(line["pid"].integer == Int(ProcessInfo.processInfo.processIdentifier))
                #expect(line["time"].string.flatMap { Timestamp($0) } != nil)
                #expect(line["command"].string == "full database")
            }
            let error = try #require(lines.first { $0["level"].string == "error" })
            #expect(error["error_code"].string == "server_refused")
            #expect(error["hint"].string == "Ask." && error["database"].string == "shop")
            #expect(!text.contains("pw@"))
            let warning = lines.first { $0["level"].string == "warning" }
            #expect(warning.map { $0["message"].string == "it is\nlate" } ?? true)
        }
    }

    @Test(arguments: [
        ("plain", "plain", #""plain""#),
        ("two\nlines\r\n", "two\\nlines\\r\\n", #""two\nlines\r\n""#),
        ("\u{1B}[2J \"q\" \\ /", "\\u{1B}[2J \"q\" \\ /", #""\u001b[2J \"q\" \\ /""#),
    ])
    func `an event is one line, whatever it says`(message: String, text: String, json: String) {
        let line = LogLine(
            time: .now, level: .info, message: message,
            fields: ["n": .stringConvertible(3), "s": .string("a\nb")])
        let plain = line.text(as: .text)
        #expect(plain.hasSuffix("info \(text)\n"))
        let object = line.text(as: .json)
        #expect(object.contains(#""message":\#(json),"pid":"#))
        #expect(object.hasSuffix(#","n":3,"s":"a\nb"}"# + "\n"))
        for written in [plain, object] {
            let controls = written.unicodeScalars.filter {
                $0.properties.generalCategory == .control
            }
            #expect(controls.map(\.value) == [10])
        }
    }

    @Test(arguments: TestServer.all)
    func `every line of a run is an object with what is known`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let file = "\(bench.folder)/log"
            let variables = ["DB_LOG_FORMAT": "JSON", "DB_LOG_LEVEL": "debug", "DB_LOG_FILE": file]
            let words =
                ["-path", bench.repository, "--database", source.name] + bench.connection()
            try await bench.dbtool(["full", "database"] + words, environment: variables)
                .requireCode(0)
            try await bench.dbtool(["VERIFY", "latest"] + words, environment: variables)
                .requireCode(0)
            try await bench.dbtool(
                ["full", "tables", "-tablename", "nothing"] + words, environment: variables
            ).requireCode(2)
            let lines = try String(contentsOfFile: file, encoding: .utf8)
                .split(separator: "\n").map { try JSON(parsing: String($0)) }
            let id = try #require(try bench.storedBackups().first)
            #expect(lines.allSatisfy { $0["database"].string == source.name })
            #expect(
                lines.compactMap { $0["message"].string }.filter { $0.hasPrefix(id) } == [
                    "\(id) completed", "\(id) verified",
                ])
            #expect(lines.filter { $0["backup"].string == id }.count == 2)
            #expect(lines.contains { $0["message"].string == "reading rows" })
            #expect(Set(lines.compactMap { $0["command"].string }).count == 3)
            #expect(lines.compactMap { $0["exit_code"].integer } == [0, 0, 2])
            #expect(lines.contains { $0["error_code"].string == "usage" })
        }
    }

    @Test(arguments: TestServer.all)
    func `what came of a diff, a check and a prune is in the log`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let first = try await bench.backUp(source).id
            try await source.query("DELETE FROM pets WHERE owner <= 3")
            let second = try await bench.backUp(source).id
            let file = "\(bench.folder)/log"
            let variables = ["DB_LOG_FORMAT": "json", "DB_LOG_FILE": file]
            let diff = ["diff", first, second]
            for words in [
                diff, diff + ["-format", "csv"], ["check"] + bench.connection(),
                ["prune", "--keep-last", "1", "--dry-run"], ["prune", "--keep-last", "1"],
            ] {
                try await bench.dbtool(
                    words + ["-path", bench.repository, "--database", source.name],
                    environment: variables
                ).requireCode(0)
            }
            let lines = try String(contentsOfFile: file, encoding: .utf8)
                .split(separator: "\n").map { try JSON(parsing: String($0)) }
            let messages = lines.compactMap { $0["message"].string }
            let differ = "1 table differs, 0 rows added, 0 changed, 3 deleted"
            #expect(messages.count { $0 == "\(first) → \(second): \(differ)" } == 2)
            #expect(messages.contains { $0.hasPrefix("a backup would be made") })
            #expect(messages.contains("1 kept, 1 would be removed: \(first)"))
            #expect(messages.contains("1 kept, 1 removed: \(first)"))
        }
    }

    @Test(arguments: TestServer.all)
    func `a format or a level that there is not is refused`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            try await bench.dbtool(["list"], environment: ["DB_LOG_LEVEL": "loud"])
                .expect(code: 2, saying: "DB_LOG_LEVEL", "loud", "debug, info, notice")
            try await bench.dbtool(["list"], environment: ["DB_LOG_FORMAT": "xml"])
                .expect(code: 2, saying: "DB_LOG_FORMAT", "xml", "text, json")
            try await bench.dbtool(["list", "--log-level", "loud"])
                .expect(code: 2, saying: "loud", "warning")
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
            try Settings(ConnectionOptions.parse(["--config", "manual"]))
        }
    }
}
