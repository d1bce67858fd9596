/// A database being restored into.
///
/// The calls come in this order, `load` any number of times.
public protocol Target: Sendable {
    /// What belongs to the tables and points to others that the backup was not asked to hold.
    var leftOut: [String] { get }

    /// Creates everything that must be there before rows: types, functions, tables, views.
    ///
    /// - Returns: What could not be created because the backup does not hold what it needs.
    func createStructure() async throws -> [String]

    /// Whether this table must be loaded before others: what they hold belongs to its rows.
    func mustLoadFirst(_ table: TableName) -> Bool

    /// Loads a table's rows and commits them if `agrees` returns.
    ///
    ///
    /// `connections`: How many may load this table side by side; the target may use fewer.
    /// `next`: The next rows, nil at the end. Called from several tasks.
    /// `agrees`: Gets the number of rows that the server took, and throws when that is wrong.
    /// - Throws: `BackupError.serverRefused`, whatever `next` and `agrees` throw; the table is then
    ///   empty.
    func load(
        _ load: TableLoad, connections: Int,
        next: @escaping @Sendable () async throws -> RowBatch?,
        agrees: @Sendable (_ rowCount: Int) async throws -> Void
    ) async throws

    /// Creates everything that comes after rows: indexes, constraints, foreign keys last, triggers.
    ///
    /// - Returns: What could not be created because the backup does not hold what it needs.
    func createIndexesAndConstraints() async throws -> [String]

    /// Puts sequences where they stood.
    func set(_ sequences: [SequenceValue]) async throws

    /// Computes materialized views again, those that others are computed from first.
    ///
    /// - Returns: What could not be computed.
    func refresh(_ views: [MaterializedView]) async throws -> [String]

    /// Gathers statistics for the planner.
    ///
    /// - Returns: What they could not be gathered for; the data is as it should be all the same.
    func analyze() async throws -> [String]

    /// Switches on what would have been in the way: event triggers, row-level security.
    ///
    /// - Returns: What could not be created because the backup does not hold what it needs.
    func finish() async throws -> [String]
}

/// What to restore into, and what will be restored.
public struct TargetRequest: Sendable {
    /// The database's name.
    public var database: String
    /// Whether to create it first.
    public var creates = false
    /// Whether to leave objects to the restoring role.
    public var omitsOwners = false
    /// Whether to leave out grants.
    public var omitsPrivileges = false
    /// How many connections work side by side; at least 1.
    public var connections = 2
    /// The definition from the backup.
    public var definition: SchemaDefinition
    /// The server's version that the backup was taken from.
    public var sourceVersion: String
    /// The encoding of the files.
    public var encoding: String
    /// What the source's database was like.
    public var databaseProperties: [String: String]
    /// The server's own numbers of the tables to restore; nil restores everything.
    public var tables: Set<String>?
    /// Whether rows were left out of the backup: foreign keys to them may be impossible.
    public var lacksRows = false
    /// Whether tables were left out of the backup: what refers to them is impossible.
    public var lacksTables = false

    /// Asks for a database.
    public init(
        database: String, definition: SchemaDefinition, sourceVersion: String, encoding: String,
        databaseProperties: [String: String]
    ) {
        self.database = database
        self.definition = definition
        self.sourceVersion = sourceVersion
        self.encoding = encoding
        self.databaseProperties = databaseProperties
    }
}

/// One table's rows on their way into a target.
public struct TableLoad: Sendable {
    /// The table.
    public var table: TableName
    /// The table that takes the rows, where it is another one: the root of hash partitions.
    public var loadsThrough: TableName?
    /// The columns of the CSV, in order.
    public var columns: [String]

    /// Describes a load.
    public init(table: TableName, loadsThrough: TableName?, columns: [String]) {
        self.table = table
        self.loadsThrough = loadsThrough
        self.columns = columns
    }
}
