import BackupTesting
import Foundation
import Testing

@testable import DBTool

/// What is remembered of repositories, and for whom.
@Suite struct LastRepositoriesTests {
    @Test func `the repository used last is remembered for each database, in one file`()
        async throws
    {
        try await withTemporaryFolder { folder in
            let last = LastRepositories(in: "\(folder)/state")
            #expect(last["shop"] == nil)
            await last.remember("/backups/a", for: "shop")
            let killed = URL(fileURLWithPath: "\(folder)/state/.repositories.json.12ab.tmp")
            try Data("{".utf8).write(to: killed)
            await last.remember("/backups/b", for: "books")
            await last.remember("/backups/c", for: "shop")
            let again = LastRepositories(in: "\(folder)/state")
            #expect(again["shop"] == "/backups/c" && again["books"] == "/backups/b")
            let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/state")
            #expect(names == ["repositories.json"])
        }
    }

    /// Looks without a pause: whatever mode it ever had is one that a killed run leaves.
    @Test func `nobody else may ever read what is remembered`() async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/repositories.json"
            let watching = Task.detached {
                var modes: Set<mode_t> = []
                while !Task.isCancelled {
                    var status = stat()
                    if stat(path, &status) == 0 { modes.insert(status.st_mode & 0o777) }
                }
                return modes
            }
            for number in 1...200 {
                await LastRepositories(in: folder).remember("/backups/\(number)", for: "shop")
                try FileManager.default.removeItem(atPath: path)
            }
            await LastRepositories(in: folder).remember("/backups", for: "shop")
            try await Task.sleep(for: .milliseconds(50))
            watching.cancel()
            #expect(await watching.value == [0o600])
        }
    }

    @Test func `a link in its place is replaced, and what it leads to stays as it was`()
        async throws
    {
        try await withTemporaryFolder { folder in
            let (path, other) = ("\(folder)/repositories.json", "\(folder)/other")
            try Data("{}".utf8).write(to: URL(fileURLWithPath: other))
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o640], ofItemAtPath: other)
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: other)
            await LastRepositories(in: folder).remember("/backups", for: "shop")
            let mode = try FileManager.default.attributesOfItem(atPath: other)[.posixPermissions]
            #expect(mode as? Int == 0o640)
            #expect(FileManager.default.contents(atPath: other) == Data("{}".utf8))
            #expect(LastRepositories(in: folder)["shop"] == "/backups")
        }
    }
}
