import BackupCore

/// What somebody's statement wants of tables, as its words tell.
struct MySQLTableDemand {
    private let words: [MySQLTokens.Token]
    private let database: String?

    /// `database`: The one of names that name none.
    init(_ statement: String, in database: String?) {
        words = MySQLTokens(statement).tokens.filter(\.isCode)
        self.database = database
    }

    /// Whether it wants the tables that it names for itself, so that it waits for whoever has read one in a transaction.
    ///
    /// A few kinds of statements and no more: of others nobody could say whom they wait for.
    var isExclusive: Bool {
        let second = word(1)
        switch word(0) {
        case "ALTER": return ["TABLE", "ONLINE", "IGNORE"].contains(second)
        case "DROP": return ["TABLE", "TABLES", "INDEX", "DATABASE", "SCHEMA"].contains(second)
        case "CREATE":
            let more = words.prefix(4).compactMap(\.keyword)
            return more.contains("INDEX") || more.contains("TRIGGER")
        case "RENAME": return ["TABLE", "TABLES"].contains(second)
        case "TRUNCATE", "OPTIMIZE", "REPAIR": return true
        case "LOCK": return words.contains { $0.keyword == "WRITE" }
        default: return false
        }
    }

    /// Those of some tables that it names.
    func tables(among tables: Set<TableName>) -> Set<TableName> {
        if word(0) == "DROP", ["DATABASE", "SCHEMA"].contains(word(1)) {
            let dropped = Set(words.compactMap(\.identifier).map(ExactText.init))
            return tables.filter { dropped.contains(ExactText($0.schema)) }
        }
        var named: Set<TableName> = []
        for (index, word) in words.enumerated() {
            guard let name = word.identifier, let place = schema(ofNameAt: index) else { continue }
            let table = TableName(schema: place, name: name)
            if tables.contains(table) { named.insert(table) }
        }
        return named
    }

    private func schema(ofNameAt index: Int) -> String? {
        guard index >= 2, words[index - 1].isSign(".") else { return database }
        return words[index - 2].identifier
    }

    private func word(_ index: Int) -> String {
        index < words.count ? words[index].keyword ?? "" : ""
    }
}
