import ArgumentParser
import BackupCore

/// A command line that is being typed: what it says already about server, repository and point.
struct CompletionLine {
    /// The word at the cursor.
    let current: String
    /// The words that are neither options nor their values, without the command's own.
    private(set) var positionals: [String] = []
    private var options: [String: String] = [:]

    /// `words`: As typed, the program first; `index`: the one at the cursor.
    init(_ words: [String], index: Int, shell: CompletionShell?, tree: CommandTree) {
        let joined = shell == .bash ? Self.joined(words, index) : (words: words, index: index)
        let values = joined.words.map { ShellWord(typed: $0).value }
        current = values.indices.contains(joined.index) ? values[joined.index] : ""
        var others = values
        if others.indices.contains(joined.index) { others.remove(at: joined.index) }
        let arguments = Array(others.dropFirst())
        let (command, count) = tree.command(named: arguments)
        read(arguments.dropFirst(count), of: command)
    }

    private mutating func read(_ arguments: ArraySlice<String>, of command: CommandTree.Command) {
        let known = (command.arguments ?? []).filter { $0.kind == .option }.flatMap(\.written)
        var rest = arguments
        while let word = rest.popFirst() {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if known.contains(word) {
                options[Self.plain(word)] = rest.popFirst()
            } else if parts.count == 2, known.contains(String(parts[0])) {
                options[Self.plain(String(parts[0]))] = String(parts[1])
            } else if !word.hasPrefix("-") {
                positionals.append(word)
            }
        }
    }

    /// The options of a group that the line has.
    ///
    /// - Throws: When one has a value that it cannot have.
    func parsed<Options: ParsableArguments>(as type: Options.Type) throws -> Options {
        let known = Set(try CommandTree(of: OptionsProbe<Options>.self).command.optionNames)
        return try Options.parse(
            options.filter { known.contains("--\($0.key)") }
                .flatMap { ["--\($0.key)=\($0.value)"] })
    }

    private static func plain(_ option: String) -> String {
        String(option.drop { $0 == "-" })
    }

    /// bash takes `:` and `=` for words of their own.
    private static func joined(_ words: [String], _ index: Int) -> (words: [String], index: Int) {
        var (joined, place) = ([String](), 0)
        var joinsNext = false
        for (position, word) in words.enumerated() {
            let isBreak = !word.isEmpty && word.allSatisfy { ":=".contains($0) }
            if (isBreak || joinsNext), !joined.isEmpty {
                joined[joined.count - 1] += word
            } else {
                joined.append(word)
            }
            joinsNext = isBreak
            if position == index { place = joined.count - 1 }
        }
        return (joined, place)
    }
}

/// A command that has nothing but a group of options, to learn their names.
private struct OptionsProbe<Options: ParsableArguments>: ParsableCommand {
    @OptionGroup var options: Options
}
