import BackupCore

/// A text of SQL as single statements, divided as the servers' own client divides it: at semicolons outside of
/// quotes, comments and bodies.
///
/// `DELIMITER` is understood as well, and need not be used: `BEGIN … END` is known to belong together.
///
/// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/stored-programs-defining.html>
struct MySQLStatements {
    /// Each without what ends it and the space around it.
    private(set) var all: [String] = []
    /// Whether a quote, a comment or a body has no end.
    let isOpen: Bool

    init(_ text: String) {
        let tokens = MySQLTokens(text)
        var reader = MySQLStatementReader()
        for token in tokens.tokens {
            if let statement = reader.take(token) { all.append(statement) }
        }
        isOpen = tokens.isOpen || reader.isInside
        if let rest = reader.rest { all.append(rest) }
    }
}

/// Takes the words of statements one by one, and tells when one is over.
struct MySQLStatementReader {
    private var delimiter = Array(";".utf8)
    private var current: [MySQLTokens.Token] = []
    /// The words that mean something so far, in upper case.
    private var words: [String] = []
    /// How many bodies and compound statements are open.
    private var depth = 0

    /// Whether a semicolon would not be the statement's end.
    var isInside: Bool { depth > 0 }

    /// What has no end.
    var rest: String? {
        let text = Self.trimmed(current)
        return holdsWords && !isDelimiter ? text : nil
    }

    private var holdsWords: Bool { current.contains(where: \.isCode) }
    private var isDelimiter: Bool { words.first == "DELIMITER" }

    /// The statement that this word ends.
    mutating func take(_ token: MySQLTokens.Token) -> String? {
        if isDelimiter {
            // It ends with its line.
            if token.kind == .space, token.bytes.contains(0x0A) {
                let sign = current.drop { $0.keyword != "DELIMITER" }.dropFirst()
                    .flatMap(\.bytes).filter { $0 > 0x20 }
                if !sign.isEmpty { delimiter = sign }
                (current, words, depth) = ([], [], 0)
            } else {
                current.append(token)
            }
            return nil
        }
        current.append(token)
        if let keyword = token.keyword { count(keyword) }
        guard token.kind == .sign || delimiter != [UInt8(ascii: ";")] else { return nil }
        let isPlain = delimiter == [UInt8(ascii: ";")]
        guard isPlain ? token.isSign(";") && depth == 0 : endsWithDelimiter else { return nil }
        let length = isPlain ? 1 : delimiter.count
        var bytes = current.flatMap(\.bytes)
        bytes.removeLast(length)
        let holds = MySQLTokens(String(decoding: bytes, as: UTF8.self)).tokens.contains(
            where: \.isCode)
        (current, words, depth) = ([], [], 0)
        return holds ? Self.trimmed(bytes) : nil
    }

    private var endsWithDelimiter: Bool {
        current.suffix(delimiter.count).flatMap(\.bytes).suffix(delimiter.count) == delimiter[...]
    }

    private mutating func count(_ keyword: String) {
        defer { words.append(keyword) }
        guard mayHaveBody else { return }
        switch keyword {
        case "BEGIN", "CASE", "LOOP", "REPEAT", "WHILE", "FOR":
            if words.last == "END" { return }
            // The FOR of FOR EACH ROW, of a handler and of a cursor begins nothing that has an end.
            if keyword == "FOR", !isLoop { return }
            depth += 1
        case "IF":
            // IF EXISTS and the function IF( are no statements; END IF ends one.
            if words.last == "END" || !beginsStatement { return }
            depth += 1
        case "END": depth = max(0, depth - 1)
        default: break
        }
    }

    /// Whether the last word stands where a statement of a body begins.
    private var beginsStatement: Bool {
        let before = current.dropLast().last(where: \.isCode)
        guard let before else { return false }
        return before.isSign(";") || before.isSign(":")
            || ["BEGIN", "THEN", "ELSE", "DO", "LOOP", "REPEAT", "ROW"].contains(
                before.keyword ?? "")
            || depth == 0 && before.isSign(")")
    }

    private var isLoop: Bool { depth > 0 && beginsStatement }

    private var mayHaveBody: Bool {
        if words.first == "BEGIN" { return words.count > 1 && words[1] == "NOT" }
        guard words.first == "CREATE" || words.first == "ALTER" else { return false }
        let kinds = ["PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"]
        return words.contains { kinds.contains($0) }
    }

    private static func trimmed(_ tokens: [MySQLTokens.Token]) -> String {
        trimmed(tokens.flatMap(\.bytes))
    }

    private static func trimmed(_ bytes: [UInt8]) -> String {
        let start = bytes.firstIndex { $0 > 0x20 } ?? bytes.endIndex
        let end = bytes.lastIndex { $0 > 0x20 }.map { $0 + 1 } ?? start
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }
}

/// Whether statements that come line by line are over.
struct MySQLStatementLines: SQLStatementLines {
    private var reader = MySQLStatementReader()
    /// The quote or comment that has no end yet.
    private var open = ""
    private(set) var endsStatement = false

    var isOpen: Bool { isInsideText || reader.isInside }
    var isInsideText: Bool { !open.isEmpty }

    /// What a line must hold to end the quote or comment: it ends with what it began with.
    private var closing: UInt8? { open.utf8.first }

    mutating func add(_ line: String) {
        if let closing, !line.utf8.contains(closing) {
            open += "\n\(line)"
            return
        }
        let scan = MySQLTokens(open.isEmpty ? "\(line)\n" : "\(open)\n\(line)\n")
        open = scan.isOpen ? String(decoding: scan.tokens.last?.bytes ?? [], as: UTF8.self) : ""
        for token in scan.isOpen ? scan.tokens.dropLast() : scan.tokens[...] {
            let isEnd = reader.take(token) != nil
            if token.isCode { endsStatement = isEnd }
        }
        if scan.isOpen { endsStatement = false }
    }
}
