/// What to restore, and where.
public struct RestoreRequest: Sendable {
    /// How the restored rows are proven.
    public enum Check: String, Sendable, CaseIterable {
        /// Every row is fingerprinted on its way, and the server's count is compared.
        case counts
        /// All rows are read back as well, and fingerprinted again.
        case rows
    }

    /// The point: an id, a unique prefix, four hex digits, `latest` or a time.
    public var point: String
    /// Whose backup is meant, when the repository holds several databases.
    public var sourceDatabase: String?
    /// The database to restore into.
    public var database: String
    /// Whether to create it.
    public var creates = false
    /// Which tables; empty restores everything.
    public var tables: [TablePattern] = []
    /// Another name for the one table that is restored.
    public var newName: TablePattern?
    /// What becomes of tables that exist; nil lets nothing be there when everything is restored.
    public var existing: ExistingTables?
    /// Whether what exists of the backup is dropped first.
    public var drops = false
    /// What is restored of the tables.
    public var content = RestoreContent.everything
    /// How the rows are proven.
    public var check = Check.counts
    /// Whether everything belongs to the restoring role.
    public var omitsOwners = false
    /// The account that views and bodies act for, instead of the source's; for servers that have definers.
    public var definer: String?
    /// Whether to leave out grants.
    public var omitsPrivileges = false
    /// Whether everything lies where its database does, for servers that have tablespaces.
    public var omitsTablespaces = false
    /// Whether the database is dropped afterwards: a drill.
    public var isScratch = false
    /// Whether the server that the backup was taken from is refused.
    public var refusesSource = false
    /// How many connections work side by side.
    public var connections = 2

    /// Asks for a point in a database.
    public init(point: String, database: String) {
        self.point = point
        self.database = database
    }

    /// Finds what makes no sense together, before anything is opened.
    ///
    /// - Throws: `BackupError.usage`.
    func validate() throws {
        func refuse(_ isWrong: Bool, _ message: String, _ hint: String) throws {
            if isWrong { throw BackupError(.usage, message, hint: hint) }
        }
        try refuse(
            newName != nil && tables.isEmpty, "--as needs the table that is meant",
            "Name one table with -tablename.")
        try refuse(
            newName.map { $0.literal == nil } ?? false, "the name after --as holds a wildcard",
            "Write the new name, in double quotes if it holds * or ?.")
        try refuse(
            drops && existing != nil, "--clean and --existing contradict each other",
            "--clean drops the tables, --existing keeps them.")
        try refuse(
            drops && content == .rows, "--clean and --data-only contradict each other",
            "Dropped tables need their structure again: leave out --data-only.")
        try refuse(
            content == .structure && (existing ?? .fail) != .fail,
            "--schema-only restores no rows: --existing means nothing",
            "Leave out one of the two.")
        try refuse(
            content == .structure && check == .rows,
            "--schema-only restores no rows: there is nothing to read back",
            "Leave out --check rows.")
        try refuse(
            content == .rows && creates, "--data-only needs tables, and a new database has none",
            "Leave out --create or --data-only.")
    }
}
