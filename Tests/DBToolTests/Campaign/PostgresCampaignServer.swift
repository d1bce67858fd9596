import BackupTesting

/// A database on PostgreSQL that a campaign's shop sells from.
struct PostgresCampaignServer: CampaignServer {
    private let bench: Workbench
    private let database: TestDatabase
    private let user: String
    private let options: [String]
    private let size: CampaignSize

    /// `database`: An empty one to take; by default a new one is made. `user`: Who backs up; the superuser, if nil.
    /// `options`: More flags of every connection.
    init(
        _ bench: Workbench, _ database: TestDatabase? = nil, as user: String? = nil,
        options: [String] = [], size: CampaignSize = .small
    ) async throws {
        self.bench = bench
        self.options = options
        self.size = size
        self.user = user ?? bench.server.superuser
        if let database {
            self.database = database
        } else {
            self.database = try await bench.createDatabase(
                named: Self.oddName(bench.uniqueName("source")))
        }
    }

    var folder: String { bench.folder }
    var environment: [String: String] { bench.environment }
    var source: String { database.name }
    var port: UInt16 { UInt16(database.server.port) ?? 0 }

    var opening: String {
        """
        CREATE TABLE people (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
        CREATE TABLE pets (name text NOT NULL, owner integer REFERENCES people ON DELETE CASCADE);
        INSERT INTO people (name) SELECT 'person ' || i FROM generate_series(1, 1000) i;
        INSERT INTO pets SELECT 'pet ' || i, i FROM generate_series(1, 500) i;
        CREATE TABLE "Odd, ""name"" x" (a integer, b text, PRIMARY KEY (b, a));
        INSERT INTO "Odd, ""name"" x" SELECT i, repeat('x', i % 50) FROM generate_series(1, 300) i;
        CREATE INDEX ON people (name);
        CREATE VIEW fine AS SELECT name FROM people;
        \(size.opening(digest: "REPEAT(MD5(%), 2)"))
        -- How many rows there are decides into how many parts a table is cut.
        ANALYZE;
        """
    }

    var changes: [String] {
        [
            "UPDATE people SET name = name || '.' WHERE id % 7 = 1",
            "DELETE FROM people WHERE id > 900 AND id % 3 = 0",
            "UPDATE \"Odd, \"\"name\"\" x\" SET b = b || 'y' WHERE a < 20",
        ].enumerated().map { $1 + size.change($0) }
    }

    func flags(port: UInt16) -> [String] {
        ["--host", "127.0.0.1", "--port", "\(port)", "--user", user] + options
    }

    @discardableResult
    func query(_ sql: String, in database: String) async throws -> String {
        try await bench.existingDatabase(database, on: self.database.server).query(sql)
    }

    func attempt(_ sql: String, in database: String) async throws {
        _ = try await bench.existingDatabase(database, on: self.database.server).attempt(sql)
    }

    func contents(of database: String) async throws -> String {
        let sales =
            size == .large
            ? "(SELECT md5(string_agg(s::text, ',' ORDER BY id)) FROM sales s)," : ""
        return try await query(
            """
            SELECT \(sales) (SELECT md5(string_agg(p::text, ',' ORDER BY id)) FROM people p),
              (SELECT md5(string_agg(p::text, ',' ORDER BY name)) FROM pets p),
              (SELECT md5(string_agg(o::text, ',' ORDER BY a)) FROM "Odd, ""name"" x" o),
              (SELECT string_agg(conname, ',' ORDER BY conname) FROM pg_constraint WHERE contype IN ('p', 'f')),
              (SELECT string_agg(indexname, ',' ORDER BY indexname) FROM pg_indexes WHERE schemaname = 'public'),
              (SELECT last_value FROM people_id_seq), (SELECT count(*) FROM fine),
              (SELECT count(*) FROM pg_namespace WHERE nspname = 'dbtool_restore')
            """, in: database)
    }

    func newName(_ purpose: String) -> String {
        // A server of the test's own ends with all that is in it, before the bench would drop anything.
        let name = Self.oddName(bench.uniqueName(purpose))
        guard database.server == bench.server else { return name }
        return bench.expectDatabase(named: name).name
    }

    /// What quoting, encoding and a URL's parts are needed for.
    private static func oddName(_ unique: String) -> String {
        "T's \"Odd\" 50% é/?=\\ \(unique)"
    }

    private static func literal(_ text: String) -> String {
        "'\(text.replacing("'", with: "''"))'"
    }

    func exists(_ database: String) async throws -> Bool {
        try await query(
            "SELECT count(*) FROM pg_database WHERE datname = \(Self.literal(database))",
            in: "postgres") == "1"
    }

    func drop(_ database: String) async throws {
        try await query(
            "DROP DATABASE IF EXISTS \(Workbench.quoted(database)) WITH (FORCE)", in: "postgres")
    }

    func disturb(_ way: Disturbance, in database: String) async throws -> Bool {
        let function = way == .cancelled ? "pg_cancel_backend" : "pg_terminate_backend"
        return try await query(
            """
            SELECT \(function)(pid) FROM pg_stat_activity
            WHERE datname = \(Self.literal(database)) AND backend_type = 'client backend' AND pid <> pg_backend_pid()
            ORDER BY state = 'active' DESC, random() LIMIT 1
            """, in: "postgres") == "t"
    }
}
