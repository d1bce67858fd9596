import ArgumentParser
import BackupCore
import BackupTesting
import Foundation
import Terminal
import Testing

@testable import DBTool
@testable import PostgresEngine

/// Whatever somebody types, it is understood as it was meant, or refused with words.
@Suite struct HostileConsoleTests {
    private static let words =
        [
            "full", "database", "tables", "differential", "incremental", "backup", "restore",
            "verify",
            "list", "show", "rows", "diff", "history", "merge", "prune", "pin", "unpin", "check",
            "sql",
            "completions", "manual", "help", "exit", "#", "latest", "-path", "--path", "-tablename",
            "--into", "--jobs", "--json", "--port", "-compress", "--keep-last", "--lock-timeout",
            "--help",
            "-h", "--version", "--", "-", "=", "--jobs=4", "zstd", "0", "-1",
            "99999999999999999999",
            "1e9", "9223372036854775807", "a1b2", "users", "*", "\"", "'", "\\", "~", "$HOME", "",
        ]

    @Test func `words that are quoted are those words`() async throws {
        try await Attack("words of the console").run(tries: Attack.tries * 200) { _, random in
            let words = (0..<Int.random(in: 1...5, using: &random)).map { _ in
                random.text(maximumLength: 6)
            }
            let line = words.map {
                "'\($0.replacing(scalar: "'", with: "'\\''"))'"
            }.joined(separator: " ")
            let read = ConsoleWords(line)
            var broken: [String] = []
            if read.isOpen || read.words.map({ Array($0.utf8) }) != words.map({ Array($0.utf8) }) {
                broken.append("\(words) as \(line.debugDescription) is \(read.words)")
            }
            for word in words {
                let double = word.replacing(scalar: "\\", with: "\\\\")
                    .replacing(scalar: "\"", with: "\\\"")
                let found = ConsoleWords("\"\(double)\"")
                if found.isOpen || found.words.map({ Array($0.utf8) }) != [Array(word.utf8)] {
                    broken.append("\(word.debugDescription) in double quotes is \(found.words)")
                }
                let typed = ShellWord(typed: "'\(word.replacing(scalar: "'", with: "'\\''"))'")
                if !typed.value.utf8.elementsEqual(word.utf8) {
                    broken.append("\(word.debugDescription) completed is \(typed.value)")
                }
            }
            return broken
        }
    }

    @Test func `a name that is completed is read back as that name`() async throws {
        let session = PostgresSQLSession(PostgresSettings(), notice: { _ in })
        let completion = ConsoleCompletion()
        try await Attack("completed names").run(tries: Attack.tries * 50) { _, random in
            let name = Self.fileName(&random)
            let isFolder = Bool.random(using: &random)
            let begun = name.prefix(Int.random(in: 0...name.count, using: &random))
            return try await withTemporaryFolder { folder in
                let path = "\(folder)/\(name)"
                let isMade =
                    isFolder ? mkdir(path, 0o700) == 0 : close(creat(path, 0o600)) == 0
                guard isMade else { return ["\(name.debugDescription) cannot be made"] }
                let meant = path + (isFolder ? "/" : "")
                let typed = [
                    "\(folder)/\(ConsoleWords.quoted(String(begun)))", "'\(folder)/",
                    "\"\(folder)/",
                ]
                var broken: [String] = []
                for start in ["list -path ", "SQL SELECT 1 -extract -path "] {
                    for typed in typed {
                        let before = start + typed
                        let found = completion.complete(before)
                        let kept = before.unicodeScalars.dropLast(found.replaced)
                        let line = String(kept) + (found.candidates.first ?? "")
                        let words = ConsoleWords(line)
                        let isRead =
                            found.candidates.count == 1 && !words.isOpen
                            && words.words.last?.isExactly(meant) == true
                        if !isRead { broken.append("\(meant.debugDescription) as \(line)") }
                        guard case .sql(let text) = ConsoleLine(line) else { continue }
                        let options = try SQLOptions(
                            line: String(text), starts: session.starts(in: String(text)))
                        var lines = session.lines()
                        lines.add(String(text))
                        if lines.isOpen || options.path?.isExactly(meant) != true {
                            broken.append("\(meant.debugDescription) behind SQL as \(line)")
                        }
                    }
                }
                return broken
            }
        }
    }

    /// One that a line can hold, and that is not hidden.
    private static func fileName(_ random: inout SeededGenerator) -> String {
        let scalars = random.text(maximumLength: 8).unicodeScalars
            .filter { $0 != "/" && $0.properties.generalCategory != .control }
            .drop { $0 == "." }
        var name = String.UnicodeScalarView()
        name.append(contentsOf: scalars)
        return name.isEmpty ? "a b" : String(name)
    }

    @Test func `any line is a command, SQL or nothing, and its flags are found`() async throws {
        let session = PostgresSQLSession(PostgresSettings(), notice: { _ in })
        try await Attack("lines of the console").run(tries: Attack.tries * 200) { _, random in
            let line = Self.line(&random)
            guard case .sql(let text) = ConsoleLine("SQL \(line)") else { return ["\(line)"] }
            do {
                let options = try SQLOptions(
                    line: String(text), starts: session.starts(in: String(text)))
                return text.utf8.starts(with: options.text.utf8) ? [] : ["\(line.debugDescription)"]
            } catch is BackupError {
                return []
            }
        }
    }

    @Test func `any command line is understood or refused with words`() async throws {
        try await Attack("command lines").run(tries: Attack.tries * 20) { _, random in
            var arguments = ConsoleWords(Self.line(&random)).words
            arguments = CommandWords.normalized(
                CommandWords.withLongHelp(arguments), in: DBTool.self)
            do {
                _ = try await DBTool.asyncParseAsRoot(arguments)
                return []
            } catch {
                let message = DBTool.message(for: error)
                let words = Misunderstanding(arguments, message).error
                let isHelp = DBTool.exitCode(for: error) == .success
                return isHelp || words.code == .usage && !words.message.isEmpty
                    ? [] : ["\(arguments): \(message)"]
            }
        }
    }

    private static func line(_ random: inout SeededGenerator) -> String {
        (0..<Int.random(in: 0...8, using: &random)).map { _ in
            Bool.random(using: &random)
                ? words.randomElement(using: &random) ?? "" : random.text(maximumLength: 3)
        }.joined(separator: Int.random(in: 0...3, using: &random) == 0 ? "" : " ")
    }

    @Test func `a line of settings is read, whatever stands around it`() async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/settings"
            let options = try ConnectionOptions.parse(["--env-file", path])
            try await Attack("lines of .env").run(tries: Attack.tries * 100) { _, random in
                let value = random.text(maximumLength: 8).unicodeScalars
                    .filter { $0 != "\n" && $0 != "\0" }
                    .reduce(into: "") { $0.unicodeScalars.append($1) }
                let other = random.text(maximumLength: 12)
                let end = Bool.random(using: &random) ? "\r\n" : "\n"
                var bytes = Array(
                    "\(other)\(end)DB_HOSTILE=\"\(value)\"\(end)\(other)=\(other)\(end)".utf8)
                if Bool.random(using: &random) { bytes += [0xFF, 0xC3, 0x0A] }
                try Data(bytes).write(to: URL(fileURLWithPath: path))
                let read = try Settings(options).value(nil, "DB_HOSTILE") ?? ""
                guard !read.utf8.elementsEqual(value.utf8) else { return [] }
                return ["\(value.debugDescription) is \(read.debugDescription), in \(bytes)"]
            }
        }
    }
}
