/// One consistent moment of a source.
public protocol Snapshot: Sendable {
    /// When it is, where, and what tells whether another server can continue from it.
    var moment: SnapshotMoment { get }

    /// What the source holds at that moment.
    var schema: Schema { get }

    /// The definition of everything in scope, at that moment.
    var definition: SchemaDefinition { get }

    /// Selections that together are exactly the table's rows, each once.
    ///
    /// Small tables are one part. Parts are in the order in which the server keeps the rows, and
    /// divided as the table's `split` says.
    func parts(of table: Table) -> [TablePart]

    /// How to part a table as it was at another snapshot, where that still makes sense.
    ///
    /// `split`: The table's `split` then; what is returned is it, or the table's own now.
    func split(of table: Table, like split: String) -> String

    /// Why row versions seen here say nothing about what changed since another snapshot; nil when
    /// they do.
    ///
    /// `parent`: That snapshot's `SnapshotMoment.identity`.
    func loss(ofIdentity parent: [String: String]) -> String?

    /// Why what is seen here may not be the continuation of another snapshot at all; nil when it is,
    /// even if the server was restarted since.
    func isOtherSource(than parent: [String: String]) -> String?

    /// Whether another snapshot is of another database, as far as servers have names that they keep.
    func isOfOther(than parent: [String: String]) -> Bool

    /// Whether there may be things that the account does not see.
    var isBlind: Bool { get }

    /// What another backup of this database holds, and this snapshot may lack only because its account does not see such
    /// things, in words with what lets it.
    ///
    /// `definition`: That backup's `SchemaDefinition.sql`.
    /// - Throws: `BackupError.damaged` for a definition that is not understood.
    func unseen(of definition: [UInt8]) throws -> [String]

    /// Selections that together are exactly the table's rows, each once, and marked where they may
    /// have changed since another snapshot.
    ///
    /// By versions, no row that changed is without a mark. The selections are in number and order
    /// those of `parts(of:)`.
    func markedParts(of table: Table, by mark: RowMark) -> MarkedSelection<MarkedPart>

    /// The same with every row shown: a record is the fields of the key, `t` or `f`, and the stored
    /// columns.
    func rowsWithMarks(of table: Table, by mark: RowMark) -> MarkedSelection<TablePart>

    /// Selections of the rows that have these keys, and maybe of others whose keys the source takes
    /// for equal.
    ///
    /// `keys`: The values of the key's columns, as their text.
    func parts(of table: Table, keys: [[String]]) -> [TablePart]

    /// What the values of a column are; nil where they cannot tell what changed.
    func kind(of column: Column) -> ColumnKind?

    /// Who sees to it that a column tells the truth.
    func upkeep(of column: Column, in table: Table) async throws -> ColumnUpkeep

    /// From where on a column's values may be new: the smaller of its greatest value at the parent
    /// and the parent's clock when the oldest transaction began that was open, less an overlap.
    ///
    /// `parent`: That snapshot's `SnapshotMoment.identity`, and its time.
    func bound(
        of column: ChangeColumn, maximum: String, overlap: Int,
        since parent: [String: String], at time: Timestamp
    ) async throws -> ColumnBound

    /// Copies the rows of one part, as whole CSV records of the stored columns.
    ///
    /// May be called for several parts at once; at most as many as there are connections run, the
    /// others wait in order. An empty selection is not an error. A row is handed over once, even if
    /// it has to be read again.
    /// `sink`: Awaited for each batch, so a slow reader slows the server.
    /// - Throws: `BackupError.serverRefused`; `CancellationError`; whatever `sink` throws.
    func read(_ part: TablePart, into sink: @escaping @Sendable (RowBatch) async throws -> Void)
        async throws

    /// Where the sequences in scope stand, never before a value that a row read so far has.
    func sequences() async throws -> [SequenceValue]

    /// Proves, after everything has been read, that it was one moment and one meaning throughout.
    ///
    /// - Throws: `BackupError.sourceChanged` when it was not.
    func confirm() async throws

    /// Lets go of the source, of which nothing is read any more: nobody waits for this snapshot's tables from here on,
    /// while there may be much to do with what was read.
    func release() async
}

extension Snapshot {
    /// An account sees all things or is refused.
    public var isBlind: Bool { false }

    /// Nothing, where an account sees all things or is refused.
    public func unseen(of definition: [UInt8]) throws -> [String] { [] }
}

/// The moment of a snapshot.
public struct SnapshotMoment: Sendable {
    /// The server's clock.
    public var time: Timestamp
    /// The database's name.
    public var database: String
    /// The schema of names without one.
    public var defaultSchema: String
    /// The server's version in its own words: `15.4`.
    public var serverVersion: String
    /// How the snapshot was taken.
    public var consistency: String
    /// The encoding of the files: `UTF8`, or the server's own where it must stay as it is.
    public var encoding: String
    /// What tells whether a server can be the continuation of this one, by the engine's own names.
    public var identity: [String: String]
    /// What a new database needs to be like this one, by the engine's own names.
    public var databaseProperties: [String: String]

    /// Describes a moment.
    public init(
        time: Timestamp, database: String, defaultSchema: String, serverVersion: String,
        consistency: String, encoding: String, identity: [String: String],
        databaseProperties: [String: String]
    ) {
        self.time = time
        self.database = database
        self.defaultSchema = defaultSchema
        self.serverVersion = serverVersion
        self.consistency = consistency
        self.encoding = encoding
        self.identity = identity
        self.databaseProperties = databaseProperties
    }
}

/// How to make the structure again.
public struct SchemaDefinition: Sendable {
    /// For people: deterministic SQL.
    public var sql: [UInt8]
    /// For the engine: its own archive, where SQL alone is not enough.
    public var dump: [UInt8]?
    /// The version of the program that made `dump`: none older can read it.
    public var dumpVersion: String?
    /// Which entries of `dump` are in scope, where not all are, as the engine's programs read it.
    public var list: [UInt8]?
    /// Roles that own things or have privileges.
    public var roles: [String]
    /// Those of the roles that own things.
    public var owners: [String]
    /// Extensions that things belong to.
    public var extensions: [String]

    /// Describes a definition.
    public init(
        sql: [UInt8], dump: [UInt8]?, roles: [String] = [], owners: [String] = [],
        extensions: [String] = []
    ) {
        self.sql = sql
        self.dump = dump
        self.roles = roles
        self.owners = owners
        self.extensions = extensions
    }
}

/// Some rows of a table, as the engine selects them.
public struct TablePart: Sendable, Hashable {
    /// The table.
    public let table: TableName
    /// The engine's own words for the selection.
    public let selection: String

    /// Describes a part.
    public init(table: TableName, selection: String) {
        self.table = table
        self.selection = selection
    }
}
