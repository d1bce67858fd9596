/// `metadata.json`: the commit of a backup, and the truth about it.
///
/// It never changes.
///
/// Unknown fields are ignored; a newer `format_version` is refused.
public struct Metadata: Sendable, Codable {
    /// The version that this program writes, and the newest that it reads.
    public static let currentFormat = 1

    /// Whether a backup holds everything in its scope.
    public enum Status: String, Sendable, Codable {
        /// Everything.
        case completed
        /// Something could not be read, on request; `unreadable_tables` names it.
        case incomplete
    }

    /// Totals over all tables.
    public struct Statistics: Sendable, Codable {
        /// The number of tables in the backup.
        public var totalTables: Int
        /// Rows written, tombstones included.
        public var totalRowsProcessed: Int
        /// The size of the data files as stored.
        public var totalSizeBytes: Int

        enum CodingKeys: String, CodingKey {
            case totalTables = "total_tables"
            case totalRowsProcessed = "total_rows_processed"
            case totalSizeBytes = "total_size_bytes"
        }
    }

    /// The format of the backup's files.
    public var formatVersion = Self.currentFormat
    /// The version of the program that made it.
    public var toolVersion: String
    /// The backup's name.
    public var id: String
    /// Full, differential or incremental.
    public var type: BackupKind
    /// `database` or `tables`.
    public var scope: String
    /// Whether everything in scope is there.
    public var status: Status
    /// The database product.
    public var engine: String
    /// The server's version in its own words.
    public var serverVersion: String
    /// The database's name.
    public var database: String
    /// The full at the root of the chain; nil for a full.
    @WrittenWhenNil public var baseID: String?
    /// The backup that this one was compared with; nil for a full.
    @WrittenWhenNil public var parentID: String?
    /// The SHA-256 of the parent's `metadata.json`.
    @WrittenWhenNil public var parentSHA256: String?
    /// Which of all layers on its full it is, those that have been removed included, from 1; nil for a full.
    @WrittenWhenNil public var chainNumber: Int?
    /// The snapshot's time, by the server's clock.
    public var snapshotAt: Timestamp
    /// When the run began.
    public var timestampStart: Timestamp
    /// When the last file but this one was written.
    public var timestampEnd: Timestamp
    /// From start to end.
    public var durationSeconds: Double
    /// The points that were merged into this full; nil for one read from a server.
    @WrittenWhenNil public var mergedFrom: [String]?
    /// How the snapshot was taken.
    public var consistency: String
    /// The seed of the row hashes, 16 hex digits.
    public var hashSeed: String
    /// False when rows were found by a timestamp column.
    public var exact: Bool
    /// The files' encoding.
    public var encoding: String
    /// The schema that file names leave out.
    public var defaultSchema: String
    /// What tells whether a server can continue this one.
    public var sourceIdentity: [String: String]
    /// What a new database needs to be like the source.
    public var databaseProperties: [String: String]
    /// The version of the program that made `schema.dump`: none older can read it.
    @WrittenWhenNil public var schemaDumpVersion: String?
    /// Roles that own things or have privileges.
    public var roles: [String]
    /// Those of the roles that own things.
    public var owners: [String]
    /// Extensions that things belong to.
    public var extensions: [String]
    /// Totals.
    public var statistics: Statistics
    /// Where the sequences stood.
    public var sequences: [SequenceValue]
    /// Views to compute again.
    public var materializedViews: [MaterializedView]
    /// What the tables of a scope of tables were asked for by; nil for a whole database.
    @WrittenWhenNil public var scopePatterns: [String]?
    /// What the tables whose rows were left out were asked for by.
    @WrittenWhenNil public var excludedPatterns: [String]?
    /// Tables whose rows were left out on request.
    public var excludedTables: [TableName]
    /// Tables that could not be read.
    public var unreadableTables: [TableName]
    /// The server's own numbers of everything that a backup of scope `tables` defines; empty in others.
    public var scopeObjects: [String]
    /// What a person was warned of while it was made: what it may lack.
    @WrittenWhenNil public var warnings: [String]?
    /// Every table with rows here, by schema and name.
    public var tables: TableRecords

    /// The tables that there are at this point: those that were dropped are left out.
    public var currentTables: [TableRecord] { tables.filter { $0.mode != .dropped } }

    /// The rows of all tables at this point.
    public var rowCount: Int { currentTables.reduce(0) { $0 + $1.fingerprint.rows } }

    /// How much plain CSV is read to have all tables as of this point.
    public var csvBytes: Int { currentTables.csvBytes }

    enum CodingKeys: String, CodingKey {
        case formatVersion = "format_version"
        case toolVersion = "tool_version"
        case id, type, scope, status, engine
        case serverVersion = "server_version"
        case database
        case baseID = "base_id"
        case parentID = "parent_id"
        case parentSHA256 = "parent_sha256"
        case chainNumber = "chain_number"
        case snapshotAt = "snapshot_at"
        case timestampStart = "timestamp_start"
        case timestampEnd = "timestamp_end"
        case durationSeconds = "duration_seconds"
        case mergedFrom = "merged_from"
        case consistency
        case hashSeed = "hash_seed"
        case exact, encoding
        case defaultSchema = "default_schema"
        case sourceIdentity = "source_identity"
        case databaseProperties = "database_properties"
        case schemaDumpVersion = "schema_dump_version"
        case roles, owners, extensions, statistics, sequences
        case materializedViews = "materialized_views"
        case scopePatterns = "scope_patterns"
        case excludedPatterns = "excluded_patterns"
        case excludedTables = "excluded_tables"
        case unreadableTables = "unreadable_tables"
        case scopeObjects = "scope_objects"
        case warnings, tables
    }
}

extension Metadata.Statistics {
    /// The totals of tables.
    init(of tables: some Collection<TableRecord>) {
        self.init(
            totalTables: tables.count { $0.mode != .dropped },
            totalRowsProcessed: tables.reduce(0) { $0 + $1.rows + $1.tombstones },
            totalSizeBytes: tables.reduce(0) { $0 + $1.bytes })
    }
}

extension Metadata.Statistics {
    /// A thousand thousand times more than anything that there is, and few enough that all of a repository can be added up.
    static let possibleCounts = 0...(1 << 46)

    var arePossible: Bool {
        [totalTables, totalRowsProcessed, totalSizeBytes].allSatisfy(
            Self.possibleCounts.contains)
    }
}

extension Metadata {
    /// Whether its counts are such that a repository's can be added up.
    var hasPossibleNumbers: Bool {
        statistics.arePossible && durationSeconds.isFinite && tables.count <= 1 << 17
            && tables.havePossibleNumbers
            // As many tables as nobody has could be too much together. Two of these sums are added.
            && (tables.count <= 1 << 15
                || TableRecord.counts.allSatisfy { count in
                    tables.reduce(0.0) { $0 + Double($1[keyPath: count]) } < 4e18
                })
    }

    /// Whether the totals are those of the tables.
    var agreesWithItself: Bool {
        statistics.totalTables == currentTables.count
            && statistics.totalRowsProcessed == tables.reduce(0) { $0 + $1.rows + $1.tombstones }
            && statistics.totalSizeBytes == tables.reduce(0) { $0 + $1.bytes }
    }

    /// The one table that a name means.
    ///
    /// - Throws: `BackupError.usage` with the nearest names; the same when several fit.
    public func table(matching pattern: TablePattern) throws -> TableRecord {
        guard let match = try tableIfThere(matching: pattern) else { throw hasNo(pattern) }
        return match
    }

    /// The same; nil where there is none.
    ///
    /// - Throws: `BackupError.usage` when several fit.
    func tableIfThere(matching pattern: TablePattern) throws -> TableRecord? {
        let matches = currentTables.filter {
            pattern.matches($0.tableName, defaultSchema: defaultSchema)
        }
        guard matches.count <= 1 else {
            throw BackupError(
                .usage, "\(matches.count) tables are called \(pattern.text)",
                hint: "Name one of them.")
        }
        return matches.first
    }

    /// What to say of a name that none of its tables has.
    func hasNo(_ pattern: TablePattern) -> BackupError {
        BackupError(
            .usage, "\(id) has no table \(pattern.text)",
            hint: Nearest.hint(
                to: pattern, among: currentTables.map(\.tableName), defaultSchema: defaultSchema)
                ?? "\"dbtool show \(id)\" lists its tables.")
    }
}
