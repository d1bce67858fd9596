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
        return max(
            Self.rounded(relation.bytes, per: bytes), Self.rounded(relation.rowEstimate, per: rows))
    }

    /// Upwards: the server's estimate of the rows may be a third too low.
    private static func rounded(_ amount: Int, per size: Int) -> Int {
        amount / size + (amount % size == 0 ? 0 : 1)
    }
}
