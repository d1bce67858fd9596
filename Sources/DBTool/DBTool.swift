import ArgumentParser
import BackupCore
import Foundation

/// The front door: the command tree, and what every command has in common.
@main
struct DBTool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dbtool",
        abstract: "Readable, restorable, proven backups of PostgreSQL, MySQL and MariaDB.",
        discussion: """
            Options can be written with one dash or two: -path and --path are the same.
            Settings come from flags, then DB_* variables, then .env, then PG* and ~/.pgpass.

            Exit codes: \(ExitCode.list)
            """,
        version: Version.text,
        subcommands: [
            FullCommand.self, DifferentialCommand.self, IncrementalCommand.self,
            RestoreCommand.self, VerifyCommand.self, ListCommand.self, ShowCommand.self,
            RowsCommand.self, DiffCommand.self, HistoryCommand.self, MergeCommand.self,
            PruneCommand.self, PinCommand.self, UnpinCommand.self, CheckCommand.self,
            BackupConsoleCommand.self, SQLCommand.self,
            CompletionsCommand.self, ManualCommand.self,
        ],
        // Without the short one: the parser would see it in -path, and call for help what is an error.
        helpNames: .long)

    static func main() async {
        Memory.shareHeap()
        refuseToGuess()
        refuseFewFiles()
        refuseWhatIsNoText()
        let arguments = CommandWords.normalized(
            CommandWords.withLongHelp(Array(CommandLine.arguments.dropFirst())), in: DBTool.self)
        await FrontDoor(arguments: arguments).run()
    }

    /// Swift finds the arguments by way of /proc/self/maps, and has none where that cannot be read.
    private static func refuseToGuess() {
        guard CommandLine.argc == 0 else { return }
        CommandOutput(isJSON: false).fail(
            BackupError(
                .storageFailed, "cannot read the command line by way of /proc/self/maps",
                hint: "Is /proc mounted, and may this process open files (ulimit -n)?"))
        _exit(ExitCode.failed.rawValue)
    }

    private static func refuseFewFiles() {
        do {
            try OpenFiles.allow()
        } catch {
            CommandOutput(isJSON: false).fail(FrontDoor.backupError(error, leaving: ""))
            _exit(ExitCode.failed.rawValue)
        }
    }

    /// Other bytes would be replaced on the way, and another file or another value meant than was given.
    private static func refuseWhatIsNoText() {
        for index in 1..<max(1, Int(CommandLine.argc)) {
            guard let word = CommandLine.unsafeArgv[index], String(validatingCString: word) == nil
            else { continue }
            CommandOutput(isJSON: false).fail(
                BackupError(.usage, "argument \(index) is not text in UTF-8"))
            _exit(ExitCode.usage.rawValue)
        }
    }
}

/// The version of this program.
enum Version {
    static let text = "0.1.0"
}
