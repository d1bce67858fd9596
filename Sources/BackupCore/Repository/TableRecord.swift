import Packing

/// What `metadata.json` says about one table.
public struct TableRecord: Sendable, Codable, Equatable {
    /// What the backup holds of it.
    public enum Mode: String, Sendable, Codable {
        /// Every row.
        case whole
        /// New and changed rows, and tombstones.
        case changes
        /// Nothing, because nothing changed.
        case unchanged
        /// Nothing, because the table is gone.
        case dropped
    }

    /// The schema.
    public var schema: String
    /// The table's own name.
    public var name: String
    /// In the server's order; those marked as generated are not in the file.
    public var columns: [Column]
    /// The columns that identify a row, in key order; empty without a key.
    public var key: [String]
    /// The data file, below the backup's folder.
    @WrittenWhenNil public var file: String?
    /// The file of tombstones, below the backup's folder; nil where nothing was deleted.
    @WrittenWhenNil public var deletedFile: String?
    /// The row index, below the backup's folder; nil without a key.
    @WrittenWhenNil public var indexFile: String?
    /// What the backup holds of it.
    public var mode: Mode
    /// How changes were found; nil in a full.
    @WrittenWhenNil public var basis: String?
    /// Why that basis.
    @WrittenWhenNil public var reason: String?
    /// The column that tells what changed; nil for every other basis.
    public var basisColumn: String?
    /// The value of that column from which on rows were read.
    public var basisFrom: String?
    /// Rows in the file.
    public var rows: Int
    /// Tombstones in their file.
    public var tombstones: Int
    /// The size of the files of rows and tombstones, as stored.
    public var bytes: Int
    /// How much plain CSV is read to have the table as of this point, headers included.
    public var csvBytes: Int
    /// The data file's SHA-256.
    @WrittenWhenNil public var sha256: String?
    /// The SHA-256 of the file of tombstones.
    @WrittenWhenNil public var deletedSHA256: String?
    /// The table at this point: row count and sum of row hashes.
    public var fingerprint: StoredFingerprint
    /// Whether the fingerprint was computed from the parent's and the changes, not from all rows.
    @WrittenWhenNil public var isDerived: Bool?
    /// The greatest values of columns of times, by name, where an index told them.
    public var latest: [String: String]?
    /// How its rows were parted when they were read, in the engine's own words.
    public var split: String?
    /// Whether it is still the same table.
    public var identity: TableIdentity
    /// The table to load rows into, where it is another one.
    @WrittenWhenNil public var loadsThrough: TableName?
    /// The condition that selected the rows, for tables of extensions.
    @WrittenWhenNil public var filter: String?

    /// A table of which nothing has been written yet.
    init(_ table: Table, mode: Mode, fingerprint: StoredFingerprint) {
        (schema, name) = (table.name.schema, table.name.name)
        columns = table.columns
        key = table.keyPositions.isEmpty ? [] : table.key
        self.mode = mode
        (rows, tombstones, bytes, csvBytes) = (0, 0, 0, 0)
        self.fingerprint = fingerprint
        identity = table.identity
        latest = table.latest.isEmpty ? nil : table.latest
        loadsThrough = table.loadsThrough
        filter = table.filter
    }

    /// The table itself.
    var table: Table {
        var table = Table(
            name: tableName, columns: columns, key: key, identity: identity,
            loadsThrough: loadsThrough, filter: filter)
        table.latest = latest ?? [:]
        table.fileName = RepositoryLayout.fixedFileName(of: tableName)
        return table
    }

    /// The same table, gone.
    var dropped: TableRecord {
        var record = self
        record.mode = .dropped
        (record.file, record.deletedFile, record.indexFile) = (nil, nil, nil)
        (record.sha256, record.deletedSHA256, record.basis) = (nil, nil, nil)
        (record.rows, record.tombstones, record.bytes, record.csvBytes) = (0, 0, 0, 0)
        record.fingerprint = StoredFingerprint(Fingerprint())
        (record.basisColumn, record.basisFrom, record.latest) = (nil, nil, nil)
        record.isDerived = nil
        record.reason = "the table is gone"
        return record
    }

    /// What is counted of it.
    static var counts: [KeyPath<TableRecord, Int>] {
        [\.rows, \.tombstones, \.bytes, \.csvBytes, \.fingerprint.rows]
    }

    /// Whether its counts are such that a repository's can be added up.
    var hasPossibleNumbers: Bool {
        Self.counts.allSatisfy { Metadata.Statistics.possibleCounts.contains(self[keyPath: $0]) }
    }

    /// Schema and name.
    public var tableName: TableName { TableName(schema: schema, name: name) }

    /// The files of rows and tombstones, below the backup's folder.
    var files: [String] { [file, deletedFile].compactMap(\.self) }

    /// Those files, and the SHA-256 that each must have.
    var provenFiles: [(file: String, digest: String?)] {
        [(file, sha256), (deletedFile, deletedSHA256)].compactMap { file, digest in
            file.map { ($0, digest) }
        }
    }

    /// The positions of the key's columns in the file, in key order; empty without a key.
    public var keyPositions: [Int] { Table.positions(of: key, in: storedColumns) }

    /// The names of the columns in the file, in its order.
    public var storedColumns: [String] { columns.filter { !$0.isGenerated }.map(\.name) }

    /// The first record of its file: the names of the stored columns, an empty line for none.
    public var header: [UInt8] {
        storedColumns.isEmpty ? [CSVDialect.lineEnd] : CSVDialect.record(storedColumns)
    }

    enum CodingKeys: String, CodingKey {
        case schema, name, columns, key, file
        case deletedFile = "deleted_file"
        case indexFile = "index_file"
        case mode, basis, reason
        case basisColumn = "basis_column"
        case basisFrom = "basis_from"
        case rows, tombstones, bytes
        case csvBytes = "csv_bytes"
        case sha256
        case deletedSHA256 = "deleted_sha256"
        case fingerprint
        case isDerived = "fingerprint_derived"
        case latest = "latest_values"
        case split
        case identity
        case loadsThrough = "loads_through"
        case filter
    }
}

/// A fingerprint as JSON holds it: 64-bit numbers are text, because JSON's are often not exact.
public struct StoredFingerprint: Sendable, Codable, Hashable {
    /// The number of rows.
    public var rows: Int
    /// The sum of the row hashes, 16 hex digits.
    public var sum: String

    /// Stores a fingerprint.
    public init(_ fingerprint: Fingerprint) {
        rows = fingerprint.rows
        sum = Hex.string(of: fingerprint.sum)
    }

    /// As numbers.
    ///
    /// - Throws: `BackupError.damaged` when the sum is not one.
    func numbers() throws -> Fingerprint {
        guard let sum = UInt64(sum, radix: 16) else {
            throw BackupError(.damaged, "a fingerprint in metadata is not a number: \(sum)")
        }
        return Fingerprint(rows: rows, sum: sum)
    }
}
