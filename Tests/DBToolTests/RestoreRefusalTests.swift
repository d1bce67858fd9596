import BackupTesting
import Testing

/// What a server refuses of its own dump keeps nothing else from being made, and is named.
@Suite struct RestoreRefusalTests {
    @Test(arguments: TestServer.all)
    func `all that can be made is made beside what the server refuses after the rows`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.ready + Self.function + Self.shop)
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            // Nothing is made twice, and nothing is taken for made, however often it goes on.
            for _ in 1...2 {
                let end = try await bench.restore(backup.id, into: target, ["--jobs", "2"])
                end.expect(code: 1, saying: "cannot create every index and constraint: INDEX ")
                for words in [
                    "(and 2 more problems)", "not made: INDEX by_name", "not made: INDEX few",
                    "not made: COMMENT INDEX by_name", "run the same restore again",
                ] {
                    #expect(end.errors.contains(words), "\(words)\n\(end)")
                }
                #expect(
                    try await target.query(
                        """
                        SELECT count(*) FROM pg_constraint WHERE conname = 'parts_item_fkey';
                        SELECT count(*) FROM pg_trigger WHERE tgname = 'passing';
                        SELECT count(*) FROM pg_policy; SELECT count(*) FROM counted;
                        SELECT count(*) FROM pg_indexes WHERE indexname IN ('by_name', 'few');
                        SELECT count(*) FROM pg_namespace WHERE nspname = 'dbtool_restore'
                        """) == "1\n1\n1\n20\n0\n1")
            }
            try await target.query(Self.ready)
            try await bench.restore(backup.id, into: target, ["--check", "rows"]).requireCode(0)
            try await bench.expectEqual(source, target)
            try await bench.expectNoMark(target)
        }
    }

    /// What takes rights from their owner waits: who has none can make no foreign key later.
    @Test(arguments: TestServer.all)
    func `an owner without rights can go on when the cause is mended`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner", "CREATEDB")
            let source = try await bench.createDatabase(owner: owner)
            try await source.query(
                Self.ready + Self.function
                    + """
                    CREATE TABLE items (id int PRIMARY KEY, name text);
                    CREATE TABLE uses (id int PRIMARY KEY, item int REFERENCES items);
                    INSERT INTO items VALUES (1, 'n'); INSERT INTO uses VALUES (1, 1);
                    CREATE INDEX once ON items (ready(name));
                    REVOKE ALL ON items, uses FROM \(owner);
                    """, as: owner)
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            try await bench.restore(backup.id, into: target, as: owner)
                .expect(code: 1, saying: "cannot create every index and constraint: INDEX once")
            // As if it had been refused, too.
            try await target.query("ALTER TABLE uses DROP CONSTRAINT uses_item_fkey")
            try await target.query(Self.ready)
            try await bench.restore(backup.id, into: target, as: owner).requireCode(0)
            try await bench.expectEqual(source, target)
            try await bench.expectNoMark(target)
        }
    }

    /// Before PostgreSQL 18 a key to a whole takes names for its parts that another key has in the source.
    @Test(arguments: TestServer.all)
    func `a foreign key whose name is taken by one of the server's own is not taken for made`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE whole (id int PRIMARY KEY) PARTITION BY LIST (id);
                CREATE TABLE one PARTITION OF whole FOR VALUES IN (1);
                CREATE TABLE two PARTITION OF whole FOR VALUES IN (2);
                CREATE TABLE other (id int PRIMARY KEY);
                CREATE TABLE uses (a int REFERENCES whole);
                ALTER TABLE uses ADD FOREIGN KEY (a) REFERENCES other;
                CREATE TABLE three PARTITION OF whole FOR VALUES IN (3);
                INSERT INTO whole VALUES (1), (2), (3); INSERT INTO other VALUES (1), (2);
                INSERT INTO uses VALUES (1), (2);
                """)
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            // One after another, in the order of the archive.
            let words = ["--jobs", "1"]
            let first = try await bench.restore(backup.id, into: target, words)
            if first.code != 0 {
                #expect(server.major < 18, "\(first)")
                for end in [first, try await bench.restore(backup.id, into: target, words)] {
                    end.expect(code: 1, saying: "FK CONSTRAINT uses uses_a_fkey3", "already exists")
                }
                try await target.query("ALTER TABLE uses RENAME CONSTRAINT uses_a_fkey3 TO moved")
                try await bench.restore(backup.id, into: target).requireCode(0)
            }
            try await bench.expectEqual(source, target)
            try await bench.expectNoMark(target)
        }
    }

    /// The server says of no character of the script that it is about it.
    @Test(arguments: TestServer.all)
    func `a statement that is refused before the rows is named`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE t (id int);
                CREATE FOREIGN DATA WRAPPER first;
                CREATE FOREIGN DATA WRAPPER odd OPTIONS (a '1');
                ALTER FOREIGN DATA WRAPPER odd VALIDATOR postgresql_fdw_validator;
                CREATE FOREIGN DATA WRAPPER other;
                """)
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            try await bench.restore(backup.id, into: target).expect(
                code: 1,
                saying: "cannot create the structure: FOREIGN DATA WRAPPER odd: invalid option")
            #expect(try await target.query("SELECT count(*) FROM pg_foreign_data_wrapper") == "0")
        }
    }

    /// Databases take no comment along, so that the function fails wherever this has not been run.
    private static let ready = """
        DO $$ BEGIN
          EXECUTE pg_catalog.format('COMMENT ON DATABASE %I IS %L', current_database(), 'ready');
        END $$;

        """

    private static let function = """
        CREATE FUNCTION ready(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
          IF pg_catalog.shobj_description(
               (SELECT oid FROM pg_catalog.pg_database
                WHERE datname = pg_catalog.current_database()), 'pg_database')
             IS DISTINCT FROM 'ready' THEN RAISE 'not ready'; END IF;
          RETURN $1;
        END $$;

        """

    private static let shop = """
        CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TABLE items (id int PRIMARY KEY, name text);
        INSERT INTO items SELECT i, 'n' || i FROM generate_series(1, 20) i;
        CREATE TABLE parts (id int PRIMARY KEY, item int REFERENCES items);
        INSERT INTO parts VALUES (1, 1), (2, 20);
        CREATE INDEX by_name ON items (ready(name)); COMMENT ON INDEX by_name IS 'odd';
        CREATE INDEX few ON items (id) WHERE ready(name) > 'n1';
        CREATE TRIGGER passing BEFORE INSERT ON parts FOR EACH ROW EXECUTE FUNCTION pass();
        CREATE POLICY own ON parts USING (id > 0); ALTER TABLE parts ENABLE ROW LEVEL SECURITY;
        CREATE MATERIALIZED VIEW counted AS SELECT id, name, count(*) FROM items GROUP BY id;

        """
}
