import BackupCore

/// What newer programs write of sequences, for servers that are too old for it.
extension PostgresScript {
    /// The first version that has sequences which are not logged: before, none says whether it is.
    static let majorOfUnloggedSequences = 15

    /// The same without words that say whether a sequence is logged.
    ///
    /// pg_dump 18 writes them in a line of their own where an identity is of another kind than its table, as all of older
    /// servers are whose tables are not logged; and `CREATE UNLOGGED SEQUENCE` of a newer server's.
    var withoutLoggingOfSequences: PostgresScript {
        var (kept, words): ([UInt8], [String]) = ([], [])
        var rest = SQLTokens(bytes).tokens[...]
        while let token = rest.first {
            rest = rest.dropFirst()
            let isAlone = token.kind == .word && Self.isAlone(behind: kept, before: rest)
            if Self.saysLogging(token, behind: words, before: rest, isAlone: isAlone) {
                // With the space around it.
                if isAlone { kept.removeLast(Self.indentation.count) }
                rest = rest.dropFirst()
                continue
            }
            kept += token.bytes
            if token.bytes == [UInt8(ascii: ";")] { words = [] }
            if let word = token.keyword { words.append(word) }
        }
        return PostgresScript(bytes: kept)
    }

    private static let indentation = Array("    ".utf8)

    /// Whether a token has a line for itself: no name has, which stands behind other words, or in quotes.
    private static func isAlone(
        behind text: [UInt8], before rest: ArraySlice<SQLTokens.Token>
    ) -> Bool {
        let newline = [UInt8(ascii: "\n")]
        return rest.first?.bytes == newline
            && text.suffix(indentation.count + 1).elementsEqual(newline + indentation)
    }

    private static func saysLogging(
        _ token: SQLTokens.Token, behind words: [String],
        before rest: ArraySlice<SQLTokens.Token>, isAlone: Bool
    ) -> Bool {
        switch token.keyword {
        case "UNLOGGED" where words == ["CREATE"]:
            return rest.drop { $0.isSpace }.first?.keyword == "SEQUENCE"
        case "LOGGED", "UNLOGGED":
            return isAlone && words.starts(with: ["ALTER", "TABLE"])
                && zip(words, words.dropFirst()).contains { $0 == ("SEQUENCE", "NAME") }
        default: return false
        }
    }
}
