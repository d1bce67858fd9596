/// Where things lie in a repository: the only place that knows paths.
public enum RepositoryLayout {
    /// The list of backups, a view.
    public static let catalog = "backup_catalog.json"
    static let locks = ".lock"
    static let metadata = "metadata.json"
    static let state = "state.json"
    static let checksums = "SHA256SUMS"
    static let schemaSQL = "schema.sql"
    static let schemaDump = "schema.dump"
    static let restoreGuide = "RESTORE.md"

    static func folder(of id: BackupID) throws -> StorageName { try StorageName([id.text]) }

    static func archive(of id: BackupID) throws -> StorageName {
        try StorageName(["\(id.text).zip"])
    }

    static func databaseLock(_ encodedDatabase: String) throws -> StorageName {
        try StorageName([locks, encodedDatabase])
    }

    static func catalogLock() throws -> StorageName { try StorageName([locks, "catalog"]) }

    static func dataFile(_ name: String, packing: FilePacking) -> String {
        "data/\(name).csv\(packing.suffix)"
    }

    static func indexFile(_ name: String) -> String { "index/\(name).rows.zst" }
}

/// How data files are packed.
public enum FilePacking: String, Sendable, Codable {
    /// Plain CSV.
    case none
    /// Each file a `.zst`, packed while it is written.
    case zstd

    var suffix: String { self == .zstd ? ".zst" : "" }

    init(fileName: String) {
        self = fileName.hasSuffix(".zst") ? .zstd : .none
    }
}
