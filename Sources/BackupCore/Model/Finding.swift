/// One thing that a check found out.
public struct Finding: Sendable, Hashable, Codable {
    /// What a finding is about, in the order in which people read them.
    public enum Area: String, Sendable, Codable, CaseIterable {
        /// Where the settings come from.
        case settings
        /// The way to the server.
        case connection
        /// The server and the programs that it needs.
        case server
        /// What would be backed up.
        case contents
        /// What others do on the server now.
        case activity
        /// Where backups go.
        case repository
    }

    /// What it means for a backup.
    public enum Severity: String, Sendable, Codable, CaseIterable {
        /// As it should be.
        case ok
        /// Good to know.
        case note
        /// A backup would be made; something may surprise.
        case warning
        /// A backup would fail.
        case problem
    }

    /// Where it belongs.
    public var area: Area
    /// A word or two: `privileges`.
    public var subject: String
    /// What it means for a backup.
    public var severity: Severity
    /// What was found, in one line.
    public var text: String
    /// What to run, line by line: statements or commands, comments with `--` in front.
    public var fix: [String]

    /// Describes a finding.
    public init(
        _ area: Area, _ subject: String, _ severity: Severity, _ text: String, fix: [String] = []
    ) {
        self.area = area
        self.subject = subject
        self.severity = severity
        self.text = text
        self.fix = fix
    }
}
