/// The metadata that has been read: no file is decoded twice, and what is alike in several is held once.
struct KnownMetadata: Sendable {
    /// By the digest of its file.
    private var all: [String: Metadata] = [:]
    /// The one that was read last of each database.
    private var latest: [String: Metadata] = [:]

    subscript(digest: String) -> Metadata? { all[digest] }

    /// Remembers what was read.
    ///
    /// - Returns: The same.
    mutating func add(_ metadata: Metadata, digest: String) -> Metadata {
        var metadata = metadata
        if let other = latest[metadata.database] { metadata.share(with: other) }
        all[digest] = metadata
        latest[metadata.database] = metadata
        return metadata
    }
}

extension Metadata {
    /// Holds what is equal in another one together with it: backups of a database are mostly alike, and there may be
    /// thousands.
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
        // Both are in order of names.
        var place = 0
        for index in tables.indices {
            let name = tables[index].tableName
            while place < other.tables.count, other.tables[place].tableName < name { place += 1 }
            guard place < other.tables.count, other.tables[place].tableName == name else {
                continue
            }
            tables[index].share(with: other.tables[place])
        }
    }

    private mutating func hold<Value: Equatable>(
        _ field: WritableKeyPath<Metadata, Value>, of other: Metadata
    ) {
        if self[keyPath: field] == other[keyPath: field] {
            self[keyPath: field] = other[keyPath: field]
        }
    }
}

extension TableRecord {
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

    private mutating func hold<Value: Equatable>(
        _ field: WritableKeyPath<TableRecord, Value>, of other: TableRecord
    ) {
        if self[keyPath: field] == other[keyPath: field] {
            self[keyPath: field] = other[keyPath: field]
        }
    }
}
