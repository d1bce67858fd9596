import BackupTesting
import Foundation

/// The dbtool that was built.
enum DBToolBinary {
    /// - Throws: When there is none.
    static func path() throws -> String {
        if let named = ProcessInfo.processInfo.environment["DBTOOL_TEST_BINARY"] { return named }
        let bundles = [Bundle.main] + Bundle.allBundles
        let folders = bundles.flatMap { bundle in
            [bundle.bundleURL, bundle.bundleURL.deletingLastPathComponent()]
        }
        let found = folders.map { $0.appendingPathComponent("dbtool").path }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
        guard let found else {
            throw ProgramFailure("no dbtool beside the tests: build it, or set DBTOOL_TEST_BINARY")
        }
        return found
    }

    /// The root of this package's sources.
    static let package = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path
}
