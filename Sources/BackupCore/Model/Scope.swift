/// What a backup covers.
public enum Scope: Sendable, Hashable {
    /// Everything in the database.
    case database
    /// The tables that these patterns mean, with what they need.
    case tables([TablePattern])

    /// The word for it in `metadata.json`.
    public var word: String {
        switch self {
        case .database: "database"
        case .tables: "tables"
        }
    }
}
