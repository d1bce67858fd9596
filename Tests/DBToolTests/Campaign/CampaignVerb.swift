import BackupTesting
import Testing

/// A run that is attacked.
enum CampaignVerb: String, CaseIterable, CustomTestStringConvertible {
    case full, zipped, differential, spilling, incremental, merge, prune, pin, verify
    var testDescription: String { rawValue }

    /// What writes a backup.
    static let backups: [CampaignVerb] = [
        .full, .zipped, .differential, .spilling, .incremental, .merge,
    ]

    /// Whether it asks the server for rows.
    var readsSource: Bool { self != .merge && Self.backups.contains(self) }

    var words: [String] {
        switch self {
        case .full: ["full", "database", "-compress", "zstd"]
        case .zipped: ["full", "database", "-compress", "true"]
        case .differential: ["differential", "backup"]
        // Nothing is compared in memory: its joins go to temporary files.
        case .spilling: ["differential", "backup", "--memory", "0"]
        case .incremental: ["incremental", "backup"]
        case .merge: ["merge", "latest"]
        case .prune: ["prune", "--keep-last", "1"]
        case .pin: ["pin", "latest"]
        case .verify: ["verify", "latest"]
        }
    }

    /// Whether a run did what it should, or found it done.
    func isDone(_ end: ProgramEnd) -> Bool {
        end.code == 0 || self == .merge && end.errors.contains("is a full backup already")
    }
}
