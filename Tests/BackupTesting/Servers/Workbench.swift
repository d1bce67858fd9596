import BackupCore
import Foundation
import Synchronization

/// What one test makes and leaves nothing of: a folder, databases, roles.
public final class Workbench: Sendable {
    /// The server that the test uses first.
    public let server: TestServer
    /// A folder of its own, with `home` and `state` in it.
    public let folder: String
    private let made = Mutex<(databases: [TestDatabase], roles: [String])>(([], []))

    /// Tests run side by side, each with several processes and connections: half as many again as there are processors, whichever
    /// servers they use, as each waits for one of these some of its time.
    public static let gate = TestGate(
        permits: max(3, ProcessInfo.processInfo.activeProcessorCount * 3 / 2))

    /// Those that mostly wait for time to pass do so beside them.
    public static let waitingGate = TestGate(permits: 3)

    private init(_ server: TestServer) throws {
        self.server = server
        let root = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path
        folder = "\(root)/dbtool-test-\(Self.digits())"
        try FileManager.default.createDirectory(
            atPath: "\(folder)/home", withIntermediateDirectories: true)
    }

    /// Runs a test's body, when it is its turn; removes everything that it made.
    ///
    /// `mostlyWaits`: Whether it leaves the processors to others most of the time.
    /// - Throws: What `body` throws; a failure when it hangs, which ends its programs.
    public static func with(
        _ server: TestServer, limit: Duration = .seconds(900), mostlyWaits: Bool = false,
        _ body: @escaping @Sendable (Workbench) async throws -> Void
    ) async throws {
        try server.require()
        try await (mostlyWaits ? waitingGate : gate).pass {
            let bench = try Workbench(server)
            let result: Result<Void, any Error>
            do {
                result = .success(try await bench.run(within: limit, body))
            } catch {
                result = .failure(error)
            }
            try await bench.remove()
            try result.get()
        }
    }

    private func run(
        within limit: Duration, _ body: @escaping @Sendable (Workbench) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await body(self) }
            group.addTask {
                try await Task.sleep(for: limit)
                throw ProgramFailure("the test had not ended after \(limit)")
            }
            try await group.next()
            group.cancelAll()
        }
    }

    private func remove() async throws {
        let (databases, roles) = made.withLock { $0 }
        for database in databases {
            try await Self.administration(of: database.server, self).query(
                "DROP DATABASE IF EXISTS \(Self.quoted(database.name)) WITH (FORCE)")
        }
        for role in roles {
            try await administration
                .query("DROP ROLE IF EXISTS \(Self.quoted(role))")
        }
        try FileManager.default.removeItem(atPath: folder)
    }

    // MARK: Programs

    /// All variables that programs get: nothing of the developer's own databases or settings.
    public var environment: [String: String] {
        [
            "PATH": "\(server.bin):/usr/local/bin:/usr/bin:/bin", "HOME": "\(folder)/home",
            "XDG_STATE_HOME": "\(folder)/state", "LC_ALL": "C.UTF-8", "TMPDIR": folder,
        ]
    }

    /// Runs a program in the test's folder, to its end.
    public func run(_ path: String, _ arguments: [String]) async throws -> ProgramEnd {
        try await Program.run(path, arguments, environment: environment, folder: folder)
    }

    /// Runs lines of a shell.
    public func shell(_ script: String, in folder: String? = nil) async throws -> ProgramEnd {
        try await Program.run(
            "/bin/sh", ["-c", script], environment: environment, folder: folder ?? self.folder)
    }

    // MARK: Files

    /// Writes a file into the test's folder; its path.
    @discardableResult
    public func write(_ text: String, to name: String, mode: Int = 0o600) throws -> String {
        let path = "\(folder)/\(name)"
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
        try FileManager.default.createDirectory(
            atPath: parent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    /// A name that no other test has.
    public func uniqueName(_ purpose: String) -> String { "t_\(purpose)_\(Self.digits())" }

    private static func digits() -> String {
        String(UInt64.random(in: (1 << 40)..<(1 << 44)), radix: 16)
    }

    // MARK: Databases and roles

    /// The database `postgres`, for what belongs to the server.
    public var administration: TestDatabase { administration(of: server) }

    /// The same of another server.
    public func administration(of server: TestServer) -> TestDatabase {
        Self.administration(of: server, self)
    }

    /// Makes an empty database, by default in UTF-8.
    public func createDatabase(
        _ purpose: String = "source", named name: String? = nil, on other: TestServer? = nil,
        owner: String? = nil, options: String = "ENCODING 'UTF8'"
    ) async throws -> TestDatabase {
        let database = expectDatabase(purpose, named: name, on: other)
        let owner = owner.map { "OWNER \(Self.quoted($0))" } ?? ""
        try await Self.administration(of: database.server, self).query(
            "CREATE DATABASE \(Self.quoted(database.name)) TEMPLATE template0 \(options) \(owner)")
        return database
    }

    /// A database that the test will have made by others.
    public func expectDatabase(
        _ purpose: String = "restored", named name: String? = nil, on other: TestServer? = nil
    ) -> TestDatabase {
        let database = TestDatabase(
            name: name ?? uniqueName(purpose), server: other ?? server, bench: self)
        made.withLock { $0.databases.append(database) }
        return database
    }

    /// A database that is there, and that the test does not have to drop.
    public func existingDatabase(_ name: String, on other: TestServer? = nil) -> TestDatabase {
        TestDatabase(name: name, server: other ?? server, bench: self)
    }

    /// Makes a role that may log in; its name.
    public func createRole(
        _ purpose: String = "role", named name: String? = nil, _ attributes: String = ""
    ) async throws -> String {
        let role = name ?? uniqueName(purpose)
        made.withLock { $0.roles.append(role) }
        try await administration.query("CREATE ROLE \(Self.quoted(role)) LOGIN \(attributes)")
        return role
    }

    /// An identifier in SQL.
    public static func quoted(_ name: String) -> String {
        "\"\(name.replacing(scalar: "\"", with: "\"\""))\""
    }

    private static func administration(
        of server: TestServer, _ bench: Workbench
    ) -> TestDatabase {
        TestDatabase(name: "postgres", server: server, bench: bench)
    }
}

/// Waits until something is so.
///
/// - Throws: When it still is not after five minutes, so that a test never hangs.
public func eventually(
    _ what: String, _ isSo: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(300)
    while try await !isSo() {
        guard ContinuousClock.now < deadline else {
            throw ProgramFailure("waited five minutes in vain: \(what)")
        }
        try await Task.sleep(for: .milliseconds(20))
    }
}
