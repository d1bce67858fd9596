/// `state.json`: what may change after a backup is made.
public struct BackupState: Sendable, Codable {
    /// One proof and how it ended.
    public struct Proof: Sendable, Codable {
        /// When it ended.
        public var at: Timestamp
        /// Whether everything agreed.
        public var passed: Bool
        /// How long it took.
        public var seconds: Double

        /// Describes a proof.
        public init(at: Timestamp, passed: Bool, seconds: Double) {
            self.at = at
            self.passed = passed
            self.seconds = seconds
        }
    }

    /// Whether it is kept whatever the retention says.
    public var pinned = false
    /// The last check of the files.
    public var verified: Proof?
    /// The last restore into a scratch database.
    public var drilled: Proof?

    /// Nothing known yet.
    public init() {}
}
