import ArgumentParser

/// Command words match without regard to case: `dbtool FULL Database` is `dbtool full database`.
enum CommandWords {
    static func normalized(
        _ arguments: [String], in root: any ParsableCommand.Type
    ) -> [String] {
        var normalized = arguments
        var command = root
        for (index, word) in arguments.enumerated() {
            let next = command.configuration.subcommands.first {
                name(of: $0) == word.lowercased()
            }
            guard let next else { break }
            normalized[index] = word.lowercased()
            command = next
        }
        return normalized
    }

    /// The words that name the command: `full database`.
    static func command(
        in arguments: [String], of root: any ParsableCommand.Type
    ) -> [String] {
        var command = root
        return Array(
            arguments.prefix { word in
                guard
                    let next = command.configuration.subcommands.first(where: {
                        name(of: $0) == word
                    }
                    )
                else { return false }
                command = next
                return true
            })
    }

    /// `-h` as `--help`, up to the word `--`.
    static func withLongHelp(_ arguments: [String]) -> [String] {
        let end = arguments.firstIndex(of: "--") ?? arguments.endIndex
        return arguments[..<end].map { $0 == "-h" ? "--help" : $0 } + arguments[end...]
    }

    /// The words of a command's children, for those who mistyped one.
    static func children(
        of arguments: [String], in root: any ParsableCommand.Type
    ) -> [String] {
        let command = Self.command(in: arguments, of: root).reduce(root) { command, word in
            command.configuration.subcommands.first { name(of: $0) == word } ?? command
        }
        return command.configuration.subcommands.map(name)
    }

    /// The command of that name.
    static func type(of words: [String]) -> (any ParsableCommand.Type)? {
        words.reduce(DBTool.self as (any ParsableCommand.Type)?) { command, word in
            command?.configuration.subcommands.first { name(of: $0) == word }
        }
    }

    private static func name(of command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? String(describing: command).lowercased()
    }
}
