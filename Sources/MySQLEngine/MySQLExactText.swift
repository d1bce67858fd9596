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

    /// `text`: What the server says in UTF-8; `stored`: the same as it is stored, in whatever character sets.
    ///
    /// - Throws: `BackupError.serverRefused` naming `what`, when both are not the same statement.
    static func statement(
        _ text: String, stored: [UInt8], of what: String, isMariaDB: Bool
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
        var before: Int?
        for index in tokens.indices {
            let isLost = String(decoding: pieces[index], as: UTF8.self).unicodeScalars
                .contains("\u{FFFD}")
            let introducer = before.flatMap { place in
                tokens[place].kind == .word && pieces[place].first == UInt8(ascii: "_")
                    ? place : nil
            }
            if tokens[index].kind == .string, pieces[index] != others[index].bytes,
                introducer != nil || isLost
            {
                let literal = " x'".utf8 + hexadecimal(value(of: others[index].bytes)) + "'".utf8
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
            if tokens[index].isCode { before = index }
        }
        return String(decoding: pieces.joined(), as: UTF8.self)
    }

    /// What a literal between quotes means.
    private static func value(of literal: [UInt8]) -> [UInt8] {
        let controls: [UInt8: UInt8] = [
            UInt8(ascii: "0"): 0, UInt8(ascii: "b"): 8, UInt8(ascii: "n"): 10,
            UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9, UInt8(ascii: "Z"): 26,
        ]
        var value: [UInt8] = []
        var rest = literal.dropFirst().dropLast()
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), let next = rest.popFirst() {
                value.append(controls[next] ?? next)
            } else {
                if byte == literal[0] { rest = rest.dropFirst() }
                value.append(byte)
            }
        }
        return value
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }
}
