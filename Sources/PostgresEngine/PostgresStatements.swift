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
        var bytes: [UInt8] = []
        var holdsWords = false
        var words: [String] = []
        var (parentheses, bodies) = (0, 0)
        for token in tokens.tokens {
            if let keyword = token.keyword {
                if words.count < 4 { words.append(keyword) }
                if parentheses == 0, Self.mayHaveBody(words) {
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
            case [UInt8(ascii: ";")] where parentheses == 0 && bodies == 0:
                if holdsWords { all.append(Self.trimmed(bytes)) }
                (bytes, holdsWords, words) = ([], false, [])
                continue
            default: break
            }
            bytes += token.bytes
            if !token.isBlank { holdsWords = true }
        }
        if holdsWords { all.append(Self.trimmed(bytes)) }
        isOpen = tokens.isOpen || parentheses > 0 || bodies > 0
    }

    private static func mayHaveBody(_ words: [String]) -> Bool {
        guard words.first == "CREATE" else { return false }
        let rest =
            words.dropFirst().starts(with: ["OR", "REPLACE"]) ? words.dropFirst(3) : words[1...]
        return ["FUNCTION", "PROCEDURE"].contains(rest.first)
    }

    private static func trimmed(_ bytes: [UInt8]) -> String {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
        let start = bytes.firstIndex { !isSpace($0) } ?? bytes.endIndex
        let end = bytes.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? start
        return String(decoding: bytes[start..<end], as: UTF8.self)
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
