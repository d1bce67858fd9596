public import Foundation
public import Testing

/// A real MySQL or MariaDB server for tests, as `Scripts/test` starts it.
public struct MySQLTestServer: Sendable, Hashable, CustomTestStringConvertible {
    /// `mysql` or `mariadb`.
    public let product: String
    /// The port on 127.0.0.1.
    public let port: UInt32
    /// The script that starts and stops servers, and runs the product's own client.
    let script: String
    /// Why there is no such server; every use of it then fails.
    private let problem: String?

    public var testDescription: String { product }

    /// Every server that the environment names.
    ///
    /// Without any there is one that cannot be used, so that its tests fail and do not vanish.
    public static let all = read(ProcessInfo.processInfo.environment)

    private static func read(_ environment: [String: String]) -> [MySQLTestServer] {
        let named = environment["DBTOOL_TEST_MYSQL_SERVERS"]?.split(separator: " ") ?? []
        let client = environment["DBTOOL_TEST_MYSQL_CLIENT"] ?? ""
        let servers = named.map { text in
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            let port = parts.last.flatMap { URLComponents(string: $0)?.port }
            return MySQLTestServer(
                product: parts[0], port: UInt32(port ?? 0), script: client,
                problem: port == nil ? "DBTOOL_TEST_MYSQL_SERVERS is not understood" : nil)
        }
        return servers.isEmpty
            ? [
                MySQLTestServer(
                    product: "none", port: 0, script: "",
                    problem: "DBTOOL_TEST_MYSQL_SERVERS names no server")
            ] : servers
    }

    /// Another server of the same product.
    public func another(on port: UInt32) -> MySQLTestServer {
        MySQLTestServer(product: product, port: port, script: script, problem: nil)
    }

    /// Whether it is MariaDB.
    public var isMariaDB: Bool { product == "mariadb" }

    /// - Throws: When there is no such server.
    public func require() throws {
        guard let problem else { return }
        throw ProgramFailure("\(problem): run these tests with Scripts/test, which starts servers")
    }

    /// Runs `body` with a new database, which is dropped afterwards, and so is every account and role of its name.
    public func withDatabase(
        _ body: (MySQLTestDatabase) async throws -> Void
    ) async throws {
        try require()
        let name = "t_" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
        let database = MySQLTestDatabase(name: name, server: self)
        try await query("CREATE DATABASE \(name) CHARACTER SET utf8mb4")
        do {
            try await body(database)
        } catch {
            try? await remove(name)
            throw error
        }
        try await remove(name)
    }

    private func remove(_ name: String) async throws {
        // Keys of other databases may refer to it.
        try await query("SET SESSION foreign_key_checks = 0; DROP DATABASE \(name)")
        // A role of MySQL is an account, and goes with them.
        let account = "CONCAT(QUOTE(user), '@', QUOTE(host))"
        for account in try await names(account, of: name, isMariaDB ? "AND is_role = 'N'" : "") {
            try await query("DROP USER \(account)")
        }
        guard isMariaDB else { return }
        for role in try await names("QUOTE(user)", of: name, "AND is_role = 'Y'") {
            try await query("DROP ROLE \(role)")
        }
    }

    private func names(
        _ expression: String, of database: String, _ condition: String
    ) async throws -> [String] {
        try await query(
            "SELECT \(expression) FROM mysql.user WHERE user LIKE '\(database)%' \(condition)"
        ).split(separator: "\n").map(String.init)
    }

    /// Lets an account act in a role from its next login on, or in none.
    public func setDefaultRole(_ role: String?, of account: String) async throws {
        let name = role.map { "'\($0)'" } ?? "NONE"
        try await query("SET DEFAULT ROLE \(name) \(isMariaDB ? "FOR" : "TO") '\(account)'@'%'")
    }

    /// Runs SQL by the product's own client, as root; rows as lines, columns divided by tabs.
    @discardableResult
    public func query(_ sql: String, database: String = "") async throws -> String {
        let end = try await attempt(sql, database: database)
        guard end.code == 0 else { throw ProgramFailure("\(sql.prefix(500))\n\(end)") }
        return end.output.hasSuffix("\n") ? String(end.output.dropLast()) : end.output
    }

    /// Runs SQL that may fail.
    public func attempt(_ sql: String, database: String = "") async throws -> ProgramEnd {
        try await run(script, arguments(database) + ["-e", sql])
    }

    /// Runs a script, as a person would.
    public func load(_ script: Data, database: String) async throws {
        let file = FileManager.default.temporaryDirectory
            .appendingPathComponent("\(database).sql").path
        try script.write(to: URL(fileURLWithPath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }
        let end = try await run(
            "/bin/bash", ["-c", "exec \"$0\" \"$@\" < \(file)", self.script] + arguments(database))
        guard end.code == 0 else {
            throw ProgramFailure("\(String(decoding: script, as: UTF8.self))\n\(end)")
        }
    }

    /// The product's own client and how it reaches the server as root.
    public var client: [String] {
        [script, "client", product, "-uroot", "-h127.0.0.1", "-P\(port)"]
    }

    private func arguments(_ database: String) -> [String] {
        client.dropFirst() + ["-BN", "--default-character-set=utf8mb4"]
            + (database.isEmpty ? [] : [database])
    }

    private func run(_ program: String, _ arguments: [String]) async throws -> ProgramEnd {
        try await Program.run(
            program, arguments, environment: ProcessInfo.processInfo.environment,
            folder: FileManager.default.temporaryDirectory.path)
    }
}

/// A database of a test; asked by the product's own client, never by dbtool.
public struct MySQLTestDatabase: Sendable {
    /// Its name.
    public let name: String
    /// Where it is.
    public let server: MySQLTestServer

    /// Names a database, which need not be there.
    public init(name: String, server: MySQLTestServer) {
        self.name = name
        self.server = server
    }

    /// Runs SQL in it, as root.
    @discardableResult
    public func query(_ sql: String) async throws -> String {
        try await server.query(sql, database: name)
    }

    /// Runs a script in it, as root.
    public func load(_ script: String) async throws {
        try await load(Data(script.utf8))
    }

    /// Runs a script in it, as root, whatever characters its bytes are.
    public func load(_ script: Data) async throws {
        try await server.load(script, database: name)
    }

    /// A new account with these privileges, and no password.
    ///
    /// `grants`: Each as between `GRANT` and `TO`, `{}` standing for the database.
    public func createAccount(_ suffix: String, _ grants: [String]) async throws -> String {
        let account = "\(name)_\(suffix)"
        try await server.query("CREATE USER '\(account)'@'%' IDENTIFIED BY ''")
        try await grant(grants, to: "'\(account)'@'%'")
        return account
    }

    /// A new role with such privileges, which was given to an account, and acts only where somebody sets it.
    public func createRole(
        _ suffix: String, _ grants: [String], of account: String
    ) async throws -> String {
        let role = "\(name)_\(suffix)"
        try await server.query("CREATE ROLE '\(role)'")
        try await grant(grants, to: "'\(role)'")
        try await server.query("GRANT '\(role)' TO '\(account)'@'%'")
        return role
    }

    private func grant(_ grants: [String], to somebody: String) async throws {
        for grant in grants {
            try await server.query(
                "GRANT \(grant.replacingOccurrences(of: "{}", with: name)) TO \(somebody)")
        }
    }
}
