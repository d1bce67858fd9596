/// `backup_catalog.json`: the list of backups, for people and programs.
///
/// A view, never read to decide.
public struct Catalog: Sendable, Codable {
    /// One line of it.
    public struct Entry: Sendable, Codable {
        /// The backup's name.
        public var id: String
        /// Full, differential or incremental.
        public var type: BackupKind
        /// `completed`, `incomplete` or `failed`; failed runs live here only.
        public var status: String
        /// When the run began.
        public var timestampStart: Timestamp
        /// How long it took.
        public var durationSeconds: Double
        /// Totals; zero for a failed run.
        public var statistics: Metadata.Statistics
        /// The folder, below the repository; nil for a failed run.
        public var path: String?
        /// The full at the root of the chain.
        public var baseID: String?
        /// `database` or `tables`.
        public var scope: String?
        /// The database's name.
        public var database: String?
        /// Why a run failed.
        public var reason: String?
        /// The code of that failure: `connection_failed`.
        public var errorCode: String?

        enum CodingKeys: String, CodingKey {
            case id, type, status
            case timestampStart = "timestamp_start"
            case durationSeconds = "duration_seconds"
            case statistics, path
            case baseID = "base_id"
            case scope, database, reason
            case errorCode = "error_code"
        }

        /// Whether its counts are such that a repository's can be added up.
        var hasPossibleNumbers: Bool { statistics.arePossible && durationSeconds.isFinite }
    }

    /// How many failed runs are remembered.
    static let failuresKept = 100

    /// In order of time.
    public var backups: [Entry]

    /// The list of `points`, and of what failed.
    ///
    /// A run that reached no server (a mistaken host or user, mostly) is told until one of the same database succeeds.
    public init(points: [Point], failures: [Entry]) {
        var successes: [ExactText: Timestamp] = [:]
        // A merge asks no server.
        for point in points
        where point.metadata.status == .completed && point.metadata.mergedFrom == nil {
            let start = point.metadata.timestampStart
            let known = successes[ExactText(point.id.encodedDatabase)] ?? start
            successes[ExactText(point.id.encodedDatabase)] = max(known, start)
        }
        let current = failures.filter { failure in
            guard failure.errorCode == BackupError.Code.connectionFailed.rawValue,
                let database = BackupID(failure.id)?.encodedDatabase,
                let success = successes[ExactText(database)]
            else { return true }
            return success < failure.timestampStart
        }
        let latest = current.sorted { $0.timestampStart < $1.timestampStart }
            .suffix(Self.failuresKept)
        backups = (points.map(Entry.init) + latest)
            .sorted { ($0.timestampStart, $0.id) < ($1.timestampStart, $1.id) }
    }

    /// The runs that failed.
    var failures: [Entry] { backups.filter { $0.status == "failed" } }
}

extension Catalog.Entry {
    /// A run that failed.
    ///
    /// `id`: What its backup would have been called.
    init(failed id: BackupID, _ start: Timestamp, because error: any Error) {
        self.init(
            id: id.text, type: id.kind, status: "failed", timestampStart: start,
            durationSeconds: Timestamp.now.seconds(since: start),
            statistics: Metadata.Statistics(of: []),
            reason: (error as? BackupError)?.message ?? "interrupted",
            errorCode: ((error as? BackupError)?.code ?? .interrupted).rawValue)
    }

    /// Whether a run was of a database; one that failed says so by its name alone.
    public func isRun(of database: String) -> Bool {
        BackupID(id)?.encodedDatabase == FileNaming.encoded(database)
    }

    init(_ point: Point) {
        let metadata = point.metadata
        self.init(
            id: metadata.id, type: metadata.type, status: metadata.status.rawValue,
            timestampStart: metadata.timestampStart, durationSeconds: metadata.durationSeconds,
            statistics: metadata.statistics, path: "\(point.folder)", baseID: metadata.baseID,
            scope: metadata.scope, database: metadata.database)
    }
}
