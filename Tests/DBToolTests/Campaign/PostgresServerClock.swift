import BackupTesting
import Foundation

/// The clock of a PostgreSQL server: a library that is loaded before all others sets it for all of its processes.
struct PostgresServerClock: ServerClock {
    private let file: URL
    /// What the server is started with.
    let variables: [String: String]

    init(in bench: Workbench) async throws {
        let library = try await PreloadedLibrary("set-clock", in: bench.folder, bench.environment)
        // The server has a user of its own, who must be able to read it.
        file = URL(
            fileURLWithPath: try bench.write("0", to: "server-clock", mode: 0o644))
        variables = ["LD_PRELOAD": library.path, "CLOCK_FILE": file.path]
    }

    let furthest = Int.max
    let columnType = "timestamptz"

    func set(_ offset: Int) throws {
        // In its place, so that it stays readable for the server.
        try Data("\(offset)".utf8).write(to: file)
    }

    func beginning(at offset: Int) -> String { "" }

    func seconds(of column: String) -> String { "extract(epoch FROM \(column))" }
}
