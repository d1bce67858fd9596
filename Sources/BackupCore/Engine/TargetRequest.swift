/// What to restore into, and what will be restored.
public struct TargetRequest: Sendable {
    /// The database's name.
    public var database: String
    /// Whether to create it first.
    public var creates = false
    /// Whether to leave objects to the restoring role.
    public var omitsOwners = false
    /// The account that views and bodies act for, instead of the source's: `app@%`.
    public var definer: String?
    /// Whether to leave out grants.
    public var omitsPrivileges = false
    /// Whether everything lies where its database does, for servers that have tablespaces.
    public var omitsTablespaces = false
    /// Told of what a person should know at once.
    public var notes: @Sendable (String) -> Void = { _ in }
    /// Told of what will not be as it was, before anything is changed, as `Target.createStructure` gives it.
    public var unmade: @Sendable (String) -> Void = { _ in }
    /// How many connections work side by side; at least 1.
    public var connections = 2
    /// What is restored of the tables.
    public var content = RestoreContent.everything
    /// Which tables are restored; empty restores everything.
    public var patterns: [TablePattern] = []
    /// Another name for the one table that is restored.
    public var newName: TablePattern?
    /// What becomes of tables that exist; nil lets nothing be there when everything is restored.
    public var existing: ExistingTables?
    /// Whether what exists is dropped first.
    public var drops = false
    /// Whether the database is one of `Engine.withScratchDatabase`.
    public var isScratch = false
    /// A server with this identity is refused; nil takes every server.
    public var forbiddenSource: [String: String]?
    /// The definition from the backup.
    public var definition: SchemaDefinition
    /// The server's version that the backup was taken from.
    public var sourceVersion: String
    /// The encoding of the files.
    public var encoding: String
    /// The schema of names without one.
    public var defaultSchema = ""
    /// What the source's database was like.
    public var databaseProperties: [String: String]
    /// The server's own numbers of the tables that the backup is about; nil for everything.
    public var scopeObjects: Set<String>?
    /// The tables that the backup holds rows of.
    public var storedTables: [StoredTable] = []
    /// Where sequences stood, as `Target.set` gets them: some are set while tables are locked.
    public var sequences: [SequenceValue] = []
    /// What an interrupted restore must have been of, for this one to go on with it.
    public var backup = ""
    /// Whether rows were left out of the backup: foreign keys to them may be impossible.
    public var lacksRows = false
    /// Whether tables were left out of the backup: what refers to them is impossible.
    public var lacksTables = false

    /// Hears how far whatever is being done has come, where that is steps; from any task, often.
    public var steps: @Sendable (StepProgress) -> Void = { _ in }

    /// What to do where the database is not there.
    public var creationHint: String {
        content == .rows
            ? "--data-only loads tables that are there: leave it out, and add --create to create the database with them."
            : "Add --create to create it."
    }

    /// Whether a whole database is restored, and not some tables.
    public var isWhole: Bool { patterns.isEmpty && scopeObjects == nil }

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

/// What is restored of tables.
public enum RestoreContent: String, Sendable {
    /// Structure and rows.
    case everything
    /// No rows.
    case structure
    /// Rows, into tables that exist.
    case rows
}

/// What becomes of a table that exists when it is restored.
public enum ExistingTables: String, Sendable, CaseIterable {
    /// Nothing is restored.
    case fail
    /// It keeps its definition, and its rows are replaced.
    case truncate
    /// It keeps its definition and its rows, and gets those of the backup besides.
    case append
}

/// A table whose rows a backup holds.
public struct StoredTable: Sendable {
    /// The source's own number of it.
    public var object: String
    /// How its rows went into the source's table.
    public var load: TableLoad
    /// How many they are; nil where nobody knows.
    public var rowCount: Int?
    /// All columns of the source's table in its order, computed ones too; empty where nobody knows.
    public var columns: [Column] = []

    /// Describes what is stored.
    public init(object: String, load: TableLoad, rowCount: Int? = nil) {
        self.object = object
        self.load = load
        self.rowCount = rowCount
    }
}

/// What a target holds of the backup already, and what will be done: nothing has been changed yet.
public struct TargetPlan: Sendable {
    /// What becomes of a table.
    public enum Treatment: String, Sendable {
        /// It is created and loaded.
        case create
        /// It exists; its rows are replaced.
        case truncate
        /// It exists; rows are added.
        case append
    }

    /// A table that is restored.
    public struct TablePlan: Sendable {
        /// What becomes of it.
        public var treatment: Treatment
        /// Where its rows go: another name, or the table that takes them.
        public var load: TableLoad
        /// Whether an interrupted restore has done all that already.
        public var isLoaded = false
        /// Whether several connections that load it would wait for each other all the time.
        public var takesOneConnection = false

        /// Describes what becomes of a table.
        public init(_ treatment: Treatment, _ load: TableLoad) {
            self.treatment = treatment
            self.load = load
        }
    }

    /// Tables whose rows are restored, by their names in the backup.
    public var tables: [TableName: TablePlan] = [:]
    /// Those whose rows are not to be as they were, as was asked for.
    public var changed: Set<TableName> = []
    /// Something that is made or dropped.
    public struct Object: Sendable, Hashable {
        /// In the engine's words: `TABLE`.
        public var kind: String
        /// With its schema, where it has one.
        public var name: String

        /// Describes an object.
        public init(kind: String, name: String) {
            self.kind = kind
            self.name = name
        }
    }

    /// Whether the database is created.
    public var createsDatabase = false
    /// Whether an interrupted restore is gone on with.
    public var continues = false
    /// What is dropped first.
    public var drops: [Object] = []
    /// What is created.
    public var creates: [Object] = []
    /// What of that an interrupted restore has made already, as far as is known before anything is done.
    public var made: [Object] = []
    /// What exists and is used as it is.
    public var keeps: [Object] = []
    /// What belongs to the tables and is not restored, because it points elsewhere.
    public var leftOut: [String] = []
    /// What is made as it was and may do there what nobody means.
    public var warnings: [String] = []

    /// A plan that does nothing yet.
    public init() {}
}
