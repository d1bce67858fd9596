/// What a restore will do.
public struct RestorePlan: Sendable {
    /// The point that is restored.
    public let point: Point
    /// The tables that must be loaded before others.
    var first: [TableRecord] = []
    /// Tables so large that all connections load each, largest first.
    var large: [TableRecord] = []
    /// The others, largest first: each connection loads one.
    var small: [TableRecord] = []

    /// A table of at least this many bytes is loaded by all connections together.
    private static let largeBytes = 64 << 20

    init(_ point: Point, mustLoadFirst: (TableName) -> Bool) {
        self.point = point
        let bySize = point.metadata.tables.sorted {
            ($1.csvBytes, $0.tableName) < ($0.csvBytes, $1.tableName)
        }
        for record in bySize {
            if mustLoadFirst(record.tableName) {
                first.append(record)
            } else if record.csvBytes >= Self.largeBytes {
                large.append(record)
            } else {
                small.append(record)
            }
        }
    }

    var totalBytes: Int { point.metadata.csvBytes }
}
