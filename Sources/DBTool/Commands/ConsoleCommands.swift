import ArgumentParser
import BackupCore
import Foundation
import Terminal

/// What both doors to SQL can be told.
struct SQLConsentOptions: ParsableArguments, Sendable {
    @Flag(
        name: .word("allow-writes"),
        help: "Run SQL that may write; a terminal is still asked before rows or tables go.")
    var allowWrites = false
}

/// The command `dbtool backup`.
struct BackupConsoleCommand: BackupCommand {
    static let name = "backup"
    static let configuration = CommandConfiguration(
        commandName: name, abstract: "Open the console: every command of this tool, and SQL.",
        discussion: """
            On a terminal it is edited line by line. Without one, commands are read from standard input, \
            one a line, until one fails. "help" lists them.
            """)

    @OptionGroup(title: "Repository") var repository: RepositoryOptions
    @Option(
        name: [.customShort("c"), .customLong("command")], help: "Run this line only. Repeatable.")
    var commands: [String] = []
    @OptionGroup var consent: SQLConsentOptions
    @Flag(name: .word("keep-going"), help: "Go on with the next line where one fails.")
    var keepGoing = false
    @OptionGroup(title: "Connection") var connection: ConnectionOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run(output: CommandOutput, progress: OperationProgress) async throws -> ExitCode {
        let wiring = try Wiring(connection)
        guard commands.isEmpty, TerminalOutput.inputIsTerminal else {
            return try await wiring.withEngine { engine, password in
                let session = engine.sqlSession(notice: SQLRun.notice)
                // Each command asks by itself; SQL must know before it begins.
                if commands.contains(where: { ConsoleLine($0).isSQL }) {
                    _ = try await session.greeting()
                }
                return try await run(
                    console(session, password: password, isInteractive: false, output))
            }
        }
        // Whoever has to type a password does so once.
        return try await wiring.withEngine { engine, password in
            try await InteractiveConsole(
                console: console(
                    engine.sqlSession(notice: SQLRun.notice), password: password,
                    isInteractive: true, output),
                wiring: wiring, repository: repository
            ).run()
        }
    }

    private func console(
        _ session: any SQLSession, password: String?, isInteractive: Bool,
        _ output: CommandOutput
    ) -> Console {
        Console(
            setting: ConsoleSetting(
                connection, repository, password: password, isJSON: output.isJSON),
            sql: SQLRun(
                session: session, allowsWrites: consent.allowWrites, isInteractive: isInteractive,
                document: output.sqlDocument),
            keepsGoing: keepGoing, output: output)
    }

    private func run(_ console: Console) async throws -> ExitCode {
        guard commands.isEmpty else {
            let rest = Exclusive(commands)
            return try await console.run { _ in
                rest.withValue { $0.isEmpty ? nil : InputLine($0.removeFirst()) }
            }
        }
        let lines = InputLines()
        return try await console.run { _ in try await lines.next() }
    }
}

/// The command `dbtool sql`.
struct SQLCommand: BackupCommand {
    static let configuration = CommandConfiguration(
        commandName: "sql", abstract: "Run SQL; what may write needs --allow-writes.")

    @Argument(help: "One or more statements, with a semicolon between them.")
    var statement: String
    @Flag(name: .word("extract"), help: "Write the rows to a new file.")
    var extract = false
    @Option(name: .word("path"), help: "The folder of that file; else the current one.")
    var path: String?
    @Option(name: .word("format"), help: "How rows are written; else a table, and CSV for a file.")
    var format: RowFormat?
    @OptionGroup var consent: SQLConsentOptions
    @OptionGroup(title: "Connection") var connection: ConnectionOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        guard format == nil || extract || !output.json else {
            throw ValidationError("--json is one document of its own; rows alone go by -format.")
        }
    }

    func run(output: CommandOutput, progress: OperationProgress) async throws -> ExitCode {
        let wiring = try Wiring(connection)
        var options = SQLOptions(text: statement)
        (options.extracts, options.path, options.format) = (extract, path, format)
        try options.check()
        let finished = options
        return try await wiring.withEngine { engine in
            let run = SQLRun(
                session: engine.sqlSession(notice: SQLRun.notice),
                allowsWrites: consent.allowWrites,
                isInteractive: TerminalOutput.inputIsTerminal, document: output.sqlDocument)
            let skipped = try await run.run(finished)
            guard await run.session.hasOpenTransaction else { return skipped > 0 ? .failed : .done }
            TerminalOutput.printError("warning: the transaction that was open is rolled back\n")
            return .failed
        }
    }

    var interruptionLeaves: String { "what statements had committed by then stays" }
}

extension RowFormat: ExpressibleByArgument {}
