import BackupCore

/// What a statement of pg_restore makes, for people, as far as its first words tell.
struct PostgresStatement: Sendable, Equatable {
    /// `public.orders_person`, `orders_pkey of public.orders`.
    let name: String
    /// What takes its time: `building`, `checking rows`.
    let activity: String

    private struct Reader {
        var words: ArraySlice<SQLTokens.Token>

        init(_ text: String) {
            // What makes a thing long is behind its name: an index's expressions, for example.
            let beginning = String(text.prefix(1200))
            words =
                SQLTokens(beginning).tokens.filter { token in
                    !token.bytes.allSatisfy { $0 <= 0x20 } && !token.bytes.starts(with: "--".utf8)
                }[...]
        }

        /// Skips keywords when they come next; whether all of them did.
        mutating func skip(_ keywords: String...) -> Bool {
            guard words.count >= keywords.count,
                zip(words, keywords).allSatisfy({ $0.keyword == $1 })
            else { return false }
            words = words.dropFirst(keywords.count)
            return true
        }

        mutating func identifier() -> String? {
            guard let name = words.first?.identifier else { return nil }
            words = words.dropFirst()
            return name
        }

        mutating func table() -> TableName? {
            guard let schema = identifier(), words.first?.isDot ?? false else { return nil }
            words = words.dropFirst()
            return identifier().map { TableName(schema: schema, name: $0) }
        }
    }

    /// Nil for what is made in no time, and for what pg_restore does not write.
    init?(_ sql: String) {
        var reader = Reader(sql)
        guard let found = Self.index(&reader) ?? Self.alteration(&reader) else { return nil }
        (name, activity) = found
    }

    private static func index(_ reader: inout Reader) -> (String, String)? {
        guard reader.skip("CREATE", "INDEX") || reader.skip("CREATE", "UNIQUE", "INDEX"),
            let name = reader.identifier(), reader.skip("ON")
        else { return nil }
        _ = reader.skip("ONLY")
        return reader.table().map { ("\(TableName(schema: $0.schema, name: name))", "building") }
    }

    private static func alteration(_ reader: inout Reader) -> (String, String)? {
        if reader.skip("ALTER", "INDEX") {
            return reader.table().map { ("\($0)", "attaching") }
        }
        guard reader.skip("ALTER", "TABLE") else { return nil }
        _ = reader.skip("ONLY")
        guard let table = reader.table() else { return nil }
        if reader.skip("ATTACH", "PARTITION") {
            return ("\(reader.table() ?? table)", "attaching")
        }
        guard reader.skip("ADD", "CONSTRAINT"), let name = reader.identifier() else { return nil }
        let isCheck = reader.skip("FOREIGN") || reader.skip("CHECK")
        return ("\(name) of \(table)", isCheck ? "checking rows" : "building")
    }
}
