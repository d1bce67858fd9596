import BackupTesting
import Testing

/// What a database can hold comes back, kind by kind.
@Suite struct DatabaseObjectTests {
    /// One kind of thing, and how to make it.
    struct Kind: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let sql: String

        init(_ description: String, _ sql: String) {
            testDescription = description
            self.sql = sql
        }
    }

    @Test(arguments: TestServer.all, kinds)
    func `comes back as it was`(server: TestServer, kind: Kind) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(kind.sql)
            try await bench.roundTrip(source)
        }
    }

    static let kinds = [
        Kind("an empty database", ""),
        Kind(
            "several schemas with tables of one name",
            """
            CREATE SCHEMA a; CREATE SCHEMA "B c"; CREATE SCHEMA b;
            CREATE TABLE t (x text); CREATE TABLE a.t (x text); CREATE TABLE "B c".t (x text);
            CREATE TABLE b.t (x text); CREATE TABLE "a.t" (x text); CREATE TABLE "T" (x text);
            INSERT INTO t VALUES ('public'); INSERT INTO a.t VALUES ('a');
            INSERT INTO "B c".t VALUES ('B c'); INSERT INTO b.t VALUES ('b');
            INSERT INTO "a.t" VALUES ('a.t'); INSERT INTO "T" VALUES ('T');
            """),
        Kind(
            "tables without columns, and of one column that is NULL",
            """
            CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES;
            INSERT INTO nothing DEFAULT VALUES;
            CREATE TABLE once (); ALTER TABLE once ADD gone integer; INSERT INTO once VALUES (1);
            ALTER TABLE once DROP gone;
            CREATE TABLE single (value text);
            INSERT INTO single VALUES (NULL), (''), (NULL), ('x'), (E'\\\\.'), (E'\\n'), ('"');
            CREATE TABLE made (value integer GENERATED ALWAYS AS (7) STORED);
            INSERT INTO made DEFAULT VALUES;
            """),
        Kind(
            "large objects",
            """
            SELECT lo_from_bytea(100, ''), lo_from_bytea(101, '\\x00ff'),
                   lo_from_bytea(102, decode(repeat('deadbeef00', 300000), 'hex')),
                   lo_from_bytea(3000000000, 'high');
            SELECT lo_put(103, 10000000, 'after a hole') FROM lo_create(103);
            COMMENT ON LARGE OBJECT 101 IS 'with a "comment"';
            REVOKE ALL ON LARGE OBJECT 100 FROM CURRENT_USER;
            GRANT SELECT ON LARGE OBJECT 102 TO PUBLIC;
            """),
        // Two characters and one that look the same are two names: one was once stored twice.
        Kind(
            "tables and key columns whose names look the same",
            """
            CREATE TABLE "\u{e9}" (id integer PRIMARY KEY); INSERT INTO "\u{e9}" VALUES (1);
            CREATE TABLE "e\u{301}" (id integer PRIMARY KEY); INSERT INTO "e\u{301}" VALUES (2), (3);
            CREATE TABLE keys ("\u{e9}" integer, "e\u{301}" integer PRIMARY KEY);
            INSERT INTO keys VALUES (1, 1), (1, 2);
            """),
        // They were once not seen in pg_restore's list, and not created.
        Kind(
            "tables named with line ends and what looks like one",
            """
            CREATE TABLE "a\u{2028}b" (id integer); INSERT INTO "a\u{2028}b" VALUES (1);
            CREATE TABLE "a\u{85}b" (id integer); INSERT INTO "a\u{85}b" VALUES (2);
            CREATE TABLE "a\nb" (id integer); INSERT INTO "a\nb" VALUES (3);
            CREATE SCHEMA "\u{301}x"; CREATE TABLE "\u{301}x"."\u{301}y" (id integer);
            """),
        // The order in which pg_restore makes triggers with several jobs is not theirs.
        Kind(
            "the switched-off trigger of a partition two levels below",
            """
            CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
            CREATE TABLE tops (id integer) PARTITION BY RANGE (id);
            CREATE TABLE mid PARTITION OF tops DEFAULT PARTITION BY RANGE (id);
            CREATE TABLE leaf PARTITION OF mid DEFAULT;
            CREATE TRIGGER keep BEFORE INSERT ON tops FOR EACH ROW EXECUTE FUNCTION keep();
            ALTER TABLE leaf DISABLE TRIGGER keep;
            INSERT INTO tops SELECT generate_series(1, 10);
            """),
        // Statistics of the parent would ask the other server for rows.
        Kind(
            "a partition on another server that does not answer",
            """
            CREATE FOREIGN DATA WRAPPER silent; CREATE SERVER away FOREIGN DATA WRAPPER silent;
            CREATE TABLE spread (id integer) PARTITION BY RANGE (id);
            CREATE TABLE near PARTITION OF spread FOR VALUES FROM (1) TO (10);
            CREATE FOREIGN TABLE far PARTITION OF spread FOR VALUES FROM (10) TO (20) SERVER away;
            INSERT INTO near VALUES (1);
            """),
        Kind(
            "inheritance",
            """
            CREATE TABLE parent (id integer, name text);
            CREATE TABLE child (more text) INHERITS (parent);
            CREATE TABLE grandchild () INHERITS (child);
            INSERT INTO parent VALUES (1, 'parent'); INSERT INTO child VALUES (2, 'child', 'x');
            INSERT INTO grandchild VALUES (3, 'grandchild', 'y');
            """),
        Kind(
            "identity, generated columns and sequences",
            """
            CREATE TABLE always (id integer GENERATED ALWAYS AS IDENTITY (START 5 INCREMENT 5),
                twice integer GENERATED ALWAYS AS (n * 2) STORED, n integer, PRIMARY KEY (id));
            INSERT INTO always (n) SELECT generate_series(1, 10);
            CREATE TABLE ordinary (id serial PRIMARY KEY, other bigserial);
            INSERT INTO ordinary DEFAULT VALUES;
            CREATE SEQUENCE never_used; CREATE SEQUENCE used; SELECT nextval('used'), nextval('used');
            CREATE SEQUENCE down INCREMENT -3 MINVALUE -100 MAXVALUE -1 CYCLE; SELECT nextval('down');
            CREATE SEQUENCE "Odd ""Seq"; SELECT setval('"Odd ""Seq"', 9223372036854775807);
            SELECT setval('never_used', 44, false);
            """),
        Kind(
            "unlogged tables",
            """
            CREATE UNLOGGED TABLE quick (id integer PRIMARY KEY, value text);
            INSERT INTO quick SELECT i, 'value ' || i FROM generate_series(1, 1000) i;
            """),
        Kind(
            "columns of extensions' types",
            """
            CREATE SCHEMA tools;
            CREATE EXTENSION hstore SCHEMA tools; CREATE EXTENSION citext;
            CREATE TABLE used (id integer PRIMARY KEY, pairs tools.hstore, word citext UNIQUE);
            INSERT INTO used VALUES (1, '"a b"=>"1, 2", c=>NULL', 'Word'), (2, '', 'OTHER');
            CREATE INDEX ON used USING gin (pairs);
            """),
        Kind(
            "materialized views that rest on each other",
            """
            CREATE TABLE base AS SELECT i AS id FROM generate_series(1, 100) i;
            CREATE MATERIALIZED VIEW z_first AS SELECT id FROM base WHERE id > 10;
            CREATE VIEW between_them AS SELECT id * 2 AS id FROM z_first;
            CREATE MATERIALIZED VIEW a_second AS SELECT id + 1 AS id FROM between_them;
            CREATE MATERIALIZED VIEW m_third AS SELECT count(*) FROM a_second;
            CREATE MATERIALIZED VIEW not_filled AS SELECT 1 AS one WITH NO DATA;
            CREATE UNIQUE INDEX ON a_second (id);
            """),
        Kind(
            "partitions by range, list and hash, by an enum too, and below each other",
            """
            CREATE TYPE colour AS ENUM ('red', 'green', 'blue', 'grey');
            CREATE TABLE painted (id integer, colour colour, PRIMARY KEY (id, colour))
                PARTITION BY HASH (colour);
            CREATE TABLE painted_0 PARTITION OF painted FOR VALUES WITH (MODULUS 3, REMAINDER 0);
            CREATE TABLE painted_1 PARTITION OF painted FOR VALUES WITH (MODULUS 3, REMAINDER 1);
            CREATE TABLE painted_2 PARTITION OF painted FOR VALUES WITH (MODULUS 3, REMAINDER 2);
            INSERT INTO painted SELECT i, (enum_range(NULL::colour))[1 + i % 4]
            FROM generate_series(1, 1000) i;
            CREATE TABLE logged (at date, kind text, n integer) PARTITION BY RANGE (at);
            CREATE TABLE logged_old PARTITION OF logged FOR VALUES FROM (MINVALUE) TO ('2020-01-01')
                PARTITION BY LIST (kind);
            CREATE TABLE logged_old_a PARTITION OF logged_old FOR VALUES IN ('a', NULL);
            CREATE TABLE logged_old_rest PARTITION OF logged_old DEFAULT PARTITION BY HASH (n);
            CREATE TABLE logged_old_rest_0 PARTITION OF logged_old_rest
                FOR VALUES WITH (MODULUS 1, REMAINDER 0);
            CREATE TABLE logged_new PARTITION OF logged DEFAULT;
            INSERT INTO logged SELECT date '2019-06-01' + i, (ARRAY['a', 'b', NULL])[1 + i % 3], i
            FROM generate_series(1, 500) i;
            CREATE INDEX ON logged (n);
            """),
        Kind(
            "tables that refer to each other in a circle, triggers, rules and policies",
            """
            CREATE TABLE hen (id integer PRIMARY KEY, egg integer);
            CREATE TABLE egg (id integer PRIMARY KEY, hen integer REFERENCES hen);
            INSERT INTO hen VALUES (1, 1); INSERT INTO egg VALUES (1, 1);
            ALTER TABLE hen ADD FOREIGN KEY (egg) REFERENCES egg DEFERRABLE INITIALLY DEFERRED;
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'no'; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON hen FOR EACH ROW EXECUTE FUNCTION refuse();
            ALTER TABLE egg ENABLE ROW LEVEL SECURITY; ALTER TABLE egg FORCE ROW LEVEL SECURITY;
            CREATE POLICY none ON egg USING (false);
            CREATE RULE quiet AS ON INSERT TO egg DO INSTEAD NOTHING;
            CREATE FUNCTION late() RETURNS event_trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'no DDL here'; END $$;
            CREATE EVENT TRIGGER late ON ddl_command_start EXECUTE FUNCTION late();
            """),
        // Before PostgreSQL 17 nothing keeps these quiet: one refused the end of every restore, where the mark is dropped.
        Kind(
            "event triggers that always react",
            """
            CREATE TABLE seen (tag text); CREATE TABLE t (id integer PRIMARY KEY);
            INSERT INTO t VALUES (1); CREATE MATERIALIZED VIEW sums AS SELECT sum(id) FROM t;
            CREATE FUNCTION see() RETURNS event_trigger LANGUAGE plpgsql AS
                $$ BEGIN INSERT INTO public.seen VALUES (tg_tag); END $$;
            CREATE FUNCTION keep() RETURNS event_trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'nothing is dropped here'; END $$;
            CREATE EVENT TRIGGER see ON ddl_command_end EXECUTE FUNCTION see();
            CREATE EVENT TRIGGER keep ON sql_drop EXECUTE FUNCTION keep();
            COMMENT ON EVENT TRIGGER keep IS 'it''s for ever';
            DELETE FROM seen;
            ALTER EVENT TRIGGER see ENABLE ALWAYS; ALTER EVENT TRIGGER keep ENABLE ALWAYS;
            """),
        Kind(
            "comments of what is made after the rows",
            """
            CREATE TABLE t (id integer CONSTRAINT "the key" PRIMARY KEY, v text, other integer,
                CONSTRAINT self FOREIGN KEY (other) REFERENCES t);
            INSERT INTO t VALUES (1, 'x', 1); COMMENT ON TABLE t IS 'table';
            CREATE INDEX by_v ON t (v); COMMENT ON INDEX by_v IS 'index';
            COMMENT ON CONSTRAINT "the key" ON t IS 'key'; COMMENT ON INDEX "the key" IS 'its index';
            COMMENT ON CONSTRAINT self ON t IS 'foreign key';
            CREATE STATISTICS both_of_it ON id, v FROM t; COMMENT ON STATISTICS both_of_it IS 'both';
            """),
        Kind(
            "rows of many kinds of values",
            """
            CREATE TABLE numbers (id integer PRIMARY KEY, f double precision, r real, n numeric,
                m money, i interval, t timestamptz, s timestamp, z timetz, d date);
            INSERT INTO numbers VALUES
                (1, 'NaN', '-Infinity', 'NaN', -1234.5, '-1 mon 2 days -03:04:05.000006', 'infinity',
                 '-infinity', '12:00:00.123456-11:30', '4713-01-01 BC'),
                (2, 0.1, 1e-45, 123456789012345678901234567890.00100, 0, 'P1Y', '2024-03-10 02:30-05',
                 '1900-01-01', '24:00:00+00', 'infinity'),
                (3, -0.0, 16777217, 1e-20, 92233720368547758.07, '178000000 years',
                 '294276-12-31 23:59:59.999999Z', '0001-01-01 BC', NULL, NULL);
            CREATE TABLE texts (id integer PRIMARY KEY, b bytea, x xml, j json, c "char", n name,
                a text[], p point, v bit varying, u tsvector, l pg_lsn, o regclass);
            INSERT INTO texts VALUES (1, '\\x00', '<a>&amp;</a>', '{"a" :  1, "a": 2}', 'c', 'n',
                '[0:1]={"a,b",NULL}', '(1e-300,Infinity)', B'', 'a:1 ''b c'':2', '0/16B3748', 'texts');
            """),
    ]

    @Test(arguments: TestServer.all)
    func `privileges on large objects come back with who gave them`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner")
            let giver = try await bench.createRole("giver")
            let taker = try await bench.createRole("taker")
            let source = try await bench.createDatabase()
            try await source.query(
                """
                SELECT lo_from_bytea(1, 'one'), lo_from_bytea(2, 'two');
                ALTER LARGE OBJECT 1 OWNER TO \(owner);
                REVOKE UPDATE ON LARGE OBJECT 1 FROM \(owner);
                GRANT SELECT ON LARGE OBJECT 1 TO \(giver) WITH GRANT OPTION;
                SET ROLE \(giver); GRANT SELECT ON LARGE OBJECT 1 TO \(taker); RESET ROLE;
                GRANT SELECT ON LARGE OBJECT 1 TO CURRENT_USER;
                REVOKE ALL ON LARGE OBJECT 2 FROM CURRENT_USER;
                """)
            try await bench.roundTrip(source)
        }
    }

    @Test(arguments: TestServer.all, ["owner", #"the "owner"=/"#])
    func `without owners nobody is needed who only had large objects`(
        server: TestServer, name: String
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole(named: bench.uniqueName(name))
            let reader = try await bench.createRole("reader")
            let source = try await bench.createDatabase()
            try await source.query(
                """
                SELECT lo_from_bytea(1, 'one'), lo_from_bytea(2, 'two');
                ALTER LARGE OBJECT 1 OWNER TO \(Workbench.quoted(owner));
                ALTER LARGE OBJECT 2 OWNER TO \(Workbench.quoted(owner));
                SET ROLE \(Workbench.quoted(owner));
                GRANT SELECT ON LARGE OBJECT 1 TO \(reader) WITH GRANT OPTION;
                -- Who has it may give it back.
                SET ROLE \(reader); GRANT SELECT ON LARGE OBJECT 1 TO \(Workbench.quoted(owner));
                """)
            let backup = try await bench.backUp(source)
            try await source.query(
                """
                REASSIGN OWNED BY \(Workbench.quoted(owner)) TO CURRENT_USER;
                DROP ROLE \(Workbench.quoted(owner))
                """)
            let target = bench.expectDatabase()
            try await bench.restore(backup.id, into: target)
                .expect(code: 1, saying: "roles do not exist: \(owner)")
            try await bench.restore(backup.id, into: target, ["--no-owner", "--check", "rows"])
                .requireCode(0)
            let rights =
                "SELECT oid, lomowner::regrole, lomacl FROM pg_largeobject_metadata ORDER BY oid"
            #expect(try await target.query(rights) == source.query(rights))
            try await bench.expectEqual(source, target)
        }
    }

    @Test(arguments: TestServer.all)
    func `large objects have nothing of the default privileges of their new home`(
        server: TestServer
    ) async throws {
        // Before there are no such.
        guard server.major >= 18 else { return }
        try await Workbench.with(server) { bench in
            let reader = try await bench.createRole("reader")
            let giver = try await bench.createRole("giver", "SUPERUSER")
            let source = try await bench.createDatabase()
            try await source.query(
                """
                SET ROLE \(giver);
                SELECT lo_from_bytea(1, 'one'), lo_from_bytea(2, 'two'), lo_from_bytea(3, 'three');
                ALTER LARGE OBJECT 3 OWNER TO \(reader);
                GRANT UPDATE ON LARGE OBJECT 2 TO \(reader);
                """)
            _ = try await bench.backUp(source)
            let rights =
                "SELECT oid, lomowner::regrole, lomacl FROM pg_largeobject_metadata ORDER BY oid"
            let defaults =
                "SELECT defaclrole::regrole, defaclobjtype, defaclacl FROM pg_default_acl"
            let changes = [
                "GRANT SELECT ON LARGE OBJECTS TO \(reader) WITH GRANT OPTION",
                "GRANT ALL ON LARGE OBJECTS TO PUBLIC", "REVOKE ALL ON LARGE OBJECTS FROM \(giver)",
            ]
            for count in 1...changes.count {
                let target = try await bench.createDatabase("target_\(count)")
                let own = changes.prefix(count).map {
                    "ALTER DEFAULT PRIVILEGES FOR ROLE \(giver) \($0)"
                }
                try await target.query(own.joined(separator: "; "))
                let before = try await target.query(defaults)
                try await bench.restore(
                    tables: [], into: target, ["--check", "rows"], as: giver
                ).requireCode(0)
                #expect(try await target.query(rights) == source.query(rights))
                #expect(try await target.query(defaults) == before)
            }
            let usual = try await bench.createDatabase("usual")
            try await usual.query("ALTER DEFAULT PRIVILEGES FOR ROLE \(giver) \(changes[0])")
            try await bench.restore(tables: [], into: usual, ["--no-privileges"], as: giver)
                .requireCode(0)
            #expect(
                try await usual.query(
                    "SELECT bool_and(has_largeobject_privilege('\(reader)', oid, 'SELECT')) FROM pg_largeobject_metadata"
                ) == "t")
        }
    }

    /// Each that gets an owner or a comment is locked until its transaction ends.
    @Test(arguments: TestServer.all)
    func `more large objects than the server has places for locks come back`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            try await bench.withOwnServer(
                ["max_locks_per_transaction=20", "max_connections=20"]
            ) { own in
                try await own.query("CREATE DATABASE source; CREATE ROLE app")
                let source = bench.existingDatabase("source", on: own.server)
                try await source.query(
                    """
                    SET ROLE app;
                    SELECT count(lo_create(i)) FROM generate_series(100001, 106000) i;
                    SELECT format('COMMENT ON LARGE OBJECT %s IS %L', i, 'the ' || i)
                    FROM generate_series(100001, 106000, 10) i \\gexec
                    """)
                _ = try await bench.backUp(source)
                let target = bench.existingDatabase("target", on: own.server)
                try await bench.restore(into: target).requireCode(0)
                try await bench.expectEqual(source, target)
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `a database called catalog can be backed up`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase(named: "catalog")
            try await source.query("CREATE TABLE t (id integer)")
            try await bench.roundTrip(source)
            #expect(try bench.stored().contains("backup_catalog.json"))
        }
    }
}
