import BackupCore

/// A `CREATE TABLE` statement as the server prints it, in its parts: what must be there before rows, and
/// what is made faster, or can only be made, after them.
struct MySQLTableStatement {
    /// Something that is added to a table once its rows are there.
    struct Addition: Sendable, Hashable {
        let name: String
        /// Behind `ALTER TABLE … ADD`.
        let definition: String
    }

    /// A foreign key in its parts.
    struct ForeignKey: Sendable, Hashable {
        let name: String
        let columns: [String]
        let referenced: TableName
        let referencedColumns: [String]
        /// Behind `ALTER TABLE … ADD`.
        let definition: String
    }

    let name: String
    /// Indexes that no rows need while they are loaded, in their order; those on words apart, because the
    /// server makes them one by one.
    let indexes: [Addition]
    let wordIndexes: [Addition]
    let foreignKeys: [ForeignKey]
    /// The names of its conditions; those that MariaDB prints with their column have none.
    let checks: [String]
    /// Whether its rows obey transactions.
    let isTransactional: Bool
    let hasPrimaryKey: Bool
    /// Whether one of its columns counts.
    let counts: Bool
    /// Whether it takes rows in the order of its key only: ARCHIVE calls a counted number that is not above all others a
    /// duplicate.
    let takesRowsInOrder: Bool
    /// Whether a `TIMESTAMP` that may not be null has no default: older servers would give it one.
    let hasBareTimestamp: Bool
    let computation: MySQLComputation

    private let head: [MySQLTokens.Token]
    private let nameToken: Int
    private let kept: [[MySQLTokens.Token]]
    private let tail: [MySQLTokens.Token]

    /// `database`: The schema of names without one.
    /// - Throws: `BackupError.damaged` for what no server would print.
    init(_ statement: String, database: String) throws {
        let tokens = MySQLTokens(statement).tokens
        let damage = BackupError(
            .damaged, "schema.sql holds a table that is not understood: \(statement.prefix(60))")
        guard let opening = tokens.firstIndex(where: { $0.isSign("(") }),
            let nameToken = tokens[..<opening].lastIndex(where: { $0.identifier != nil }),
            let name = tokens[nameToken].identifier,
            let (items, closing) = Self.items(of: tokens, from: opening + 1)
        else { throw damage }
        self.name = name
        let computation = MySQLComputation(statement)
        self.computation = computation
        self.nameToken = nameToken
        head = Array(tokens[...opening])
        tail = Array(tokens[closing...])
        let storage = Self.engine(in: tail)
        isTransactional = storage == "INNODB"
        let parts = items.map { Item($0, database: database) }
        checks = parts.filter { $0.kind == .check }.map(\.name)
        hasPrimaryKey = parts.contains { $0.kind == .primary }
        let counting = parts.first { $0.counts }?.name
        counts = counting != nil
        let isCountedKey = parts.contains { part in
            (part.kind == .primary || part.kind == .index && part.isUnique)
                && part.columns.first.map(ExactText.init) == counting.map(ExactText.init)
        }
        takesRowsInOrder = counting != nil && isCountedKey && storage == "ARCHIVE"
        hasBareTimestamp = parts.contains { $0.isBareTimestamp }
        let needed = Self.needed(parts, computation)
        var (kept, indexes, words, keys): ([[MySQLTokens.Token]], [Addition], [Addition], _) =
            ([], [], [], [ForeignKey]())
        for (index, part) in parts.enumerated() {
            switch part.kind {
            case .foreignKey(let key): keys.append(key)
            case .index where isTransactional && !needed.contains(index):
                let addition = Addition(name: part.name, definition: part.text)
                if part.isOfWords { words.append(addition) } else { indexes.append(addition) }
            default: kept.append(part.tokens)
            }
        }
        (self.kept, self.indexes, wordIndexes, foreignKeys) = (kept, indexes, words, keys)
    }

    /// The statement without what is added later.
    ///
    /// `renamed`: Another name, under which constraints must not have the names that they have.
    func creation(as renamed: String? = nil) -> String {
        var head = head.map(\.bytes)
        if let renamed { head[nameToken] = Array(MySQLText.identifier(renamed).utf8) }
        let items = kept.map { item in
            renamed == nil ? item : Item.withoutConstraintName(item)
        }
        let bytes =
            Array(head.joined())
            + items.map { $0.flatMap(\.bytes) }.joined(separator: Array(",".utf8))
            + tail.flatMap(\.bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Divided at the commas between parentheses, up to the one that closes them.
    static func items(
        of tokens: [MySQLTokens.Token], from start: Int
    ) -> ([[MySQLTokens.Token]], closing: Int)? {
        var (items, current, depth): ([[MySQLTokens.Token]], [MySQLTokens.Token], _) = ([], [], 0)
        for index in start..<tokens.count {
            let token = tokens[index]
            if token.isSign("(") { depth += 1 }
            if token.isSign(")") {
                guard depth > 0 else { return (items + [current], index) }
                depth -= 1
            }
            if depth == 0, token.isSign(",") {
                items.append(current)
                current = []
            } else {
                current.append(token)
            }
        }
        return nil
    }

    static func engine(in tail: [MySQLTokens.Token]) -> String? {
        let words = tail.filter(\.isCode)
        guard let place = words.firstIndex(where: { $0.keyword == "ENGINE" }),
            place + 2 < words.count
        else { return nil }
        return words[place + 2].keyword
    }

    /// Indexes without which the table, or its order, would be another.
    ///
    /// A column that counts by itself must be the first of an index; without a primary key a unique
    /// index gives the order in which rows are stored. Some would not come without the rows being written anew: where one on
    /// expressions is there, MySQL makes another only if that one's name sorts behind, so they all come together.
    private static func needed(_ items: [Item], _ computation: MySQLComputation) -> Set<Int> {
        let counting = items.first { $0.counts }?.name
        let hasPrimary = items.contains { $0.kind == .primary }
        let onExpressions = items.indices.filter {
            items[$0].kind == .index
                && computation.keysOnExpressions.contains(ExactText(items[$0].name))
        }
        let needed = Set(
            items.indices.filter { index in
                let item = items[index]
                guard item.kind == .index else { return false }
                if computation.keysWithTable.contains(ExactText(item.name)) { return true }
                if let counting, item.columns.first.map({ $0.isExactly(counting) }) ?? false {
                    return true
                }
                return !hasPrimary && item.isUnique
            })
        return needed.isDisjoint(with: onExpressions) ? needed : needed.union(onExpressions)
    }

    /// One line between the parentheses.
    private struct Item {
        enum Kind: Hashable {
            case column, primary, index, check, other
            case foreignKey(ForeignKey)
        }

        let kind: Kind
        /// A column's, an index's or a constraint's.
        let name: String
        let tokens: [MySQLTokens.Token]
        /// An index's, in order.
        let columns: [String]
        let isUnique: Bool
        let isOfWords: Bool
        /// Whether it is a column that counts by itself.
        let counts: Bool
        let isBareTimestamp: Bool

        var text: String {
            String(decoding: tokens.drop { !$0.isCode }.flatMap(\.bytes), as: UTF8.self)
        }

        init(_ tokens: [MySQLTokens.Token], database: String) {
            self.tokens = tokens
            let words = tokens.filter(\.isCode)
            let first = words.first?.keyword ?? ""
            isUnique = first == "UNIQUE"
            isOfWords = first == "FULLTEXT"
            switch first {
            case "PRIMARY": (kind, name) = (.primary, "")
            case "KEY", "INDEX", "UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR":
                (kind, name) = (
                    .index, words.first { $0.kind == .quotedIdentifier }?.identifier ?? ""
                )
            case "CONSTRAINT":
                if let key = Self.foreignKey(words, tokens, database: database) {
                    (kind, name) = (.foreignKey(key), key.name)
                } else {
                    let isCheck = words.dropFirst(2).first?.keyword == "CHECK"
                    (kind, name) = (
                        isCheck ? .check : .other, words.dropFirst().first?.identifier ?? ""
                    )
                }
            case "": (kind, name) = (.column, words.first?.identifier ?? "")
            default: (kind, name) = (.other, "")
            }
            columns = Self.list(words[...])?.names ?? []
            let keywords = kind == .column ? words.compactMap(\.keyword) : []
            counts = keywords.contains("AUTO_INCREMENT")
            isBareTimestamp =
                keywords.first == "TIMESTAMP" && keywords.contains("NOT")
                && !keywords.contains("DEFAULT") && !keywords.contains("AS")
        }

        /// The names in the first parentheses, and what is behind them.
        private static func list(
            _ words: ArraySlice<MySQLTokens.Token>
        ) -> (names: [String], rest: ArraySlice<MySQLTokens.Token>)? {
            guard let opening = words.firstIndex(where: { $0.isSign("(") }),
                let closing = words[opening...].firstIndex(where: { $0.isSign(")") })
            else { return nil }
            let names = words[opening..<closing].filter { $0.kind == .quotedIdentifier }
            return (names.compactMap(\.identifier), words[(closing + 1)...])
        }

        /// `CONSTRAINT name FOREIGN KEY (columns) REFERENCES [database.]table (columns) …`.
        private static func foreignKey(
            _ words: [MySQLTokens.Token], _ tokens: [MySQLTokens.Token], database: String
        ) -> ForeignKey? {
            guard words.count > 4, let name = words[1].identifier, words[2].keyword == "FOREIGN",
                let own = list(words[...]), let place = own.rest.first,
                place.keyword == "REFERENCES", let others = list(own.rest),
                let open = own.rest.firstIndex(where: { $0.isSign("(") })
            else { return nil }
            let names = own.rest[..<open].filter { $0.kind == .quotedIdentifier }
                .compactMap(\.identifier)
            guard let table = names.last else { return nil }
            return ForeignKey(
                name: name, columns: own.names,
                referenced: TableName(
                    schema: names.count == 2 ? names[0] : database, name: table),
                referencedColumns: others.names,
                definition: String(
                    decoding: tokens.drop { !$0.isCode }.flatMap(\.bytes), as: UTF8.self))
        }

        /// `CONSTRAINT name CHECK (…)` without the name, which a database has only once.
        static func withoutConstraintName(
            _ tokens: [MySQLTokens.Token]
        ) -> [MySQLTokens.Token] {
            guard let first = tokens.firstIndex(where: \.isCode),
                tokens[first].keyword == "CONSTRAINT",
                let name = tokens[(first + 1)...].firstIndex(where: \.isCode)
            else { return tokens }
            return Array(tokens[..<first] + tokens[(name + 1)...])
        }
    }
}
