import Foundation

/// A MySQL or MariaDB server that one test has for itself, and may let crash.
public struct MySQLOwnServer: Sendable {
    /// How it is reached.
    public let server: MySQLTestServer
    private let place: [String]
    private let settings: [String]

    /// Runs `body` with one of the same product, which ends afterwards.
    ///
    /// `settings`: What it is started with, as `name=value`.
    public static func with(
        like other: MySQLTestServer, _ settings: [String] = [],
        _ body: (MySQLOwnServer) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let own = try await MySQLOwnServer(like: other, in: folder, settings)
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await body(own))
            } catch {
                outcome = .failure(error)
            }
            // Nobody wants what it has, and to end it well takes seconds.
            try await Task { try await own.crash() }.value
            try outcome.get()
        }
    }

    /// Starts one of the same product in a folder, which everyone may enter: the server has a user of its own.
    private init(
        like other: MySQLTestServer, in folder: String, _ settings: [String]
    ) async throws {
        try other.require()
        place = ["\(folder)/server", other.product]
        let start = try await Self.control(other, ["start"] + place + settings)
        guard
            let url = start.output.split(separator: "\n").last,
            let port = URLComponents(string: String(url))?.port
        else { throw ProgramFailure("\(start)") }
        server = other.another(on: UInt32(port))
        self.settings = settings + ["port=\(port)"]
    }

    /// Ends it at once, as a loss of power does.
    public func crash() async throws {
        guard let number = try process() else { return }
        kill(number, SIGKILL)
        try await eventually("the server is gone") { kill(number, 0) != 0 }
    }

    /// Lets it answer nobody until `resume`, its connections staying open.
    public func pause() throws {
        guard let number = try process(), kill(number, SIGSTOP) == 0 else {
            throw ProgramFailure("the server cannot be paused")
        }
    }

    /// Lets it go on.
    public func resume() throws {
        guard let number = try process(), kill(number, SIGCONT) == 0 else {
            throw ProgramFailure("the server cannot go on")
        }
    }

    /// The number of its process; nil for one that was stopped, which has removed the file.
    private func process() throws -> Int32? {
        let file = "\(place[0])/\(place[1])/run/pid"
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { return nil }
        guard let number = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw ProgramFailure("no number of a process in \(file): \(text)")
        }
        return number
    }

    /// Starts it again, which recovers what its logs know.
    public func restart() async throws {
        _ = try await Self.control(server, ["start"] + place + settings)
    }

    /// Ends it as an administrator does.
    public func stop() async throws {
        // A test that was cancelled must still end its server.
        _ = try await Task { [server, place] in
            try await Self.control(server, ["stop"] + place)
        }.value
    }

    /// Keeps its files as they are, once it was stopped.
    public func keepFiles() async throws { try await copy(data, to: keptData) }

    /// Has the files that were kept again, and nothing of what came since; it must have been stopped.
    public func putFilesBack() async throws {
        try FileManager.default.removeItem(atPath: data)
        try await copy(keptData, to: data)
    }

    private var data: String { "\(place[0])/\(place[1])/data" }
    private var keptData: String { "\(data).kept" }

    /// With their owner, who is the server's.
    private func copy(_ files: String, to other: String) async throws {
        let end = try await Program.run(
            "/bin/cp", ["-a", files, other], environment: [:],
            folder: FileManager.default.temporaryDirectory.path)
        guard end.code == 0 else { throw ProgramFailure("\(end)") }
    }

    /// A folder of a product's plugins, of which a server loads those that its settings name.
    public static func plugins(of server: MySQLTestServer) async throws -> String {
        let end = try await control(server, ["plugins", server.product])
        return end.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func control(
        _ server: MySQLTestServer, _ words: [String]
    ) async throws -> ProgramEnd {
        let end = try await Program.run(
            server.script, words, environment: ProcessInfo.processInfo.environment,
            folder: FileManager.default.temporaryDirectory.path)
        guard end.code == 0 else { throw ProgramFailure("\(end)") }
        return end
    }
}
