import BackupCore
import BackupTesting
import Foundation
import Testing

/// What one test with a MySQL or MariaDB server makes and leaves nothing of: a folder and databases.
struct MySQLBench {
    let server: MySQLTestServer
    let folder: String
    /// The source; other databases of the test have its name with something behind it.
    let source: MySQLTestDatabase

    var repository: String { "\(folder)/repository" }

    static func with(
        _ server: MySQLTestServer, _ body: (MySQLBench) async throws -> Void
    ) async throws {
        try await Workbench.gate.pass { try await inTurn(server, body) }
    }

    static func inTurn(
        _ server: MySQLTestServer, _ body: (MySQLBench) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            try await server.withDatabase { source in
                let bench = MySQLBench(server: server, folder: folder, source: source)
                do {
                    try await body(bench)
                } catch {
                    try? await bench.dropOthers()
                    throw error
                }
                try await bench.dropOthers()
            }
        }
    }

    private func dropOthers() async throws {
        let names = try await server.query(
            "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE '\(source.name)\\_%'"
        )
        for name in names.split(separator: "\n") {
            try await server.query("SET SESSION foreign_key_checks = 0; DROP DATABASE `\(name)`")
        }
    }

    /// A database of the test, which need not exist.
    func other(_ suffix: String) -> MySQLTestDatabase {
        MySQLTestDatabase(name: "\(source.name)_\(suffix)", server: server)
    }

    // MARK: dbtool

    /// All variables that programs get: nothing of the developer's own databases or settings.
    var environment: [String: String] {
        [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": folder, "TMPDIR": folder,
            "XDG_STATE_HOME": "\(folder)/state", "LC_ALL": "C.UTF-8",
        ]
    }

    /// Runs dbtool with these words, and how to reach a server.
    func dbtool(
        _ words: [String], as user: String = "root", on other: MySQLTestServer? = nil,
        while body: (RunningProgram) async throws -> Void = { _ in }
    ) async throws -> ProgramEnd {
        let port = (other ?? server).port
        return try await Program.run(
            DBToolBinary.path(),
            words + ["--db", "mysql", "--host", "127.0.0.1", "--port", "\(port)", "--user", user],
            environment: environment, folder: folder, while: body)
    }

    /// Runs dbtool with exactly these words, which say where the server is unless these variables do.
    func dbtool(
        exactly words: [String], environment extra: [String: String] = [:]
    ) async throws -> ProgramEnd {
        try await Program.run(
            DBToolBinary.path(), words, environment: environment.merging(extra) { $1 },
            folder: folder)
    }

    /// Runs a command that asks no server.
    func read(_ words: [String]) async throws -> ProgramEnd {
        try await Program.run(
            DBToolBinary.path(), words + ["-path", repository], environment: environment,
            folder: folder)
    }

    /// Runs `dbtool restore latest` into one of the test's databases.
    func restore(
        into database: MySQLTestDatabase, _ words: [String] = [],
        while body: (RunningProgram) async throws -> Void = { _ in }
    ) async throws -> ProgramEnd {
        try await dbtool(
            ["restore", "latest", "-path", repository, "--into", database.name] + words,
            on: database.server, while: body)
    }

    /// Makes a backup that must succeed.
    func backUp(
        _ verb: [String] = ["full", "database"], _ words: [String] = [], as user: String = "root",
        location: SourceLocation = #_sourceLocation
    ) async throws -> StoredBackup {
        let end = try await dbtool(
            verb + ["-path", repository, "--json", "--database", source.name] + words, as: user)
        try end.requireCode(0, location)
        return try StoredBackup(end)
    }

    /// Restores a point into a new database, which must succeed.
    func restored(
        _ point: String = "latest", _ words: [String] = [], into suffix: String = "copy",
        location: SourceLocation = #_sourceLocation
    ) async throws -> MySQLTestDatabase {
        let copy = other(suffix)
        try await dbtool(
            ["restore", point, "-path", repository, "--into", copy.name, "--create"] + words
        ).requireCode(0, location)
        return copy
    }

    // MARK: Without dbtool

    /// Structure, counters and every value of a database, as the server's own client prints them.
    func contents(of database: MySQLTestDatabase) async throws -> String {
        let end = try await compare(database.name, "-")
        try end.requireCode(0)
        return end.output
    }

    /// Fails where two databases differ.
    func expectEqual(
        _ left: MySQLTestDatabase, _ right: MySQLTestDatabase,
        location: SourceLocation = #_sourceLocation
    ) async throws {
        let end = try await compare(left.name, right.name)
        #expect(end.code == 0, "\(end)", sourceLocation: location)
    }

    private func compare(_ left: String, _ right: String) async throws -> ProgramEnd {
        try await Program.run(
            "\(DBToolBinary.package)/Tests/Fixtures/compare-mysql-databases",
            [left, right] + server.client, environment: ProcessInfo.processInfo.environment,
            folder: folder)
    }

    /// Fills the source from scripts among the fixtures.
    func fill(_ fixtures: String...) async throws {
        for name in fixtures {
            try await source.load(
                try String(
                    contentsOfFile: "\(DBToolBinary.package)/Tests/Fixtures/\(name).sql",
                    encoding: .utf8))
        }
    }
}
