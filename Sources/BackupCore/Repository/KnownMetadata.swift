/// The metadata that has been read: no file is decoded twice, and what is alike in several is held once.
struct KnownMetadata: Sendable {
    /// By the digest of its file.
    private var all: [String: Metadata] = [:]
    /// The one that was read last of each database.
    private var latest: [ExactText: Metadata] = [:]
    /// What files say of tables, by the digest of their words.
    private var records: [SIMD4<UInt64>: HeldRecord] = [:]
    /// What was read last of each table.
    private var latestRecords: [TableName: HeldRecord] = [:]

    subscript(digest: String) -> Metadata? { all[digest] }

    /// What is known of tables; nil for those whose words are new.
    func records(of digests: [SIMD4<UInt64>]) -> [HeldRecord?] {
        digests.map { records[$0] }
    }

    /// Remembers what was read of a table, and holds what is the same in another backup's record together with it.
    ///
    /// - Returns: The same, or what another reader has remembered meanwhile.
    mutating func add(_ record: TableRecord, digest: SIMD4<UInt64>) -> HeldRecord {
        if let known = records[digest] { return known }
        var record = record
        if let other = latestRecords[record.tableName] { record.share(with: other.record) }
        let held = HeldRecord(record)
        records[digest] = held
        latestRecords[record.tableName] = held
        return held
    }

    /// Remembers what was read.
    ///
    /// - Returns: The same.
    mutating func add(_ metadata: Metadata, digest: String) -> Metadata {
        var metadata = metadata
        let database = ExactText(metadata.database)
        if let other = latest[database] { metadata.share(with: other) }
        all[digest] = metadata
        latest[database] = metadata
        return metadata
    }
}

/// Backups of a database are mostly alike, and there may be thousands.
private protocol Sharing {}

extension Sharing {
    /// Holds a field together with another value's where both are the same.
    fileprivate mutating func hold(
        _ field: WritableKeyPath<Self, some ExactlyEquatable>, of other: Self
    ) {
        if self[keyPath: field].isExactly(other[keyPath: field]) {
            self[keyPath: field] = other[keyPath: field]
        }
    }
}

extension Metadata: Sharing {
    fileprivate mutating func share(with other: Metadata) {
        let texts: [WritableKeyPath<Metadata, String>] = [
            \.toolVersion, \.serverVersion, \.database, \.consistency, \.hashSeed,
        ]
        for text in texts { hold(text, of: other) }
        let lists: [WritableKeyPath<Metadata, [String]>] = [
            \.roles, \.owners, \.extensions, \.scopeObjects,
        ]
        for list in lists { hold(list, of: other) }
        hold(\.baseID, of: other)
        hold(\.sourceIdentity, of: other)
        hold(\.databaseProperties, of: other)
        hold(\.scopePatterns, of: other)
        hold(\.excludedPatterns, of: other)
        hold(\.warnings, of: other)
    }
}

extension TableRecord: Sharing {
    fileprivate mutating func share(with other: TableRecord) {
        let texts: [WritableKeyPath<TableRecord, String?>] = [
            \.file, \.deletedFile, \.indexFile, \.reason, \.basisColumn, \.split, \.filter,
        ]
        for text in texts { hold(text, of: other) }
        hold(\.schema, of: other)
        hold(\.name, of: other)
        hold(\.columns, of: other)
        hold(\.key, of: other)
        hold(\.fingerprint, of: other)
        hold(\.latest, of: other)
        hold(\.identity, of: other)
    }
}
