import ArgumentParser
import Terminal

/// The command `dbtool completions SHELL`.
struct CompletionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completions",
        abstract: "Print the script that makes a shell complete commands, backups and tables.",
        discussion: """
            bash: dbtool completions bash > ~/.local/share/bash-completion/completions/dbtool
            zsh:  dbtool completions zsh > "${fpath[1]}/_dbtool"
            fish: dbtool completions fish > ~/.config/fish/completions/dbtool.fish
            """)

    enum Shell: String, ExpressibleByArgument, CaseIterable {
        case bash, zsh, fish

        var shell: CompletionShell {
            switch self {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        }
    }

    @Argument(help: "The shell.")
    var shell: Shell

    func run() {
        TerminalOutput.print(line: CompletionScript(for: shell.shell).text)
    }
}
