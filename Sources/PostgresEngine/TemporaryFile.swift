import BackupCore
import Foundation

/// A file for other programs, gone when `body` ends.
enum TemporaryFile {
    /// Runs `body` with the path of a file that only this user can read.
    static func with<Result: Sendable>(
        _ bytes: [UInt8], _ body: (String) async throws -> Result
    ) async throws -> Result {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("dbtool-\(UUID().uuidString)").path
        guard
            FileManager.default.createFile(
                atPath: path, contents: Data(bytes), attributes: [.posixPermissions: 0o600])
        else {
            throw BackupError(
                .storageFailed, "cannot write the temporary file \(path)",
                hint: "TMPDIR names another folder for temporary files.")
        }
        defer {
            // A file left behind in a temporary folder harms nobody.
            try? FileManager.default.removeItem(atPath: path)
        }
        return try await body(path)
    }
}
