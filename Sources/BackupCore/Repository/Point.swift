/// One restorable moment: a backup and where it lies.
public struct Point: Sendable {
    /// The backup's name.
    public let id: BackupID
    /// The folder that holds it.
    public let folder: StorageName
    /// What it says about itself.
    public let metadata: Metadata
    /// The SHA-256 of its `metadata.json`.
    public let digest: String
}
