import BackupCore
import Foundation
import Synchronization
import Terminal

/// What could stand at the cursor of the console; it knows what was there when it was last told.
final class ConsoleCompletion: Sendable {
    /// What the server and the repository hold.
    struct Known: Sendable {
        var names = SQLNames()
        var points: [String] = []
    }

    private let known = Mutex(Known())
    private let isLearning = Mutex(false)
    private let tree: CommandTree?

    init() {
        tree = try? CommandTree(of: DBTool.self)
    }

    /// Tells what is there now.
    func learn(_ change: (inout Known) -> Void) { known.withLock { change(&$0) } }

    /// Runs `body`, which tells what is there now, unless it is running already.
    func learning(_ body: () async -> Void) async {
        let isFirst = isLearning.withLock { isLearning in
            defer { isLearning = true }
            return !isLearning
        }
        guard isFirst else { return }
        await body()
        isLearning.withLock { $0 = false }
    }

    /// The completions of a line up to the cursor.
    func complete(_ before: String) -> LineEditor.Completion {
        if case .sql(let text) = ConsoleLine(before), before.contains(where: \.isWhitespace) {
            return sql(text)
        }
        return command(before)
    }

    // MARK: SQL

    private func sql(_ text: Substring) -> LineEditor.Completion {
        let word = Self.lastName(in: text)
        switch ConsoleWords(text + "x").words.dropLast().last {
        case "-format": return matches(of: String(word), among: RowFormat.allCases.map(\.rawValue))
        case "-path": return Self.paths(completing: String(text))
        default: break
        }
        // Within a text nothing of the database is meant.
        if text.filter({ $0 == "'" }).count % 2 == 1 { return matches(of: "", among: []) }
        if text.hasSuffix(" -") || word.hasPrefix("-") {
            return matches(of: String(word), among: ["-extract", "-path", "-format"])
        }
        let names = known.withLock { $0.names }
        if let columns = Self.columns(of: word, in: text, names) {
            return matches(of: String(word), among: columns)
        }
        let isUpper = word.contains { $0.isUppercase } || !word.contains { $0.isLetter }
        let keywords = isUpper ? names.keywords : names.keywords.map { $0.lowercased() }
        // Behind these words only a table can stand.
        let earlier = text.dropLast(word.count).split(whereSeparator: \.isWhitespace).last
        let wantsTable = ["from", "join", "into", "update", "table"]
            .contains(earlier?.lowercased() ?? "")
        let tables = names.tables + names.others
        if wantsTable { return matches(of: String(word), among: tables) }
        // The columns of the tables that have been named, of all where none has.
        let named = Self.words(of: text).compactMap { names.columns[$0] }
        let columns = (named.isEmpty ? Array(names.columns.values) : named).flatMap(\.self)
        return matches(of: String(word), among: keywords + columns + tables)
    }

    /// The columns behind `table.` or `alias.`; nil where there is no such table.
    private static func columns(
        of word: Substring, in text: Substring, _ names: SQLNames
    ) -> [String]? {
        guard let dot = word.lastIndex(of: ".") else { return nil }
        let owner = String(word[..<dot])
        var columns = names.columns[owner]
        let words = words(of: text)
        for (index, alias) in words.enumerated().dropFirst() where alias == owner {
            let isNamed = words[index - 1].lowercased() == "as" && index > 1
            columns = columns ?? names.columns[words[index - (isNamed ? 2 : 1)]]
        }
        return columns?.map { "\(owner).\($0)" }
    }

    /// The words of a statement, names with their quotes.
    private static func words(of text: Substring) -> [String] {
        text.matches(of: /(?:"[^"]*"|[\w$.])+/).map { String($0.output) }
    }

    /// The name that is being typed, with its quotes.
    private static func lastName(in text: Substring) -> Substring {
        var start = text.endIndex
        var isQuoted = text.filter { $0 == "\"" }.count % 2 == 1
        while start > text.startIndex {
            let previous = text.index(before: start)
            let character = text[previous]
            if character == "\"" {
                isQuoted.toggle()
            } else if !isQuoted,
                !(character.isLetter || character.isNumber || "_.$-".contains(character))
            {
                break
            }
            start = previous
        }
        return text[start...]
    }

    // MARK: Commands

    private func command(_ before: String) -> LineEditor.Completion {
        let words = ConsoleWords(before + "x").words
        let typed = String((words.last ?? "x").dropLast())
        let raw =
            before.split(separator: " ", omittingEmptySubsequences: false).last.map(String.init)
            ?? ""
        guard let tree else { return matches(of: raw, among: []) }
        let (command, count) = tree.command(named: words.dropLast())
        let rest = words.dropLast().dropFirst(count)
        if !command.children.isEmpty {
            let own = rest.isEmpty && count == 0
            let names = command.children.map(\.commandName) + (own ? ["SQL", "help", "exit"] : [])
            return matches(of: raw, among: rest.isEmpty || rest.first == "help" ? names : [])
        }
        if let option = rest.last, option.hasPrefix("-"),
            let argument = (command.arguments ?? []).first(where: {
                $0.kind == .option && ($0.written.contains(option))
            })
        {
            if let values = argument.allValues { return matches(of: raw, among: values) }
            if option.hasSuffix("tablename") {
                return matches(of: raw, among: known.withLock { $0.names.tables }.map(Self.pattern))
            }
            return Self.paths(completing: before)
        }
        if typed.hasPrefix("-") {
            let options = Set(command.optionNames.map { "-" + $0.drop { $0 == "-" } })
            let names = typed.hasPrefix("--") ? options.map { "-\($0)" } : Array(options)
            return matches(of: raw, among: names)
        }
        let takesPoint = (command.arguments ?? []).contains { $0.kind == .positional }
        guard takesPoint else { return matches(of: raw, among: []) }
        let (points, tables) = known.withLock { ($0.points, $0.names.tables) }
        let patterns = rest.isEmpty ? [] : tables.map(Self.pattern)
        return matches(of: raw, among: ["latest"] + points + patterns)
    }

    /// A table of the server's grammar as `TablePattern` reads it, quoted as the console reads it.
    private static func pattern(ofTable name: String) -> String {
        var parts = [String.UnicodeScalarView()]
        var quote: Unicode.Scalar?
        var scalars = name.unicodeScalars[...]
        while let scalar = scalars.popFirst() {
            switch (scalar, quote) {
            case (_, .some(scalar)) where scalars.first == scalar:
                scalars.removeFirst()
                parts[parts.count - 1].append(scalar)
            case (_, .some(scalar)): quote = nil
            case ("\"", nil), ("`", nil): quote = scalar
            case (".", nil): parts.append(.init())
            default: parts[parts.count - 1].append(scalar)
            }
        }
        let names = parts.map { String($0) }
        let table = TableName(schema: names.first ?? "", name: names.last ?? "")
        return ConsoleWords.quoted(
            CompletionCandidate(table, defaultSchema: table.schema, isQualified: names.count > 1)
                .text)
    }

    /// What lies in the folder that the last word of a line leads to, quoted as the console reads it.
    private static func paths(completing line: String) -> LineEditor.Completion {
        let typed = lastWord(of: line)
        let slash = typed.written.lastIndex(of: "/")
        let head = slash.map { typed.written[...$0] } ?? typed.written[..<typed.written.startIndex]
        let folder = lastWord(of: String(head)).value
        let begun = String(typed.value.unicodeScalars.dropFirst(folder.unicodeScalars.count))
            .lowercased()
        let all =
            (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder))
            ?? []
        let names = all.filter { name in
            !name.hasPrefix(".") && name.lowercased().hasPrefix(begun)
                // No line that is typed can hold these.
                && !name.unicodeScalars.contains { $0.properties.generalCategory == .control }
        }.sorted()
        // What was open in front of a name is closed there.
        let start = String(head) + (ConsoleWords(String(head)).openQuote.map { String($0) } ?? "")
        let words = names.map { name in
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: folder + name, isDirectory: &isFolder)
            return start + ConsoleWords.quoted(name) + (isFolder.boolValue ? "/" : "")
        }
        let common = names.dropFirst().reduce(names.first ?? "") { $0.commonPrefix(with: $1) }
        return LineEditor.Completion(
            replaced: typed.written.count, candidates: words,
            common: words.count == 1 ? words[0] : start + ConsoleWords.quoted(common))
    }

    /// The word that ends a line, as it is written, and what is read of it; both empty behind a space.
    private static func lastWord(
        of line: String
    ) -> (written: Substring.UnicodeScalarView, value: String) {
        // Whatever follows belongs to it.
        let words = ConsoleWords(line + "x")
        let value = String((words.words.last ?? "x").unicodeScalars.dropLast())
        return (line.unicodeScalars.dropFirst(words.lastStart), value)
    }

    private func matches(
        of word: String, among candidates: [String]
    ) -> LineEditor.Completion {
        let folded = word.lowercased()
        // A name that needs quotes is found without them too.
        let fitting = Set(
            candidates.filter { candidate in
                let known = candidate.lowercased()
                return known.hasPrefix(folded)
                    || !folded.isEmpty
                        && known.drop { "\"'`".contains($0) }.hasPrefix(folded)
            })
        return LineEditor.Completion(
            replaced: word.unicodeScalars.count, candidates: fitting.sorted())
    }
}
