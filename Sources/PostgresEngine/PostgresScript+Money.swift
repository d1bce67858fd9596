/// Amounts of money, which look as `lc_monetary` says.
extension PostgresScript {
    /// One that is not written as sessions of a restore read it: `$ 12,30` is 1,230.00 for these.
    ///
    /// Only archives have such that were made before pg_dump was told how to write them.
    var foreignMoney: String? {
        var amount: String?
        for token in SQLTokens(bytes).tokens where !token.isSpace {
            if let text = token.literal {
                amount = text
            } else if token.keyword == "MONEY", let text = amount {
                guard text.wholeMatch(of: #/-?\$[0-9,]+\.[0-9][0-9]/#) != nil else { return text }
                amount = nil
            } else if !token.bytes.allSatisfy({ $0 == UInt8(ascii: ":") }) {
                amount = nil
            }
        }
        return nil
    }
}
