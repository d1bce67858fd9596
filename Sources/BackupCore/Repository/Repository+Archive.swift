import Foundation
import Packing

extension Repository {
    /// Makes a zip archive of a committed backup, with the backup's name as its top folder.
    ///
    /// - Returns: The archive's place, for people.
    func archive(_ id: BackupID, _ progress: OperationProgress) async throws -> String {
        let folder = try RepositoryLayout.folder(of: id)
        let name = try RepositoryLayout.archive(of: id)
        progress.begin("making the zip archive", totalBytes: try await storedBytes(in: folder))
        do {
            try await storage.write(name) { output in
                let zip = try ZipWriter()
                try await add(folder, to: zip, output, progress)
                try zip.finish()
                try await output.write(zip.takeOutput())
            }
            try await storage.seal(nil)
        } catch let error as PackingError {
            throw BackupError(.storageFailed, "cannot make \(name)", underlying: "\(error)")
        }
        return "\(storage.location)/\(name)"
    }

    /// Removes archives of a database that were cut off.
    ///
    /// Only for the holder of the database's lock.
    func removeUnfinishedArchives(ofEncoded database: String) async throws {
        try await storage.removeUnfinishedWrites(in: nil) {
            RepositoryLayout.backup(ofArchive: $0)?.encodedDatabase == database
        }
    }

    /// Removes the archive of a full, where there is one.
    ///
    /// Only for the holder of the database's lock.
    func removeArchive(of id: BackupID) async throws {
        let name = try RepositoryLayout.archive(of: id)
        guard try await storage.entry(name) != nil else { return }
        try await storage.remove(name)
        // Lest a crash give back the archive alone.
        try await storage.seal(nil)
    }

    private func add(
        _ folder: StorageName, to zip: ZipWriter, _ output: any StorageWriter,
        _ progress: OperationProgress
    ) async throws {
        let now = Int(Timestamp.now.date.timeIntervalSince1970)
        try zip.addFolder("\(folder)", modified: now)
        for entry in try await storage.list(folder) {
            guard !entry.isFolder else {
                try await add(entry.name, to: zip, output, progress)
                continue
            }
            try zip.beginFile("\(entry.name)", byteCount: entry.byteCount, modified: now)
            try await storage.read(entry.name) { reader in
                while case let piece = try await reader.next(), !piece.isEmpty {
                    try Task.checkCancellation()
                    try zip.append(piece)
                    try await output.write(zip.takeOutput())
                    progress.add(rows: 0, bytes: piece.count)
                }
            }
        }
    }
}
