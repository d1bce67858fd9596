import BackupCore

/// How the rows of a result are written down.
enum RowFormat: String, CaseIterable {
    case table
    case csv
    case json
    case jsonl
}

/// SQL, and the flags at its end that belong to the console.
struct SQLOptions {
    var text: String
    var extracts = false
    var path: String?
    var format: RowFormat?

    init(text: String) { self.text = text }

    /// Takes the flags off the end: the longest end of the line that is nothing but flags.
    ///
    /// `starts`: The offsets, in UTF-8, at which something begins that is not inside a quote.
    /// - Throws: `BackupError.usage` for a format that there is not.
    init(line: String, starts: [Int]) throws {
        text = line
        let bytes = Array(line.utf8)
        for start in starts where start < bytes.count && bytes[start] == UInt8(ascii: "-") {
            let isFirst = start == 0 || bytes[start - 1] == 0x20 || bytes[start - 1] == 0x09
            guard isFirst, Self.beginsWithFlag(bytes[start...]) else { continue }
            // The semicolon behind them is the statement's.
            let flagBytes = bytes[start...].reversed().drop {
                $0 <= 0x20 || $0 == UInt8(ascii: ";")
            }
            let end = ConsoleWords(String(decoding: flagBytes.reversed(), as: UTF8.self))
            guard !end.isOpen, let flags = try Self.flags(end.words) else { continue }
            self = flags
            text = String(decoding: bytes[..<start], as: UTF8.self)
            return
        }
    }

    /// - Throws: `BackupError.usage` for flags that make no sense together.
    func check() throws {
        if path != nil, !extracts {
            throw BackupError(.usage, "-path is where -extract writes", hint: "Add -extract.")
        }
        if path == "" { throw BackupError(.usage, "-path names no folder") }
        if extracts, format == .table {
            throw BackupError(.usage, "-extract writes csv, json or jsonl, not tables")
        }
    }

    /// Whether the first word is a flag: a statement may hold many thousands of negative numbers, and is not split
    /// into words behind each.
    private static func beginsWithFlag(_ bytes: ArraySlice<UInt8>) -> Bool {
        let word = bytes.prefix { $0 > 0x20 && $0 != UInt8(ascii: ";") }
        let words = ConsoleWords(String(decoding: word.prefix(80), as: UTF8.self)).words
        return words.first.map { ["extract", "path", "format"].contains(name(of: $0)) } ?? false
    }

    private static func name(of flag: String) -> Substring {
        flag.hasPrefix("--") ? flag.dropFirst(2) : flag.dropFirst(1)
    }

    /// Nil when one of the words is no flag and no flag's value.
    private static func flags(_ words: [String]) throws -> SQLOptions? {
        var options = SQLOptions(text: "")
        var rest = words[...]
        while let word = rest.popFirst() {
            switch name(of: word) {
            case "extract": options.extracts = true
            case "path":
                guard let path = rest.popFirst() else { return nil }
                options.path = path
            case "format":
                guard let format = rest.popFirst() else { return nil }
                guard let known = RowFormat(rawValue: format.lowercased()) else {
                    throw BackupError(
                        .usage, "there is no format \(format)",
                        hint: "-format takes table, csv, json or jsonl.")
                }
                options.format = known
            default: return nil
            }
        }
        // Behind a minus sign these may be columns.
        guard options.extracts || options.format != nil else { return nil }
        try options.check()
        return options
    }
}
