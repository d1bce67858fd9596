import BackupCore

/// A text of SQL as single statements, divided as psql divides it.
///
/// Not at a semicolon inside quotes, comments and parentheses, nor inside the body of a function that is
/// written as `BEGIN ATOMIC … END`.
///
/// - SeeAlso: <https://www.postgresql.org/docs/current/app-psql.html>
struct PostgresStatements {
    /// Each without its semicolon and the space around it.
    private(set) var all: [String] = []
    /// Whether a quote, a comment, a parenthesis or a body has no end.
    let isOpen: Bool

    init(_ text: String) {
        let tokens = SQLTokens(text)
        var depth = PostgresStatementDepth()
        var bytes: [UInt8] = []
        var holdsWords = false
        for token in tokens.tokens {
            if depth.take(token) {
                if holdsWords { all.append(Self.trimmed(bytes)) }
                (bytes, holdsWords) = ([], false)
                continue
            }
            bytes += token.bytes
            if !token.isBlank { holdsWords = true }
        }
        if holdsWords { all.append(Self.trimmed(bytes)) }
        isOpen = tokens.isOpen || depth.isInside
    }

    private static func trimmed(_ bytes: [UInt8]) -> String {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
        let start = bytes.firstIndex { !isSpace($0) } ?? bytes.endIndex
        let end = bytes.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? start
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }
}

/// How deep inside parentheses and bodies a statement is, word by word.
struct PostgresStatementDepth {
    private var words: [String] = []
    private var (parentheses, bodies) = (0, 0)

    /// Whether a semicolon would not be the statement's end.
    var isInside: Bool { parentheses > 0 || bodies > 0 }

    /// Takes the next token; true when it ends the statement.
    mutating func take(_ token: SQLTokens.Token) -> Bool {
        if let keyword = token.keyword {
            if words.count < 4 { words.append(keyword) }
            if parentheses == 0, mayHaveBody {
                switch keyword {
                case "BEGIN": bodies += 1
                case "CASE" where bodies > 0: bodies += 1
                case "END" where bodies > 0: bodies -= 1
                default: break
                }
            }
        }
        switch token.bytes {
        case [UInt8(ascii: "(")]: parentheses += 1
        case [UInt8(ascii: ")")]: parentheses = max(0, parentheses - 1)
        case [UInt8(ascii: ";")] where !isInside:
            self = PostgresStatementDepth()
            return true
        default: break
        }
        return false
    }

    private var mayHaveBody: Bool {
        guard words.first == "CREATE" else { return false }
        let rest =
            words.dropFirst().starts(with: ["OR", "REPLACE"]) ? words.dropFirst(3) : words[1...]
        return ["FUNCTION", "PROCEDURE"].contains(rest.first)
    }
}

/// Whether statements that come line by line are over; what was read once is not read again.
struct PostgresStatementLines: SQLStatementLines {
    private var depth = PostgresStatementDepth()
    /// The quote or comment that has no end yet.
    private var open = ""
    private(set) var endsStatement = false

    var isOpen: Bool { isInsideText || depth.isInside }
    var isInsideText: Bool { !open.isEmpty }

    /// What a line must hold to end the quote or comment.
    private var closing: UInt8? {
        switch open.utf8.first {
        case UInt8(ascii: "e"), UInt8(ascii: "E"): UInt8(ascii: "'")
        case let first: first
        }
    }

    mutating func add(_ line: String) {
        if let closing, !line.utf8.contains(closing) {
            open += "\n\(line)"
            return
        }
        let scan = SQLTokens(open.isEmpty ? line : "\(open)\n\(line)")
        open = scan.isOpen ? String(decoding: scan.tokens.last?.bytes ?? [], as: UTF8.self) : ""
        for token in scan.isOpen ? scan.tokens.dropLast() : scan.tokens[...] {
            let isEnd = depth.take(token)
            if !token.isBlank { endsStatement = isEnd }
        }
        if scan.isOpen { endsStatement = false }
    }
}

extension SQLTokens.Token {
    /// Whether it is space or a comment.
    var isBlank: Bool {
        guard kind == .other else { return false }
        let isSpace = bytes.allSatisfy { $0 == 0x20 || (0x09...0x0D).contains($0) }
        return isSpace || bytes.starts(with: Array("--".utf8))
            || bytes.starts(with: Array("/*".utf8))
    }
}
