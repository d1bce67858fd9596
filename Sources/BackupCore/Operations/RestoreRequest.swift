/// What to restore, and where.
public struct RestoreRequest: Sendable {
    /// The point: an id, a unique prefix, four hex digits, `latest` or a time.
    public var point: String
    /// Whose backup is meant, when the repository holds several databases.
    public var sourceDatabase: String?
    /// The database to restore into.
    public var database: String
    /// Whether to create it.
    public var creates = false
    /// Whether everything belongs to the restoring role.
    public var omitsOwners = false
    /// Whether to leave out grants.
    public var omitsPrivileges = false
    /// How many connections work side by side.
    public var connections = 2

    /// Asks for a point in a database.
    public init(point: String, database: String) {
        self.point = point
        self.database = database
    }
}

/// What a restore did.
public struct RestoreReport: Sendable {
    /// What was restored.
    public let point: Point
    /// Where.
    public let database: String
    /// What could not be made because rows it needs are not in the backup.
    public let problems: [String]
    /// What points to tables that the backup was not asked to hold.
    public let leftOut: [String]
    /// How long it took.
    public let seconds: Double
}
