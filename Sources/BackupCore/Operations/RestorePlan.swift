/// What a restore will do.
public struct RestorePlan: Sendable {
    /// The point that is restored.
    public let point: Point
    /// The database.
    public let database: String
    /// What the target holds already, and what is done with it.
    public let target: TargetPlan
    /// The tables whose rows are restored, largest first.
    public let tables: [TableRecord]

    /// Created tables that must be loaded before others, in their order.
    var first: [TableRecord] = []
    /// Created tables so large that all connections load each, largest first, if they can.
    var large: [TableRecord] = []
    /// The other created tables, largest first: each connection loads one.
    var small: [TableRecord] = []
    /// Tables that were there before.
    var existing: [TableRecord] = []

    /// A table of at least this many bytes is loaded by all connections together.
    private static let largeBytes = 64 << 20

    init(
        _ point: Point, in database: String, _ target: TargetPlan,
        inFront names: [TableName] = []
    ) {
        self.point = point
        self.database = database
        self.target = target
        tables = point.metadata.currentTables.filter { target.tables[$0.tableName] != nil }.sorted {
            ($1.csvBytes, $0.tableName) < ($0.csvBytes, $1.tableName)
        }
        for record in tables where target.tables[record.tableName]?.isLoaded == false {
            switch target.tables[record.tableName]?.treatment {
            case .truncate, .append: existing.append(record)
            case .create where names.contains(record.tableName): first.append(record)
            case .create where record.csvBytes >= Self.largeBytes && !takesOneConnection(record):
                large.append(record)
            case .create: small.append(record)
            case nil: continue
            }
        }
        let found = first
        first = names.compactMap { name in found.first { $0.tableName == name } }
    }

    private func takesOneConnection(_ record: TableRecord) -> Bool {
        target.tables[record.tableName]?.takesOneConnection ?? false
    }

    /// How a table that is in the plan is loaded.
    func load(of record: TableRecord) -> TableLoad {
        guard let load = target.tables[record.tableName]?.load else {
            preconditionFailure("\(record.tableName) is not in the plan")
        }
        return load
    }

    /// The rows of all tables in the plan.
    public var rowCount: Int { tables.reduce(0) { $0 + $1.fingerprint.rows } }

    /// The bytes of CSV that are still to be loaded.
    public var totalBytes: Int { created.csvBytes + existing.csvBytes }

    /// The tables that are created.
    var created: [TableRecord] { first + large + small }
}

extension [TableRecord] {
    /// The bytes of CSV of all of them.
    var csvBytes: Int { reduce(0) { $0 + $1.csvBytes } }
}
