import BackupTesting
import Foundation

/// A pg_dump that waits for a test: between a backup's snapshot and its first row.
struct PausingPgDump {
    let program: String
    private let folder: String

    fileprivate init(_ bench: Workbench) throws {
        folder = "\(bench.folder)/\(bench.uniqueName("pause"))"
        let bin = bench.server.bin
        program = "\(folder)/pg_dump"
        let name = URL(fileURLWithPath: folder).lastPathComponent
        try bench.write(
            """
            #!/bin/sh
            case "$*" in
            --version) exec '\(bin)/pg_dump' --version ;;
            esac
            : >'\(folder)/reached'
            while [ ! -e '\(folder)/go' ]; do sleep 0.02; done
            exec '\(bin)/pg_dump' "$@"
            """, to: "\(name)/pg_dump", mode: 0o700)
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder)/pg_restore", withDestinationPath: "\(bin)/pg_restore")
    }

    /// Waits until a backup has come to it.
    func untilReached() async throws {
        try await eventually("pg_dump is called") {
            FileManager.default.fileExists(atPath: "\(folder)/reached")
        }
    }

    /// Lets it go on.
    func proceed() throws {
        try Data().write(to: URL(fileURLWithPath: "\(folder)/go"))
    }
}

extension Workbench {
    /// Makes a pg_dump that waits.
    func pausingPgDump() throws -> PausingPgDump { try PausingPgDump(self) }
}
