import Foundation

/// The private server, and the programs beside it.
struct Server {
    let url: String
    let bin: String
    let scratch: String
    /// The number of its first process.
    let postmaster: Int32

    /// The processor time, in seconds, of the server's processes, of those that ended too.
    func processorSeconds() throws -> Double {
        let processes = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap {
            Int32($0)
        }
        let ticks = processes.reduce(0) { sum, process in
            // One that ended meanwhile has been counted by the postmaster, or will be.
            let line = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
            // The name in parentheses can hold anything.
            let fields =
                line.split(separator: ")").last?.split(separator: " ").map { Int($0) ?? 0 } ?? []
            guard fields.count > 14, process == postmaster || fields[1] == postmaster else {
                return sum
            }
            return sum + fields[11...(process == postmaster ? 14 : 12)].reduce(0, +)
        }
        return Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

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
