/// What a backup holds, compared with others of its chain.
public enum BackupKind: String, Sendable, Codable, CaseIterable {
    /// Every row in scope.
    case full
    /// Changes since the last full.
    case differential
    /// Changes since the last backup of any kind.
    case incremental
}
