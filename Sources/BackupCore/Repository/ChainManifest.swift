/// `.backup_diff/manifest.json`: what rests on a full, for people and programs.
///
/// A view, never read to decide.
struct ChainManifest: Codable {
    /// One of the points.
    struct Entry: Codable {
        let id: String
        let type: BackupKind
        let folder: String
        let parentID: String?
        let snapshotAt: Timestamp
        let rows: Int
        let tombstones: Int
        let sizeBytes: Int
        let exact: Bool

        enum CodingKeys: String, CodingKey {
            case id, type, folder
            case parentID = "parent_id"
            case snapshotAt = "snapshot_at"
            case rows, tombstones
            case sizeBytes = "size_bytes"
            case exact
        }
    }

    let baseID: String
    /// In order of snapshot time.
    let points: [Entry]

    enum CodingKeys: String, CodingKey {
        case baseID = "base_id"
        case points
    }

    init(of base: Point, layers: [Point]) {
        baseID = base.id.text
        points = layers.map { point in
            let tombstones = point.metadata.tables.reduce(0) { $0 + $1.tombstones }
            return Entry(
                id: point.id.text, type: point.id.kind, folder: point.folder.last,
                parentID: point.metadata.parentID, snapshotAt: point.metadata.snapshotAt,
                rows: point.metadata.statistics.totalRowsProcessed - tombstones,
                tombstones: tombstones, sizeBytes: point.metadata.statistics.totalSizeBytes,
                exact: point.metadata.exact)
        }
    }
}

extension Repository {
    /// Writes the manifest of every chain anew where it is not as it should be.
    func rebuildManifests(_ contents: RepositoryContents) async throws {
        let all = Dictionary(grouping: contents.points) { ExactText($0.metadata.baseID ?? "") }
        for base in contents.points where base.metadata.type == .full {
            let layers = all[ExactText(base.id.text)] ?? []
            let folder = try base.folder.appending(RepositoryLayout.layers)
            let name = try folder.appending(RepositoryLayout.manifest)
            let isThere = try await storage.entry(name) != nil
            guard !layers.isEmpty else {
                if isThere { try await storage.remove(name) }
                continue
            }
            try await storage.removeUnfinishedWrites(in: folder) { $0 == RepositoryLayout.manifest }
            let bytes = try JSONFile.bytes(of: ChainManifest(of: base, layers: layers))
            let before = isThere ? try? await storage.bytes(of: name) : nil
            if before != bytes { try await writeManifest(bytes, as: name, of: base) }
        }
    }

    /// Nothing where the full has been removed meanwhile: its folder must not come back, nor get something while it is emptied.
    private func writeManifest(
        _ bytes: [UInt8], as name: StorageName, of base: Point
    ) async throws {
        let metadata = try base.folder.appending(RepositoryLayout.metadata)
        // Whoever removes a backup of another database begins with its metadata, under this lock.
        try await withBriefLock(RepositoryLayout.stateLock(), holder: RepositoryLayout.manifest) {
            guard try await storage.entry(metadata) != nil else { return }
            try await storage.write(name, bytes: bytes)
        }
    }
}
