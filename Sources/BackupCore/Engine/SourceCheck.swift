/// What an engine found out about a source without taking a snapshot of it.
public struct SourceCheck: Sendable {
    /// The database's name.
    public var database: String
    /// What was found, in any order.
    public var findings: [Finding]
    /// About how many bytes its rows need as plain files; nil when nobody knows.
    public var estimatedBytes: Int?

    /// Describes a check.
    public init(database: String, findings: [Finding] = [], estimatedBytes: Int? = nil) {
        self.database = database
        self.findings = findings
        self.estimatedBytes = estimatedBytes
    }
}
