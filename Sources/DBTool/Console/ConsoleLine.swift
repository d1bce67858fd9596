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

    init(_ line: String) {
        let text = line.drop { $0.isWhitespace }
        let first = text.prefix { !$0.isWhitespace }
        switch first.lowercased() {
        case "" where text.isEmpty: self = .nothing
        case _ where first.hasPrefix("#"): self = .nothing
        case "exit", "quit": self = .exit
        case "sql": self = .sql(text[first.endIndex...].drop { $0.isWhitespace })
        case "help": self = .help(Array(ConsoleWords(line).words.dropFirst()))
        default: self = .command(ConsoleWords(line).words)
        }
    }
}
