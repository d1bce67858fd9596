import Foundation

/// What the numbers were measured on: only ratios carry over to other machines.
struct Machine: Encodable {
    let processor: String
    let cores: Int
    let memoryBytes: UInt64
    let system: String

    init() {
        let process = ProcessInfo.processInfo
        // Only Linux has the file; elsewhere the processor stays unnamed.
        let facts = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let model = facts.split(separator: "\n").first { $0.hasPrefix("model name") }
        processor =
            model?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
            ?? "unknown processor"
        cores = process.activeProcessorCount
        memoryBytes = process.physicalMemory
        system = process.operatingSystemVersionString
    }
}

/// What was measured.
struct Versions: Encodable {
    let dbtool: String
    let commit: String
    let server: String
    let client: String
    let rivet: String?

    init(server: Server, options: Options) throws {
        func answer(_ program: MeasuredProgram) throws -> String {
            let log = "\(server.scratch)/version.log"
            _ = try program.run(log: log)
            return try String(contentsOfFile: log, encoding: .utf8)
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }
        dbtool = try answer(MeasuredProgram(options.dbtool, "--version"))
        commit = options.commit
        self.server = try server.psql("SHOW server_version")
        client = try answer(server.program("pg_dump", ["--version"]))
        rivet = try options.rivet.map { try answer(MeasuredProgram($0, "--version")) }
    }
}
