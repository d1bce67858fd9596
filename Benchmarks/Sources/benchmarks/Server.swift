import Foundation

/// The private server, and the programs beside it.
struct Server {
    let url: String
    let bin: String
    let scratch: String

    /// The server's program with this name.
    func program(_ name: String, _ arguments: [String]) -> MeasuredProgram {
        MeasuredProgram("\(bin)/\(name)", arguments)
    }

    /// A connection to one of its databases.
    func url(of database: String) -> String {
        let end = url.lastIndex(of: "/") ?? url.endIndex
        return "\(url[..<end])/\(database)"
    }

    /// Runs SQL by psql; what it printed.
    @discardableResult
    func psql(_ sql: String, database: String = "postgres") throws -> String {
        let log = "\(scratch)/psql.log"
        _ = try program(
            "psql", ["-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql, url(of: database)]
        ).run(log: log)
        return try String(contentsOfFile: log, encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Writes everything that waits in memory, so that nobody pays for what another has left.
    func settle() throws {
        try psql("CHECKPOINT")
        sync()
    }
}
