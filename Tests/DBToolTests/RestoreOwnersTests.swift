import BackupTesting
import Testing

/// What belongs to several roles: the one that made the server, the one that owns the tables, and another one.
@Suite struct RestoreOwnersTests {
    @Test(arguments: TestServer.all, [["--existing", "truncate"], ["--clean"]])
    func `what the server's own role owns beside others' tables is seen to be there`(
        server: TestServer, words: [String]
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.owned()
            let backup = try await bench.backUp(source)
            #expect(
                try backup.metadata()["owners"].items.contains { $0.string == server.superuser })
            let target = try await bench.duplicate(source, "target")
            try await target.query(
                "UPDATE t SET v = 'changed'; INSERT INTO t VALUES (1000); DELETE FROM own.kept")
            try await bench.restore(
                tables: [], into: target, words + ["--yes", "--check", "rows"]
            ).requireCode(0)
            try await bench.expectEqual(source, target)
            try await bench.expectNoMark(target)
        }
    }

    @Test(arguments: TestServer.all)
    func `an interrupted restore knows what it has made for every role`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.owned()
            let backup = try await bench.backUp(source)
            for passed in 0...2 {
                let target = bench.expectDatabase("target_\(passed)")
                let failing = try bench.failingPgRestore(passing: passed)
                try await bench.restore(backup.id, into: target, ["--pg-dump", failing])
                    .expect(code: 1, saying: "meant to fail")
                try await bench.restore(backup.id, into: target, ["--check", "rows"]).requireCode(0)
                try await bench.expectEqual(source, target)
                try await bench.expectNoMark(target)
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `whatever comes along with a table may belong to anybody`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.accompanied()
            let scope = ["tables", "-tablename", "sales.orders"]
            let backup = try await bench.backUp(source, scope: scope)
            let owners = try backup.metadata()["owners"].items.compactMap(\.string)
            #expect(owners.contains(server.superuser) && owners.count == 3, "\(owners)")

            let made = bench.expectDatabase("made")
            try await bench.restore(backup.id, into: made).requireCode(0)
            try await bench.expectEqual(source, made)
            for words in [["--existing", "truncate"], ["--clean"]] {
                let target = try await bench.duplicate(source, "target")
                try await target.query("UPDATE sales.orders SET mood = 'bad'")
                try await bench.restore(
                    tables: [], into: target, words + ["--yes", "--check", "rows"]
                ).requireCode(0)
                try await bench.expectEqual(source, target)
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `default privileges of the target give nobody what the backup does not`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let bob = try await bench.createRole("bob")
            let carol = try await bench.createRole("carol")
            let dave = try await bench.createRole("dave")
            let source = try await bench.createDatabase()
            try await source.query(
                """
                ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO \(bob);
                ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO \(bob);
                ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
                ALTER DEFAULT PRIVILEGES GRANT USAGE ON TYPES TO \(bob);
                ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO \(bob);
                CREATE SCHEMA pay; REVOKE ALL ON SCHEMA pay FROM \(bob);
                CREATE TABLE salaries (id serial PRIMARY KEY, v text); REVOKE ALL ON salaries FROM \(bob);
                REVOKE ALL ON SEQUENCE salaries_id_seq FROM \(bob);
                CREATE TABLE shared (id int); REVOKE ALL ON shared FROM \(bob);
                GRANT SELECT ON shared TO \(carol); CREATE TABLE open (id int);
                CREATE VIEW late AS SELECT id, v FROM salaries GROUP BY id; REVOKE ALL ON late FROM \(bob);
                CREATE MATERIALIZED VIEW sums AS SELECT count(*) FROM salaries; REVOKE ALL ON sums FROM \(bob);
                CREATE FUNCTION f(int, text) RETURNS int LANGUAGE sql AS 'SELECT 1';
                CREATE FUNCTION own() RETURNS int LANGUAGE sql AS 'SELECT 1';
                GRANT EXECUTE ON FUNCTION f(int, text) TO PUBLIC;
                CREATE TYPE mood AS ENUM ('good'); REVOKE ALL ON TYPE mood FROM \(bob);
                CREATE DOMAIN small AS int; REVOKE ALL ON TYPE small FROM \(bob);
                CREATE TABLE nobody (id int); REVOKE ALL ON nobody FROM \(bob), CURRENT_USER;
                GRANT SELECT ON shared, late TO \(carol) WITH GRANT OPTION;
                SET ROLE \(carol); GRANT SELECT ON shared, late TO \(dave);
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await bench.restore(tables: [], into: target, ["--clean", "--yes"]).requireCode(0)
            try await bench.expectEqual(source, target)

            try await target.query("DROP TABLE salaries CASCADE")
            try await bench.restore(tables: ["salaries"], into: target).requireCode(0)
            try await bench.restore(tables: ["salaries"], into: target, ["--as", "copy"])
                .requireCode(0)
            let mayRead = "SELECT has_table_privilege('\(bob)', t, 'SELECT') FROM unnest(ARRAY"
            #expect(try await target.query("\(mayRead)['salaries', 'copy']) t") == "f\nf")

            // Without grants, those are right that are usual there.
            try await target.query("DROP TABLE salaries")
            try await bench.restore(tables: ["salaries"], into: target, ["--no-privileges"])
                .requireCode(0)
            #expect(try await target.query("\(mayRead)['salaries']) t") == "t")
        }
    }

    /// pg_dump writes down whom `public` belongs to since version 15.
    @Test(arguments: TestServer.all)
    func `the schema public comes with its owner, grants and comment`(
        server: TestServer
    ) async throws {
        guard server.major >= 15 else { return }
        try await Workbench.with(server) { bench in
            let app = try await bench.createRole("app")
            let reader = try await bench.createRole("reader")
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);
                ALTER TABLE t OWNER TO \(app); ALTER SCHEMA public OWNER TO \(app);
                REVOKE USAGE ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO \(reader);
                COMMENT ON SCHEMA public IS 'ours';
                """)
            let backup = try await bench.backUp(source)
            let target = try await bench.createDatabase("target")
            try await bench.restore(backup.id, into: target, creating: false).requireCode(0)
            try await bench.expectEqual(source, target)
            for words in [["--existing", "truncate"], ["--clean"]] {
                try await target.query(
                    """
                    ALTER SCHEMA public OWNER TO CURRENT_USER; COMMENT ON SCHEMA public IS 'theirs';
                    REVOKE USAGE ON SCHEMA public FROM \(reader);
                    """)
                try await bench.restore(
                    backup.id, into: target, words + ["--yes"], creating: false
                ).requireCode(0)
                try await bench.expectEqual(source, target)
            }

            // Who owns the database, and may not act for whom `public` belonged to, restores everything else.
            try await source.query("ALTER SCHEMA public OWNER TO CURRENT_USER")
            let given = try await bench.backUp(source)
            let own = try await bench.createDatabase("own")
            try await own.query("ALTER DATABASE \"\(own.name)\" OWNER TO \(app)")
            let kept = try await bench.restore(given.id, into: own, creating: false, as: app)
            #expect(kept.code == 0 && kept.output.contains("left out: schema public"), "\(kept)")
            #expect(try await own.query("TABLE t") == "1")

            // Whoever may not change it is told so, too.
            let guest = try await bench.createRole("guest")
            let theirs = try await bench.createDatabase("theirs")
            try await theirs.query(
                """
                ALTER SCHEMA public OWNER TO CURRENT_USER; GRANT CREATE ON SCHEMA public TO \(guest);
                GRANT CREATE ON DATABASE "\(theirs.name)" TO \(guest);
                """)
            let end = try await bench.restore(
                backup.id, into: theirs, ["--no-owner", "--no-privileges"], creating: false,
                as: guest)
            #expect(end.code == 0 && end.output.contains("left out: schema public"), "\(end)")
            #expect(try await theirs.query("TABLE t") == "1")
        }
    }

    /// An owner may take rights from itself, as one does of tables that nobody is to change.
    @Test(arguments: TestServer.all)
    func `an owner without the right to add rows restores its table`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner", "CREATEDB")
            let reader = try await bench.createRole("reader")
            let source = try await bench.small(owner: owner)
            try await source.query(
                """
                CREATE TABLE audit (id integer PRIMARY KEY, pet text, note text);
                INSERT INTO audit SELECT i, 'pet ' || i, 'n' FROM generate_series(1, 100) i;
                REVOKE INSERT, UPDATE, DELETE ON audit FROM \(owner);
                CREATE TABLE counted (id serial, v text); INSERT INTO counted (v) VALUES ('a'), ('b');
                REVOKE USAGE, UPDATE ON SEQUENCE counted_id_seq FROM \(owner);
                GRANT SELECT (id, pet) ON audit TO \(reader); GRANT SELECT ON pets TO \(reader);
                """, as: owner)
            _ = try await bench.backUp(source, as: owner)
            let target = bench.expectDatabase()
            try await bench.restore(into: target, ["--check", "rows"], as: owner).requireCode(0)
            try await bench.expectEqual(source, target)

            let some = try await bench.createDatabase("some", owner: owner)
            for words in [[], ["--as", "copy"]] {
                try await bench.restore(tables: ["audit"], into: some, words, as: owner)
                    .requireCode(0)
            }
            let rights = """
                SELECT has_table_privilege('\(owner)', t, 'INSERT'),
                  has_table_privilege('\(owner)', t, 'SELECT'),
                  has_column_privilege('\(reader)', t, 'pet', 'SELECT'),
                  has_column_privilege('\(reader)', t, 'note', 'SELECT')
                FROM unnest(ARRAY['audit', 'copy']) t
                """
            #expect(try await some.query(rights) == "f|t|t|f\nf|t|t|f")
            #expect(
                try await some.query("SELECT count(*) FROM audit JOIN copy USING (id, pet)")
                    == "100")
        }
    }

    /// Nothing can be made in such a schema, and what is there has no name for its owner.
    @Test(arguments: TestServer.all)
    func `an owner without rights on its schema restores what is in it`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner", "CREATEDB")
            let reader = try await bench.createRole("reader")
            let source = try await bench.createDatabase(owner: owner)
            try await source.query(
                """
                CREATE SCHEMA closed; CREATE TABLE closed.t (id serial PRIMARY KEY, v text);
                INSERT INTO closed.t (v) SELECT 'v' || i FROM generate_series(1, 100) i;
                CREATE INDEX ON closed.t (v); CREATE STATISTICS closed.st ON id, v FROM closed.t;
                CREATE TYPE closed.mood AS ENUM ('good', 'bad');
                CREATE TABLE closed.other (id int PRIMARY KEY REFERENCES closed.t, mood closed.mood);
                INSERT INTO closed.other VALUES (1, 'good');
                CREATE FUNCTION closed.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
                REVOKE EXECUTE ON FUNCTION closed.f() FROM PUBLIC;
                REVOKE USAGE ON TYPE closed.mood FROM PUBLIC, \(owner);
                GRANT SELECT ON closed.t, closed.other TO \(reader);
                ALTER TABLE closed.t ENABLE ROW LEVEL SECURITY;
                CREATE POLICY few ON closed.t USING (id < 50);
                CREATE MATERIALIZED VIEW closed.sums AS SELECT count(*), max(v) FROM closed.t;
                GRANT USAGE ON SCHEMA closed TO \(reader); REVOKE ALL ON SCHEMA closed FROM \(owner);
                CREATE SCHEMA fixed; CREATE TABLE fixed.t (id int PRIMARY KEY, v text);
                INSERT INTO fixed.t VALUES (1, 'a'), (2, 'b'); CREATE INDEX ON fixed.t (v);
                REVOKE CREATE ON SCHEMA fixed FROM \(owner);
                """, as: owner)
            _ = try await bench.backUp(source)
            let target = bench.expectDatabase()
            try await bench.restore(into: target, ["--check", "rows"], as: owner).requireCode(0)
            try await bench.expectEqual(source, target)

            let some = try await bench.createDatabase("some", owner: owner)
            try await bench.restore(
                tables: ["closed.t"], into: some, ["--as", "closed.copy"], as: owner
            ).requireCode(0)
            #expect(
                try await some.query(
                    """
                    SELECT has_schema_privilege('\(owner)', 'closed', 'USAGE'),
                      has_table_privilege('\(reader)', 'closed.copy', 'SELECT'), count(*)
                    FROM closed.copy
                    """) == "f|t|100")
        }
    }

    /// They name their role whether or not owners are restored.
    @Test(arguments: TestServer.all)
    func `default privileges of roles that the restoring one may not act for are left out`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner", "CREATEDB")
            let other = try await bench.createRole("other")
            let reader = try await bench.createRole("reader")
            let source = try await bench.small(owner: owner)
            try await source.query(
                """
                ALTER DEFAULT PRIVILEGES FOR ROLE \(other) IN SCHEMA public GRANT SELECT ON TABLES TO \(reader);
                ALTER DEFAULT PRIVILEGES FOR ROLE \(other) GRANT USAGE ON SEQUENCES TO \(reader);
                ALTER DEFAULT PRIVILEGES FOR ROLE \(owner) GRANT SELECT ON TABLES TO \(reader);
                GRANT SELECT ON pets TO \(reader);
                """)
            _ = try await bench.backUp(source)
            let target = bench.expectDatabase()
            let end = try await bench.restore(into: target, ["--no-owner"], as: owner)
            try end.requireCode(0)
            #expect(
                end.output.contains("left out: default privileges of role \(other):"), "\(end)")
            #expect(!end.output.contains("privileges of role \(owner)"), "\(end)")
            let roles = "SELECT DISTINCT defaclrole::regrole FROM pg_default_acl"
            #expect(try await target.query(roles) == owner)

            // A member may change them.
            try await source.query("GRANT \(other) TO \(owner)")
            let whole = bench.expectDatabase("whole")
            try await bench.restore(into: whole, as: owner).requireCode(0)
            try await bench.expectEqual(source, whole)
        }
    }

    /// Since version 16 who makes a role may administer it, and not act for it.
    @Test(arguments: TestServer.all)
    func `a membership without the right to act for a role is not enough`(
        server: TestServer
    ) async throws {
        guard server.major >= 16 else { return }
        try await Workbench.with(server) { bench in
            let maker = try await bench.createRole("maker", "CREATEROLE")
            let app = try await bench.createRole("app")
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);
                ALTER TABLE t OWNER TO \(app);
                GRANT \(app) TO \(maker) WITH ADMIN TRUE, INHERIT TRUE, SET FALSE;
                """)
            let backup = try await bench.backUp(source)
            let target = try await bench.createDatabase("target", owner: maker)
            try await target.query("GRANT CREATE ON SCHEMA public TO \(app)")
            try await bench.expectRefused(
                target, saying: "role \(maker) may not give things to roles: \(app)"
            ) {
                try await bench.restore(backup.id, into: target, creating: false, as: maker)
            }
            try await source.query("GRANT \(app) TO \(maker) WITH SET TRUE")
            try await bench.restore(backup.id, into: target, creating: false, as: maker)
                .requireCode(0)
            #expect(
                try await target.query(
                    "SELECT tableowner, (SELECT count(*) FROM t) FROM pg_tables WHERE tablename = 't'"
                )
                    == "\(app)|1")
        }
    }

    @Test(arguments: TestServer.all)
    func `a role that owns only what comes along is missed before anything is made`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            let gone = try await bench.createRole("gone")
            try await source.query(
                """
                CREATE TYPE mood AS ENUM ('good', 'bad'); ALTER TYPE mood OWNER TO \(gone);
                CREATE TABLE orders (id int PRIMARY KEY, mood mood); INSERT INTO orders VALUES (1, 'good');
                """)
            let backup = try await bench.backUp(source, scope: ["tables", "-tablename", "orders"])
            try await source.query("REASSIGN OWNED BY \(gone) TO CURRENT_USER; DROP ROLE \(gone)")
            let target = try await bench.createDatabase("target")
            try await bench.expectRefused(target, saying: "roles do not exist: \(gone)") {
                try await bench.restore(backup.id, into: target, creating: false)
            }
            try await bench.restore(backup.id, into: target, ["--no-owner"], creating: false)
                .requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }
}

extension Workbench {
    /// Tables of one role, a schema with more of another, and of the superuser what is no relation, function or type.
    fileprivate func owned() async throws -> TestDatabase {
        let app = try await createRole("app")
        let third = try await createRole("third, or so")
        let quoted = Self.quoted(third)
        let source = try await createDatabase()
        try await source.query(
            """
            CREATE SCHEMA own AUTHORIZATION \(quoted);
            CREATE TABLE t (id int PRIMARY KEY, v text);
            INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 100) i;
            CREATE TYPE own.mood AS ENUM ('good', 'bad'); ALTER TYPE own.mood OWNER TO \(quoted);
            CREATE TABLE own.kept (id int PRIMARY KEY, t int REFERENCES t, mood own.mood);
            INSERT INTO own.kept VALUES (1, 1, 'good');
            ALTER TABLE t OWNER TO \(app); ALTER TABLE own.kept OWNER TO \(quoted);
            CREATE FUNCTION own.react() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
            ALTER FUNCTION own.react() OWNER TO \(quoted);
            CREATE VIEW own.seen AS SELECT * FROM t; ALTER VIEW own.seen OWNER TO \(quoted);
            CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER beyond FOREIGN DATA WRAPPER nowhere;
            CREATE USER MAPPING FOR \(app) SERVER beyond;
            CREATE STATISTICS related ON id, v FROM t;
            CREATE TEXT SEARCH CONFIGURATION own_words (COPY = simple);
            CREATE COLLATION plain (LOCALE = 'C');
            CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
            CREATE PUBLICATION everything FOR ALL TABLES; CREATE PUBLICATION few FOR TABLE t;
            CREATE EVENT TRIGGER reacts ON ddl_command_start EXECUTE FUNCTION own.react();
            """)
        return source
    }

    /// A table with a schema, types and functions, each of a role that owns no table.
    fileprivate func accompanied() async throws -> TestDatabase {
        let app = try await createRole("app")
        let boss = try await createRole("boss")
        let source = try await createDatabase()
        try await source.query(
            """
            CREATE SCHEMA sales AUTHORIZATION \(boss);
            CREATE TYPE sales.mood AS ENUM ('good', 'bad'); ALTER TYPE sales.mood OWNER TO \(boss);
            CREATE TYPE sales.pair AS (a int, b int);
            CREATE FUNCTION sales.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
            CREATE TABLE sales.orders (id int PRIMARY KEY, mood sales.mood, pair sales.pair);
            CREATE TRIGGER notes BEFORE UPDATE ON sales.orders
                FOR EACH ROW EXECUTE FUNCTION sales.note();
            INSERT INTO sales.orders VALUES (1, 'good', (1, 2)), (2, 'bad', NULL);
            ALTER TABLE sales.orders OWNER TO \(app);
            """)
        return source
    }
}
