/// What had been asked for when a restore began, as the mark in its target says it.
///
/// Only what has the same words is the same restore. Marks of older versions go on, and so the words stay what they are.
public struct RestoreWords: Sendable {
    /// As the mark holds them.
    public let text: String

    /// The words of a mark.
    public init(_ text: String) {
        self.text = text
    }

    /// The words of a request; `own` are those of the engine's own options.
    public init(of request: TargetRequest, _ own: [String]) {
        let tables = request.patterns.map(\.text).sorted().joined(separator: " ")
        let shared = [
            request.content.rawValue, "create=\(request.creates)", "tables=\(tables)",
            "as=\(request.newName?.text ?? "")",
            "existing=\(request.existing?.rawValue ?? "")", "clean=\(request.drops)",
            "no-owner=\(request.omitsOwners)",
        ]
        text = (shared + own).joined(separator: " ")
    }

    /// What a person types into a shell to ask for the same again.
    ///
    /// Words that cannot be told apart come as they are.
    public func command(of backup: String, into database: String) -> String {
        let command = ["dbtool", "restore", backup, "--into", database].map(GuideText.word)
        let options = arguments.map { $0.map(GuideText.word) } ?? ["(\(text))"]
        return (command + options).joined(separator: " ")
    }

    // MARK: Reading

    private static let contents: [String: [String]] = [
        RestoreContent.everything.rawValue: [],
        RestoreContent.structure.rawValue: ["--schema-only"],
        RestoreContent.rows.rawValue: ["--data-only"],
    ]

    private static let existing: [String: [String]] = [
        " existing=": [],
        " existing=fail": ["--existing", ExistingTables.fail.rawValue],
        " existing=truncate": ["--existing", ExistingTables.truncate.rawValue],
        " existing=append": ["--existing", ExistingTables.append.rawValue],
    ]

    private static func flag(_ name: String) -> [String: [String]] {
        [" \(name)=true": ["--\(name)"], " \(name)=false": []]
    }

    /// The same as options of `restore`, each word for itself; nil where a name holds what parts the words, or where
    /// they are none of these.
    var arguments: [String]? {
        var rest = Rest(text)
        guard let content = rest.takeFirst(Self.contents),
            let creates = rest.takeFirst(Self.flag("create")),
            rest.takeFirst([" tables=": []]) != nil,
            let own = Self.own(&rest),
            let owners = rest.takeLast(Self.flag("no-owner")),
            let drops = rest.takeLast(Self.flag("clean")),
            let existing = rest.takeLast(Self.existing),
            let newName = rest.takeAll(behind: " as="),
            let patterns = Self.patterns(rest.text)
        else { return nil }
        guard newName.isEmpty || Self.isPattern(newName) else { return nil }
        let tables = patterns.flatMap { ["-tablename", $0] }
        let name = newName.isEmpty ? [] : ["--as", newName]
        return [creates, tables, name, existing, drops, content, owners, own].flatMap { $0 }
    }

    /// What one engine alone is asked for stands at the end.
    private static func own(_ rest: inout Rest) -> [String]? {
        if let definer = rest.takeAll(behind: " definer=") {
            return definer.isEmpty ? [] : ["--definer", definer]
        }
        let tablespaces = rest.takeLast([" no-tablespaces": ["--no-tablespaces"]]) ?? []
        return rest.takeLast(flag("no-privileges")).map { $0 + tablespaces }
    }

    /// Patterns with blanks between them, which a pattern may hold as well: in quotes, or without.
    ///
    /// They stand in order, and what would not is the rest of the one before. Other blanks without quotes are taken for
    /// those between patterns.
    private static func patterns(_ text: String) -> [String]? {
        guard !text.isEmpty else { return [] }
        var isQuoted = false
        let parts = text.utf8.split(omittingEmptySubsequences: false) { byte in
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            return byte == UInt8(ascii: " ") && !isQuoted
        }
        var patterns: [String] = []
        for part in parts.map({ String(decoding: $0, as: UTF8.self) }) {
            let isRest = patterns.last.map { $0.isEmpty || part.isEmpty || part < $0 } ?? false
            if isRest {
                patterns[patterns.count - 1] += " \(part)"
            } else {
                patterns.append(part)
            }
        }
        return patterns.allSatisfy(isPattern) ? patterns : nil
    }

    private static func isPattern(_ text: String) -> Bool {
        // Why it is none does not matter: nobody has typed it.
        (try? TablePattern(text)) != nil
    }

    /// Words of which those that are known are taken away from both ends.
    private struct Rest {
        private var bytes: ArraySlice<UInt8>

        init(_ text: String) {
            bytes = Array(text.utf8)[...]
        }

        var text: String { String(decoding: bytes, as: UTF8.self) }

        /// Takes the one of these words that stands in front.
        mutating func takeFirst(_ meanings: [String: [String]]) -> [String]? {
            for (word, options) in meanings where bytes.starts(with: word.utf8) {
                bytes = bytes.dropFirst(word.utf8.count)
                return options
            }
            return nil
        }

        /// Takes the one of these words that stands at the end.
        mutating func takeLast(_ meanings: [String: [String]]) -> [String]? {
            for (word, options) in meanings
            where bytes.suffix(word.utf8.count).elementsEqual(word.utf8) {
                bytes = bytes.dropLast(word.utf8.count)
                return options
            }
            return nil
        }

        /// Takes all that stands behind a word, and the word; nil unless it is there once.
        ///
        /// In quotes it belongs to a name.
        mutating func takeAll(behind word: String) -> String? {
            let word = Array(word.utf8)
            var isQuoted = false
            var places: [Int] = []
            for place in bytes.indices {
                if bytes[place] == UInt8(ascii: "\"") { isQuoted.toggle() }
                if !isQuoted, bytes[place...].starts(with: word) { places.append(place) }
            }
            guard places.count == 1, let place = places.first else { return nil }
            let end = bytes[(place + word.count)...]
            bytes = bytes[..<place]
            return String(decoding: end, as: UTF8.self)
        }
    }
}
