/// Amounts of money, which look as `lc_monetary` says.
extension PostgresScript {
    /// One that is not written as sessions of a restore read it: `$ 12,30` is 1,230.00 for these.
    ///
    /// Only archives have such that were made before pg_dump was told how to write them.
    var foreignMoney: String? {
        let tokens = SQLTokens(bytes).tokens.filter { !$0.isSpace }
        var amount: String?
        for (index, token) in tokens.enumerated() {
            if let text = token.literal {
                amount = text
            } else if token.keyword == "MONEY", let text = amount {
                let isArray = tokens[(index + 1)...].first?.bytes == [UInt8(ascii: "[")]
                let amounts = isArray ? Self.elements(ofArray: text) : [text]
                if let foreign = amounts.first(where: Self.isForeign) { return foreign }
                amount = nil
            } else if !token.bytes.allSatisfy({ $0 == UInt8(ascii: ":") }) {
                amount = nil
            }
        }
        return nil
    }

    private static func isForeign(_ amount: String) -> Bool {
        amount.wholeMatch(of: #/-?\$[0-9,]+\.[0-9][0-9]/#) == nil
    }

    /// The elements of an array of any dimensions that are not NULL: `$1.00` and `$2,000.00` of `[0:1]={$1.00,"$2,000.00"}`.
    ///
    /// - SeeAlso: <https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO>
    private static func elements(ofArray text: String) -> [String] {
        var (elements, element): ([String], [UInt8]) = ([], [])
        var (isQuoted, isEscaped, wasQuoted) = (false, false, false)
        // What stands in front says where the dimensions begin.
        for byte in text.utf8.drop(while: { $0 != UInt8(ascii: "{") }) {
            switch byte {
            case _ where isEscaped:
                element.append(byte)
                isEscaped = false
            case UInt8(ascii: "\\"): isEscaped = true
            case UInt8(ascii: "\""):
                isQuoted.toggle()
                wasQuoted = true
            case UInt8(ascii: "{") where !isQuoted: break
            case UInt8(ascii: ",") where !isQuoted, UInt8(ascii: "}") where !isQuoted:
                let word = String(decoding: element, as: UTF8.self)
                // Between two dimensions there is nothing.
                if wasQuoted || !(word.isEmpty || word == "NULL") { elements.append(word) }
                (element, wasQuoted) = ([], false)
            default: element.append(byte)
            }
        }
        return elements
    }
}
