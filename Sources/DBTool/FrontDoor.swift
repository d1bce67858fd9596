import ArgumentParser
import BackupCore
import Foundation
import Terminal

/// Runs one command from its words to its exit code.
struct FrontDoor {
    let arguments: [String]
    /// Whether it is a line of the console, which has told what is wrong with the settings.
    var isLineOfConsole = false

    /// Runs the program's own command line.
    func run() async -> Never {
        if Completions.areAsked(by: arguments) { Completions.beSilentAndQuick() }
        var code = await Interruption.cancelling { await outcome() }
        if let words = TerminalOutput.failure {
            let failure = BackupError(.storageFailed, "cannot write to standard output: \(words)")
            CommandOutput(isJSON: false).fail(failure)
            if code == .done { code = ExitCode(failure.code) }
        }
        // Without what libraries do at the end: a thread may be connecting still, and nobody waits for it.
        fflush(nil)
        _exit(code.rawValue)
    }

    /// Runs the command; its report or failure has been shown.
    func outcome() async -> ExitCode {
        let command: any ParsableCommand
        do {
            command = try await DBTool.asyncParseAsRoot(arguments)
        } catch {
            return parsingEnded(with: error)
        }
        guard let command = command as? any BackupCommand else { return answer(to: command) }
        return await execute(command)
    }

    private func execute(_ command: any BackupCommand) async -> ExitCode {
        var output = CommandOutput(isJSON: command.output.json)
        let log: RunLog
        let settings: Settings
        do {
            settings = try Settings(command.connection)
            log = try RunLog(
                options: command.output, settings: settings,
                database: settings.value(command.connection.database, "DB_NAME"),
                arguments: arguments)
            output.log = log
        } catch let error as BackupError {
            output.fail(error)
            return ExitCode(error.code)
        } catch {
            return .failed
        }
        let code = await outcome(
            of: command, output, log, telling: notes(on: settings, for: command))
        log.end(code)
        return code
    }

    /// What everybody should know about the settings before anything is done with them.
    private func notes(on settings: Settings, for command: any BackupCommand) -> [String] {
        guard !isLineOfConsole else { return [] }
        // Of check they are findings.
        let lines = command is CheckCommand ? [] : settings.lineNotes
        let database = settings.databaseNote(command.connection)
        return (lines + [database].compactMap(\.self)).map { "warning: \($0)" }
    }

    private func outcome(
        of command: any BackupCommand, _ output: CommandOutput, _ log: RunLog,
        telling notes: [String]
    ) async -> ExitCode {
        do {
            return try await output.showingProgress { progress in
                notes.forEach { progress.note($0) }
                return try await command.run(output: output, progress: progress)
            }
        } catch {
            let failure = Self.backupError(error, leaving: command.interruptionLeaves)
            log.fail(failure)
            output.fail(failure)
            return ExitCode(failure.code)
        }
    }

    static func backupError(_ error: any Error, leaving rest: String) -> BackupError {
        // Who knows better what is left says so.
        if let own = error as? BackupError, own.code == .interrupted { return own }
        if Interruption.isRequested || error is CancellationError {
            return BackupError(.interrupted, "interrupted; \(rest)")
        }
        return error as? BackupError ?? BackupError(.serverRefused, "\(error)")
    }

    /// Shows the help that was asked for, or that a group of commands without one of them needs.
    private func answer(to command: any ParsableCommand) -> ExitCode {
        guard type(of: command).configuration.subcommands.isEmpty else {
            TerminalOutput.printError(DBTool.helpMessage(for: type(of: command)) + "\n")
            return .usage
        }
        do {
            var command = command
            try command.run()
            return .done
        } catch {
            return parsingEnded(with: error)
        }
    }

    private func parsingEnded(with error: any Error) -> ExitCode {
        guard DBTool.exitCode(for: error) != .success else {
            // Help or a version was asked for.
            TerminalOutput.print(line: DBTool.fullMessage(for: error))
            return .done
        }
        guard !Completions.areAsked(by: arguments) else { return .usage }
        let isJSON = !["-json", "--json"].filter(arguments.contains).isEmpty
        CommandOutput(isJSON: isJSON).fail(
            Misunderstanding(arguments, DBTool.message(for: error)).error)
        return .usage
    }
}
