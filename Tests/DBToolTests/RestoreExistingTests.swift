import BackupTesting
import Testing

/// Rows of tables that exist change, and nothing else does.
@Suite struct RestoreExistingTests {
    @Test(arguments: TestServer.all, [Restorer.superuser, .owner])
    func `truncate replaces the rows, fires nothing and touches no other table`(
        server: TestServer, restorer: Restorer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner")
            let source = try await bench.createDatabase(owner: owner)
            try await source.query(Self.family, as: owner)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            let expected = try await bench.duplicate(source, "expected")
            try await target.query(
                """
                INSERT INTO people (name, boss) SELECT 'new ' || i, 1 FROM generate_series(1, 9) i;
                UPDATE people SET name = name || ' changed', boss = NULL WHERE id % 3 = 0;
                DELETE FROM people WHERE id BETWEEN 60 AND 70;
                """, as: owner)
            for database in [target, expected] {
                try await database.query(Self.traps, as: owner)
                if restorer == .superuser { try await database.query(Self.eventTriggers) }
                try await database.query("INSERT INTO pets (owner) VALUES (5)", as: owner)
            }
            let user = restorer == .owner ? owner : nil
            try await bench.restore(
                tables: ["people"], into: target, ["--existing", "truncate"],
                as: user
            ).requireCode(0)
            try await bench.expectEqual(expected, target)
            try await bench.expectNoMark(target)
        }
    }

    /// Archives list operators without their types, and their classes without the access method.
    @Test(arguments: TestServer.all)
    func `an operator is not there because another one has its name`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE t (id integer); INSERT INTO t VALUES (1);
                CREATE OPERATOR @@@ (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq);
                CREATE OPERATOR @@@ (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4eq);
                CREATE OPERATOR @@@ (RIGHTARG = integer, FUNCTION = int4um);
                CREATE OPERATOR FAMILY own USING btree;
                CREATE OPERATOR FAMILY own USING hash;
                CREATE OPERATOR CLASS own FOR TYPE integer USING btree FAMILY own AS
                    OPERATOR 3 =, FUNCTION 1 btint4cmp(integer, integer);
                CREATE OPERATOR CLASS own FOR TYPE integer USING hash FAMILY own AS
                    OPERATOR 1 =, FUNCTION 1 hashint4(integer);
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query(
                """
                DROP OPERATOR @@@ (integer, integer); DROP OPERATOR @@@ (NONE, integer);
                DROP OPERATOR FAMILY own USING hash CASCADE;
                """)
            let words = ["--existing", "truncate", "--yes"]
            // What is there already is not made again.
            for _ in 1...2 {
                try await bench.restore(tables: [], into: target, words).requireCode(0)
                try await bench.expectEqual(source, target)
            }
        }
    }

    /// Archives hold a shell of it beside it, which the function takes.
    @Test(arguments: TestServer.all)
    func `a range with a canonical form is not made again`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TYPE span;
                CREATE FUNCTION rounded(span) RETURNS span IMMUTABLE STRICT LANGUAGE internal
                    AS 'int4range_canonical';
                CREATE TYPE span AS RANGE (SUBTYPE = integer, CANONICAL = rounded);
                CREATE TABLE t (id integer PRIMARY KEY, s span); INSERT INTO t VALUES (1, '[1,2]');
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query("UPDATE t SET s = NULL")
            try await bench.restore(
                tables: [], into: target, ["--existing", "truncate", "--yes"]
            ).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    /// People have bosses, pets, and a city whose mayor is one of them.
    private static let family = """
        CREATE TABLE fired (what text);
        CREATE TABLE cities (id integer PRIMARY KEY, mayor integer);
        CREATE TABLE people (
            id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text,
            boss integer REFERENCES people DEFERRABLE INITIALLY DEFERRED,
            city integer REFERENCES cities ON DELETE CASCADE,
            letters integer GENERATED ALWAYS AS (length(name)) STORED
        );
        CREATE TABLE pets (id serial PRIMARY KEY, owner integer NOT NULL,
            CONSTRAINT "belongs to" FOREIGN KEY (owner) REFERENCES people
            ON UPDATE CASCADE ON DELETE CASCADE);
        COMMENT ON CONSTRAINT "belongs to" ON pets IS 'it''s its owner''s';
        INSERT INTO cities VALUES (1), (2);
        INSERT INTO people (name, boss, city)
        SELECT 'person ' || i, nullif((i - 1) / 2, 0), i % 2 + 1 FROM generate_series(1, 100) i;
        UPDATE cities SET mayor = id;
        ALTER TABLE cities ADD FOREIGN KEY (mayor) REFERENCES people NOT VALID;
        INSERT INTO pets (owner) SELECT i FROM generate_series(1, 50) i;
        """

    private static let traps = """
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO public.fired VALUES (TG_NAME); RETURN NULL; END $$;
        CREATE TRIGGER rows AFTER INSERT OR DELETE OR UPDATE ON people
            FOR EACH ROW EXECUTE FUNCTION note();
        CREATE TRIGGER first BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION note();
        CREATE TRIGGER statements AFTER INSERT OR DELETE OR UPDATE OR TRUNCATE ON people
            EXECUTE FUNCTION note();
        CREATE TRIGGER "Of always" AFTER INSERT OR TRUNCATE ON people EXECUTE FUNCTION note();
        ALTER TABLE people ENABLE ALWAYS TRIGGER "Of always";
        CREATE TRIGGER replica AFTER INSERT OR TRUNCATE ON people EXECUTE FUNCTION note();
        ALTER TABLE people ENABLE REPLICA TRIGGER replica;
        CREATE TRIGGER disabled AFTER INSERT OR TRUNCATE ON people EXECUTE FUNCTION note();
        ALTER TABLE people DISABLE TRIGGER disabled;
        CREATE CONSTRAINT TRIGGER late AFTER INSERT ON people DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION note();
        CREATE RULE twice AS ON INSERT TO people DO ALSO INSERT INTO fired VALUES ('rule');
        CREATE TRIGGER others AFTER DELETE OR TRUNCATE OR UPDATE ON pets EXECUTE FUNCTION note();
        ALTER TABLE people ENABLE ROW LEVEL SECURITY;
        ALTER TABLE people FORCE ROW LEVEL SECURITY;
        CREATE POLICY none ON people USING (false) WITH CHECK (false);
        """

    private static let eventTriggers = """
        CREATE FUNCTION note_event() RETURNS event_trigger LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO public.fired VALUES (TG_TAG); END $$;
        CREATE EVENT TRIGGER starts ON ddl_command_start EXECUTE FUNCTION note_event();
        CREATE EVENT TRIGGER ends ON ddl_command_end EXECUTE FUNCTION note_event();
        CREATE EVENT TRIGGER drops ON sql_drop EXECUTE FUNCTION note_event();
        CREATE EVENT TRIGGER rewrites ON table_rewrite EXECUTE FUNCTION note_event();
        """

    @Test(arguments: TestServer.all)
    func `constraint triggers of partitions do not fire either`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE fired (what text);
                CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN INSERT INTO public.fired VALUES (TG_NAME); RETURN NULL; END $$;
                CREATE TABLE whole (id integer PRIMARY KEY, up integer REFERENCES whole)
                    PARTITION BY LIST (id);
                CREATE TABLE part PARTITION OF whole DEFAULT; INSERT INTO whole VALUES (1, 1);
                CREATE CONSTRAINT TRIGGER late AFTER INSERT ON whole DEFERRABLE INITIALLY DEFERRED
                    FOR EACH ROW EXECUTE FUNCTION note();
                CREATE TRIGGER soon AFTER INSERT ON whole FOR EACH ROW EXECUTE FUNCTION note();
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await bench.restore(
                tables: ["whole"], into: target, ["--existing", "truncate", "--yes"]
            ).requireCode(0)
            #expect(try await target.query("SELECT what FROM fired") == "")
            try await bench.expectEqual(source, target)
        }
    }

    @Test(arguments: TestServer.all, [Restorer.superuser, .owner])
    func `append adds rows and never puts a sequence back`(
        server: TestServer, restorer: Restorer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner")
            let source = try await bench.createDatabase(owner: owner)
            try await source.query(Self.family, as: owner)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            let expected = try await bench.duplicate(source, "expected")
            for database in [target, expected] {
                try await database.query(
                    "INSERT INTO pets (owner) SELECT 7 FROM generate_series(1, 20)", as: owner)
                try await database.query(Self.traps, as: owner)
            }
            try await target.query(
                """
                ALTER TABLE pets DISABLE TRIGGER others; DELETE FROM pets WHERE id <= 50;
                ALTER TABLE pets ENABLE TRIGGER others;
                """)
            let user = restorer == .owner ? owner : nil
            try await bench.restore(
                tables: ["pets"], into: target, ["--existing", "append"], as: user
            ).requireCode(0)
            try await bench.expectEqual(expected, target)
            try await bench.expectNoMark(target)

            try await bench.expectRefused(target, saying: "pets_pkey", "--existing truncate") {
                try await bench.restore(
                    tables: ["pets"], into: target, ["--existing", "append"], as: user)
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `a guest replaces and adds rows where that was granted, and is refused elsewhere`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.family)
            try await source.query(
                "CREATE TABLE notes (id integer PRIMARY KEY, t text); INSERT INTO notes VALUES (1, 'a')"
            )
            _ = try await bench.backUp(source)
            let guest = try await bench.createRole("guest")
            let target = try await bench.duplicate(source, "target")
            try await target.query(
                """
                GRANT SELECT, INSERT ON notes, pets, people TO \(guest);
                UPDATE notes SET t = 'changed';
                """)
            func restore(_ table: String, _ existing: String) async throws -> ProgramEnd {
                try await bench.restore(
                    tables: [table], into: target, ["--existing", existing], as: guest)
            }
            try await bench.expectRefused(target, saying: "may not truncate public.notes") {
                try await restore("notes", "truncate")
            }
            try await bench.expectRefused(target, saying: "does not own", "belongs to") {
                try await restore("pets", "append")
            }
            try await target.query("GRANT TRUNCATE ON notes TO \(guest)")
            try await restore("notes", "truncate").requireCode(0)
            #expect(try await target.query("TABLE notes") == "1|a")
            try await target.query("UPDATE notes SET id = 2")
            try await restore("notes", "append").requireCode(0)
            #expect(try await target.query("TABLE notes ORDER BY id") == "1|a\n2|a")
        }
    }

    @Test(arguments: TestServer.all)
    func `a partition is replaced by its owner, who may not find its whole`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner")
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE SCHEMA mine AUTHORIZATION \(owner); CREATE SCHEMA others;
                CREATE TABLE others.whole (id integer) PARTITION BY LIST (id);
                CREATE TABLE mine.part PARTITION OF others.whole FOR VALUES IN (1);
                ALTER TABLE mine.part OWNER TO \(owner); INSERT INTO mine.part VALUES (1);
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query("INSERT INTO mine.part VALUES (1)")
            try await bench.restore(
                tables: ["mine.part"], into: target, ["--existing", "truncate"], as: owner
            ).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    @Test(arguments: TestServer.all)
    func `foreign keys in a circle hold again, together and each alone`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE a (id integer PRIMARY KEY, b integer, v text);
                CREATE TABLE b (id integer PRIMARY KEY, a integer REFERENCES a ON DELETE CASCADE);
                INSERT INTO a SELECT i, i FROM generate_series(1, 50) i;
                INSERT INTO b SELECT i, 51 - i FROM generate_series(1, 50) i;
                ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b ON DELETE SET NULL;
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            for tables in [["a"], ["b"], ["a", "b"], ["*"]] {
                try await target.query("UPDATE a SET v = 'x'; UPDATE b SET a = 1")
                if !tables.contains("a") { try await target.query("UPDATE a SET v = NULL") }
                if tables == ["a"] { try await target.query("UPDATE b SET a = 51 - id") }
                try await bench.restore(tables: tables, into: target, ["--existing", "truncate"])
                    .requireCode(0)
                try await bench.expectEqual(source, target)
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `triggers of foreign keys that somebody has disabled stay so`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner")
            let source = try await bench.createDatabase(owner: owner)
            try await source.query(
                """
                CREATE TABLE a (id integer PRIMARY KEY, up integer REFERENCES a);
                CREATE TABLE b (id integer PRIMARY KEY, a integer REFERENCES a);
                CREATE TABLE c (id integer PRIMARY KEY, a integer REFERENCES a)
                    PARTITION BY RANGE (id);
                CREATE TABLE c_1 PARTITION OF c FOR VALUES FROM (1) TO (10);
                CREATE TABLE c_2 PARTITION OF c FOR VALUES FROM (10) TO (20);
                INSERT INTO a VALUES (1, 1), (2, 1); INSERT INTO b VALUES (1, 1);
                INSERT INTO c VALUES (1, 1), (11, 2);
                """, as: owner)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query(
                """
                ALTER TABLE b DISABLE TRIGGER ALL; ALTER TABLE c_2 DISABLE TRIGGER ALL;
                DO $$
                DECLARE name text;
                BEGIN
                  SELECT tgname INTO name FROM pg_trigger
                  WHERE tgrelid = 'b'::regclass AND tgfoid = 'pg_catalog."RI_FKey_check_upd"'::regproc;
                  EXECUTE format('ALTER TABLE b ENABLE REPLICA TRIGGER %I', name);
                  SELECT tgname INTO name FROM pg_trigger
                  WHERE tgrelid = 'a'::regclass AND tgfoid = 'pg_catalog."RI_FKey_check_ins"'::regproc;
                  EXECUTE format('ALTER TABLE a ENABLE ALWAYS TRIGGER %I', name);
                END $$;
                UPDATE a SET up = NULL;
                """)
            let states = """
                SELECT tgrelid::regclass, tgfoid::regproc, tgenabled, count(*) FROM pg_trigger
                GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
                """
            let before = try await target.query(states)
            #expect(before.contains("|D|") && before.contains("|R|") && before.contains("|A|"))
            let words = ["--existing", "truncate"]
            try await bench.expectRefused(target, saying: "may not disable", "b_a_fkey of public.b")
            {
                try await bench.restore(tables: ["a"], into: target, words, as: owner)
            }
            try await bench.restore(tables: ["a"], into: target, words).requireCode(0)
            #expect(try await target.query(states) == before)
            #expect(try await target.query("SELECT count(up), max(up) FROM a") == "2|1")
        }
    }

    @Test(arguments: TestServer.all)
    func `rows that break a foreign key or do not fit change nothing`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.family)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query(
                """
                WITH p AS (INSERT INTO people (name) VALUES ('later') RETURNING id)
                INSERT INTO pets (owner) SELECT id FROM p;
                """)
            let truncating = ["--existing", "truncate"]
            try await bench.expectRefused(target, saying: "belongs to", "as they were") {
                try await bench.restore(tables: ["people"], into: target, truncating)
            }
            try await bench.expectNoMark(target)
            // With the table that refers to it, it fits.
            try await bench.restore(tables: ["people", "pets"], into: target, truncating)
                .requireCode(0)
            try await bench.expectEqual(source, target)

            try await target.query("ALTER TABLE people RENAME boss TO chief")
            try await bench.expectRefused(target, saying: "public.people has no column boss") {
                try await bench.restore(tables: ["p*"], into: target, truncating)
            }
            try await bench.expectRefused(target, saying: "table public.people already", "--as") {
                try await bench.restore(tables: ["people"], into: target)
            }
        }
    }
}
