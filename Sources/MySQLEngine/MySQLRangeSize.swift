/// How large the ranges are that a table is read in.
struct MySQLRangeSize: Sendable {
    /// About this many bytes: small enough to keep all connections busy to the end.
    var bytes = 32 << 20
    /// And not more rows, about: a differential holds what it knows of the ranges under way.
    var rows = 256 << 10
    /// Smaller tables are read at once.
    var leastBytes = 16 << 20
    /// So many ranges between borders that have to be found: enough for all connections.
    var mostBorders = 64

    /// How many ranges a table is worth.
    func count(_ relation: MySQLCatalog.Relation) -> Int {
        guard relation.bytes >= leastBytes else { return 1 }
        return max(relation.bytes / bytes, relation.rowEstimate / rows)
    }
}
