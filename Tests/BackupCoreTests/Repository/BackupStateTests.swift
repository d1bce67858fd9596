import BackupTesting
import Foundation
import Testing

@testable import BackupCore

/// What is known about a backup is kept, whoever finds out something else at the same time.
@Suite(.timeLimit(.minutes(10))) struct BackupStateTests {
    @Test func `who finds the state being changed waits, and adds to it`() async throws {
        let shop = Shop()
        let point = try await shop.point()
        let (repository, storage) = (shop.repository, shop.storage)
        let chain = try await repository.contents().chain(of: point)
        let file = try point.folder.appending(RepositoryLayout.state)
        let lock = try RepositoryLayout.stateLock()
        let tries = Journal<MemoryStorage.Step>()
        storage.beforeEachStep { step in
            if step == .lock(lock) { tries.append(step) }
        }
        let verifying = try await storage.withLock(lock, holder: "pin") {
            var state = try await repository.state(of: point)
            let verifying = Task {
                try await Verify(repository: repository)
                    .run(chain, progress: OperationProgress()).passed
            }
            // The test's own is the first.
            while tries.entries.count < 2 { try await Task.sleep(for: .milliseconds(5)) }
            state.pinned = true
            try await storage.write(file, bytes: JSONFile.bytes(of: state))
            return verifying
        }
        #expect(try await verifying.value)
        let state = try await repository.state(of: point)
        #expect(state.pinned && state.verified?.passed == true)
    }

    @Test func `damage puts a whole chain in doubt until a later check passes`() async throws {
        var shop = Shop()
        try await shop.backUp()
        let full = try await shop.point().id
        let name = try await shop.layer(.differential).metadata.id
        let contents = try await shop.repository.contents()
        let layer = try contents.point(named: name).id
        func state(_ passed: Bool, at second: Double) -> BackupState {
            var state = BackupState()
            let time = Timestamp(Date(timeIntervalSince1970: second))
            state.verified = BackupState.Proof(at: time, passed: passed, seconds: 1)
            return state
        }
        #expect(
            contents.doubts([full: state(true, at: 1), layer: state(false, at: 2)])
                == [full: layer])
        #expect(contents.doubts([full: state(true, at: 3), layer: state(false, at: 2)]).isEmpty)
        #expect(contents.doubts([full: state(false, at: 1)]) == [layer: full])
        #expect(contents.doubts([:]).isEmpty)
    }

    @Test func `what several commands find out at once is all kept`() async throws {
        let shop = Shop()
        let point = try await shop.point()
        let repository = shop.repository
        let chain = try await repository.contents().chain(of: point)
        for _ in 0..<5 {
            try await repository.changeState(of: point) { $0 = BackupState() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await repository.setPinned(true, of: point, holder: "the test")
                }
                group.addTask {
                    _ = try await Verify(repository: repository)
                        .run(chain, progress: OperationProgress())
                }
                group.addTask {
                    try await repository.changeState(of: point) {
                        $0.drilled = BackupState.Proof(at: .now, passed: true, seconds: 1)
                    }
                }
                try await group.waitForAll()
            }
            let state = try await repository.state(of: point)
            #expect(state.pinned && state.verified != nil && state.drilled != nil)
        }
    }

    @Test func `what another version knows is not lost because it cannot be read just now`()
        async throws
    {
        let shop = Shop()
        let point = try await shop.point()
        let name = try point.folder.appending(RepositoryLayout.state)
        let bytes = Array(#"{"pinned": false, "signed_by": "Ana"}"#.utf8)
        try await shop.storage.write(name, bytes: bytes)
        let reads = Journal<Int>()
        shop.storage.beforeEachStep { step in
            guard step == .read(name) else { return }
            reads.append(1)
            if reads.entries.count == 2 { throw BackupError(.storageFailed, "no file handles") }
        }
        await #expect(throws: BackupError.self) {
            try await shop.repository.changeState(of: point) { $0.pinned = true }
        }
        #expect(try await shop.storage.bytes(of: name) == bytes)
        try await shop.repository.changeState(of: point) { $0.pinned = true }
        let text = String(decoding: try await shop.storage.bytes(of: name), as: UTF8.self)
        #expect(text.contains("Ana"))
    }

    @Test func `a lock that nobody frees is told, and the proof is not lost on who asked`()
        async throws
    {
        let shop = Shop()
        let point = try await shop.point()
        let notes = Journal<String>()
        var hurried = shop.repository
        hurried.briefLockTries = 3
        let repository = hurried
        let report = try await shop.storage.withLock(RepositoryLayout.stateLock(), holder: "x") {
            try await Verify(repository: repository).run(
                repository.contents().chain(of: point),
                progress: OperationProgress(notes: { notes.append($0) }))
        }
        #expect(report.passed)
        #expect(notes.entries.contains { $0.contains("could not be remembered") })
        #expect(notes.entries.contains { $0.contains("held by another run: x") })
    }

    @Test func `a pin that was told survives a crash`() async throws {
        var shop = Shop()
        let full = try await shop.point()
        let layer = try await shop.layer(.incremental).metadata.id
        for id in [full.id.text, layer] {
            let point = try await shop.repository.contents().point(named: id)
            try await shop.repository.setPinned(true, of: point, holder: "the test")
            shop.storage.crash { _ in false }
            #expect(try await shop.repository.state(of: point).pinned, "\(id)")
            #expect(shop.files.contains("\(point.folder)/state.json"))
        }
    }

    @Test func `what a killed command has left of a state goes with the next change`()
        async throws
    {
        try await withTemporaryFolder { folder in
            let shop = Shop()
            let point = try await shop.point()
            let storage = LocalStorage(path: folder)
            for (name, bytes) in shop.storage.files { try await storage.write(name, bytes: bytes) }
            let left = "\(folder)/\(point.folder)/.state.json.12ab.tmp"
            try Data().write(to: URL(fileURLWithPath: left))
            let repository = Repository(storage: storage)
            try await repository.setPinned(true, of: point, holder: "the test")
            #expect(!FileManager.default.fileExists(atPath: left))
            #expect(try await repository.state(of: point).pinned)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: "\(folder)/.lock").isEmpty)
        }
    }
}
