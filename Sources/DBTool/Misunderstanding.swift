import BackupCore

/// What to say about words that the parser did not understand, and which ones may have been meant.
struct Misunderstanding {
    private let message: String
    private let tree: CommandTree?
    private let command: CommandTree.Command?
    private let name: String
    /// The words behind the command's name.
    private let rest: ArraySlice<String>

    /// `message`: The parser's own.
    init(_ arguments: [String], _ message: String) {
        self.message = message
        // A tree that cannot be read costs hints only.
        let tree = try? CommandTree(of: DBTool.self)
        let (command, count) = tree?.command(named: arguments) ?? (nil, 0)
        self.tree = tree
        self.command = command
        name = arguments.prefix(count).joined(separator: " ")
        rest = arguments.dropFirst(count)
    }

    var error: BackupError {
        if let word = unknownCommand {
            return BackupError(
                .usage, "unknown command '\(word)'",
                hint: Nearest.hint(to: word, among: command?.children.map(\.commandName) ?? [])
                    ?? help)
        }
        if let option = quoted(after: "Unknown option ") {
            return BackupError(.usage, "unknown option '\(option)'", hint: hint(to: option))
        }
        let words = message.prefix(1).lowercased() + message.dropFirst()
        return BackupError(.usage, words, hint: meaning ?? help)
    }

    /// What the option means whose value is none of its kind: seconds, or a percentage.
    private var meaning: String? {
        guard let start = message.firstRange(of: "' is invalid for '-") else { return nil }
        let name = message[message.index(before: start.upperBound)...]
            .prefix { !$0.isWhitespace && $0 != "'" }
        let option = (command?.arguments ?? []).first { $0.written.contains(String(name)) }
        // Where there are few, the parser's own words name them.
        guard let option, option.allValues == nil, let meaning = option.abstract else { return nil }
        return "\(name): \(meaning)"
    }

    /// A group of commands takes nothing but one of them, whatever the parser found wrong first.
    private var unknownCommand: String? {
        guard let command, !command.children.isEmpty, let word = rest.first,
            !word.hasPrefix("-"), word != "help"
        else { return nil }
        return word
    }

    private func quoted(after words: String) -> String? {
        guard message.hasPrefix(words + "'") else { return nil }
        return message.dropFirst(words.count + 1).split(separator: "'").first.map(String.init)
    }

    /// The nearest of the command's own options, with as many dashes as were written; else the
    /// commands that have just this one.
    private func hint(to option: String) -> String {
        let plain = option.drop { $0 == "-" }.prefix { $0 != "=" }
        let dashes = option.prefix { $0 == "-" }
        let others = Self.commands(of: tree?.command, named: "")
            .filter { $0.command.optionNames.contains("--\(plain)") }.map(\.name)
        if !others.isEmpty, !name.isEmpty {
            return "It is an option of \(others.joined(separator: ", "))."
        }
        let known = Set((command?.optionNames ?? []).map { String($0.drop { $0 == "-" }) })
        let near = Nearest.names(to: String(plain), among: known).map { dashes + $0 }
        return near.isEmpty ? help : "Nearest: \(near.joined(separator: ", "))."
    }

    private static func commands(
        of command: CommandTree.Command?, named name: String
    ) -> [(name: String, command: CommandTree.Command)] {
        guard let command else { return [] }
        guard !command.children.isEmpty else { return [(name, command)] }
        return command.children.flatMap { child in
            commands(
                of: child, named: name.isEmpty ? child.commandName : "\(name) \(child.commandName)")
        }
    }

    private var help: String {
        name.isEmpty
            ? "\"dbtool help\" shows every command, \"dbtool help COMMAND\" its options."
            : "\"dbtool help \(name)\" shows its words and options."
    }
}
