import Foundation
public import Testing

/// A real PostgreSQL server for tests, as `Scripts/test` starts it.
public struct TestServer: Sendable, Hashable, CustomTestStringConvertible {
    /// Its major version.
    public let major: Int
    /// Where a superuser reaches its database `postgres`.
    public let url: String
    /// The folder of its programs.
    public let bin: String
    /// Why there is no such server; every use of it then fails.
    private let problem: String?

    public var testDescription: String { "PostgreSQL \(major)" }

    // MARK: The servers of this run

    /// Every server that the environment names.
    ///
    /// Without any there is one that cannot be used, so that its tests fail and do not vanish.
    public static let all = read(ProcessInfo.processInfo.environment)

    /// The oldest and the newest.
    public static var oldestAndNewest: (oldest: TestServer, newest: TestServer) {
        (all.min { $0.major < $1.major } ?? all[0], all.max { $0.major < $1.major } ?? all[0])
    }

    static func read(_ environment: [String: String]) -> [TestServer] {
        let named = environment["DBTOOL_TEST_SERVERS"]?.split(separator: " ") ?? []
        let servers = named.map { read(String($0), environment) }
        return servers.isEmpty ? [missing("DBTOOL_TEST_SERVERS names no server")] : servers
    }

    private static func read(_ text: String, _ environment: [String: String]) -> TestServer {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, let major = Int(parts[0]) else {
            return missing("DBTOOL_TEST_SERVERS is not understood: \(text)")
        }
        guard let bin = environment["DBTOOL_TEST_BIN_\(major)"] else {
            return missing("DBTOOL_TEST_BIN_\(major) is missing")
        }
        return TestServer(major: major, url: parts[1], bin: bin, problem: nil)
    }

    private static func missing(_ problem: String) -> TestServer {
        TestServer(major: 0, url: "", bin: "", problem: problem)
    }

    /// - Throws: When there is no such server.
    public func require() throws {
        guard let problem else { return }
        throw ProgramFailure("\(problem): run these tests with Scripts/test, which starts servers")
    }

    /// Another server of the same version, at its own URL.
    public func another(at url: String) -> TestServer {
        TestServer(major: major, url: url, bin: bin, problem: nil)
    }

    // MARK: Reaching it

    /// Its address.
    public var host: String { components?.host ?? "" }
    /// Its port.
    public var port: String { components?.port.map(String.init) ?? "" }
    /// Its superuser.
    public var superuser: String { components?.user ?? "" }

    /// The URL of a database, for the superuser unless another role is named.
    public func url(
        database: String, user: String? = nil, password: String? = nil
    ) -> String {
        let login = [user ?? superuser, password].compactMap(\.self).map(Self.encoded)
        return "postgresql://\(login.joined(separator: ":"))@\(host):\(port)/"
            + Self.encoded(database)
    }

    private var components: URLComponents? { URLComponents(string: url) }

    private static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text
    }
}
