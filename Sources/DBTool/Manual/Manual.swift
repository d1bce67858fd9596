import BackupCore

/// The manual page: the parser's description of the commands, as roff.
struct Manual {
    private let date: String
    private let root: CommandTree.Command
    /// Options that several commands have, by the title of their group, each once.
    private let common: [(title: String, arguments: [CommandTree.Argument])]
    private let commonIdentities: Set<String>

    /// An option of so many commands is described once for all.
    private static let commandsForCommon = 4

    /// `date`: The day of the page, in ISO 8601.
    init(of tree: CommandTree, date: String) {
        root = tree.command
        self.date = date
        let all = Self.leaves(of: root, named: "").flatMap { $0.command.shownArguments }
        let counts = all.reduce(into: [:]) { $0[$1.identity, default: 0] += 1 }
        var known: Set<String> = []
        var groups: [(title: String, arguments: [CommandTree.Argument])] = []
        for argument in all where argument.kind != .positional {
            let isCommon = (counts[argument.identity] ?? 0) >= Self.commandsForCommon
            guard isCommon, known.insert(argument.identity).inserted else { continue }
            let title = argument.groupTitle
            if let place = groups.firstIndex(where: { $0.title == title }) {
                groups[place].arguments.append(argument)
            } else {
                groups.append((title, [argument]))
            }
        }
        common = groups
        commonIdentities = known
    }

    /// The page.
    var text: String {
        let heading = ".TH DBTOOL 1 \(date) \"dbtool \(Version.text)\" \"User Commands\""
        return ([heading] + introduction + commands + options + ManualSections.lines)
            .joined(separator: "\n")
    }

    private var introduction: [String] {
        let abstract = root.abstract ?? ""
        let name = abstract.prefix(1).lowercased() + abstract.dropFirst().prefix { $0 != "." }
        let paragraphs = (root.discussion ?? "").split(separator: "\n\n")
            .filter { !$0.hasPrefix("Exit codes") }
        return [".SH NAME", "dbtool \\- \(Roff.escaped(name))", ".SH SYNOPSIS", ".nf"]
            + Self.leaves(of: root, named: "dbtool").map(synopsis) + [".fi", ".SH DESCRIPTION"]
            + Array(paragraphs.map { [Roff.text(String($0))] }.joined(separator: [".PP"]))
    }

    private func synopsis(_ name: String, _ command: CommandTree.Command) -> String {
        let own = command.shownArguments.filter { $0.kind == .positional || !$0.isOptional }
        let words = own.map { argument in
            let value = Roff.italic(argument.valueName ?? "")
            return argument.kind == .positional
                ? value : "\(Roff.bold(argument.written.first ?? "")) \(value)"
        }
        return ([Roff.bold(name)] + words + ["[\\fIoptions\\fR]"]).joined(separator: " ")
    }

    private var commands: [String] {
        [".SH COMMANDS"]
            + Self.leaves(of: root, named: "dbtool").flatMap { name, command in
                [".SS \(Roff.escaped(name))", Roff.text(command.abstract ?? "")]
                    + discussion(of: command)
                    + command.shownArguments.filter { !commonIdentities.contains($0.identity) }
                    .flatMap(entry)
            }
    }

    private func discussion(of command: CommandTree.Command) -> [String] {
        guard let discussion = command.discussion else { return [] }
        return [".PP", ".nf"] + discussion.split(separator: "\n").map { Roff.escaped(String($0)) }
            + [".fi"]
    }

    private var options: [String] {
        [".SH OPTIONS", "Several commands have these."]
            + common.flatMap { title, arguments in
                [".SS \(Roff.escaped(title))"] + arguments.flatMap(entry)
            }
    }

    private func entry(_ argument: CommandTree.Argument) -> [String] {
        let value = argument.valueName.map(Roff.italic) ?? ""
        let heading =
            switch argument.kind {
            case .positional: value
            case .flag: argument.written.map(Roff.bold).joined(separator: ", ")
            case .option: "\(argument.written.map(Roff.bold).joined(separator: ", ")) \(value)"
            }
        var words = argument.abstract ?? ""
        if let values = argument.allValues, !values.isEmpty {
            words += " One of \(values.joined(separator: ", "))."
        }
        if let value = argument.defaultValue { words += " Default: \(value)." }
        return [".TP", heading, Roff.text(words)]
    }

    private static func leaves(
        of command: CommandTree.Command, named name: String
    ) -> [(name: String, command: CommandTree.Command)] {
        guard !command.children.isEmpty else { return [(name, command)] }
        return command.children.flatMap { leaves(of: $0, named: "\(name) \($0.commandName)") }
    }
}

extension CommandTree.Argument {
    /// What tells it from others: its names and what it does.
    fileprivate var identity: String {
        (written + [valueName ?? "", abstract ?? ""]).joined(separator: " ")
    }

    /// Its group, without what a title says in brackets for one command.
    fileprivate var groupTitle: String {
        (sectionTitle ?? "Other").prefix { $0 != "(" }.split(separator: " ").joined(separator: " ")
    }
}
