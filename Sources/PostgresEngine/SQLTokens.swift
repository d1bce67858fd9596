import BackupCore

/// The words of a piece of SQL, as PostgreSQL's scanner splits it; together they are the text.
///
/// - SeeAlso: <https://www.postgresql.org/docs/current/sql-syntax-lexical.html>
struct SQLTokens {
    /// One word, quoted text, comment, space or sign.
    struct Token {
        enum Kind { case word, quotedIdentifier, string, escapeString, other }

        let kind: Kind
        let bytes: [UInt8]

        var isDot: Bool { bytes == [UInt8(ascii: ".")] }
        var isComma: Bool { bytes == [UInt8(ascii: ",")] }
        var isSpace: Bool { kind == .other && bytes.allSatisfy { $0 <= 0x20 } }

        /// The name that it is, for names.
        var identifier: String? {
            switch kind {
            case .word: String(decoding: bytes, as: UTF8.self)
            case .quotedIdentifier: unquoted
            default: nil
            }
        }

        /// The word in upper case, for words.
        var keyword: String? {
            kind == .word ? String(decoding: bytes, as: UTF8.self).uppercased() : nil
        }

        /// The text of a plain string.
        var literal: String? { kind == .string ? unquoted : nil }

        /// What stands between the quotes, where a quote is doubled.
        ///
        /// Byte by byte, because a quote may have a combining character behind it.
        private var unquoted: String {
            var (text, isSecond) = ([UInt8](), false)
            for byte in bytes.dropFirst().dropLast() {
                isSecond = byte == bytes[0] && !isSecond
                if !isSecond { text.append(byte) }
            }
            return String(decoding: text, as: UTF8.self)
        }
    }

    private(set) var tokens: [Token] = []
    /// Whether the last one is quoted text or a comment that has no end.
    private(set) var isOpen = false

    init(_ text: String) { self.init(Array(text.utf8)) }

    /// The same of a text whose encoding nobody knows, but that ASCII is part of it.
    init(_ bytes: [UInt8]) {
        var start = 0
        while start < bytes.count {
            let (kind, end) = Self.token(in: bytes, at: start)
            tokens.append(Token(kind: kind, bytes: Array(bytes[start..<min(end, bytes.count)])))
            start = end
        }
        isOpen = start > bytes.count
    }

    /// The kind of a token and the offset behind it: one past the end of the text where the token has
    /// no end.
    private static func token(in bytes: [UInt8], at start: Int) -> (Token.Kind, Int) {
        let next = start + 1 < bytes.count ? bytes[start + 1] : 0
        switch (bytes[start], next) {
        case (UInt8(ascii: "'"), _): return (.string, end(of: bytes, from: start + 1, at: "'"))
        case (UInt8(ascii: "e"), UInt8(ascii: "'")), (UInt8(ascii: "E"), UInt8(ascii: "'")):
            return (.escapeString, end(of: bytes, from: start + 2, at: "'", escapes: true))
        case (UInt8(ascii: "\""), _):
            return (.quotedIdentifier, end(of: bytes, from: start + 1, at: "\""))
        case (UInt8(ascii: "-"), UInt8(ascii: "-")):
            let rest = bytes[start...].firstIndex { $0 == 0x0A || $0 == 0x0D }
            return (.other, rest ?? bytes.count)
        case (UInt8(ascii: "/"), UInt8(ascii: "*")): return (.other, endOfComment(bytes, start))
        case (UInt8(ascii: "$"), _):
            return (.other, endOfDollarQuote(bytes, start) ?? (start + 1))
        case (let byte, _) where beginsWord(byte):
            let rest = bytes[start...].dropFirst().prefix { continuesWord($0) }
            return (.word, rest.endIndex)
        default: return (.other, start + 1)
        }
    }

    private static func beginsWord(_ byte: UInt8) -> Bool {
        byte >= 0x80 || byte == UInt8(ascii: "_")
            || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
    }

    private static func continuesWord(_ byte: UInt8) -> Bool {
        beginsWord(byte) || byte == UInt8(ascii: "$")
            || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
    }

    /// Behind the closing quote; a doubled quote is part of the text.
    private static func end(
        of bytes: [UInt8], from start: Int, at quote: Unicode.Scalar, escapes: Bool = false
    ) -> Int {
        let quote = UInt8(ascii: quote)
        var index = start
        while index < bytes.count {
            if escapes, bytes[index] == UInt8(ascii: "\\") {
                index += 2
            } else if bytes[index] == quote {
                guard index + 1 < bytes.count, bytes[index + 1] == quote else { return index + 1 }
                index += 2
            } else {
                index += 1
            }
        }
        return bytes.count + 1
    }

    private static func endOfComment(_ bytes: [UInt8], _ start: Int) -> Int {
        var (index, depth) = (start, 0)
        while index + 1 < bytes.count {
            let pair = (bytes[index], bytes[index + 1])
            if pair == (UInt8(ascii: "/"), UInt8(ascii: "*")) {
                (depth, index) = (depth + 1, index + 2)
            } else if pair == (UInt8(ascii: "*"), UInt8(ascii: "/")) {
                (depth, index) = (depth - 1, index + 2)
                if depth == 0 { return index }
            } else {
                index += 1
            }
        }
        return bytes.count + 1
    }

    /// Nil when no dollar quote begins here.
    private static func endOfDollarQuote(_ bytes: [UInt8], _ start: Int) -> Int? {
        let name = bytes[(start + 1)...].prefix { continuesWord($0) && $0 != UInt8(ascii: "$") }
        let close = name.endIndex
        guard close < bytes.count, bytes[close] == UInt8(ascii: "$"),
            name.first.map(beginsWord) ?? true
        else { return nil }
        let tag = Array(bytes[start...close])
        var index = close + 1
        while index + tag.count <= bytes.count {
            if bytes[index] == UInt8(ascii: "$"),
                bytes[index..<(index + tag.count)].elementsEqual(tag)
            {
                return index + tag.count
            }
            index += 1
        }
        return bytes.count + 1
    }
}
