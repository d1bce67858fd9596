import BackupTesting
import Foundation

/// A PostgreSQL server that one test has for itself, and may let crash.
struct PostgresOwnServer: Sendable {
    /// The database that is there from the beginning.
    let database: TestDatabase
    let bench: Workbench
    /// Where its files are, and its version, as the script takes them.
    let place: [String]
    /// What it is started with, as `name=value`.
    let settings: [String]

    /// Ends it at once, as a loss of power does.
    func crash() async throws {
        let file = "\(place[0])/\(place[1])/data/postmaster.pid"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        guard let number = text.split(separator: "\n").first.flatMap({ Int32($0) }) else {
            throw ProgramFailure("no number of a process in \(file): \(text)")
        }
        kill(number, SIGKILL)
        try await eventually("the server is gone") { kill(number, 0) != 0 }
    }

    /// Ends it as an administrator does who does not wait for others.
    func stop() async throws {
        _ = try await bench.control(["stop"] + place)
    }

    /// Starts it again, which recovers what its log knows.
    func restart() async throws {
        try await eventually("the server starts") {
            do {
                _ = try await bench.control(["start"] + place + settings)
                return true
            } catch is ProgramFailure {
                // Processes of the one that crashed end when they see it, and until then nobody gets its memory.
                return false
            }
        }
    }
}
