import BackupTesting
import Testing

@testable import BackupCore

/// What a check adds to what the engine finds: the repository, and what cannot be asked at all.
@Suite struct CheckTests {
    private let storage = MemoryStorage()
    private var repository: Repository { Repository(storage: storage) }

    private func report(
        estimate: Int? = 1000, _ source: (() throws -> SourceCheck)? = nil
    ) async throws -> CheckReport {
        let settings = [Finding(.settings, "host", .ok, "here (flag)")]
        return try await Check(repository: repository, settings: settings)
            .run(progress: OperationProgress()) {
                try source?() ?? SourceCheck(database: "shop", estimatedBytes: estimate)
            }
    }

    private func severity(_ subject: String, in report: CheckReport) -> Finding.Severity? {
        report.findings.first { $0.subject == subject }?.severity
    }

    @Test(
        arguments: [
            (nil, nil, true), (1000, .ok, true), (999, .warning, true), (500, .warning, true),
            (499, .problem, false),
        ] as [(Int?, Finding.Severity?, Bool)])
    func `space is judged as a backup judges it`(
        free: Int?, severity: Finding.Severity?, wouldSucceed: Bool
    ) async throws {
        storage.setAvailableBytes(free)
        let report = try await report()
        #expect(self.severity("space", in: report) == severity)
        #expect(report.wouldSucceed == wouldSucceed)
    }

    @Test func `what is packed needs half the space, and what may not fit is said to`()
        async throws
    {
        storage.setAvailableBytes(500)
        #expect(try await report().mayLackSpace)
        let packed = try await Check(repository: repository, packing: .zstd)
            .run(progress: OperationProgress()) {
                SourceCheck(database: "shop", estimatedBytes: 1000)
            }
        #expect(severity("space", in: packed) == .ok && !packed.mayLackSpace)
    }

    @Test func `a run that holds the lock is named`() async throws {
        #expect(try await severity("other run", in: report()) == nil)
        let lock = try RepositoryLayout.databaseLock("shop")
        let found = try await storage.withLock(lock, holder: "process 7") { try await report() }
        let finding = found.findings.first { $0.subject == "other run" }
        #expect(finding?.severity == .note && finding?.text.contains("process 7") == true)
        #expect(found.wouldSucceed)
    }

    @Test func `a source that cannot be reached leaves everything else told`() async throws {
        let report = try await report { throw BackupError(.connectionFailed, "no answer") }
        #expect(report.failure?.code == .connectionFailed)
        #expect(!report.wouldSucceed)
        #expect(severity("host", in: report) == .ok)
        #expect(severity("connection", in: report) == .problem)
        #expect(severity("repository", in: report) == .ok)
    }

    @Test func `a request that makes no sense is no finding`() async throws {
        await #expect(throws: BackupError.self) {
            try await report { throw BackupError(.usage, "no table is called x") }
        }
    }

    @Test func `without a repository its space is unknown, which is no problem`() async throws {
        let report = try await Check(repository: nil).run(progress: OperationProgress()) {
            SourceCheck(database: "shop")
        }
        #expect(report.findings.map(\.severity) == [.note])
        #expect(report.wouldSucceed)
    }

    @Test func `a check stores nothing`() async throws {
        _ = try await report()
        #expect(storage.files.isEmpty)
    }
}
