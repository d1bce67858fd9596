import BackupTesting

/// A database on MySQL or MariaDB that a campaign's shop sells from.
struct MySQLCampaignServer: CampaignServer {
    private let bench: MySQLBench
    let source: String
    private let user: String
    private let options: [String]
    private let size: CampaignSize

    /// Makes its database.
    ///
    /// `user`: Who backs up. `options`: More flags of every connection.
    init(
        _ bench: MySQLBench, as user: String = "root", options: [String] = [],
        size: CampaignSize = .small
    ) async throws {
        self.bench = bench
        self.user = user
        self.options = options
        self.size = size
        source = bench.other(Self.oddName).name
        try await query("CREATE DATABASE `\(source)` CHARACTER SET utf8mb4", in: "")
    }

    /// What quoting and encoding are needed for.
    private static let oddName = "T's \"Odd\" 50% é?"

    private static func literal(_ text: String) -> String {
        "'\(text.replacing("'", with: "''"))'"
    }

    var folder: String { bench.folder }
    var environment: [String: String] { bench.environment }
    var port: UInt16 { UInt16(bench.server.port) }

    var opening: String {
        """
        CREATE TABLE people (id int AUTO_INCREMENT PRIMARY KEY, name text);
        CREATE TABLE pets (name varchar(100) NOT NULL, owner int,
          FOREIGN KEY (owner) REFERENCES people (id) ON DELETE CASCADE);
        INSERT INTO people (name) VALUES \(Self.rows(1000) { "('person \($0)')" });
        INSERT INTO pets VALUES \(Self.rows(500) { "('pet \($0)', \($0))" });
        CREATE TABLE `Odd, ``name`` x` (a int, b varchar(100), PRIMARY KEY (b, a));
        INSERT INTO `Odd, ``name`` x` VALUES \(Self.rows(300) { "(\($0), REPEAT('x', \($0) % 50))" });
        CREATE INDEX named ON people (name(20));
        CREATE VIEW fine AS SELECT name FROM people;
        \(size.opening(digest: "SHA2(%, 256)"))
        """
    }

    private static func rows(_ count: Int, _ row: (Int) -> String) -> String {
        (1...count).map(row).joined(separator: ", ")
    }

    var changes: [String] {
        [
            "UPDATE people SET name = CONCAT(name, '.') WHERE id % 7 = 1",
            "DELETE FROM people WHERE id > 900 AND id % 3 = 0",
            "UPDATE `Odd, ``name`` x` SET b = CONCAT(b, 'y') WHERE a < 20",
        ].enumerated().map { $1 + size.change($0) }
    }

    func flags(port: UInt16) -> [String] {
        ["--db", "mysql", "--host", "127.0.0.1", "--port", "\(port)", "--user", user]
            + options
    }

    @discardableResult
    func query(_ sql: String, in database: String) async throws -> String {
        try await bench.server.query(sql, database: database)
    }

    func attempt(_ sql: String, in database: String) async throws {
        _ = try await bench.server.attempt(sql, database: database)
    }

    func contents(of database: String) async throws -> String {
        try await bench.contents(of: MySQLTestDatabase(name: database, server: bench.server))
    }

    func newName(_ purpose: String) -> String { bench.other("\(Self.oddName)_\(purpose)").name }

    func exists(_ database: String) async throws -> Bool {
        try await !query(
            """
            SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = \(Self.literal(database))
            """, in: ""
        ).isEmpty
    }

    func drop(_ database: String) async throws {
        try await query("DROP DATABASE IF EXISTS `\(database)`", in: "")
    }

    func disturb(_ way: Disturbance, in database: String) async throws -> Bool {
        // The client that asks is in no database.
        let session = try await query(
            """
            SELECT ID FROM information_schema.PROCESSLIST WHERE DB = \(Self.literal(database))
            ORDER BY RAND() LIMIT 1
            """, in: "")
        guard !session.isEmpty else { return false }
        let word = way == .cancelled ? "QUERY" : "CONNECTION"
        // It may have ended by itself.
        return try await bench.server.attempt("KILL \(word) \(session)").code == 0
    }
}
