/// What a backup covers.
public enum Scope: Sendable, Hashable {
    /// Everything in the database.
    case database
    /// The tables that these patterns mean, with what they need.
    case tables([TablePattern])

    /// What the tables are asked for by; nil for a whole database.
    public var patterns: [TablePattern]? {
        if case .tables(let patterns) = self { patterns } else { nil }
    }

    /// The word for it in `metadata.json`.
    public var word: String {
        switch self {
        case .database: "database"
        case .tables: "tables"
        }
    }
}
