/// What somebody typed at the console.
enum ConsoleLine {
    case nothing
    case exit
    case help([String])
    /// Everything behind the word `SQL`, as it is.
    case sql(Substring)
    case command([String])

    /// Whether it is for the server itself.
    var isSQL: Bool { if case .sql = self { true } else { false } }

    /// Words that begin a statement, and no command of this tool.
    static let verbs: Set<String> = [
        "select", "insert", "update", "delete", "with", "values", "create", "alter", "drop",
        "truncate",
        "explain", "begin", "commit", "rollback", "set", "grant", "revoke", "copy", "call", "use",
    ]

    init(_ line: String) {
        let text = line.drop { $0.isWhitespace }
        let first = text.prefix { !$0.isWhitespace }
        switch first.lowercased() {
        case "" where text.isEmpty: self = .nothing
        case _ where first.hasPrefix("#"): self = .nothing
        case "exit", "quit": self = .exit
        // As hints have it, which are for the shell too.
        case "dbtool":
            let rest = ConsoleLine(String(text[first.endIndex...]))
            // There its statement is a word, with the quotes of the shell.
            self = rest.isSQL ? .command(Array(ConsoleWords(line).words.dropFirst())) : rest
        case "sql": self = .sql(text[first.endIndex...].drop { $0.isWhitespace })
        case "help": self = .help(Array(ConsoleWords(line).words.dropFirst()))
        default: self = .command(ConsoleWords(line).words)
        }
    }
}
