import BackupTesting
import Testing

/// What a restore leaves out is named by whichever run comes to the end, as others name nothing.
@Suite struct RestoreLeftOutTests {
    @Test(arguments: TestServer.all)
    func `what a role may not make by itself is made late or named by the run that goes on`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner", "CREATEDB")
            let other = try await bench.createRole("other")
            let reader = try await bench.createRole("reader")
            let source = try await bench.createDatabase(owner: owner)
            try await source.query(
                """
                CREATE SCHEMA own; CREATE EXTENSION tablefunc SCHEMA own;
                COMMENT ON EXTENSION tablefunc IS 'ours';
                CREATE TABLE own.t (id int PRIMARY KEY); INSERT INTO own.t VALUES (1);
                """, as: owner)
            try await source.query(
                "ALTER DEFAULT PRIVILEGES FOR ROLE \(other) GRANT SELECT ON TABLES TO \(reader)")
            let backup = try await bench.backUp(source)
            let failing = try bench.failingPgRestore()
            for becomesSuperuser in [false, true] {
                let target = bench.expectDatabase(becomesSuperuser ? "superuser" : "own")
                try await bench.restore(
                    backup.id, into: target, ["--no-owner", "--pg-dump", failing], as: owner
                ).expect(code: 1, saying: "meant to fail")
                if becomesSuperuser { try await source.query("ALTER ROLE \(owner) SUPERUSER") }
                let end = try await bench.restore(
                    backup.id, into: target, ["--no-owner"], as: owner)
                try end.requireCode(0)
                let words = "left out: default privileges of role \(other):"
                #expect(end.output.contains(words) != becomesSuperuser, "\(end)")
                let comment =
                    "SELECT obj_description(oid, 'pg_extension') FROM pg_extension WHERE extname = 'tablefunc'"
                #expect(try await target.query(comment) == "ours")
                let roles = "SELECT defaclrole::regrole FROM pg_default_acl"
                #expect(try await target.query(roles) == (becomesSuperuser ? other : ""))
                try await bench.expectNoMark(target)
            }
        }
    }

    /// What was dropped, and what of the target had been as it is, cannot be seen any more.
    @Test(arguments: TestServer.all)
    func `what an interrupted run has left out is named by the one that goes on`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE pets (id int PRIMARY KEY); INSERT INTO pets VALUES (1);
                DO $$ BEGIN
                    EXECUTE format('ALTER DATABASE %I SET work_mem = %L', current_database(), '8MB');
                END $$;
                """)
            _ = try await bench.backUp(source)
            let failing = try bench.failingPgRestore()
            let words = ["--clean", "--yes"]
            for version in ["this", "older"] {
                let target = try await bench.duplicate(source, version)
                try await target.query("CREATE PUBLICATION mine FOR TABLE pets")
                try await bench.restore(tables: [], into: target, words + ["--pg-dump", failing])
                    .expect(code: 1, saying: "meant to fail")
                if version == "older" {
                    try await target.query("DROP TABLE dbtool_restore.left_out")
                }
                let end = try await bench.restore(tables: [], into: target, words)
                try end.requireCode(0)
                try await bench.expectNoMark(target)
                guard version == "this" else { continue }
                for leftOut in [
                    "settings of the database, which are its own",
                    "publication table public.pets of mine: the backup does not know of it",
                ] {
                    #expect(end.output.contains("left out: \(leftOut)"), "\(end)")
                }
            }
        }
    }

    /// Our own words have letters that such a database lacks.
    @Test(arguments: TestServer.all)
    func `a database of another encoding can be told what is left out`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let options = "ENCODING 'LATIN1' LOCALE 'C'"
            let source = try await bench.createDatabase(options: options)
            try await source.query(
                """
                CREATE TABLE pets (name text PRIMARY KEY); INSERT INTO pets VALUES ('Zoë');
                DO $$ BEGIN
                    EXECUTE format('ALTER DATABASE %I SET work_mem = %L', current_database(), '8MB');
                END $$;
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.createDatabase("target", options: options)
            try await bench.restore(
                tables: [], into: target, ["--pg-dump", bench.failingPgRestore()]
            )
            .expect(code: 1, saying: "meant to fail")
            let end = try await bench.restore(tables: [], into: target, [])
            try end.requireCode(0)
            #expect(end.output.contains("left out: settings of the database"), "\(end)")
            try await bench.expectEqual(source, target)
        }
    }
}
