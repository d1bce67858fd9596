import Foundation

/// Finds out before a backup runs what would make it fail or surprise.
///
/// Writes nothing, neither to the source nor to the repository.
public struct Check: Sendable {
    private let repository: Repository?
    private let settings: [Finding]
    private let packing: FilePacking

    /// A check for backups into `repository`, nil when none is known yet.
    ///
    /// `settings`: Where the settings come from, which is told even when nothing else can be.
    /// `packing`: How the files of the backup would be packed.
    public init(
        repository: Repository?, settings: [Finding] = [], packing: FilePacking = .none
    ) {
        self.repository = repository
        self.settings = settings
        self.packing = packing
    }

    /// Checks; `source` is what asks the engine.
    ///
    /// - Throws: `BackupError.usage`; every other failure is a finding.
    public func run(
        progress: OperationProgress, source: () async throws -> SourceCheck
    ) async throws -> CheckReport {
        var report = CheckReport(findings: settings)
        var checked: SourceCheck?
        progress.begin("checking the source")
        do {
            checked = try await source()
        } catch let error as BackupError where error.code != .usage && error.code != .interrupted {
            report.failure = error
            report.findings.append(Self.finding(error, .connection))
        }
        report.database = checked?.database
        report.findings += checked?.findings ?? []
        report.findings += try await repositoryFindings(checked)
        return report
    }

    private static func finding(_ error: BackupError, _ area: Finding.Area) -> Finding {
        let lines = [error.message, error.underlying].compactMap(\.self)
        return Finding(
            area, error.code == .connectionFailed ? "connection" : error.code.words, .problem,
            lines.joined(separator: ": ").split(whereSeparator: \.isNewline).joined(separator: " "),
            fix: error.hint.map { $0.split(separator: "\n").map { "-- \($0)" } } ?? [])
    }

    // MARK: The repository

    private func repositoryFindings(_ source: SourceCheck?) async throws -> [Finding] {
        guard let repository else {
            return [
                Finding(
                    .repository, "repository", .note, "none is named, so its space is unknown",
                    fix: ["-- name it with -path, or set DB_BACKUP_PATH"])
            ]
        }
        do {
            return [
                try await place(repository), try await space(repository, source),
                try await otherRun(repository, source), try await lastBackup(repository, source),
            ].compactMap(\.self)
        } catch let error as BackupError {
            return [Self.finding(error, .repository)]
        }
    }

    private func place(_ repository: Repository) async throws -> Finding {
        try await repository.storage.checkWritable()
        let isThere = try await !repository.storage.list(nil).isEmpty
        let state = isThere ? "can be written to" : "is new or empty, and can be written to"
        return Finding(
            .repository, "repository", .ok, "\(repository.storage.location) \(state)")
    }

    /// The same rule that a backup has: half of the estimate may be enough.
    private func space(_ repository: Repository, _ source: SourceCheck?) async throws -> Finding? {
        guard let available = try await repository.storage.availableBytes() else { return nil }
        guard let needed = source?.estimatedBytes.map(packing.fileBytes) else {
            return Finding(.repository, "space", .ok, "\(ByteText(available)) free")
        }
        let words = "\(ByteText(available)) free, a backup needs about \(ByteText(needed))"
        guard available < needed else { return Finding(.repository, "space", .ok, words) }
        let isHopeless = available < needed / 2
        return Finding(
            .repository, "space", isHopeless ? .problem : .warning,
            isHopeless ? words : "\(words): it fails where it does not fit",
            fix: ["-- free some space, name another folder with -path, or use -compress zstd"])
    }

    /// It may be over when the backup begins.
    private func otherRun(
        _ repository: Repository, _ source: SourceCheck?
    ) async throws -> Finding? {
        guard let database = source?.database,
            let holder = try await repository.lockHolder(database: database)
        else { return nil }
        return Finding(
            .repository, "other run", .note,
            "a backup of \(database) would not begin now: \(holder) holds its lock")
    }

    private func lastBackup(
        _ repository: Repository, _ source: SourceCheck?
    ) async throws -> Finding? {
        guard let database = source?.database else { return nil }
        let points = try await repository.contents().points.filter {
            $0.metadata.database.isExactly(database) && $0.metadata.status == .completed
        }
        guard let last = points.last else {
            return Finding(.repository, "last backup", .note, "none of \(database) yet")
        }
        let taken = last.metadata.snapshotAt
        return Finding(
            .repository, "last backup", .ok,
            "\(last.id), \(Self.age(of: taken)) old (\(taken.forPeople) UTC)")
    }

    private static func age(of time: Timestamp) -> String {
        let minutes = Int(Date().timeIntervalSince(time.date) / 60)
        return switch minutes {
        case ..<1: "less than a minute"
        case ..<120: "\(minutes) min"
        case ..<2880: "\(minutes / 60) h"
        default: "\(minutes / 1440) days"
        }
    }
}

/// What a check found.
public struct CheckReport: Sendable {
    /// The database, where it could be reached.
    public var database: String?
    /// Everything that was found.
    public var findings: [Finding]
    /// Why the source could not be checked.
    public var failure: BackupError?

    /// Whether a backup would be made, as far as can be told beforehand.
    public var wouldSucceed: Bool { !findings.contains { $0.severity == .problem } }

    /// Whether its files may be larger than what is free.
    public var mayLackSpace: Bool {
        findings.contains {
            $0.area == .repository && $0.subject == "space" && $0.severity == .warning
        }
    }
}

extension BackupError.Code {
    /// For people: `permission denied`.
    fileprivate var words: String { rawValue.replacing("_", with: " ") }
}
