import BackupTesting
import Testing

/// Who owns a thing must be allowed to make things in its schema, unless a superuser gives it to whom it likes.
@Suite struct RestoreSchemaRightsTests {
    @Test(arguments: TestServer.all)
    func `a database's owner gives things in its schemas to roles that it may act for`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner", "CREATEDB")
            let source = try await bench.shared(by: owner)
            let backup = try await bench.backUp(source, as: owner)
            let target = bench.expectDatabase()
            try await bench.restore(backup.id, into: target, ["--check", "rows"], as: owner)
                .requireCode(0)
            try await bench.expectEqual(source, target)

            try await bench.restore(tables: [], into: target, ["--clean", "--yes"], as: owner)
                .requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    /// So it is in every database before version 15, where it belongs to the superuser that made the server.
    @Test(arguments: TestServer.all)
    func `a schema public of a superuser stays as a database has it that others create`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner", "CREATEDB")
            let source = try await bench.small(owner: owner)
            try await source.query("ALTER SCHEMA public OWNER TO CURRENT_USER")
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            let shown = try await bench.restore(backup.id, into: target, ["--dry-run"], as: owner)
            let end = try await bench.restore(
                backup.id, into: target, ["--check", "rows"], as: owner)
            // Since version 15 it belongs to whoever owns the database.
            let what = server.major >= 15 ? "keeps its owner" : "stays as it is"
            for end in [shown, end] {
                #expect(
                    end.code == 0 && end.output.contains("left out: schema public \(what)"),
                    "\(end)")
            }
            #expect(try await target.query("SELECT count(*) FROM people") == "1000")
            try await bench.expectNoMark(target)
        }
    }

    /// Since version 15 an archive has rights and a comment of it, and nothing that it belongs to.
    @Test(arguments: TestServer.all)
    func `what is said of a schema public that is another's to change is left out, and named`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner")
            let source = try await bench.small(owner: owner)
            try await source.query(
                "COMMENT ON SCHEMA public IS 'mine'; REVOKE ALL ON SCHEMA public FROM PUBLIC")
            let backup = try await bench.backUp(source)
            let target = try await bench.createDatabase("target")
            try await target.query(
                """
                GRANT ALL ON SCHEMA public TO \(owner);
                GRANT CREATE ON DATABASE \(target.name) TO \(owner)
                """)
            let end = try await bench.restore(
                backup.id, into: target, ["--check", "rows"], creating: false, as: owner)
            #expect(
                end.code == 0 && end.output.contains("left out: schema public stays as it is"),
                "\(end)")
            #expect(try await target.query("SELECT count(*) FROM people") == "1000")
        }
    }

    /// In databases before version 15 everybody may make things in `public`.
    @Test(arguments: TestServer.all)
    func `what others own in a schema public of a superuser is given to them`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner", "CREATEDB")
            let author = try await bench.createRole("author")
            let source = try await bench.createDatabase(owner: owner)
            try await source.query(
                """
                GRANT \(author) TO \(owner); ALTER SCHEMA public OWNER TO CURRENT_USER;
                GRANT ALL ON SCHEMA public TO PUBLIC; SET ROLE \(author);
                CREATE TABLE public.t (id int PRIMARY KEY); INSERT INTO public.t VALUES (1);
                """)
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            try await bench.restore(
                backup.id, into: target, ["--check", "rows"], as: owner
            ).requireCode(0)
            let found = """
                SELECT tableowner, has_schema_privilege('\(author)', 'public', 'CREATE') FROM pg_tables
                WHERE schemaname = 'public'
                """
            #expect(try await target.query(found) == "\(author)|t")
            try await bench.expectNoMark(target)
        }
    }

    /// Where it is expected that something cannot be made, everything is made one by one.
    @Test(arguments: TestServer.all)
    func `things are given to roles one by one, too`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner", "CREATEDB")
            let source = try await bench.shared(by: owner)
            let expected = try await bench.duplicate(source, "expected")
            try await source.query(
                "CREATE TABLE unread (id int); REVOKE ALL ON unread FROM \(owner)", as: owner)
            let end = try await bench.full(source, ["--skip-unreadable"], as: owner)
            try end.requireCode(3)
            let target = bench.expectDatabase()
            // Exit code 3: the backup lacks a table.
            _ = try await bench.restore(try StoredBackup(end).id, into: target, as: owner)
            try await bench.expectEqual(expected, target)
            try await bench.expectNoMark(target)
        }
    }

    /// What is granted stands beside what is taken away, in one entry of the archive.
    @Test(arguments: TestServer.all)
    func `things are given to roles in a schema whose owner may make nothing there any more`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner", "CREATEDB")
            let source = try await bench.shared(by: owner)
            try await source.query("REVOKE CREATE ON SCHEMA app FROM \(owner)", as: owner)
            let backup = try await bench.backUp(source, as: owner)
            let target = bench.expectDatabase()
            try await bench.restore(backup.id, into: target, ["--check", "rows"], as: owner)
                .requireCode(0)
            try await bench.expectEqual(source, target)

            // What the role's own defaults give is taken away in between, and with it what was granted.
            let usual = try await bench.createDatabase("usual", owner: owner)
            try await usual.query(
                "ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO PUBLIC", as: owner)
            try await bench.restore(
                backup.id, into: usual, ["--existing", "append", "--yes"], creating: false,
                as: owner
            ).requireCode(0)
            let rights = """
                SELECT a.* FROM pg_namespace, aclexplode(nspacl) a WHERE nspname = 'app'
                ORDER BY grantee, privilege_type
                """
            let (there, was) = (try await usual.query(rights), try await source.query(rights))
            #expect(there == was)

            try await source.query(
                "CREATE TABLE unread (id int); REVOKE ALL ON unread FROM \(owner)", as: owner)
            let end = try await bench.full(source, ["--skip-unreadable"], as: owner)
            try end.requireCode(3)
            let expected = try await bench.duplicate(target, "expected")
            let other = bench.expectDatabase("other")
            _ = try await bench.restore(try StoredBackup(end).id, into: other, as: owner)
            try await bench.expectEqual(expected, other)
            try await bench.expectNoMark(other)
        }
    }
}

extension Workbench {
    /// Tables, a view and a function of one role in schemas of another, which may act for it.
    fileprivate func shared(by owner: String) async throws -> TestDatabase {
        let author = try await createRole("author")
        let source = try await createDatabase(owner: owner)
        try await source.query("GRANT \(author) TO \(owner)")
        try await source.query(
            """
            CREATE SCHEMA app; COMMENT ON SCHEMA app IS 'ours';
            GRANT USAGE, CREATE ON SCHEMA app TO \(author);
            CREATE TABLE app.t (id serial PRIMARY KEY, v text);
            INSERT INTO app.t (v) SELECT 'v' || i FROM generate_series(1, 100) i;
            CREATE TABLE app.own (id int PRIMARY KEY REFERENCES app.t); INSERT INTO app.own VALUES (1);
            CREATE VIEW app.seen AS SELECT id, v FROM app.t GROUP BY id;
            CREATE MATERIALIZED VIEW app.kept AS SELECT count(*) FROM app.t;
            CREATE FUNCTION app.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
            ALTER TABLE app.t OWNER TO \(author); ALTER VIEW app.seen OWNER TO \(author);
            ALTER MATERIALIZED VIEW app.kept OWNER TO \(author); ALTER FUNCTION app.f() OWNER TO \(author);
            """, as: owner)
        // The owner of a database has the schema `public` since version 15.
        guard server.major >= 15 else { return source }
        try await source.query(
            """
            GRANT CREATE ON SCHEMA public TO \(author);
            CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); ALTER TABLE t OWNER TO \(author);
            """, as: owner)
        return source
    }
}
