import BackupTesting
import Testing

/// Whatever a table needs, it can be restored alone.
@Suite struct RestoreEachTableTests {
    /// A few of the torture schema's hundreds of tables, other ones each time.
    @Test(arguments: TestServer.all)
    func `any table of the torture schema comes alone into an empty database`(
        server: TestServer
    ) async throws {
        let seed = UInt64.random(in: 0...(.max))
        try await Workbench.with(server) { bench in
            let source = try await bench.torture()
            _ = try await bench.backUp(source)
            let tables = try await source.query(Self.tables(seed))
            for line in tables.split(separator: "\n") {
                let names = try JSON(parsing: String(line)).items.compactMap(\.string)
                let table = names.map(Workbench.quoted).joined(separator: ".")
                let target = try await bench.createDatabase("target")
                let end = try await bench.restore(
                    tables: [table], into: target, ["--check", "rows"])
                // Values of regclass name other tables, and nothing else can be said of these.
                let namesWhatIsMissing = end.errors.contains("\" does not exist")
                #expect(
                    [0, 3].contains(end.code) || (end.code == 1 && namesWhatIsMissing),
                    "\(table) of seed \(seed): \(end)")
                guard end.code != 1 else { continue }
                let rows = "SELECT count(*) FROM ONLY \(table)"
                #expect(
                    try await target.query(rows) == source.query(rows),
                    "\(table) of seed \(seed)")
                try await bench.expectNoMark(target)
            }
        }
    }

    private static func tables(_ seed: UInt64) -> String {
        """
        SELECT json_build_array(n.nspname, c.relname)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        ORDER BY md5('\(seed)' || c.oid::text) LIMIT 5
        """
    }
}
