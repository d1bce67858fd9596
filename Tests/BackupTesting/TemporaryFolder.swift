import Foundation

/// Runs `body` with the path of an empty folder that is removed afterwards.
public func withTemporaryFolder<Result: Sendable>(
    _ body: (String) async throws -> Result
) async throws -> Result {
    let path = NSTemporaryDirectory() + "/dbtool-\(UUID())"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    // What cannot be removed is in the system's own folder for such things.
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}
