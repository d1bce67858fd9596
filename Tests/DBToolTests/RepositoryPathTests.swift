import BackupTesting
import Foundation
import Testing

/// Where a path leads, before any server is asked.
@Suite struct RepositoryPathTests {
    @Test(arguments: [["-path", "~/b"], []])
    func `a path that begins with ~ is in $HOME`(words: [String]) async throws {
        try await withTemporaryFolder { folder in
            var environment = ["HOME": "\(folder)/home"]
            if words.isEmpty { environment["DB_BACKUP_PATH"] = "~/b" }
            try await Program.run(
                DBToolBinary.path(), ["list"] + words, environment: environment, folder: folder
            ).expect(code: 1, saying: "there is no folder \(folder)/home/b")
        }
    }
}
