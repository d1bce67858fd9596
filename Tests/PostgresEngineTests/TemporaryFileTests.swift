import BackupTesting
import Foundation
import Testing

@testable import PostgresEngine

/// The files that pg_dump's archive is in while other programs read it.
@Suite struct TemporaryFileTests {
    @Test func `a file that a killed run has left is removed, and nothing else`() async throws {
        try await withTemporaryFolder { folder in
            let (left, other) = ("\(folder)/dbtool-file-1", "\(folder)/dbtool-other")
            for path in [left, other] { try Data([1]).write(to: URL(fileURLWithPath: path)) }
            let link = "\(folder)/dbtool-file-2"
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: other)
            TemporaryFile.removeAbandoned(in: folder)
            let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(Set(names) == ["dbtool-other", "dbtool-file-2"])
        }
    }

    @Test func `a file that is in use stays, and goes afterwards`() async throws {
        let path = try await TemporaryFile.with([1, 2, 3]) { path in
            TemporaryFile.removeAbandoned(
                in: URL(fileURLWithPath: path).deletingLastPathComponent().path)
            let bytes = FileManager.default.contents(atPath: path).map { Array($0) }
            #expect(bytes == [1, 2, 3])
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
            #expect(mode as? Int == 0o600)
            return path
        }
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}
