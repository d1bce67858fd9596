import Foundation

/// A word of a command line as somebody typed it, which may not be finished.
struct ShellWord {
    /// What the shell would make of it, as far as quotes, backslashes, `~/` and `$HOME` go.
    let value: String

    init(typed: String) {
        var value = ""
        var quote: Character?
        var characters = typed[...]
        let home = ProcessInfo.processInfo.environment["HOME"] ?? ""
        for prefix in ["~/", "$HOME/", "${HOME}/", "\"$HOME/", "\"${HOME}/"]
        where typed.hasPrefix(prefix) {
            value = "\(home)/"
            quote = prefix.first == "\"" ? "\"" : nil
            characters = characters.dropFirst(prefix.count)
        }
        while let character = characters.popFirst() {
            switch (character, quote) {
            case ("\\", nil), ("\\", "\""): value.append(characters.popFirst() ?? "\\")
            case ("'", nil), ("\"", nil): quote = character
            case (_, .some(character)): quote = nil
            default: value.append(character)
            }
        }
        self.value = value
    }
}
