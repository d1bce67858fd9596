import Dispatch
import Packing

/// Proves that the archive of a full holds what the full's folder was committed with, and nothing else.
///
/// On a thread of its own: libarchive asks for bytes and waits for them.
actor ArchiveProof {
    /// What is noted of a backup besides takes less than a thousandth of that.
    private static let mostStateBytes = 1 << 20

    private nonisolated let thread = BlockingThread(label: "dbtool.archive")
    private let top: String
    /// By name below the top folder; of what may be something else by now there is none.
    private let digests: [String: String]
    private let files: Set<String>
    private let folders: Set<String>

    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// `checksums`: The list of the full's folder.
    init(of id: BackupID, _ checksums: Checksums) {
        var digests = [RepositoryLayout.checksums: checksums.ownDigest]
        for file in checksums.files { digests[file] = checksums[file] }
        let files = Set(digests.keys).union([RepositoryLayout.state])
        top = id.text
        self.digests = digests
        self.files = files
        folders = Set(files.flatMap { Self.folders(of: "\(id.text)/\($0)") })
    }

    /// What is wrong with the archive, in words that can follow its name; nil where nothing is.
    ///
    /// - Throws: What `reader` throws; `CancellationError`.
    func flaw(in reader: any StorageReader, _ progress: OperationProgress) throws -> String? {
        do {
            let zip = try ZipReader {
                try Task.checkCancellation()
                let piece = try Self.piece(of: reader)
                progress.add(rows: 0, bytes: piece.count)
                return piece
            }
            var (missing, unseen) = (files, folders)
            while let name = try zip.nextMember() {
                var (hash, byteCount) = (SHA256Stream(), 0)
                while case let piece = try zip.next(), !piece.isEmpty {
                    hash.update(piece)
                    byteCount += piece.count
                }
                if unseen.remove(name) != nil { continue }
                // What is said of each is kept to the end: no more of them than the backup has.
                guard !folders.contains(name) else { return "\(name) is in it twice" }
                let file = String(name.dropFirst(top.utf8.count + 1))
                guard name == "\(top)/\(file)", missing.remove(file) != nil else {
                    return "\(name) in it is not the backup's"
                }
                let isOfBackup =
                    digests[file].map { hash.hexDigest() == $0 }
                    ?? (byteCount <= Self.mostStateBytes)
                guard isOfBackup else { return "\(file) in it is not that of the backup" }
            }
            if let file = missing.min() { return "\(file) is missing in it" }
            try zip.finish()
            return nil
        } catch let error as PackingError {
            return "\(error)"
        }
    }

    /// The folders above a file, each with a slash at its end.
    private static func folders(of path: String) -> [String] {
        path.indices.filter { path[$0] == "/" }.map { String(path[...$0]) }
    }

    /// The next bytes, for which this thread waits.
    private static func piece(of reader: any StorageReader) throws -> [UInt8] {
        let awaited = AwaitedPiece()
        Task.detached {
            do {
                awaited.set(.success(try await reader.next()))
            } catch {
                awaited.set(.failure(error))
            }
        }
        return try awaited.wait()
    }
}

/// What a task reads while a thread waits for it.
///
/// `@unchecked Sendable`: the semaphore lets the one come after the other.
private final class AwaitedPiece: @unchecked Sendable {
    private let isThere = DispatchSemaphore(value: 0)
    private var result: Result<[UInt8], any Error> = .success([])

    func set(_ result: Result<[UInt8], any Error>) {
        self.result = result
        isThere.signal()
    }

    func wait() throws -> [UInt8] {
        isThere.wait()
        return try result.get()
    }
}
