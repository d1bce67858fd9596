import BackupTesting
import Testing

/// What is easily overlooked when rows come into a database that has a life of its own.
@Suite struct RestoreDetailTests {
    /// An extension fills a table, of which backups have only rows that its condition selects.
    @Test(
        arguments: TestServer.all,
        ["WHERE own", "WHERE(own)", "WHERE own ORDER BY id", "WHERE own -- ours"])
    func `rows that belong to an extension stay`(
        server: TestServer, condition: String
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE EXTENSION hstore;
                CREATE TABLE places (id int PRIMARY KEY, own boolean, name text); CREATE SEQUENCE jobs;
                CREATE TABLE plain (id int PRIMARY KEY); INSERT INTO plain VALUES (1);
                INSERT INTO places VALUES (1, false, 'theirs'), (2, true, 'ours');
                SELECT setval('jobs', 10);
                ALTER EXTENSION hstore ADD TABLE places; ALTER EXTENSION hstore ADD SEQUENCE jobs;
                UPDATE pg_extension SET extconfig = ARRAY['places'::regclass::oid, 'jobs'::regclass::oid],
                  extcondition = ARRAY['\(condition)', ''] WHERE extname = 'hstore';
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            let rows =
                "SELECT * FROM places ORDER BY id; SELECT last_value FROM jobs; SELECT * FROM plain"
            for words in [["--existing", "truncate"], ["--clean"]] {
                try await target.query(
                    """
                    UPDATE places SET name = 'changed' WHERE own; INSERT INTO places VALUES (3, true, 'new');
                    SELECT setval('jobs', 3); INSERT INTO plain VALUES (2);
                    """)
                try await bench.restore(
                    tables: [], into: target, words + ["--yes", "--check", "rows"]
                ).requireCode(0)
                #expect(try await target.query(rows) == source.query(rows), "\(words)")
            }
        }
    }

    /// A backup has only some rows of a table that an extension fills, and such a table may have another life elsewhere.
    @Test(arguments: TestServer.all)
    func
        `a table that no extension fills in the target is not emptied for one that is filled in the source`(
            server: TestServer
        ) async throws
    {
        try await Workbench.with(server) { bench in
            let table = "CREATE TABLE places (id int PRIMARY KEY, own boolean, name text);"
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE EXTENSION hstore; \(table)
                INSERT INTO places VALUES (1, false, 'theirs'), (2, true, 'ours');
                ALTER EXTENSION hstore ADD TABLE places;
                UPDATE pg_extension SET extconfig = ARRAY['places'::regclass::oid],
                  extcondition = ARRAY['WHERE own'] WHERE extname = 'hstore';
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.createDatabase("target")
            try await target.query("\(table) INSERT INTO places VALUES (3, false, 'kept')")
            let refusal = "are no extension's here: public.places"
            for (tables, words) in [
                (["places"], ["--existing", "truncate"]),
                ([], ["--existing", "truncate", "--yes"]),
                ([], ["--clean", "--yes"]),
            ] as [([String], [String])] {
                try await bench.expectRefused(target, saying: refusal, "Rename these tables") {
                    try await bench.restore(tables: tables, into: target, words)
                }
            }
            try await bench.restore(tables: ["places"], into: target, ["--existing", "append"])
                .requireCode(0)
            #expect(
                try await target.query("SELECT * FROM places ORDER BY id")
                    == "2|t|ours\n3|f|kept")
        }
    }

    /// A provider's administrator makes what others may not.
    @Test(arguments: TestServer.all)
    func `an extension that was made beforehand is not in the way`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let premade = """
                CREATE EXTENSION hstore; CREATE TABLE places (id int PRIMARY KEY, own boolean, name text);
                INSERT INTO places VALUES (1, false, 'theirs');
                ALTER EXTENSION hstore ADD TABLE places;
                UPDATE pg_extension SET extconfig = ARRAY['places'::regclass::oid],
                  extcondition = ARRAY['WHERE own'] WHERE extname = 'hstore';
                """
            let source = try await bench.createDatabase()
            try await source.query(premade)
            try await source.query(
                """
                CREATE TABLE plain (id int PRIMARY KEY, pairs hstore); INSERT INTO plain VALUES (1, 'a=>b');
                INSERT INTO places VALUES (2, true, 'ours');
                """)
            _ = try await bench.backUp(source)
            let rows = "SELECT * FROM places ORDER BY id; SELECT * FROM plain"
            let target = try await bench.createDatabase("target")
            try await target.query(premade)
            try await bench.restore(
                tables: [], into: target, ["--check", "rows"]
            ).requireCode(0)
            #expect(try await target.query(rows) == source.query(rows))
            try await bench.expectNoMark(target)

            let used = try await bench.createDatabase("used")
            try await used.query("\(premade) INSERT INTO places VALUES (3, true, 'new')")
            try await bench.expectRefused(
                used, saying: "hold rows: public.places", "--existing truncate"
            ) {
                try await bench.restore(tables: [], into: used)
            }
            // Where the backup has no rows of its own there, those of the target have nothing to fear.
            try await source.query("DELETE FROM places WHERE own")
            _ = try await bench.backUp(source)
            try await bench.restore(tables: [], into: used).requireCode(0)
            #expect(try await used.query(rows) == "1|f|theirs\n3|t|new\n1|\"a\"=>\"b\"")
        }
    }

    /// Foreign keys of an extension's tables hold before any row comes.
    @Test(arguments: TestServer.all, [Restorer.superuser, .owner])
    func `tables of extensions that refer to each other are loaded in that order`(
        server: TestServer, restorer: Restorer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner")
            // Nobody else can keep a trigger from changing rows once more.
            let stamp =
                restorer == .owner
                ? ""
                : """
                CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS
                  'BEGIN NEW.words := NEW.words || ''!''; RETURN NEW; END';
                CREATE TRIGGER stamp BEFORE INSERT ON details FOR EACH ROW EXECUTE FUNCTION stamp();
                ALTER EXTENSION hstore ADD FUNCTION stamp();
                """
            let premade = """
                CREATE EXTENSION hstore; CREATE TABLE rules (id int PRIMARY KEY, own boolean);
                CREATE TABLE details (rule int REFERENCES rules, above int, id int PRIMARY KEY, words text);
                ALTER TABLE details ADD FOREIGN KEY (above) REFERENCES details (id);
                ALTER TABLE rules OWNER TO \(owner); ALTER TABLE details OWNER TO \(owner);
                ALTER EXTENSION hstore ADD TABLE rules; ALTER EXTENSION hstore ADD TABLE details;
                UPDATE pg_extension SET
                  extconfig = ARRAY['details'::regclass::oid, 'rules'::regclass::oid],
                  extcondition = ARRAY['', 'WHERE own'] WHERE extname = 'hstore';
                \(stamp)
                """
            let source = try await bench.createDatabase()
            try await source.query(premade)
            try await source.query(
                """
                INSERT INTO rules VALUES (1, true), (2, true);
                INSERT INTO details SELECT 1 + i % 2, nullif(i - 1, 0), i, 'more words'
                FROM generate_series(1, 2000) i;
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.createDatabase("target", owner: owner)
            try await target.query(premade)
            try await bench.restore(
                tables: [], into: target,
                ["--no-owner", "--no-privileges", "--jobs", "1", "--check", "rows"],
                as: restorer == .owner ? owner : nil
            ).requireCode(0)
            let rows = "SELECT * FROM rules ORDER BY id; SELECT * FROM details ORDER BY id"
            #expect(try await target.query(rows) == source.query(rows))
        }
    }

    @Test(arguments: TestServer.all)
    func `keys that are checked late are checked`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE late (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, v text);
                INSERT INTO late VALUES (1, 'a')
                """)
            _ = try await bench.backUp(source)
            try await bench.expectRefused(source, saying: "late_pkey", "--existing truncate") {
                try await bench.restore(tables: ["late"], into: source, ["--existing", "append"])
            }
        }
    }

    /// Enum values hash by their oid, so that rows change places, and with them the order of their fields.
    @Test(arguments: TestServer.all)
    func `rows of hash partitions are compared whatever order their columns have`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TYPE mood AS ENUM ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
                CREATE TABLE whole (m mood, n int, t text) PARTITION BY HASH (m);
                CREATE TABLE part_0 PARTITION OF whole FOR VALUES WITH (MODULUS 2, REMAINDER 0);
                CREATE TABLE part_1 (t text, m mood, n int);
                ALTER TABLE whole ATTACH PARTITION part_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
                INSERT INTO whole SELECT m, n, E'"x",\n' || n FROM unnest(enum_range(NULL::mood)) m,
                  generate_series(1, 50) n;
                INSERT INTO whole VALUES (NULL, NULL, ''), ('a', 1, NULL), ('b', 2, E'\\\\.');
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.restored("latest", ["--check", "rows"])
            try await bench.expectEqual(source, target)
            try await target.query("UPDATE whole SET t = 'y' WHERE n = 2")
            let end = try await bench.restore(
                tables: ["whole"], into: target, ["--existing", "truncate", "--check", "rows"])
            try end.requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    @Test(arguments: TestServer.all)
    func `ranges of text come where text is sorted otherwise`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase(options: "ENCODING 'UTF8' LOCALE 'C'")
            try await source.query(
                """
                CREATE TABLE words (t text, n int) PARTITION BY RANGE (t);
                CREATE TABLE upper PARTITION OF words FOR VALUES FROM (MINVALUE) TO ('Zz');
                CREATE TABLE lower PARTITION OF words FOR VALUES FROM ('Zz') TO (MAXVALUE);
                INSERT INTO words VALUES ('a', 1), ('Z', 2), ('m', 3);
                CREATE TABLE bytes (t text COLLATE "C") PARTITION BY RANGE (t);
                CREATE TABLE some_bytes PARTITION OF bytes FOR VALUES FROM ('a') TO ('b');
                INSERT INTO bytes VALUES ('a');
                CREATE TABLE mixed (t text) PARTITION BY RANGE (t);
                CREATE TABLE near PARTITION OF mixed FOR VALUES FROM ('a') TO ('b');
                INSERT INTO mixed VALUES ('a');
                CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
                CREATE FOREIGN TABLE far PARTITION OF mixed FOR VALUES FROM ('b') TO ('c') SERVER nowhere;
                """)
            let backup = try await bench.backUp(source)
            let through = try backup.metadata()["tables"].items.map { table in
                "\(table["name"].string ?? "") \(table["loads_through"]["name"].string ?? "-")"
            }
            #expect(through.sorted() == ["lower words", "near -", "some_bytes -", "upper words"])

            let target = bench.expectDatabase()
            let made = try await bench.administration.attempt(
                """
                CREATE DATABASE \(Workbench.quoted(target.name)) TEMPLATE template0 ENCODING 'UTF8'
                LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'en'
                """)
            // Version 14 has no such database, and not every build has ICU.
            guard made.code == 0 else { return }
            try await bench.restore(
                backup.id, into: target, ["--check", "rows"], creating: false
            ).requireCode(0)
            let rows = "SELECT string_agg(t, ' ' ORDER BY n) FROM"
            #expect(try await target.query("\(rows) words") == "a Z m")
            #expect(try await target.query("\(rows) ONLY upper") == "a Z m")
        }
    }

    @Test(arguments: TestServer.all)
    func `a materialized view holds what its owner may see`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let analyst = try await bench.createRole("analyst")
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE orders (id int PRIMARY KEY, region text);
                INSERT INTO orders VALUES (1, 'EU'), (2, 'US');
                ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
                CREATE POLICY own ON orders FOR SELECT TO \(analyst) USING (region = 'EU');
                GRANT SELECT ON orders TO \(analyst);
                CREATE MATERIALIZED VIEW seen AS SELECT * FROM orders; ALTER TABLE seen OWNER TO \(analyst);
                GRANT USAGE, CREATE ON SCHEMA public TO \(analyst);
                REFRESH MATERIALIZED VIEW seen;
                """)
            #expect(try await source.query("SELECT * FROM seen") == "1|EU")
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase("target")
            try await bench.restore(backup.id, into: target).requireCode(0)
            #expect(try await target.query("SELECT * FROM seen") == "1|EU")
            try await target.query("DELETE FROM orders")
            try await bench.restore(
                tables: [], into: target, ["--existing", "truncate", "--yes"]
            ).requireCode(0)
            #expect(try await target.query("SELECT * FROM seen") == "1|EU")
            try await bench.expectEqual(source, target)
        }
    }

    /// An archive lists a name on one line.
    @Test(arguments: TestServer.all)
    func `names may hold the end of a line`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE "two\nlines" (id serial PRIMARY KEY, v text);
                INSERT INTO "two\nlines" (v) VALUES ('a'), ('b');
                CREATE MATERIALIZED VIEW "seen\nfrom here" AS SELECT * FROM "two\nlines";
                CREATE TABLE "the\nwhole" (id int) PARTITION BY LIST (id);
                CREATE TABLE "its\npart" PARTITION OF "the\nwhole" FOR VALUES IN (1);
                INSERT INTO "the\nwhole" VALUES (1);
                CREATE PUBLICATION "some\nof it" FOR TABLE "two\nlines";
                """)
            _ = try await bench.backUp(source)
            try await bench.expectEqual(source, bench.restored())
            for words in [["--existing", "truncate"], ["--clean"]] {
                let target = try await bench.duplicate(source, "target")
                try await target.query("INSERT INTO \"two\nlines\" (v) VALUES ('c'), ('d')")
                try await bench.restore(tables: [], into: target, words + ["--yes"]).requireCode(0)
                try await bench.expectEqual(source, target)
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `publications of schemas are there already`(server: TestServer) async throws {
        guard server.major >= 15 else { return }
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE SCHEMA "my own"; CREATE TABLE "my own".t (id int PRIMARY KEY); INSERT INTO "my own".t VALUES (1);
                CREATE PUBLICATION "of all" FOR TABLES IN SCHEMA "my own"
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query("DELETE FROM \"my own\".t")
            for words in [["--existing", "truncate"], ["--clean"]] {
                try await bench.restore(tables: [], into: target, words + ["--yes"]).requireCode(0)
                try await bench.expectEqual(source, target)
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `a sequence that other tables count by never goes back`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE parent (id serial PRIMARY KEY); CREATE TABLE child () INHERITS (parent);
                CREATE TABLE alone (id serial PRIMARY KEY);
                INSERT INTO parent DEFAULT VALUES; INSERT INTO alone DEFAULT VALUES;
                """)
            _ = try await bench.backUp(source)
            for _ in 1...5 {
                try await source.query(
                    "INSERT INTO child DEFAULT VALUES; INSERT INTO alone DEFAULT VALUES")
            }
            try await bench.restore(
                tables: ["parent", "alone"], into: source, ["--existing", "truncate", "--yes"]
            ).requireCode(0)
            #expect(try await source.query("INSERT INTO child DEFAULT VALUES RETURNING id") == "7")
            #expect(try await source.query("INSERT INTO alone DEFAULT VALUES RETURNING id") == "2")
        }
    }

    @Test(arguments: TestServer.all)
    func `a copy does not take the place of a table with partitions`(server: TestServer)
        async throws
    {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query("CREATE TABLE one (id int); INSERT INTO one VALUES (1)")
            _ = try await bench.backUp(source)
            try await source.query(
                """
                CREATE TABLE whole (id int) PARTITION BY LIST (id);
                CREATE TABLE part PARTITION OF whole FOR VALUES IN (1); INSERT INTO whole VALUES (1);
                """)
            try await bench.expectRefused(source, saying: "partition public.part") {
                try await bench.restore(
                    tables: ["one"], into: source, ["--as", "whole", "--clean", "--yes"])
            }
        }
    }
}
