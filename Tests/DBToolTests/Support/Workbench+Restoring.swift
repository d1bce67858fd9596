import BackupTesting
import Testing

/// Who restores.
enum Restorer: String, CaseIterable, CustomTestStringConvertible {
    case superuser
    /// Owns the tables, and is no superuser.
    case owner
    /// Owns nothing, and may do what was granted.
    case guest

    var testDescription: String { rawValue }
}

extension Workbench {
    /// A database that is the same as another, made by the server.
    func duplicate(
        _ original: TestDatabase, _ purpose: String = "duplicate"
    ) async throws -> TestDatabase {
        let copy = expectDatabase(purpose)
        try await eventually("\(original.name) has no sessions") {
            try await administration.query(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = '\(original.name)'") == "0"
        }
        try await administration.query(
            """
            CREATE DATABASE \(Self.quoted(copy.name)) TEMPLATE \(Self.quoted(original.name));
            SELECT format('ALTER DATABASE %I OWNER TO %I', '\(copy.name)', pg_get_userbyid(datdba))
            FROM pg_database WHERE datname = '\(original.name)' \\gexec
            """)
        return copy
    }

    /// Restores some tables of the newest backup into a database that exists.
    func restore(
        tables: [String], into database: TestDatabase, _ words: [String] = [],
        as user: String? = nil, while body: (RunningProgram) async throws -> Void = { _ in }
    ) async throws -> ProgramEnd {
        let selection = tables.flatMap { ["-tablename", $0] }
        return try await restore(
            "latest", into: database, selection + words, creating: false, as: user, while: body)
    }

    /// Expects that a restore is refused and that nothing in the database has changed.
    func expectRefused(
        _ database: TestDatabase, code: Int32 = 1, saying words: String...,
        location: SourceLocation = #_sourceLocation,
        _ restore: () async throws -> ProgramEnd
    ) async throws {
        let before = try await duplicate(database, "before")
        let end = try await restore()
        #expect(end.code == code, "\(end)", sourceLocation: location)
        for word in words {
            #expect(end.errors.contains(word), "\(word)\n\(end)", sourceLocation: location)
        }
        try await expectEqual(before, database, location: location)
    }

    /// Expects that no restore is unfinished in a database.
    func expectNoMark(
        _ database: TestDatabase, location: SourceLocation = #_sourceLocation
    ) async throws {
        let count = try await database.query(
            "SELECT count(*) FROM pg_namespace WHERE nspname = 'dbtool_restore'")
        #expect(count == "0", "the mark of a restore is left", sourceLocation: location)
    }
}
