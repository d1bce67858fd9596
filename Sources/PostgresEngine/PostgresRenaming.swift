import BackupCore

/// Gives one table of an archive another name, and all that has its name from it: indexes,
/// constraints that are indexes, sequences, statistics.
///
/// The SQL of an archive names tables with their schemas, because it is written for an empty
/// search path; that is what makes this exact.
struct PostgresRenaming: Sendable {
    private let from: TableName
    private(set) var names: [TableName: TableName]
    /// Names that stand without a schema: of indexes that are made, of constraints.
    private var bareNames: [ExactText: String] = [:]

    /// `isTaken`: Whether a name exists in the target already.
    init(
        _ from: TableName, to: TableName, entries: [PostgresArchive.Entry],
        names archiveNames: PostgresArchiveNames, isTaken: (TableName) -> Bool
    ) {
        self.from = from
        names = [from: to]
        var used: Set<TableName> = [to]
        func free(_ old: String) -> TableName {
            let rest =
                old.startsExactly(with: from.name)
                ? String(decoding: old.utf8.dropFirst(from.name.utf8.count), as: UTF8.self)
                : "_\(old)"
            var number = 0
            while true {
                let ending = rest + (number == 0 ? "" : "\(number)")
                let name = TableName(schema: to.schema, name: Self.shortened(to.name, ending))
                if !isTaken(name), used.insert(name).inserted { return name }
                number += 1
            }
        }
        for entry in entries {
            let isIndex = entry.isRelation && entry.isA("INDEX")
            if isIndex || (entry.isRelation && entry.isA("SEQUENCE")) || entry.kind == "STATISTICS"
            {
                let old = archiveNames.table(entry)
                names[old] = free(old.name)
                if isIndex { bareNames[ExactText(old.name)] = names[old]?.name }
            } else if entry.kind == "CONSTRAINT" {
                // Its name is that of the table and its own.
                let words = archiveNames.table(entry).name.utf8
                let old = String(
                    decoding: words.dropFirst(from.name.utf8.count + 1), as: UTF8.self)
                let new = free(old)
                names[TableName(schema: from.schema, name: old)] = new
                bareNames[ExactText(old)] = new.name
            }
        }
    }

    /// Names have at most 63 bytes.
    private static func shortened(_ name: String, _ ending: String) -> String {
        var start = name.unicodeScalars
        while start.count > 1, String(start).utf8.count + ending.utf8.count > 63 {
            start.removeLast()
        }
        var whole = (String(start) + ending).unicodeScalars
        while String(whole).utf8.count > 63 { whole.removeLast() }
        return String(whole)
    }

    // MARK: Applying it

    /// The script with the new names.
    func applied(to script: PostgresScript) -> PostgresScript {
        let tokens = SQLTokens(script.bytes).tokens
        var bytes: [UInt8] = []
        var statement = Statement()
        var index = 0
        while index < tokens.count {
            statement.read(tokens, at: index, table: from)
            if let new = qualifiedName(tokens, at: index) {
                bytes += SQLText.qualified(new).utf8
                index += 3
                continue
            }
            bytes +=
                replacement(tokens, at: index) ?? wholeRow(tokens, at: index, in: statement)
                ?? tokens[index].bytes
            index += 1
        }
        return PostgresScript(bytes: bytes)
    }

    /// What the statement under way is about.
    private struct Statement {
        private var words: [String] = []
        private var isOfTable: Bool?

        /// Whether it makes or changes the table, or makes an index of it.
        var isOfTheTable: Bool {
            isOfTable == true && ["CREATE", "ALTER"].contains(words.first ?? "")
                && ["TABLE", "UNLOGGED", "INDEX", "UNIQUE"].contains(words.last ?? "")
        }

        /// The first name with a schema is that of the table: an index has none.
        mutating func read(_ tokens: [SQLTokens.Token], at index: Int, table: TableName) {
            if tokens[index].bytes == [UInt8(ascii: ";")] { self = Statement() }
            if let word = tokens[index].keyword, words.count < 2 { words.append(word) }
            guard isOfTable == nil, index + 2 < tokens.count, tokens[index + 1].isDot,
                let schema = tokens[index].identifier, let name = tokens[index + 2].identifier
            else { return }
            isOfTable = TableName(schema: schema, name: name) == table
        }
    }

    /// `users.*` is a row of the table as a value, without its schema: in checks and indexes.
    ///
    /// There are no other tables in these.
    private func wholeRow(
        _ tokens: [SQLTokens.Token], at index: Int, in statement: Statement
    ) -> [UInt8]? {
        guard statement.isOfTheTable, let new = names[from], index + 2 < tokens.count,
            tokens[index].identifier?.isExactly(from.name) == true, tokens[index + 1].isDot,
            tokens[index + 2].bytes == [UInt8(ascii: "*")]
        else { return nil }
        // `OPERATOR(users.*)` multiplies, in the manner of a schema.
        let isOperator = tokens[..<index].suffix(2).first?.keyword == "OPERATOR"
        return isOperator ? nil : Array(SQLText.identifier(new.name).utf8)
    }

    private func qualifiedName(_ tokens: [SQLTokens.Token], at index: Int) -> TableName? {
        guard index + 2 < tokens.count, tokens[index + 1].isDot,
            let schema = tokens[index].identifier, let name = tokens[index + 2].identifier
        else { return nil }
        return names[TableName(schema: schema, name: name)]
    }

    private func replacement(_ tokens: [SQLTokens.Token], at index: Int) -> [UInt8]? {
        let token = tokens[index]
        if let name = token.identifier, let new = bareNames[ExactText(name)],
            Self.makesName(tokens[..<index])
        {
            return Array(SQLText.identifier(new).utf8)
        }
        guard let literal = token.literal, Self.isRegclass(tokens[(index + 1)...]),
            let pattern = try? TablePattern(literal), let parts = pattern.literal,
            let schema = parts.schema, let new = names[TableName(schema: schema, name: parts.name)]
        else { return nil }
        return Array(SQLText.literal(SQLText.qualified(new)).utf8)
    }

    /// After `CREATE INDEX`, `USING INDEX`, `ADD CONSTRAINT`, `CLUSTER ON`.
    private static func makesName(_ before: ArraySlice<SQLTokens.Token>) -> Bool {
        let words = before.suffix(5).compactMap(\.keyword).suffix(2)
        return switch words.last {
        case "INDEX", "CONSTRAINT": true
        case "ON": words.first == "CLUSTER"
        default: false
        }
    }

    private static func isRegclass(_ after: ArraySlice<SQLTokens.Token>) -> Bool {
        let next = after.prefix(3).map { String(decoding: $0.bytes, as: UTF8.self) }
        return next.joined().lowercased() == "::regclass"
    }
}
