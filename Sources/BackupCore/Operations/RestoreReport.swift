/// What a restore did.
public struct RestoreReport: Sendable {
    /// What was done.
    public let plan: RestorePlan
    /// What was restored of the tables.
    public let content: RestoreContent
    /// How the rows were proven.
    public let check: RestoreRequest.Check
    /// Whether rows were added to tables that kept theirs: these cannot be compared.
    public let keepsRows: Bool
    /// What could not be made because what it needs is not there.
    public let problems: [String]
    /// Tables whose rows, read back, are not those of the backup.
    public let differences: [String]
    /// Tables that an interrupted run had loaded and that could not be read back, in words.
    public let unread: [String]
    /// How long it took.
    public let seconds: Double
    /// How much of that it took to read the rows back.
    public let readingSeconds: Double

    /// What was restored.
    public var point: Point { plan.point }
    /// Where.
    public var database: String { plan.database }
}
