/// Where things lie in a repository: the only place that knows paths.
public enum RepositoryLayout {
    /// What is read whole; the definition of a hundred thousand tables is smaller.
    static let mostBytesAtOnce = 256 << 20

    /// What a decoder is given at once: it takes many times the memory of what it reads.
    ///
    /// What a backup of a hundred thousand tables says beside them is smaller, and so is what it says of each.
    static let mostBytesDecoded = 24 << 20

    /// The list of backups, a view.
    public static let catalog = "backup_catalog.json"
    static let locks = ".lock"
    static let metadata = "metadata.json"
    static let state = "state.json"
    static let checksums = "SHA256SUMS"
    static let schemaSQL = "schema.sql"
    static let schemaDump = "schema.dump"
    static let schemaList = "schema.list"
    static let restoreGuide = "RESTORE.md"
    /// What the structure is kept in; only SQL is in every backup.
    static let definition = [schemaSQL, schemaDump, schemaList]
    /// Where the points that rest on a full lie, each with its own checksums.
    static let layers = ".backup_diff"
    /// What rests on a full, a view.
    static let manifest = "manifest.json"
    /// What `SHA256SUMS` cannot list: itself, and what changes later.
    static let unproven: Set = [checksums, state]

    static func folder(of id: BackupID) throws -> StorageName { try StorageName([id.text]) }

    /// Where a backup lies that rests on a full.
    static func folder(of id: BackupID, restingOn base: BackupID) throws -> StorageName {
        try StorageName([base.text, layers, id.tail])
    }

    static func archive(of id: BackupID) throws -> StorageName {
        try StorageName(["\(id.text).zip"])
    }

    /// The backup that an archive's file name belongs to.
    static func backup(ofArchive name: String) -> BackupID? {
        name.hasSuffix(".zip") ? BackupID(String(name.dropLast(4))) : nil
    }

    /// A database called `catalog` would wait for itself: its lock gets a name that no database has.
    static func databaseLock(_ encodedDatabase: String) throws -> StorageName {
        let isTaken = encodedDatabase.lowercased() == catalogLockFile
        return try StorageName([locks, isTaken ? "\(encodedDatabase)~2" : encodedDatabase])
    }

    static func catalogLock() throws -> StorageName { try StorageName([locks, catalogLockFile]) }

    /// No database's lock is called so: a point in a name is encoded.
    static func stateLock() throws -> StorageName { try StorageName([locks, state]) }

    private static let catalogLockFile = "catalog"

    static func dataFile(_ name: String, packing: FilePacking) -> String {
        "data/\(name).csv\(packing.suffix)"
    }

    /// Rows that are new or changed, in a backup that rests on another.
    static func changesFile(_ name: String, packing: FilePacking) -> String {
        "\(name)_diff.csv\(packing.suffix)"
    }

    /// The keys of rows that are gone.
    static func deletedFile(_ name: String, packing: FilePacking) -> String {
        "\(name)_deleted.csv\(packing.suffix)"
    }

    /// The files of large objects are called as PostgreSQL's tables for them, without its schema.
    static func fixedFileName(of table: TableName) -> String? {
        let names = ["pg_largeobject", "pg_largeobject_metadata"]
        return table.schema == "pg_catalog" && names.contains(table.name) ? table.name : nil
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

    /// About how large the files of rows are: zstd makes rows about four times smaller, and at least twice.
    func fileBytes(ofRows bytes: Int) -> Int { self == .zstd ? bytes / 2 : bytes }

    init(fileName: String) {
        self = fileName.hasSuffix(".zst") ? .zstd : .none
    }
}
