/// What backup to make, and how.
public struct BackupRequest: Sendable {
    /// What is read and how many connections read it.
    public var snapshot: SnapshotRequest
    /// How the data files are packed.
    public var packing: FilePacking = .none
    /// Whether a zip archive is made beside the backup.
    public var makesArchive = false
    /// Who makes it, for those who find the lock taken.
    public var holder = ""
    /// The version of this program.
    public var toolVersion: String

    /// Asks for a full backup.
    public init(snapshot: SnapshotRequest, toolVersion: String) {
        self.snapshot = snapshot
        self.toolVersion = toolVersion
    }
}

/// What a backup run did.
public struct BackupReport: Sendable {
    /// What was written.
    public let metadata: Metadata
    /// The backup's folder, for people.
    public let location: String
    /// The zip archive beside it, when one was made.
    public var archive: String?
    /// Why there is no zip archive although one was asked for.
    public var archiveFailure: BackupError?

    /// Whether everything that was asked for is there.
    public var isComplete: Bool { metadata.status == .completed && archiveFailure == nil }
}
