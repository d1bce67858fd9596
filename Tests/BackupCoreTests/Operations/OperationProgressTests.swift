import BackupTesting
import Synchronization
import Testing

@testable import BackupCore

@Suite struct OperationProgressTests {
    /// How each phase of an operation ended.
    private func ends(
        of body: (OperationProgress) async throws -> Void
    ) async throws -> [String: OperationProgress.Reading] {
        let journal = Journal<OperationProgress.Reading>()
        let current = Mutex<OperationProgress?>(nil)
        let progress = OperationProgress(phases: { _ in
            if let last = current.withLock({ $0?.current }) { journal.append(last) }
        })
        current.withLock { $0 = progress }
        try await body(progress)
        journal.append(progress.current)
        current.withLock { $0 = nil }
        return Dictionary(journal.entries.map { ($0.phase, $0) }) { $1 }
    }

    @Test func `a backup's estimate has become the truth when all is read`() async throws {
        let shop = Shop()
        let ends = try await ends { try await shop.backUp($0) }
        let rows = try #require(ends["reading rows"])
        #expect(rows.bytes > 0)
        #expect(rows.totalBytes == rows.bytes)
    }

    @Test(arguments: [FilePacking.none, .zstd])
    func `verifying comes to the total, which is CSV however it is packed`(
        packing: FilePacking
    ) async throws {
        var shop = Shop()
        shop.request.packing = packing
        let point = try await shop.point()
        let chain = Chain(links: [point])
        let ends = try await ends {
            _ = try await Verify(repository: shop.repository).run(chain, progress: $0)
        }
        let rows = try #require(ends["verifying rows"])
        let headers = point.metadata.tables.reduce(0) { $0 + $1.header.count }
        #expect(rows.totalBytes == point.metadata.csvBytes)
        #expect(rows.bytes + headers == point.metadata.csvBytes)
        #expect(rows.rows == point.metadata.statistics.totalRowsProcessed)
        #expect(try #require(ends["checking files"]).bytes > 0)
    }

    @Test func `a restore says how much of each phase is there`() async throws {
        let shop = Shop()
        let point = try await shop.point()
        var request = RestoreRequest(point: "latest", database: "restored")
        (request.creates, request.check) = (true, .rows)
        let first = request
        let ends = try await ends { try await shop.restore(first, $0) }
        let indexes = try #require(ends["creating indexes and constraints"])
        #expect(indexes.steps == StepProgress(done: 1, total: 1))
        #expect(ends["loading rows"]?.totalBytes == point.metadata.csvBytes)
        #expect(ends["reading rows back"]?.totalBytes == point.metadata.csvBytes)
        #expect(ends["gathering statistics"]?.steps == nil)
    }

    /// Rows that are not loaded or not read back once counted as work that is left.
    @Test func `tables that exist are a phase of their own, with their own total`() async throws {
        let shop = Shop()
        let point = try await shop.point()
        try await shop.restore()
        var request = RestoreRequest(point: "latest", database: "restored")
        (request.existing, request.content, request.check) = (.append, .rows, .rows)
        let second = request
        let ends = try await ends { try await shop.restore(second, $0) }
        #expect(ends["loading rows"] == nil)
        let rows = try #require(ends["loading rows into existing tables"])
        #expect(rows.totalBytes == point.metadata.csvBytes)
        #expect(rows.rows == point.metadata.statistics.totalRowsProcessed)
        #expect(ends["checking and committing existing tables"] != nil)
        #expect(ends["reading rows back"]?.totalBytes == 0)
    }

    @Test func `a phase does not inherit the steps of the one before`() {
        let progress = OperationProgress()
        progress.begin("a")
        progress.show(StepProgress(done: 1, total: 2))
        #expect(progress.current.steps?.total == 2)
        progress.begin("b")
        #expect(progress.current.steps == nil)
    }

    @Test func `an archive comes exactly to its total`() async throws {
        var shop = Shop()
        shop.request.makesArchive = true
        let finished = shop
        let ends = try await ends { try await finished.backUp($0) }
        let archive = try #require(ends["making the zip archive"])
        #expect(archive.bytes > 0 && archive.totalBytes == archive.bytes)
    }

    @Test func `a correction never makes a total negative, nor one out of nothing`() {
        let progress = OperationProgress()
        progress.begin("a", totalBytes: 10)
        progress.correctTotal(by: -20)
        #expect(progress.current.totalBytes == 0)
        progress.begin("b")
        progress.correctTotal(by: 5)
        #expect(progress.current.totalBytes == nil)
    }
}
