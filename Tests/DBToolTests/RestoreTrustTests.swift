import BackupTesting
import Testing

/// Whoever owns a target must not get the rights of who looks at it.
@Suite struct RestoreTrustTests {
    /// Counts whenever it runs, also where the planner computes what it takes for a constant.
    private static let trap = """
        CREATE SEQUENCE ran;
        CREATE FUNCTION trap(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_catalog.nextval('public.ran'); RETURN $1; END $$;
        """

    private static let hasRun = "SELECT is_called FROM ran"

    @Test(arguments: TestServer.all)
    func `a mark that the target's owner has planted is not read`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner")
            let source = try await bench.small(owner: owner)
            _ = try await bench.backUp(source)
            let views = """
                CREATE VIEW dbtool_restore.restore AS SELECT ''::text AS backup, ''::text AS request,
                    trap(1)::text AS chosen, true AS has_structure, true AS has_indexes;
                CREATE VIEW dbtool_restore.tables AS SELECT trap(1)::text AS schema,
                    ''::text AS name, ''::text AS treatment, true AS is_loaded;
                """
            let tables = """
                CREATE TABLE dbtool_restore.restore (backup text, request text, chosen text,
                    has_structure boolean, has_indexes boolean);
                CREATE TABLE dbtool_restore.tables (schema text, name text, treatment text,
                    is_loaded boolean);
                CREATE INDEX ON dbtool_restore.tables ((trap(1)));
                SELECT setval('ran', 1, false);
                """
            for planted in [views, tables] {
                let target = try await bench.duplicate(source, "target")
                try await target.query(
                    "\(Self.trap) CREATE SCHEMA dbtool_restore; \(planted)", as: owner)
                let words = ["--existing", "truncate", "--dry-run"]
                try await bench.restore(tables: ["pets"], into: target, words)
                    .expect(code: 1, saying: "not the mark of a restore", owner)
                #expect(try await target.query(Self.hasRun) == "f")
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `a dry run computes nothing that the tables' owner has made`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner")
            let source = try await bench.small(owner: owner)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            // Nor may the server, which gathers statistics of an index by what it is computed from.
            try await target.query(
                """
                ALTER TABLE pets SET (autovacuum_enabled = false);
                \(Self.trap) CREATE INDEX ON pets ((trap(1))); DELETE FROM pets;
                SELECT setval('ran', 1, false);
                """, as: owner)
            let words = ["--data-only", "--dry-run"]
            try await bench.restore(tables: ["pets"], into: target, words).requireCode(0)
            #expect(try await target.query(Self.hasRun) == "f")
            try await target.query("INSERT INTO pets VALUES ('new', 1)", as: owner)
            try await target.query("SELECT setval('ran', 1, false)")
            try await bench.restore(tables: ["pets"], into: target, words)
                .expect(code: 1, saying: "hold rows: public.pets")
            #expect(try await target.query(Self.hasRun) == "f")
        }
    }
}
