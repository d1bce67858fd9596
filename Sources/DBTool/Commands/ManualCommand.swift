import ArgumentParser
import BackupCore
import Terminal

/// The command `dbtool manual`.
struct ManualCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manual", abstract: "Print the manual page, for man.",
        discussion: "dbtool manual > /usr/local/share/man/man1/dbtool.1")

    func run() throws {
        let date = Timestamp.now.text.prefix(10)
        let page = Manual(of: try CommandTree(of: DBTool.self), date: String(date))
        TerminalOutput.print(text: page.text)
    }
}
