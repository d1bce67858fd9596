import BackupTesting
import Foundation
import Testing

/// A small database, and a repository with a chain of it that each try begins with.
struct CampaignShop {
    let bench: Workbench
    let source: TestDatabase
    /// The ids in the template, and the last of them.
    let ids: Set<String>
    let newest: String
    private let template: String

    /// A full, a differential and an incremental; then changes that no backup has yet.
    ///
    /// `source`: An empty database to take; by default a new one is made.
    init(_ bench: Workbench, in source: TestDatabase? = nil, endingWithFull: Bool = false)
        async throws
    {
        self.bench = bench
        let template = "\(bench.folder)/template"
        self.template = template
        if let source {
            self.source = source
        } else {
            self.source = try await bench.createDatabase()
        }
        try await self.source.query(
            """
            CREATE TABLE people (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
            CREATE TABLE pets (name text NOT NULL, owner integer REFERENCES people ON DELETE CASCADE);
            INSERT INTO people (name) SELECT 'person ' || i FROM generate_series(1, 1000) i;
            INSERT INTO pets SELECT 'pet ' || i, i FROM generate_series(1, 500) i;
            CREATE TABLE "Odd, ""name"" x" (a integer, b text, PRIMARY KEY (b, a));
            INSERT INTO "Odd, ""name"" x" SELECT i, repeat('x', i % 50) FROM generate_series(1, 300) i;
            CREATE INDEX ON people (name);
            CREATE VIEW fine AS SELECT name FROM people;
            """)
        var ids: [String] = []
        for (verb, change) in Self.history + (endingWithFull ? [("full database", "")] : []) {
            let end = try await bench.dbtool(
                verb.split(separator: " ").map(String.init) + ["-path", template, "--json"]
                    + ["--database", self.source.name] + bench.connection(to: self.source.server))
            try end.requireCode(0)
            ids.append(try StoredBackup(end).id)
            try await self.source.query("DELETE FROM pets WHERE owner % 3 = 0; \(change)")
        }
        self.ids = Set(ids)
        newest = try #require(ids.last)
    }

    private static let history = [
        ("full database", "UPDATE people SET name = name || '.' WHERE id % 7 = 1"),
        ("differential backup", "DELETE FROM people WHERE id > 900 AND id % 3 = 0"),
        ("incremental backup", "UPDATE \"Odd, \"\"name\"\" x\" SET b = b || 'y' WHERE a < 20"),
    ]

    /// A copy of the template, as the test's repository.
    func layOut() throws {
        try? FileManager.default.removeItem(atPath: bench.repository)
        try FileManager.default.copyItem(atPath: template, toPath: bench.repository)
    }

    /// Runs words before dbtool's own, with the repository and the source.
    ///
    /// `connection`: Flags that reach the server in another way.
    func run(
        _ words: [String], before: [String] = [], as connected: Bool = true,
        through connection: [String]? = nil,
        while body: (RunningProgram) async throws -> Void = { _ in }
    ) async throws -> ProgramEnd {
        let all =
            before + [try DBToolBinary.path()] + words + ["-path", bench.repository]
            + (connected
                ? ["--database", source.name] + (connection ?? bench.connection(to: source.server))
                : [])
        return try await Program.run(
            "/usr/bin/timeout", ["--foreground", "-s", "KILL", "60"] + all,
            environment: bench.environment, folder: bench.folder, while: body)
    }

    // MARK: What must hold

    /// What is listed as completed must be proven by `verify`, and what was there before must be listed.
    func broken(keeping kept: Set<String>) async throws -> [String] {
        let list = try await run(["list", "--json"], as: false)
        guard list.code == 0 else { return ["list failed: \(list)"] }
        let listed = try JSON(parsing: list.output)["backups"].items
            .filter { $0["status"].string == "completed" }.compactMap(\.["id"].string)
        var broken = kept.subtracting(listed).map { "\($0) is not listed any more" }
        for id in listed {
            let end = try await run(["verify", id], as: false)
            if end.code != 0 { broken.append("\(end)") }
        }
        return broken
    }

    /// Nothing but whole backups and what belongs to the repository itself.
    func remains() throws -> [String] {
        let names = FileManager.default.enumerator(atPath: bench.repository)?.compactMap {
            $0 as? String
        }
        return (names ?? []).filter { $0.hasSuffix(".tmp") }.map { "\($0) is left" }
    }

    /// What a restored database must say as the source does.
    static let contents = """
        SELECT (SELECT md5(string_agg(p::text, ',' ORDER BY id)) FROM people p),
          (SELECT md5(string_agg(p::text, ',' ORDER BY name)) FROM pets p),
          (SELECT md5(string_agg(o::text, ',' ORDER BY a)) FROM "Odd, ""name"" x" o),
          (SELECT string_agg(conname, ',' ORDER BY conname) FROM pg_constraint WHERE contype IN ('p', 'f')),
          (SELECT string_agg(indexname, ',' ORDER BY indexname) FROM pg_indexes WHERE schemaname = 'public'),
          (SELECT last_value FROM people_id_seq), (SELECT count(*) FROM fine),
          (SELECT count(*) FROM pg_namespace WHERE nspname = 'dbtool_restore')
        """
}
