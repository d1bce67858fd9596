/// What a source holds, as far as a backup must know it beside its definition in SQL.
public struct Schema: Sendable {
    /// The tables whose rows are stored.
    public var tables: [Table] = []
    /// Tables in scope whose rows were left out on request; their structure is in the backup.
    public var excluded: [TableName] = []
    /// Tables in scope that could not be read; neither rows nor structure are in the backup.
    public var unreadable: [TableName] = []
    /// Materialized views in scope; their rows are not stored but computed again.
    public var materializedViews: [MaterializedView] = []

    /// The server's own numbers of everything in a scope of tables; empty for a whole database.
    public var scopeObjects: [String] = []

    /// An empty schema.
    public init() {}
}

/// A view whose rows the server keeps.
public struct MaterializedView: Sendable, Hashable, Codable {
    /// The schema.
    public var schema: String
    /// The view's own name.
    public var name: String
    /// Whether it held rows; one that did not stays empty.
    public var isPopulated: Bool

    /// Describes a materialized view.
    public init(schema: String, name: String, isPopulated: Bool) {
        self.schema = schema
        self.name = name
        self.isPopulated = isPopulated
    }

    private enum CodingKeys: String, CodingKey {
        case schema, name
        case isPopulated = "populated"
    }
}

/// Where a sequence stood.
public struct SequenceValue: Sendable, Hashable, Codable {
    /// The schema.
    public var schema: String
    /// The sequence's own name.
    public var name: String
    /// The value it gave last, or gives first.
    public var lastValue: Int64
    /// Whether `lastValue` has been given already.
    public var isCalled: Bool

    /// Describes a sequence's position.
    public init(schema: String, name: String, lastValue: Int64, isCalled: Bool) {
        self.schema = schema
        self.name = name
        self.lastValue = lastValue
        self.isCalled = isCalled
    }

    private enum CodingKeys: String, CodingKey {
        case schema, name
        case lastValue = "last_value"
        case isCalled = "is_called"
    }
}
