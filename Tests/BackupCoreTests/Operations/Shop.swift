import BackupTesting
import Packing
import Synchronization
import Testing

@testable import BackupCore

/// A small source and a repository, both in memory, for the tests of operations.
struct Shop {
    let server: MemoryServer
    let storage: MemoryStorage
    var engine: MemoryEngine
    var request = BackupRequest(
        snapshot: SnapshotRequest(scope: .database), toolVersion: "0.0.1")

    static let sample = EngineSample(itemCount: 23)

    init(storage: MemoryStorage = MemoryStorage()) {
        var database = Self.sample.memoryDatabase
        database.contents.append(
            .init(
                Table(memory: "sales", "Items", columns: ["a", "b"], key: ["b", "a"]),
                rows: [["1", "x"], ["2", nil], ["3", "y\nz"]]))
        server = MemoryServer(["shop": database])
        self.storage = storage
        engine = MemoryEngine(server)
        request.holder = "the test"
    }

    var repository: Repository { Repository(storage: storage) }

    @discardableResult
    func backUp(_ progress: OperationProgress = OperationProgress()) async throws -> BackupReport {
        try await Backup(engine: engine, repository: repository, request: request)
            .run(progress: progress)
    }

    /// Backs up what has changed.
    @discardableResult
    mutating func layer(_ kind: BackupKind) async throws -> BackupReport {
        request.kind = kind
        defer { request.kind = .full }
        return try await backUp()
    }

    /// Makes a full of the newest point.
    func merge(_ point: String = "latest") async throws -> Metadata {
        let chain = try await repository.contents().chain(named: point)
        return try await Merge(
            engine: engine, repository: repository, request: MergeRequest(toolVersion: "0.0.1")
        ).run(chain, progress: OperationProgress()).metadata
    }

    /// Backs up and gives the point.
    func point() async throws -> Point {
        let report = try await backUp()
        return try await repository.contents().point(named: report.metadata.id)
    }

    func verify(_ point: Point) async throws -> VerifyReport {
        try await Verify(repository: repository)
            .run(repository.contents().chain(of: point), progress: OperationProgress())
    }

    @discardableResult
    func restore(
        _ point: String = "latest", into database: String = "restored"
    ) async throws -> RestoreReport {
        var request = RestoreRequest(point: point, database: database)
        request.creates = true
        return try await restore(request)
    }

    @discardableResult
    func restore(
        _ request: RestoreRequest, _ progress: OperationProgress = OperationProgress()
    ) async throws -> RestoreReport {
        let report = try await Restore(engine: engine, repository: repository, request: request)
            .run(progress: progress)
        return try #require(report)
    }

    /// Each table's rows, in an order that does not depend on how they came.
    func rows(of database: String) -> [TableName: [[String?]]] {
        let contents = server[database]?.contents ?? []
        return Dictionary(contents.map { ($0.table.name, $0.rows.sortedRows) }) { one, _ in one }
    }

    /// The names of everything that is stored, locks excepted.
    var files: [String] { storage.files.keys.map(\.description).sorted() }

    /// Those below the folder of a backup.
    func files(of id: String) -> [String] {
        files.filter { $0.hasPrefix("\(id)/") }.map { String($0.dropFirst(id.count + 1)) }
    }

    func text(_ path: String) throws -> String {
        String(decoding: storage.files[try StorageName(path: path)] ?? [], as: UTF8.self)
    }
}

/// Lists what happens, for all tasks.
final class Journal<Entry: Sendable>: Sendable {
    private let list = Mutex<[Entry]>([])

    var entries: [Entry] { list.withLock { $0 } }

    func append(_ entry: Entry) { list.withLock { $0.append(entry) } }
}

/// The digest that `SHA256SUMS` would list.
func digest(_ bytes: [UInt8]) -> String { SHA256Stream.hexDigest(of: bytes) }
