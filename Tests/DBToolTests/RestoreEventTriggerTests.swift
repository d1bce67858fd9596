import BackupTesting
import Testing

/// Event triggers that are there before a restore has made everything react to nothing of it.
@Suite struct RestoreEventTriggerTests {
    private static let refusing = """
        CREATE FUNCTION public.refuse() RETURNS event_trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'nothing is made here'; END $$;
        CREATE EVENT TRIGGER refuse ON ddl_command_start
            WHEN TAG IN ('ALTER TABLE', 'CREATE INDEX') EXECUTE FUNCTION public.refuse();
        """
    private static let structure = """
        CREATE TABLE t (id int PRIMARY KEY, v text, other int REFERENCES t);
        CREATE INDEX ON t (v); INSERT INTO t SELECT i, 'v' || i, i FROM generate_series(1, 100) i;
        """

    /// As an extension does whose script stands before the rows.
    @Test(arguments: TestServer.all)
    func `one that comes into a new database before its indexes does not see these`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.structure)
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            let file = try bench.write(Self.refusing, to: "refusing.sql")
            let waking = try bench.pgRestore(
                afterRows: """
                    mkdir '\(bench.folder)/awake' 2>/dev/null \\
                        && '\(server.bin)/psql' --no-psqlrc --quiet --file '\(file)' '\(target.url)' >/dev/null
                    """)
            try await bench.restore(
                backup.id, into: target, ["--pg-dump", waking, "--check", "rows"]
            ).requireCode(0)
            #expect(try await target.query("SELECT evtname FROM pg_event_trigger") == "refuse")
            try await target.query("DROP EVENT TRIGGER refuse; DROP FUNCTION refuse()")
            try await bench.expectEqual(source, target)
            try await bench.expectNoMark(target)
        }
    }

    /// Older servers look for extensions nowhere but in their own folder.
    @Test(arguments: TestServer.all)
    func `those of an extension do not see what a restore into a new database makes`(
        server: TestServer
    ) async throws {
        guard server.major >= 18 else { return }
        try await Workbench.with(server) { bench in
            let boss = try await bench.createRole("boss", "SUPERUSER")
            let files = [
                ("refusing.control", "default_version = '1.0'\n"),
                ("refusing--1.0.sql", Self.refusing),
            ]
            for (name, text) in files {
                try bench.write(text, to: "share/extension/\(name)", mode: 0o644)
            }
            try await bench.administration.query(
                "ALTER ROLE \(boss) SET extension_control_path = '\(bench.folder)/share:$system'")
            let source = try await bench.createDatabase()
            try await source.query(Self.structure)
            try await source.query("CREATE EXTENSION refusing", as: boss)
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            try await bench.restore(backup.id, into: target, ["--check", "rows"], as: boss)
                .requireCode(0)
            try await bench.expectEqual(source, target)
            try await bench.expectNoMark(target)
        }
    }
}
