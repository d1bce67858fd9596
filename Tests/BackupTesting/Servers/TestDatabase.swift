/// A database of a test; asked by psql, never by dbtool.
public struct TestDatabase: Sendable {
    /// Its name.
    public let name: String
    /// Where it is.
    public let server: TestServer
    let bench: Workbench

    /// How its superuser reaches it.
    public var url: String { server.url(database: name) }

    /// Runs SQL, each statement in a transaction of its own; all rows that it returns, as text with
    /// `|` between columns.
    @discardableResult
    public func query(_ sql: String, as user: String? = nil) async throws -> String {
        let end = try await attempt(sql, as: user)
        guard end.code == 0 else { throw ProgramFailure("\(sql.prefix(500))\n\(end)") }
        return end.output.hasSuffix("\n") ? String(end.output.dropLast()) : end.output
    }

    /// Runs SQL that may fail.
    public func attempt(_ sql: String, as user: String? = nil) async throws -> ProgramEnd {
        try await psql(["--file", file(of: sql)], as: user)
    }

    /// Runs a file.
    public func load(_ file: String) async throws {
        let end = try await psql(["--single-transaction", "--file", file], as: nil)
        guard end.code == 0 else { throw ProgramFailure("\(end)") }
    }

    /// Runs SQL in a session of its own, and `body` beside it.
    public func query(
        _ sql: String, while body: (RunningProgram) async throws -> Void
    ) async throws -> ProgramEnd {
        try await Program.run(
            "\(server.bin)/psql", Self.options + ["--file", file(of: sql), url],
            environment: bench.environment, folder: bench.folder, while: body)
    }

    private static let options = [
        "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1",
    ]

    private func psql(_ arguments: [String], as user: String?) async throws -> ProgramEnd {
        let url = server.url(database: name, user: user)
        return try await bench.run("\(server.bin)/psql", Self.options + arguments + [url])
    }

    private func file(of sql: String) throws -> String {
        try bench.write(sql, to: "\(bench.uniqueName("sql")).sql")
    }
}
