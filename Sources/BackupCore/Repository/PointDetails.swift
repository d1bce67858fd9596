/// What is known about a point beside its metadata.
public struct PointDetails: Sendable {
    /// What may have changed since it was made; nil when that is unknown.
    public let state: BackupState?
    /// All files of the point, those of points that rest on it not counted.
    public let storedBytes: Int
    /// The zip archive beside it, and its size; nil when there is none.
    public let archive: (location: String, bytes: Int)?
}

extension Repository {
    /// Looks at everything that lies around a point's metadata, and reads no data.
    public func details(of point: Point) async throws -> PointDetails {
        var archive: (String, Int)?
        if let entry = try await storage.entry(RepositoryLayout.archive(of: point.id)) {
            archive = ("\(storage.location)/\(entry.name)", entry.byteCount)
        }
        return PointDetails(
            state: try await stateIfKnown(of: point),
            storedBytes: try await storedBytes(in: point.folder), archive: archive)
    }

    /// What is known about a backup; nil when its `state.json` is missing or cannot be read.
    ///
    /// Neither is an error: a view of the repository goes on without it.
    public func stateIfKnown(of point: Point) async throws -> BackupState? {
        let name = try point.folder.appending(RepositoryLayout.state)
        do {
            guard try await storage.entry(name) != nil else { return nil }
            let bytes = try await storage.bytes(of: name)
            return try JSONFile.value(BackupState.self, from: bytes, file: "\(name)")
        } catch is BackupError {
            return nil
        }
    }

    /// All files below a folder, those of points that rest on it not counted.
    func storedBytes(in folder: StorageName) async throws -> Int {
        var total = 0
        for entry in try await storage.list(folder) {
            guard entry.isFolder else {
                total &+= entry.byteCount
                continue
            }
            guard entry.name.last != RepositoryLayout.layers else { continue }
            total &+= try await storedBytes(in: entry.name)
        }
        return total
    }
}
