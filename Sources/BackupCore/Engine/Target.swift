/// A database being restored into.
///
/// The calls come in this order, `load` any number of times; what was not asked for is left out.
public protocol Target: Sendable {
    /// What was found and will be done, as it was approved.
    var plan: TargetPlan { get }

    /// Creates everything that must be there before rows: types, functions, tables, views.
    ///
    /// - Returns: What could not be created because the backup does not hold what it needs.
    func createStructure() async throws -> [String]

    /// Created tables that must be loaded before all others, one after another in this order: what others hold belongs
    /// to their rows.
    ///
    /// Asked when the structure is there.
    func tablesInFront() async throws -> [TableName]

    /// Loads the rows of a table that this restore created, and commits them if `agrees` returns.
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

    /// Changes the rows of tables that were there before: of all of them if `body` returns, else of
    /// none.
    ///
    /// Those whose rows are replaced are empty when `body` begins. Triggers and rules do not fire;
    /// foreign keys hold again before the change is committed.
    ///
    /// `body`: Gets what loads one table's rows, and gives the number that the server took.
    func changeExistingTables(
        _ body: (
            _ load: (TableLoad, _ next: @escaping @Sendable () async throws -> RowBatch?)
                async throws -> Int
        ) async throws -> Void
    ) async throws

    /// Creates everything that comes after rows: indexes, constraints, foreign keys last, triggers.
    ///
    /// - Returns: What could not be created because the backup does not hold what it needs.
    func createIndexesAndConstraints() async throws -> [String]

    /// Puts sequences where they stood; those of tables that kept their rows never go back, and those of tables whose
    /// rows were replaced may have been set with these.
    ///
    /// Sequences that have nothing to do with what is restored are left alone.
    func set(_ sequences: [SequenceValue]) async throws

    /// Computes materialized views again, those that others are computed from first.
    ///
    /// - Returns: What could not be computed.
    func refresh(_ views: [MaterializedView]) async throws -> [String]

    /// How to read a table's rows back; each row is in exactly one part.
    func parts(of load: TableLoad) async throws -> [TablePart]

    /// Reads a part as it is stored now, in CSV records as `Snapshot.read` gives them.
    func read(_ part: TablePart, into sink: @escaping @Sendable (RowBatch) async throws -> Void)
        async throws

    /// Gathers statistics for the planner.
    ///
    /// - Returns: What they could not be gathered for; the data is as it should be all the same.
    func analyze() async throws -> [String]

    /// Switches on what would have been in the way: row-level security, events.
    ///
    /// - Returns: What could not be created because the backup does not hold what it needs.
    func switchOn() async throws -> [String]

    /// Ends the restore, with what would react to anything before: nothing remains to be gone on with.
    ///
    /// - Throws: `BackupError.serverRefused` where something is missing that the server has refused before, and all else is
    ///   made: that remains.
    func finish() async throws
}

/// One table's rows on their way into a target.
public struct TableLoad: Sendable {
    /// The table.
    public var table: TableName
    /// The table that takes the rows, where it is another one: the root of hash partitions.
    public var loadsThrough: TableName?
    /// The columns of the CSV, in order.
    public var columns: [String]
    /// Their types in the source's words, in the same order; empty where nobody knows.
    public var types: [String] = []
    /// The table's other columns in the source, which were computed there; empty where nobody knows.
    public var computed: [String] = []
    /// The condition that selected the rows, for tables of extensions.
    public var filter: String?

    /// Describes a load.
    public init(
        table: TableName, loadsThrough: TableName?, columns: [String], filter: String? = nil
    ) {
        self.table = table
        self.loadsThrough = loadsThrough
        self.columns = columns
        self.filter = filter
    }

    /// The table that takes the rows.
    public var place: TableName { loadsThrough ?? table }
}
