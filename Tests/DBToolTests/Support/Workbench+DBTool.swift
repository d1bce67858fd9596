import BackupCore
import BackupTesting
import Foundation
import Testing

extension Workbench {
    /// The folder of the test's backups. It does not exist yet.
    var repository: String { "\(folder)/repository" }

    /// Runs dbtool with exactly these words.
    func dbtool(
        _ words: [String], environment extra: [String: String] = [:], in folder: String? = nil,
        while body: (RunningProgram) async throws -> Void = { _ in }
    ) async throws -> ProgramEnd {
        try await Program.run(
            DBToolBinary.path(), words, environment: environment.merging(extra) { $1 },
            folder: folder ?? self.folder, while: body)
    }

    /// How to reach a server, as flags.
    func connection(to other: TestServer? = nil, as user: String? = nil) -> [String] {
        let server = other ?? self.server
        return ["--host", server.host, "--port", server.port, "--user", user ?? server.superuser]
    }

    // MARK: The verbs

    /// Runs `dbtool full …` with a report in JSON.
    func full(
        _ database: TestDatabase, _ words: [String] = [], scope: [String] = ["database"],
        as user: String? = nil, into repository: String? = nil,
        while body: (RunningProgram) async throws -> Void = { _ in }
    ) async throws -> ProgramEnd {
        try await dbtool(
            ["full"] + scope + ["-path", repository ?? self.repository, "--json"]
                + connection(to: database.server, as: user) + ["--database", database.name] + words,
            while: body)
    }

    /// Makes a backup that must succeed.
    func backUp(
        _ database: TestDatabase, _ words: [String] = [], scope: [String] = ["database"],
        as user: String? = nil, location: SourceLocation = #_sourceLocation
    ) async throws -> StoredBackup {
        let end = try await full(database, words, scope: scope, as: user)
        try end.requireCode(0, location)
        return try StoredBackup(end)
    }

    /// Runs `dbtool restore … --create`.
    func restore(
        _ point: String = "latest", into database: TestDatabase, _ words: [String] = [],
        creating: Bool = true, as user: String? = nil,
        while body: (RunningProgram) async throws -> Void = { _ in }
    ) async throws -> ProgramEnd {
        try await dbtool(
            ["restore", point, "-path", repository, "--into", database.name]
                + (creating ? ["--create"] : []) + connection(to: database.server, as: user)
                + words, while: body)
    }

    /// Restores a backup into a database that does not exist yet; this must succeed.
    func restored(
        _ point: String = "latest", on other: TestServer? = nil, _ words: [String] = [],
        location: SourceLocation = #_sourceLocation
    ) async throws -> TestDatabase {
        let database = expectDatabase(on: other)
        try await restore(point, into: database, words).requireCode(0, location)
        return database
    }

    /// Backs up, verifies, restores and compares without dbtool; the restored database.
    @discardableResult
    func roundTrip(
        _ source: TestDatabase, _ words: [String] = [], to target: TestServer? = nil,
        location: SourceLocation = #_sourceLocation
    ) async throws -> TestDatabase {
        let backup = try await backUp(source, words, location: location)
        try await dbtool(["verify", backup.id, "-path", repository]).requireCode(0, location)
        let copy = try await restored(backup.id, on: target, location: location)
        try await expectEqual(source, copy, location: location)
        return copy
    }

    /// Runs `body` while no other test drills on the tests' own servers.
    ///
    /// A drill drops what killed ones have left on its server, and some tests look for just that.
    func drilling<Result>(_ body: () async throws -> Result) async throws -> Result {
        try await Self.drills.pass(body)
    }

    private static let drills = Turnstile(permits: 1)

    // MARK: Comparing without dbtool

    /// Structure, rows, sequences and large objects, as `compare-databases` sees them.
    func expectEqual(
        _ left: TestDatabase, _ right: TestDatabase, location: SourceLocation = #_sourceLocation
    ) async throws {
        let newest = max(left.server.major, right.server.major)
        let bin = left.server.major == newest ? left.server.bin : right.server.bin
        let end = try await run(
            "\(DBToolBinary.package)/Tests/Fixtures/compare-databases", [left.url, right.url, bin])
        #expect(end.code == 0, "\(end)", sourceLocation: location)
    }

    // MARK: The repository

    /// The names in a folder of the repository, hidden ones too; none when it does not exist.
    func stored(_ path: String = "") throws -> [String] {
        let folder = "\(repository)/\(path)"
        guard FileManager.default.fileExists(atPath: folder) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    /// The names of backups' folders and archives, finished or not.
    func storedBackups() throws -> [String] {
        try stored().filter { $0.hasPrefix("full_") }
    }

    /// Expects that no backup, no part of one and no lock is there.
    func expectNothingStored(location: SourceLocation = #_sourceLocation) throws {
        let rest = try stored().filter { $0 != "backup_catalog.json" && $0 != ".lock" }
        #expect(rest == [], "left in the repository", sourceLocation: location)
        #expect(try stored(".lock") == [], "locks left", sourceLocation: location)
    }
}

/// A backup that `dbtool full --json` reported.
struct StoredBackup {
    let id: String
    let folder: String
    let report: JSON

    init(_ end: ProgramEnd) throws {
        report = try JSON(parsing: end.output)
        id = try #require(report["id"].string)
        folder = try #require(report["path"].string)
    }

    /// `metadata.json`.
    func metadata() throws -> JSON {
        try JSON(parsing: String(contentsOfFile: "\(folder)/metadata.json", encoding: .utf8))
    }

    /// The path of a table's data file.
    func dataFile(of table: String) throws -> String {
        let record = try metadata()["tables"].items.first { $0["name"].string == table }
        return "\(folder)/\(try #require(record?["file"].string))"
    }
}

extension ProgramEnd {
    /// Fails the test where a program did not end as it must, with all that it said.
    func requireCode(_ code: Int32, _ location: SourceLocation = #_sourceLocation) throws {
        try #require(self.code == code, "\(self)", sourceLocation: location)
    }

    /// Expects an exit code and words among the errors.
    func expect(
        code: Int32, saying words: String..., location: SourceLocation = #_sourceLocation
    ) {
        #expect(self.code == code, "\(self)", sourceLocation: location)
        for word in words {
            #expect(errors.contains(word), "\(self)", sourceLocation: location)
        }
    }
}
