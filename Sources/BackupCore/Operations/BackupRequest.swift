/// What backup to make, and how.
public struct BackupRequest: Sendable {
    /// What is read and how many connections read it.
    public var snapshot: SnapshotRequest
    /// Full, differential or incremental.
    public var kind = BackupKind.full
    /// The database, as far as it is known before anybody is asked.
    public var database: String?
    /// What a differential or incremental rests on; nil for the newest full.
    public var base: String?
    /// Whether a full is refused when there is nothing to rest on.
    public var refusesFull = false
    /// How changed rows are found.
    public var basis = BasisRequest.auto
    /// About how many bytes the join of a large table may hold before it goes to temporary files.
    public var joinBytes = 96 << 20
    /// When a chain ends.
    public var chainRule = ChainRule()
    /// How the data files are packed; nil for a differential packs as its full does.
    public var packing: FilePacking?
    /// Whether a zip archive is made beside the backup.
    public var makesArchive = false
    /// Who makes it, for those who find the lock taken.
    public var holder = ""
    /// The version of this program.
    public var toolVersion: String

    /// Asks for a full backup, unless told otherwise.
    public init(snapshot: SnapshotRequest, toolVersion: String) {
        self.snapshot = snapshot
        self.toolVersion = toolVersion
    }
}

/// What a backup run did.
public struct BackupReport: Sendable {
    /// What was written.
    public let metadata: Metadata
    /// Why it is a full although something else was asked for.
    public var fullReason: String?
    /// The backup's folder, for people.
    public let location: String
    /// The zip archive beside it, when one was made.
    public var archive: String?
    /// Why there is no zip archive although one was asked for.
    public var archiveFailure: BackupError?

    /// Whether an earlier backup holds things that are out of the account's sight now, as a warning says.
    public var lacksUnseen = false

    /// Whether everything that was asked for is there.
    public var isComplete: Bool {
        metadata.status == .completed && archiveFailure == nil && !lacksUnseen
    }
}
