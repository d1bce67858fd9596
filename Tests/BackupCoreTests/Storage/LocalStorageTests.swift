import BackupTesting
import Foundation
import Testing

@testable import BackupCore

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// What `LocalStorage` promises beyond the contract.
@Suite(.timeLimit(.minutes(10))) struct LocalStorageTests {
    @Test func `folders have mode 700 and files 600`() async throws {
        try await withTemporaryFolder { folder in
            let storage = LocalStorage(path: "\(folder)/repository")
            try await storage.write(StorageName(path: "a/b/file"), bytes: [1])
            try await storage.withLock(StorageName(path: ".lock/x"), holder: "me") {
                #expect(Self.mode("\(folder)/repository/.lock/x") == 0o600)
            }
            for path in ["", "/a", "/a/b", "/.lock"] {
                #expect(Self.mode("\(folder)/repository\(path)") == 0o700, "\(path)")
            }
            #expect(Self.mode("\(folder)/repository/a/b/file") == 0o600)
        }
    }

    @Test func `a write that throws leaves no temporary file`() async throws {
        try await withTemporaryFolder { folder in
            let storage = LocalStorage(path: folder)
            try? await storage.write(StorageName(path: "file")) { writer in
                try await writer.write([1])
                throw DeliberateFailure()
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(left == [])
        }
    }

    /// A folder of that name stands for whatever keeps it from being removed.
    @Test func `a temporary file that stays for a moment is gone when its folder is sealed`()
        async throws
    {
        try await withTemporaryFolder { folder in
            let storage = LocalStorage(path: folder)
            let left = Journal<String>()
            try? await storage.write(StorageName(path: "a/file")) { _ in
                let name = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/a")[0]
                try FileManager.default.removeItem(atPath: "\(folder)/a/\(name)")
                try FileManager.default.createDirectory(
                    atPath: "\(folder)/a/\(name)", withIntermediateDirectories: true)
                left.append("\(folder)/a/\(name)")
                throw DeliberateFailure()
            }
            let place = try #require(left.entries.first)
            #expect(FileManager.default.fileExists(atPath: place))
            try FileManager.default.removeItem(atPath: place)
            try Data().write(to: URL(fileURLWithPath: place))
            try await storage.seal(StorageName(path: "a"))
            #expect(!FileManager.default.fileExists(atPath: place))
        }
    }

    @Test func `an archive that was cut off goes, and that of another database stays`() async throws
    {
        try await withTemporaryFolder { folder in
            let repository = Repository(storage: LocalStorage(path: folder))
            let gone = ".full_shop_20260101_000000_abcd.zip.12ab.tmp"
            let others = [
                ".full_shop_x_20260101_000000_abcd.zip.12ab.tmp", ".backup_catalog.json.1.tmp",
                "full_shop_20260101_000000_abcd.zip", ".tmp", "..tmp",
            ]
            for name in [gone] + others {
                try Data().write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
            }
            try await repository.removeUnfinishedArchives(ofEncoded: "shop")
            let left = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(Set(left) == Set(others))
        }
    }

    @Test func `what a killed process has left goes, and what is being written stays`() async throws
    {
        try await withTemporaryFolder { folder in
            let (left, other) = (".a.csv.12ab.tmp", ".b.csv.12ab.tmp")
            for name in [left, other] {
                try Data().write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
            }
            func names() throws -> [String] {
                try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            }
            let storage = LocalStorage(path: folder, locksWrites: true)
            try await storage.write(StorageName(path: "a.csv")) { writer in
                try await writer.write([1])
                try await LocalStorage(path: folder)
                    .removeUnlockedWrites(in: nil) { $0 == "a.csv" }
                let found = try names()
                #expect(found.count == 2 && found.contains(other) && !found.contains(left))
            }
            #expect(try names() == [other, "a.csv"])
        }
    }

    @Test func `a temporary name tells what an archive was to be, however long its name is`()
        throws
    {
        func temporary(_ name: String) -> String {
            LocalFile.temporaryName(for: name)
        }
        for length in [31, 40, 300] {
            let database = FileNaming.encoded(String(repeating: "ж", count: length))
            let id = try #require(BackupID("full_\(database)_20260101_000000_abcd"))
            let name = try RepositoryLayout.archive(of: id).last
            let final = try #require(LocalFile.finalName(ofTemporary: temporary(name)))
            #expect(RepositoryLayout.backup(ofArchive: final)?.encodedDatabase == database)
        }
        // What is extracted may have a name as long as a file system takes.
        for letter in ["x", "ж", "語", "😀"] {
            let longest = String(repeating: letter, count: 255 / letter.utf8.count)
            #expect(temporary(longest).utf8.count <= 255, "\(letter)")
        }
    }

    /// A link that leads to itself, in every place where something is looked for.
    @Test func `what cannot be followed stops nothing else`() async throws {
        try await withTemporaryFolder { folder in
            var shop = Shop()
            try await shop.backUp()
            try await shop.layer(.incremental)
            let storage = LocalStorage(path: folder)
            for (name, bytes) in shop.storage.files { try await storage.write(name, bytes: bytes) }
            let repository = Repository(storage: storage)
            let base = try #require(await repository.contents().points.first).id.text
            func loop(_ name: String) throws {
                try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
                try FileManager.default.createSymbolicLink(
                    atPath: "\(folder)/\(name)", withDestinationPath: "\(folder)/\(name)")
            }
            try loop("full_x_20260101_000000_abcd")
            try loop("\(base)/.backup_diff/20260101_000000_abcd")
            #expect(try await repository.contents().points.count == 2)
            // Views that are something else are no reason to fail either.
            try loop("backup_catalog.json")
            try loop("\(base)/.backup_diff/manifest.json")
            #expect(try await repository.knownFailures().isEmpty)
            try await repository.rebuildCatalog()
            #expect(try await repository.contents().points.count == 2)
            // What makes a backup one is damaged then, not missing: nothing takes its folder for one that was cut off.
            try loop("\(base)/metadata.json")
            let contents = try await repository.contents()
            #expect(contents.unreadable.map(\.folder.name) == [base] && contents.unfinished.isEmpty)
        }
    }

    @Test func `a lock whose holder was killed is free`() async throws {
        try await withTemporaryFolder { folder in
            let storage = LocalStorage(path: folder)
            let name = try StorageName(path: ".lock/mydb")
            try await storage.write(StorageName(path: ".lock/other"), bytes: [])
            let holder = try LockHolder(path: storage.path(of: name))
            let error = await #expect(throws: BackupError.self) {
                try await storage.withLock(name, holder: "me") {}
            }
            #expect(error?.code == .locked)
            #expect(error?.message.contains("the killed run") == true)
            holder.kill()
            try await storage.withLock(name, holder: "me") {}
        }
    }

    @Test func `who only asks for a lock's holder keeps nobody from it`() async throws {
        try await withTemporaryFolder { path in
            let asker = try Self.shared("\(path)/lock")
            // A thread of its own: the pool of tasks may be busy with other tests.
            Thread.detachNewThread {
                Thread.sleep(forTimeInterval: 0.2)
                Platform.close(asker)
            }
            let folder = try LocalFolder(root: path)
            let lock = try await LocalLock(
                "lock", in: folder, holder: "me", patience: .seconds(300))
            #expect(LocalLock.holder(of: "lock", in: folder) == "me")
            lock.release()
            #expect(LocalLock.holder(of: "lock", in: folder) == nil)
        }
    }

    @Test func `who does not stop asking for a lock's holder is not taken for one`() async throws {
        try await withTemporaryFolder { path in
            let asker = try Self.shared("\(path)/lock")
            defer { Platform.close(asker) }
            let folder = try LocalFolder(root: path)
            let error = await #expect(throws: BackupError.self) {
                try await LocalLock(
                    "lock", in: folder, holder: "me", patience: .milliseconds(20)
                ).release()
            }
            #expect(error?.code == .locked)
            #expect(error?.message.contains("is not held") == true)
            #expect(LocalLock.holder(of: "lock", in: folder) == nil)
        }
    }

    /// Waiting for a holder would outlast this suite's limit.
    @Test func `the holder of a lock is not waited for`() async throws {
        try await withTemporaryFolder { path in
            let folder = try LocalFolder(root: path)
            let lock = try await LocalLock("lock", in: folder, holder: "the first run")
            defer { lock.release() }
            let error = await #expect(throws: BackupError.self) {
                try await LocalLock("lock", in: folder, holder: "me", patience: .seconds(86400))
                    .release()
            }
            #expect(error?.code == .locked)
            #expect(error?.message.hasSuffix("is held by another run: the first run") == true)
            #expect(LocalLock.holder(of: "lock", in: folder) == "the first run")
        }
    }

    @Test func `a full disk is an error that says so, and leaves nothing`() async throws {
        try await withFullFolder { folder in
            let storage = LocalStorage(path: folder)
            let name = try StorageName(path: "large")
            let error = await #expect(throws: BackupError.self) {
                try await storage.write(name) { writer in
                    for _ in 1...10 {
                        try await writer.write([UInt8](repeating: 1, count: 1 << 20))
                    }
                }
            }
            #expect(error?.code == .storageFailed)
            #expect(error?.hint?.contains("Free some space") == true)
            let left = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(left == [])
            try await storage.write(StorageName(path: "small"), bytes: [1])
            let available = try #require(try await storage.availableBytes())
            #expect(available < 4 << 20)
        }
    }

    @Test func `sealing goes on while another run removes its folder`() async throws {
        try await withTemporaryFolder { folder in
            let storage = LocalStorage(path: folder)
            let removing = Task {
                while !Task.isCancelled {
                    for number in 1...8 {
                        try await storage.write(StorageName(path: "\(number)/a/b/c"), bytes: [])
                    }
                    for number in 1...8 { try await storage.remove(StorageName(path: "\(number)")) }
                }
            }
            for _ in 1...500 { try await storage.seal(nil) }
            removing.cancel()
            _ = await removing.result
        }
    }

    /// Who would wait for the pipe is let go after a while, lest this test never end.
    @Test(arguments: ["pipe", "link"])
    func
        `what has come into the place of a file before it is sealed is refused, and not waited for`(
            kind: String
        ) async throws
    {
        try await withTemporaryFolder { folder in
            let storage = LocalStorage(path: folder)
            let name = try StorageName(path: "backup/small")
            try await storage.write(name, survival: .whenSealed, bytes: [1])
            let path = storage.path(of: name)
            try #require(unlink(path) == 0)
            let made = kind == "pipe" ? mkfifo(path, 0o600) : symlink("/dev/null", path)
            try #require(made == 0)
            Thread.detachNewThread {
                Thread.sleep(forTimeInterval: 30)
                let writer = open(path, O_RDWR | O_NONBLOCK)
                Thread.sleep(forTimeInterval: 5)
                Platform.close(writer)
            }
            let error = await #expect(throws: BackupError.self) {
                try await storage.seal(StorageName(path: "backup"))
            }
            #expect(error?.code == .damaged)
            #expect(error?.message.hasPrefix("\(path) is ") == true)
        }
    }

    @Test func `a folder is the same however its path is written`() {
        #expect(LocalStorage(path: "/a/b/").location == "/a/b")
        #expect(LocalStorage(path: "/a/./c/../b").location == "/a/b")
        #expect(LocalStorage(path: "/").location == "/")
        #expect(LocalStorage(path: "x").location.hasSuffix("/x"))
        #expect(LocalStorage(path: "x").location.hasPrefix("/"))
    }

    @Test func `space is that of the nearest folder there is`() async throws {
        try await withTemporaryFolder { folder in
            let there = try await LocalStorage(path: folder).availableBytes()
            let below = try await LocalStorage(path: "\(folder)/not/there").availableBytes()
            #expect(there ?? 0 > 0 && below ?? 0 > 0)
        }
    }

    /// A file that is shared as by one who asks whether its lock has a holder, and has not let it go yet.
    private static func shared(_ path: String) throws -> Int32 {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        try #require(file >= 0 && flock(file, LOCK_SH | LOCK_NB) == 0)
        return file
    }

    private static func mode(_ path: String) -> mode_t {
        var status = stat()
        guard stat(path, &status) == 0 else { return 0 }
        return status.st_mode & 0o777
    }

    /// Runs `body` with a folder that holds 2 MB. Whoever may not mount a file system sees the test
    /// fail, not pass.
    private func withFullFolder(_ body: (String) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let mounted = try Self.run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder)
            guard mounted == 0 else {
                Issue.record("a file system of 2 MB cannot be mounted: run the tests as root")
                return
            }
            defer { _ = try? Self.run("umount", "-l", folder) }
            try await body(folder)
        }
    }

    private static func run(_ words: String...) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}

/// Another process that holds a lock, as a run of this program would.
private struct LockHolder {
    private let process = Process()

    init(path: String) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "python3", "-c",
            """
            import fcntl, sys, time
            file = open(sys.argv[1], "w")
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write("the killed run\\n"); file.flush()
            print("held", flush=True)
            time.sleep(600)
            """, path,
        ]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        _ = pipe.fileHandleForReading.availableData
    }

    func kill() {
        #if canImport(Darwin)
            Darwin.kill(process.processIdentifier, SIGKILL)
        #else
            Glibc.kill(process.processIdentifier, SIGKILL)
        #endif
        process.waitUntilExit()
    }
}
