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
            ).expect(
                code: 1,
                saying: "there is no folder \(folder.replacing("//", with: "/"))/home/b")
        }
    }

    @Test(arguments: ["OUTER", "OUTER/data/below", "link", "link/below"])
    func `a backup goes into no other one's folder, nor where a link leads there`(
        place: String
    ) async throws {
        try await withTemporaryFolder { folder in
            let outer = "full_shop_20261122_141145_b35d"
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(outer)/data", withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder)/link", withDestinationPath: "\(folder)/\(outer)")
            let path = place.replacing("OUTER", with: outer)
            for words in [
                ["full", "database"], ["incremental", "backup"], ["check"],
            ] {
                try await Program.run(
                    DBToolBinary.path(), words + ["-path", path], environment: ["HOME": folder],
                    folder: folder
                ).expect(code: 2, saying: "lies in the folder of a backup, \(outer)", "-path")
            }
        }
    }
}
