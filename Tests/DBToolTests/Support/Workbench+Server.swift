import BackupTesting
import Foundation

extension Workbench {
    /// Runs `body` with the database of a server of the same version that nobody else uses.
    ///
    /// `settings`: What it is started with, as `name=value`; `variables`: What its processes find besides in their environment.
    /// It ends, with all databases in it.
    func withOwnServer(
        _ settings: [String] = [], variables: [String: String] = [:],
        _ body: (TestDatabase) async throws -> Void
    ) async throws {
        let place = ["\(folder)/server", "\(server.major)"]
        let start = try await control(["start"] + place + settings, variables)
        let url = start.output.split(separator: "\n").last.map(String.init) ?? ""
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body(administration(of: server.another(at: url))))
        } catch {
            outcome = .failure(error)
        }
        // A test that was cancelled must still end its server.
        try await Task { _ = try await control(["stop"] + place) }.value
        try outcome.get()
    }

    /// The same with a server that may crash or be stopped, and runs again at the end.
    func withEndingServer(
        _ settings: [String] = [], _ body: (PostgresOwnServer) async throws -> Void
    ) async throws {
        try await withOwnServer(settings) { database in
            let own = PostgresOwnServer(
                database: database, bench: self,
                place: ["\(folder)/server", "\(server.major)"],
                settings: settings + ["port=\(database.server.port)"])
            try await body(own)
        }
    }

    /// Starts or stops a server.
    func control(_ words: [String], _ variables: [String: String] = [:]) async throws -> ProgramEnd
    {
        let script = "\(DBToolBinary.package)/Scripts/servers/postgres-server"
        let end = try await Program.run(
            script, words, environment: environment.merging(cache) { $1 }.merging(variables) { $1 },
            folder: folder)
        guard end.code == 0 else { throw ProgramFailure("\(end)") }
        return end
    }

    /// Where the script finds programs that were fetched, whatever home this test has.
    private var cache: [String: String] {
        guard let range = server.bin.range(of: "/dbtool/servers/") else { return [:] }
        return ["XDG_CACHE_HOME": String(server.bin[..<range.lowerBound])]
    }
}
