import BackupCore

/// The words of a piece of SQL, as the servers' scanners split it without `ANSI_QUOTES`; together they are
/// the text.
///
/// - SeeAlso: <https://dev.mysql.com/doc/refman/9.7/en/language-structure.html>
struct MySQLTokens {
    /// One word, quoted text, comment, run of spaces or sign.
    struct Token {
        enum Kind {
            /// A keyword, a bare name or a number.
            case word
            case quotedIdentifier
            /// In single or in double quotes.
            case string
            case comment
            /// `/*! … */`: words that the server reads, to other eyes a comment.
            case executableComment
            case space
            case sign
        }

        let kind: Kind
        let bytes: [UInt8]

        /// Whether it means anything to the server.
        var isCode: Bool { kind != .comment && kind != .space }

        func isSign(_ sign: Unicode.Scalar) -> Bool {
            kind == .sign && bytes == [UInt8(ascii: sign)]
        }

        /// The name that it is, for names.
        var identifier: String? {
            switch kind {
            case .word: String(decoding: bytes, as: UTF8.self)
            case .quotedIdentifier: unquoted
            default: nil
            }
        }

        /// The name that it is where double quotes may quote names too: in what was made under `ANSI_QUOTES`.
        var name: String? {
            identifier ?? (kind == .string && bytes.first == UInt8(ascii: "\"") ? unquoted : nil)
        }

        /// The word in upper case, for words.
        var keyword: String? {
            kind == .word ? String(decoding: bytes, as: UTF8.self).uppercased() : nil
        }

        /// The text of a string, as `MySQLText.literal` and the servers themselves write it: quotes and backslashes
        /// are doubled, and line ends and zeros may be letters behind a backslash.
        var literal: String? {
            guard kind == .string else { return nil }
            let backslash = UInt8(ascii: "\\")
            var (text, first) = ([UInt8](), UInt8?.none)
            for byte in bytes.dropFirst().dropLast() {
                if let escape = first {
                    text.append(escape == backslash ? Self.controls[byte] ?? byte : byte)
                    first = nil
                } else if byte == bytes[0] || byte == backslash {
                    first = byte
                } else {
                    text.append(byte)
                }
            }
            return String(decoding: text, as: UTF8.self)
        }

        /// What servers write as letters behind a backslash.
        private static let controls: [UInt8: UInt8] = [
            UInt8(ascii: "0"): 0, UInt8(ascii: "n"): 0x0A, UInt8(ascii: "r"): 0x0D,
        ]

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

    init(_ text: String) { self.init(bytes: Array(text.utf8)) }

    /// The same of bytes in a character set that has ASCII's, as all have that statements come in.
    init(bytes: [UInt8]) {
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
        func byte(_ offset: Int) -> UInt8 {
            start + offset < bytes.count ? bytes[start + offset] : 0
        }
        switch (byte(0), byte(1)) {
        case (UInt8(ascii: "'"), _), (UInt8(ascii: "\""), _):
            return (.string, end(of: bytes, from: start, escapes: true))
        case (UInt8(ascii: "`"), _):
            return (.quotedIdentifier, end(of: bytes, from: start, escapes: false))
        case (UInt8(ascii: "#"), _): return (.comment, endOfLine(bytes, start))
        // A minus of a negative number has no space behind it, or it is no comment.
        case (UInt8(ascii: "-"), UInt8(ascii: "-"))
        where byte(2) <= UInt8(ascii: " ") || byte(2) == 0x7F:
            return (.comment, endOfLine(bytes, start))
        case (UInt8(ascii: "/"), UInt8(ascii: "*")):
            let isMariaDBs = byte(2) == UInt8(ascii: "M") && byte(3) == UInt8(ascii: "!")
            let isCode = byte(2) == UInt8(ascii: "!") || isMariaDBs
            return (isCode ? .executableComment : .comment, endOfComment(bytes, start))
        case (let first, _) where isSpace(first):
            return (.space, bytes[start...].firstIndex { !isSpace($0) } ?? bytes.count)
        case (let first, _) where belongsToWord(first):
            return (.word, bytes[start...].firstIndex { !belongsToWord($0) } ?? bytes.count)
        default: return (.sign, start + 1)
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || (9...13).contains(byte)
    }

    private static func belongsToWord(_ byte: UInt8) -> Bool {
        byte >= 0x80 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$")
            || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
            || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
    }

    private static func endOfLine(_ bytes: [UInt8], _ start: Int) -> Int {
        bytes[start...].firstIndex { $0 == 0x0A } ?? bytes.count
    }

    /// Behind the closing quote; a doubled quote is part of the text.
    private static func end(of bytes: [UInt8], from start: Int, escapes: Bool) -> Int {
        let quote = bytes[start]
        var index = start + 1
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

    /// Comments do not nest.
    private static func endOfComment(_ bytes: [UInt8], _ start: Int) -> Int {
        var index = start + 2
        while index + 1 < bytes.count {
            if bytes[index] == UInt8(ascii: "*"), bytes[index + 1] == UInt8(ascii: "/") {
                return index + 2
            }
            index += 1
        }
        return bytes.count + 1
    }
}
