import BackupCore

/// What a file of settings holds: `.env`.
///
/// A line is `NAME=value`, without the space around either; of several with one name the last counts. Comments (`#`) say
/// nothing. Lines may end in CR and LF, and a byte order mark may come first, as some editors write them.
struct SettingsFile {
    /// Each value as it is written, with its quotes.
    private(set) var variables: [String: String] = [:]
    /// The numbers of lines that are left out: neither a name with a value, nor a comment.
    private(set) var strayLines: [Int] = []
    /// The numbers of lines for this program whose value begins with a quote and does not end with it.
    private(set) var openQuotes: [Int] = []
    /// The numbers of the lines for this program that give one name.
    private var lines: [String: [Int]] = [:]
    /// Names that come with another value than before.
    private var contested: Set<String> = []

    /// Names for this program that have different values, in order, and the numbers of their lines.
    var ambiguous: [(name: String, lines: [Int])] {
        contested.sorted().map { ($0, lines[$0] ?? []) }
    }

    init(_ bytes: some Collection<UInt8>) {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let lines = Array(bytes.starts(with: mark) ? bytes.dropFirst(3) : bytes[...])
            .split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() { read(Self.trimmed(line), number: index + 1) }
    }

    private mutating func read(_ line: ArraySlice<UInt8>, number: Int) {
        guard let first = line.first, first != UInt8(ascii: "#") else { return }
        // By bytes: together with an accent or a CR before it, neither sign would be one.
        let equals = line.firstIndex(of: UInt8(ascii: "="))
        let words = line[..<(equals ?? line.startIndex)].split(whereSeparator: Self.isSpace)
            .map { String(decoding: $0, as: UTF8.self) }
        guard let equals, words.count == 1 else {
            // As a shell has them; those of other programs are none of ours.
            let isOthers =
                words.count == 2 && words[0] == "export" && !words[1].hasPrefix(Variable.prefix)
            if !isOthers { strayLines.append(number) }
            return
        }
        let value = Self.trimmed(line[(equals + 1)...])
        let (name, text) = (words[0], String(decoding: value, as: UTF8.self))
        let earlier = variables.updateValue(text, forKey: name)
        guard name.hasPrefix(Variable.prefix) else { return }
        if Self.hasOpenQuote(value) { openQuotes.append(number) }
        lines[name, default: []].append(number)
        if let earlier, !Self.unquoted(earlier).isExactly(Self.unquoted(text)) {
            contested.insert(name)
        }
    }

    /// The value without the quotes around it, which `.env` files often have, as a shell would want them.
    static func unquoted(_ value: String) -> String {
        // A quote under an accent is still a quote.
        let scalars = value.unicodeScalars
        guard scalars.count >= 2, let quote = scalars.first, quote == "\"" || quote == "'",
            scalars.last == quote
        else { return value }
        return String(scalars.dropFirst().dropLast())
    }

    private static func hasOpenQuote(_ value: ArraySlice<UInt8>) -> Bool {
        guard let quote = value.first, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'")
        else { return false }
        return value.count < 2 || value.last != quote
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte)
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let start = bytes.firstIndex { !isSpace($0) } ?? bytes.endIndex
        let end = bytes.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? start
        return bytes[start..<end]
    }
}
