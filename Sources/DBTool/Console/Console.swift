import ArgumentParser
import BackupCore
import Foundation
import Terminal

/// Runs lines: SQL, and every command of the tool with the connection and the repository already set.
struct Console: Sendable {
    /// Flags that say where the server and the repository are, for commands that take them.
    let setting: ConsoleSetting
    let sql: SQLRun
    /// Whether a line that fails does not end the rest.
    let keepsGoing: Bool
    let output: CommandOutput

    /// What became of a line.
    enum LineEnd {
        case ended(ExitCode)
        /// Nobody consented to what it may write.
        case skipped
        case exit
    }

    /// Runs lines until one fails, somebody leaves, or there are no more.
    ///
    /// `lines`: Gives the next line; the argument says whether it goes on with the one before.
    func run(
        _ lines: (_ isContinuation: Bool) async throws -> InputLine?
    ) async throws -> ExitCode {
        var worst = ExitCode.done
        while let line = try await wholeLine(lines) {
            switch await end(of: line) {
            case .exit: return await leaving(worst)
            case .ended(.done): continue
            case .skipped: if worst == .done { worst = .failed }
            case .ended(let code):
                if sql.isInteractive { continue }
                worst = code
                if !keepsGoing || code == .interrupted { return await leaving(worst) }
            }
        }
        return await leaving(sql.isInteractive ? .done : worst)
    }

    /// What nobody has committed goes with the session, and not silently.
    private func leaving(_ code: ExitCode) async -> ExitCode {
        guard await sql.session.hasOpenTransaction else { return code }
        TerminalOutput.printError("warning: the transaction that was open is rolled back\n")
        return code == .done ? .failed : code
    }

    /// On a terminal Ctrl-C ends the line, not the console.
    private func end(of line: InputLine) async -> LineEnd {
        guard sql.isInteractive else { return await run(line: line) }
        return await Interruption.cancellingAlone { await run(line: line) }
    }

    /// Runs one line; if it fails, that has been shown.
    private func run(line: InputLine) async -> LineEnd {
        do {
            if let flaw = line.flaw { throw BackupError(.usage, "\(flaw); it was not run") }
            switch ConsoleLine(line.text) {
            case .nothing: return .ended(.done)
            case .exit: return .exit
            case .help(let words): return .ended(help(words))
            case .sql(let text):
                let options = try SQLOptions(
                    line: String(text), starts: sql.session.starts(in: String(text)))
                return try await sql.run(options) > 0 ? .skipped : .ended(.done)
            case .command(let words):
                if let verb = words.first, ConsoleLine.verbs.contains(verb.lowercased()) {
                    throw BackupError(
                        .usage, "unknown command '\(verb)'",
                        hint: "Statements have SQL in front: SQL \(verb) …")
                }
                let door = FrontDoor(arguments: setting.completed(words), isLineOfConsole: true)
                return .ended(await door.outcome())
            }
        } catch {
            let failure = FrontDoor.backupError(error, leaving: "nothing was changed")
            if !SecretText.mayBe(in: line.text) { output.log?.fail(failure) }
            output.fail(failure)
            return .ended(ExitCode(failure.code))
        }
    }

    // MARK: Lines

    /// The next line with all that belongs to it; nil at the end.
    ///
    /// A line of SQL goes on while something in it is open, or behind a backslash; `SQL` alone begins a
    /// block that ends with a semicolon.
    private func wholeLine(
        _ lines: (_ isContinuation: Bool) async throws -> InputLine?
    ) async throws -> InputLine? {
        guard var line = try await lines(false) else { return nil }
        guard case .sql(let first) = ConsoleLine(line.text) else { return line }
        let isBlock = first.isEmpty
        var statements = sql.session.lines()
        var piece = String(first)
        while true {
            // Inside of quotes a backslash at the end of a line is a part of the text.
            var whole = statements
            whole.add(piece)
            let shortened = isBlock || whole.isInsideText ? nil : Self.withoutBackslash(piece)
            if let shortened { statements.add(shortened) } else { statements = whole }
            let isOver = isBlock ? statements.endsStatement : shortened == nil && !statements.isOpen
            if isOver { return line }
            if shortened != nil { line.text = Self.withoutBackslash(line.text) ?? line.text }
            guard let next = try await lines(true) else {
                // Of a file that was cut off, or a block that was left: its end may be what matters.
                let isCutOff = shortened != nil || isBlock && line.text.contains("\n")
                if isCutOff { line.flaw = line.flaw ?? "the input ended before the statement did" }
                return line
            }
            if next.isGivenUp { return next }
            line.text += "\n" + next.text
            line.flaw = line.flaw ?? next.flaw
            piece = next.text
        }
    }

    /// Nil where there is none at the end; lines of a file may end in CR and LF.
    private static func withoutBackslash(_ text: String) -> String? {
        let scalars = text.unicodeScalars
        let shown = scalars.last == "\r" ? scalars.dropLast() : scalars[...]
        return shown.last == "\\" ? String(shown.dropLast()) : nil
    }

    // MARK: Help

    private func help(_ words: [String]) -> ExitCode {
        guard !words.isEmpty else {
            TerminalOutput.print(text: ConsoleHelp.text)
            return .done
        }
        guard words.first?.lowercased() != "sql" else {
            TerminalOutput.print(text: ConsoleHelp.sql)
            return .done
        }
        let normalized = CommandWords.normalized(words, in: DBTool.self)
        let known = CommandWords.command(in: normalized, of: DBTool.self)
        guard known.count == words.count, let command = CommandWords.type(of: known) else {
            output.fail(Misunderstanding(words, "Unknown command").error)
            return .usage
        }
        TerminalOutput.print(line: DBTool.helpMessage(for: command))
        return .done
    }
}

/// Where the server and the repository are, as flags for commands that do not name others.
struct ConsoleSetting: Sendable {
    private let connection: [(flag: String, value: String)]
    private let path: String?
    private let isJSON: Bool
    private let tree: CommandTree?

    /// `password`: The one that somebody typed; `isJSON`: whether what commands show is for programs.
    init(
        _ options: ConnectionOptions, _ repository: RepositoryOptions, password: String?,
        isJSON: Bool
    ) {
        self.isJSON = isJSON
        let values = [
            ("db", options.db?.rawValue), ("database", options.database), ("host", options.host),
            ("port", options.port), ("user", options.user),
            ("password", password ?? options.password), ("url", options.url),
            ("sslmode", options.sslmode), ("sslrootcert", options.sslrootcert),
            ("sslcert", options.sslcert), ("sslkey", options.sslkey),
            ("config", options.config?.rawValue), ("env-file", options.envFile),
            ("pg-dump", options.pgDump),
        ]
        connection = values.compactMap { name, value in value.map { ("--\(name)", $0) } }
        path = repository.path
        tree = try? CommandTree(of: DBTool.self)
    }

    private static let besideURL: Set<String> = ["--config", "--env-file", "--pg-dump"]

    /// The words of a command, with what they leave out.
    func completed(_ words: [String]) -> [String] {
        guard let tree else { return words }
        let (command, count) = tree.command(named: words)
        // What is misunderstood is told to programs too.
        guard count > 0, command.children.isEmpty else {
            return isJSON && words.count > count ? words + ["--json"] : words
        }
        let known = Set(command.optionNames)
        let given = Set(
            words.filter { $0.hasPrefix("-") }.map { word in
                "--" + word.drop { $0 == "-" }.prefix { $0 != "=" }
            })
        var flags = connection.filter { known.contains($0.flag) && !given.contains($0.flag) }
        // A URL is whole; which file of settings counts, and which pg_dump, it does not say.
        if given.contains("--url") { flags.removeAll { !Self.besideURL.contains($0.flag) } }
        if let path, known.contains("--path"), !given.contains("--path") {
            flags.append(("--path", path))
        }
        // In front of the word that ends the options.
        let end = words.firstIndex(of: "--") ?? words.endIndex
        // Rows are a format of their own.
        let wantsJSON =
            isJSON && known.contains("--json") && given.isDisjoint(with: ["--json", "--format"])
            && words.first?.lowercased() != "rows"
        return words[..<end] + flags.flatMap { [$0.flag, $0.value] } + (wantsJSON ? ["--json"] : [])
            + words[end...]
    }
}
