import Foundation
import Packing

/// The folder or bucket that holds backups.
public struct Repository: Sendable {
    /// What moves its bytes.
    public let storage: any Storage
    /// What has been read before: a run looks several times.
    private let known = Exclusive(KnownMetadata())
    /// Where large metadata is read and decoded, one at a time.
    private let large = Turnstile(permits: 1)
    private static let largeBytes = 8 << 20
    /// How often a lock that others hold for a moment is asked for, ten times a second.
    var briefLockTries = 600

    /// The repository in `storage`.
    public init(storage: any Storage) {
        self.storage = storage
    }

    /// Looks at everything that lies in the repository.
    public func contents() async throws -> RepositoryContents {
        var contents = RepositoryContents()
        var points: [Point] = []
        let folders = try await folders()
        for (folder, found) in zip(folders, try await look(into: folders)) {
            switch found {
            case .success(let point?): points.append(point)
            case .success(nil): contents.unfinished.append(folder)
            case .failure(let error): contents.unreadable.append((folder, error))
            }
        }
        contents.points = points.sorted {
            // A merged full has the time of its point, and is the newer one.
            ($0.metadata.snapshotAt, $0.metadata.timestampStart, $0.id.text)
                < ($1.metadata.snapshotAt, $1.metadata.timestampStart, $1.id.text)
        }
        return contents
    }

    /// Removes what interrupted runs have left of a database.
    ///
    /// Only for the holder of the database's lock.
    func removeUnfinished(of database: String, note: (String) -> Void) async throws {
        try await removeUnfinished(of: database, in: contents(), note: note)
    }

    /// The same of what has been read under that lock.
    func removeUnfinished(
        of database: String, in contents: RepositoryContents, note: (String) -> Void
    ) async throws {
        let encoded = FileNaming.encoded(database)
        for folder in contents.unfinished where folder.base.encodedDatabase == encoded {
            // What rests on it may be among those that nobody can read.
            if let other = contents.unreadable.first(where: { $0.folder.base == folder.base }) {
                note(
                    "warning: \(folder.name) has no metadata.json, and \(other.folder.name), which may rest on it, cannot be read"
                )
                continue
            }
            if let child = contents.points.first(where: { folder.bears($0.metadata) }) {
                note(
                    "warning: \(folder.name) has lost its metadata.json, and \(child.id) rests on it"
                )
                continue
            }
            note("removing \(folder.name), which an interrupted run has left")
            try await storage.remove(folder.location)
        }
        try await removeUnfinishedArchives(ofEncoded: encoded)
    }

    /// A name that nothing in the repository has, whatever was unzipped or copied there.
    func freeID(
        _ kind: BackupKind, database: String, start: Timestamp
    ) async throws -> BackupID {
        let taken = Set(try await contents().points.map(\.id.tail))
        while true {
            let id = BackupID(
                kind: kind, database: database, at: start.date,
                random: UInt16.random(in: 0...UInt16.max))
            let folder = try await storage.entry(RepositoryLayout.folder(of: id))
            let archive = try await storage.entry(RepositoryLayout.archive(of: id))
            if folder == nil && archive == nil && !taken.contains(id.tail) { return id }
        }
    }

    /// Whether anything was ever written here.
    var isInUse: Bool {
        get async throws { try await !storage.list(nil).isEmpty }
    }

    /// Refuses when the disk surely cannot hold a backup, and warns when it may not.
    ///
    /// `needed`: About how many bytes it has. Tables hold dead rows and free space, so that half of that may be enough.
    func checkSpace(for needed: Int, note: (String) -> Void) async throws {
        guard let available = try await storage.availableBytes() else { return }
        let words =
            "\(storage.location) has \(ByteText(available)) free; the backup needs about \(ByteText(needed))"
        guard available >= needed / 2 else {
            throw BackupError(
                .storageFailed, words,
                hint: "Free some space, name another folder with -path, or use -compress zstd.")
        }
        if available < needed { note("warning: \(words)") }
    }

    /// The same as `withLock`, for who may hold the lock already.
    func withLock<Result: Sendable>(
        database: String, unless isHeld: Bool, holder: String, _ body: () async throws -> Result
    ) async throws -> Result {
        if isHeld { return try await body() }
        return try await withLock(database: database, holder: holder, body)
    }

    /// Runs `body` while no other run adds to or removes from this database's chains.
    ///
    /// - Throws: `BackupError.locked`; whatever `body` throws.
    func withLock<Result: Sendable>(
        database: String, holder: String, _ body: () async throws -> Result
    ) async throws -> Result {
        let lock = try RepositoryLayout.databaseLock(FileNaming.encoded(database))
        return try await storage.withLock(lock, holder: holder, body)
    }

    /// Who adds to or removes from this database's chains now; nil when nobody does.
    func lockHolder(database: String) async throws -> String? {
        try await storage.holder(
            ofLock: RepositoryLayout.databaseLock(FileNaming.encoded(database)))
    }

    /// Runs `body` under a lock that everybody holds for a moment only, and waits for it.
    ///
    /// - Throws: `BackupError.locked` after a minute; whatever `body` throws.
    func withBriefLock<Result: Sendable>(
        _ lock: StorageName, holder: String, _ body: () async throws -> Result
    ) async throws -> Result {
        var attempt = 1
        while true {
            do {
                return try await storage.withLock(lock, holder: holder, body)
            } catch let error as BackupError where error.code == .locked && attempt < briefLockTries
            {
                attempt += 1
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    /// The seed of this repository's row hashes: that of its newest backup, or a new random one.
    func hashSeed() async throws -> UInt64 {
        let newest = try await contents().points.last
        let known = newest.flatMap { UInt64($0.metadata.hashSeed, radix: 16) }
        return known ?? UInt64.random(in: 1...UInt64.max)
    }

    /// What is known about a backup beside its metadata.
    ///
    /// What is missing or cannot be read may have said that the backup is pinned, so it is.
    public func state(of point: Point) async throws -> BackupState {
        let name = try point.folder.appending(RepositoryLayout.state)
        do {
            guard try await storage.entry(name) != nil else { throw BackupError(.notFound, "") }
            let bytes = try await storage.bytes(of: name)
            return try JSONFile.value(BackupState.self, from: bytes, file: "\(name)")
        } catch let error as BackupError where error.code != .storageFailed {
            return Self.unknownState
        }
    }

    private static var unknownState: BackupState {
        var state = BackupState()
        state.pinned = true
        return state
    }

    /// Changes what is known about a backup; fields that this version does not know stay.
    ///
    /// Nobody else changes it meanwhile, so that what others have found out is kept.
    /// - Throws: `BackupError.notFound` for a backup that has been removed meanwhile: its folder must not come back.
    func changeState(
        of point: Point, _ change: (inout BackupState) -> Void
    ) async throws {
        let name = try point.folder.appending(RepositoryLayout.state)
        let metadata = try point.folder.appending(RepositoryLayout.metadata)
        try await withBriefLock(RepositoryLayout.stateLock(), holder: RepositoryLayout.state) {
            guard try await storage.entry(metadata) != nil else {
                throw BackupError(.notFound, "\(point.id) is not there any more")
            }
            // Whoever was cut off here held this lock, and holds it no more.
            try await storage.removeUnfinishedWrites(in: point.folder) {
                $0 == RepositoryLayout.state
            }
            var state = try await state(of: point)
            change(&state)
            // What another version knows of it stays, and is not lost because it could not be read just now.
            let isThere = try await storage.entry(name) != nil
            let before = isThere ? try await storage.bytes(of: name) : []
            try await storage.write(name, bytes: JSONFile.bytes(of: state, over: before))
            // Whoever is told of it counts on it, whatever becomes of the machine.
            try await storage.sealNames(in: point.folder)
        }
    }

    /// The same for who has done what was asked for: a repository that is only readable can be proven too.
    func changeState(
        of point: Point, orNote note: (String) -> Void, _ change: (inout BackupState) -> Void
    ) async {
        do {
            try await changeState(of: point, change)
        } catch {
            let reason = (error as? BackupError)?.message ?? "interrupted"
            note("the result could not be remembered: \(reason)")
        }
    }

    /// Every folder that is a backup's by its name: fulls, and inside them what rests on each.
    private func folders() async throws -> [PointFolder] {
        var folders: [PointFolder] = []
        for entry in try await storage.list(nil) where entry.isFolder {
            guard let base = BackupID(entry.name.last), base.kind == .full else { continue }
            folders.append(PointFolder(location: entry.name, base: base, tail: nil))
            let layers = try entry.name.appending(RepositoryLayout.layers)
            for entry in try await layerEntries(layers) where entry.isFolder {
                guard let tail = BackupID.tail(entry.name.last) else { continue }
                folders.append(PointFolder(location: entry.name, base: base, tail: tail))
            }
        }
        return folders
    }

    /// Whether the folder of a full is called by a database, be it a backup or not.
    ///
    /// A long name is abbreviated here as in the name of its lock: whoever shares the one shares the other.
    func hasFolder(of database: String) async throws -> Bool {
        let encoded = FileNaming.encoded(database)
        return try await storage.list(nil).contains { entry in
            guard entry.isFolder, let id = BackupID(entry.name.last) else { return false }
            return id.kind == .full && id.encodedDatabase == encoded
        }
    }

    private func layerEntries(_ folder: StorageName) async throws -> [StorageEntry] {
        do {
            return try await storage.list(folder)
        } catch let error as BackupError where error.code == .damaged {
            // Links are not followed; that the folder is one is told when it is read. What cannot be listed is no such
            // thing: the newest backup would be an older one.
            return []
        }
    }

    /// The backups in folders, in the same order; nil where a folder holds no finished one.
    ///
    /// Side by side: decoding is what takes time.
    private func look(into folders: [PointFolder]) async throws -> [Result<Point?, BackupError>] {
        let lanes = ProcessInfo.processInfo.activeProcessorCount
        let share = max(1, (folders.count + lanes - 1) / lanes)
        return try await withThrowingTaskGroup(
            of: (start: Int, found: [Result<Point?, BackupError>]).self
        ) { group in
            for start in stride(from: 0, to: folders.count, by: share) {
                group.addTask {
                    var found: [Result<Point?, BackupError>] = []
                    for folder in folders[start..<min(start + share, folders.count)] {
                        do {
                            found.append(.success(try await point(in: folder)))
                        } catch let error as BackupError where error.code != .storageFailed {
                            found.append(.failure(error))
                        }
                    }
                    return (start, found)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
                .sorted { $0.start < $1.start }.flatMap(\.found)
        }
    }

    /// The backup in a folder; nil where it holds no finished one.
    private func point(in folder: PointFolder) async throws -> Point? {
        let name = try folder.location.appending(RepositoryLayout.metadata)
        guard let entry = try await storage.entry(name) else { return nil }
        guard entry.byteCount > Self.largeBytes else { return try await point(in: folder, name) }
        return try await large.pass { try await point(in: folder, name) }
    }

    private func point(in folder: PointFolder, _ name: StorageName) async throws -> Point {
        let bytes = try await storage.bytes(of: name)
        let digest = SHA256Stream.hexDigest(of: bytes)
        let metadata: Metadata
        if let read = known.withValue({ $0[digest] }) {
            metadata = read
        } else {
            let read = try decoded(bytes, file: "\(name)")
            metadata = known.withValue { $0.add(read, digest: digest) }
        }
        guard let id = BackupID(metadata.id), folder.mayHold(id, restingOn: metadata.baseID) else {
            throw BackupError(
                .damaged, "\(name) belongs to \(metadata.id)",
                hint: "The folder of a backup must have the backup's name.")
        }
        return Point(
            id: id, folder: folder.location, metadata: metadata, digest: digest)
    }

    /// - Throws: `BackupError.unsupportedFormat` before anything else that a newer format may cause;
    ///   `BackupError.damaged`.
    private func decoded(_ bytes: [UInt8], file: String) throws -> Metadata {
        let text = DividedMetadata(bytes)
        let metadata = Result {
            // What cannot be read in pieces is read as a whole, which says what is wrong with it.
            let metadata =
                try text.flatMap(inPieces)
                ?? JSONFile.value(Metadata.self, from: bytes, file: file)
            guard metadata.hasPossibleNumbers else {
                throw BackupError(.damaged, "\(file) has numbers that no backup has")
            }
            return metadata
        }
        let known = try? metadata.get().formatVersion
        let version =
            try known
            ?? JSONFile.value(FormatVersion.self, from: text?.rest ?? bytes, file: file)
            .formatVersion
        guard version <= Metadata.currentFormat else {
            throw BackupError(
                .unsupportedFormat, "\(file) has format \(version)",
                hint: "This program reads up to format \(Metadata.currentFormat); use a newer one.")
        }
        return try metadata.get()
    }

    /// What a file says, where what it says of a table is decoded only when no other file has said the same.
    private func inPieces(_ text: DividedMetadata) -> Metadata? {
        guard var metadata = try? JSONFile.value(Metadata.self, from: text.rest, file: "")
        else { return nil }
        let digests = text.tables.map { SHA256Stream.digest(of: $0) }
        var records = known.withValue { $0.records(of: digests) }
        for place in records.indices where records[place] == nil {
            guard
                let record = try? JSONFile.value(
                    TableRecord.self, from: text.tables[place], file: "")
            else { return nil }
            records[place] = known.withValue { $0.add(record, digest: digests[place]) }
        }
        metadata.tables = TableRecords(held: records.compactMap(\.self))
        return metadata
    }

    private struct FormatVersion: Decodable {
        let formatVersion: Int

        enum CodingKeys: String, CodingKey {
            case formatVersion = "format_version"
        }
    }
}
