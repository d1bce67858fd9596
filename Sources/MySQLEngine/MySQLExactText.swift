import BackupCore

/// Statements whose literals are bytes of any character set, as text in UTF-8.
///
/// In the server's own text in UTF-8 such bytes are question marks or worse: they are taken from the statement as it is
/// stored, and written in hexadecimal.
enum MySQLExactText {
    /// Whether a text may hold such a literal.
    static func isDoubtful(_ text: String) -> Bool {
        text.utf8.contains { $0 >= 0x80 || $0 == UInt8(ascii: "?") }
    }

    /// `text`: What the server says in UTF-8; `stored`: the same as it is stored, in whatever character sets; `escapes`:
    ///   Whether a backslash in a literal means something.
    ///
    /// - Throws: `BackupError.serverRefused` naming `what`, when both are not the same statement.
    static func statement(
        _ text: String, stored: [UInt8], of what: String, isMariaDB: Bool, escapes: Bool
    ) throws -> String {
        guard !text.utf8.elementsEqual(stored) else { return text }
        let (tokens, others) = (MySQLTokens(text).tokens, MySQLTokens(bytes: stored).tokens)
        guard tokens.map(\.kind) == others.map(\.kind) else {
            guard !text.unicodeScalars.contains("\u{FFFD}") else {
                throw BackupError(
                    .serverRefused, "what the server says of \(what) holds bytes that are no text")
            }
            return text
        }
        var pieces = tokens.map(\.bytes)
        let code = tokens.indices.filter { tokens[$0].isCode }
        for (place, index) in code.enumerated() {
            let before = place > 0 ? code[place - 1] : nil
            let isLost = String(decoding: pieces[index], as: UTF8.self).unicodeScalars
                .contains("\u{FFFD}")
            // The grammar takes no other literal there, and a comment changes nothing.
            let isComment = before.map { tokens[$0].keyword == "COMMENT" } ?? false
            let isName =
                place > 1 && [".", "@"].contains { tokens[code[place - 2]].isSign($0) }
            let introducer = before.flatMap { before -> Int? in
                let word = String(decoding: pieces[before], as: UTF8.self).lowercased()
                return word.hasPrefix("_") && characterSets.contains(String(word.dropFirst()))
                    && !isName ? before : nil
            }
            if tokens[index].kind == .string, pieces[index] != others[index].bytes,
                introducer != nil || isLost && !isComment
            {
                let bytes = value(of: others[index].bytes, escapes: escapes)
                let literal = " x'".utf8 + hexadecimal(bytes) + "'".utf8
                pieces[index] = Array(literal)
                if isMariaDB, let introducer {
                    // Behind an introducer MariaDB takes hexadecimal for a text in some places.
                    let set = pieces[introducer].dropFirst()
                    pieces[introducer] = []
                    if set != Array("binary".utf8)[...] {
                        pieces[index] = " CONVERT(".utf8 + literal + " USING ".utf8 + set + ")".utf8
                    }
                }
            }
        }
        return String(decoding: pieces.joined(), as: UTF8.self)
    }

    /// All that the products know: what else begins with an underscore is a name.
    private static let characterSets: Set<String> = Set(
        """
        armscii8 ascii big5 binary cp1250 cp1251 cp1256 cp1257 cp850 cp852 cp866 cp932 dec8 eucjpms euckr gb18030 gb2312 gbk \
        geostd8 greek hebrew hp8 keybcs2 koi8r koi8u latin1 latin2 latin5 latin7 macce macroman sjis swe7 tis620 ucs2 ujis utf16 \
        utf16le utf32 utf8 utf8mb3 utf8mb4
        """.split(separator: " ").map(String.init))

    /// What a literal between quotes means.
    private static func value(of literal: [UInt8], escapes: Bool) -> [UInt8] {
        let controls: [UInt8: UInt8] = [
            UInt8(ascii: "0"): 0, UInt8(ascii: "b"): 8, UInt8(ascii: "n"): 10,
            UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9, UInt8(ascii: "Z"): 26,
        ]
        var value: [UInt8] = []
        var rest = literal.dropFirst().dropLast()
        while let byte = rest.popFirst() {
            if escapes, byte == UInt8(ascii: "\\"), let next = rest.popFirst() {
                // Before the signs of patterns it stays.
                if next == UInt8(ascii: "%") || next == UInt8(ascii: "_") { value.append(byte) }
                value.append(controls[next] ?? next)
            } else {
                if byte == literal[0] { rest = rest.dropFirst() }
                value.append(byte)
            }
        }
        return value
    }

    /// Two digits a byte.
    static func hexadecimal(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }
}
