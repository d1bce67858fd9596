import BackupTesting
import Testing

/// Some tables of a backup come with what they need, and with nothing else.
@Suite struct RestoreTablesTests {
    /// Of a backup without some rows a foreign key may be impossible: it is made by itself.
    @Test(arguments: TestServer.all)
    func `the comment of a foreign key to a table that was there comes with it`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE customers (id int PRIMARY KEY); INSERT INTO customers VALUES (1);
                CREATE TABLE orders (id int PRIMARY KEY, customer int CONSTRAINT pays REFERENCES customers);
                INSERT INTO orders VALUES (1, 1); COMMENT ON CONSTRAINT pays ON orders IS 'who pays';
                CREATE TABLE log (id int); INSERT INTO log VALUES (1)
                """)
            _ = try await bench.backUp(source, ["--exclude-tablename", "log"])
            let target = try await bench.duplicate(source, "target")
            try await target.query("DROP TABLE orders")
            try await bench.restore(tables: ["orders"], into: target).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    /// They are made one after another, of one script.
    @Test(arguments: TestServer.all)
    func `of several foreign keys to tables that were there each one that fits is made`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE people (id int PRIMARY KEY); INSERT INTO people VALUES (1), (2);
                CREATE TABLE a (p int CONSTRAINT first REFERENCES people); INSERT INTO a VALUES (1);
                CREATE TABLE b (p int CONSTRAINT "second
                -- TOC entry 1 (class 1 OID 1)" REFERENCES people); INSERT INTO b VALUES (2);
                CREATE TABLE c (p int CONSTRAINT third REFERENCES people); INSERT INTO c VALUES (1);
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.createDatabase("target")
            try await target.query(
                "CREATE TABLE people (id int PRIMARY KEY); INSERT INTO people VALUES (1)")
            let end = try await bench.restore(tables: ["a", "b", "c"], into: target)
            try end.requireCode(3)
            #expect(end.output.contains("not made: FK CONSTRAINT public b second"), "\(end)")
            #expect(
                try await target.query(
                    "SELECT conname FROM pg_constraint WHERE contype = 'f' ORDER BY 1")
                    == "first\nthird")
            #expect(
                try await target.query("SELECT a.p, b.p, c.p FROM a, b, c") == "1|2|1")
        }
    }

    @Test(arguments: TestServer.all, Restorer.allCases)
    func `one table brings what it needs into an empty database`(
        server: TestServer, restorer: Restorer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner")
            let source = try await bench.createDatabase(owner: owner)
            try await source.query(Self.office, as: owner)
            _ = try await bench.backUp(source)
            let guest = try await bench.createRole("guest")
            let target = try await bench.createDatabase("target", owner: owner)
            try await target.query(
                """
                GRANT CREATE ON DATABASE \(target.name) TO \(guest);
                GRANT CREATE ON SCHEMA public TO \(guest);
                """)
            let user = [.owner: owner, .guest: guest][restorer]
            let words = restorer == .guest ? ["--no-owner", "--no-privileges"] : []
            let end = try await bench.restore(
                tables: ["sales.orders"], into: target, words, as: user)
            try end.requireCode(0)
            #expect(end.output.contains("left out: fk constraint orders_"), "\(end)")

            if restorer == .guest {
                try await target.query("REASSIGN OWNED BY \(guest) TO \(owner)")
            }
            try await target.query(
                """
                REVOKE CREATE ON SCHEMA public FROM \(guest);
                REVOKE CREATE ON DATABASE \(target.name) FROM \(guest);
                """)
            try await source.query(Self.everythingButOrders)
            try await bench.expectEqual(source, target)
            try await bench.expectNoMark(target)
        }
    }

    @Test(arguments: TestServer.all)
    func `a table that is made anew stays in its publications, and those it leaves are named`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE "my users" (id int PRIMARY KEY, name text); CREATE TABLE pets (id int PRIMARY KEY);
                CREATE PUBLICATION "all of us" FOR TABLE "my users" (id) WHERE (id > 0), pets;
                INSERT INTO "my users" VALUES (1, 'x');
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            let expected = try await bench.duplicate(source, "expected")
            try await target.query(
                "DELETE FROM \"my users\"; CREATE PUBLICATION later FOR TABLE \"my users\"")
            try await expected.query("CREATE PUBLICATION later")
            let end = try await bench.restore(
                tables: ["\"my users\""], into: target, ["--clean", "--yes"])
            try end.requireCode(0)
            let lost =
                "publication table public.\"my users\" of later: the backup does not know of it"
            #expect(end.output.contains("left out: \(lost)"), "\(end)")
            try await bench.expectEqual(expected, target)

            try await target.query("DROP PUBLICATION \"all of us\"; DROP TABLE pets")
            let other = try await bench.restore(
                tables: ["pets", "\"my users\""], into: target, ["--existing", "truncate", "--yes"])
            #expect(
                other.output.contains(
                    "publication table public.pets of all of us: all of us is not there"),
                "\(other)")
            #expect(try await target.query("SELECT count(*) FROM pg_publication_rel") == "0")
            // All that is there is published again.
            try await bench.restore(
                tables: [], into: target, ["--existing", "truncate", "--yes"]
            ).requireCode(0)
            try await bench.expectEqual(expected, target)
        }
    }

    @Test(arguments: TestServer.all)
    func `foreign partitions go only where they come again`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER far FOREIGN DATA WRAPPER nothing;
                CREATE TABLE whole (id int) PARTITION BY LIST (id);
                CREATE TABLE near PARTITION OF whole FOR VALUES IN (1);
                CREATE FOREIGN TABLE away PARTITION OF whole FOR VALUES IN (2) SERVER far;
                INSERT INTO near VALUES (1);
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query("INSERT INTO near VALUES (1)")
            try await bench.expectRefused(target, saying: "partition public.away", "Detach") {
                try await bench.restore(tables: ["whole"], into: target, ["--clean", "--yes"])
            }
            try await bench.restore(
                tables: ["whole"], into: target, ["--existing", "truncate", "--yes"]
            ).requireCode(0)
            try await bench.expectEqual(source, target)
            try await target.query("INSERT INTO near VALUES (1)")
            try await bench.restore(tables: [], into: target, ["--clean", "--yes"]).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    private static let office = """
        CREATE SCHEMA sales; CREATE SCHEMA other; CREATE SCHEMA kinds;
        CREATE TYPE kinds.mood AS ENUM ('sad', 'it''s "ok"');
        CREATE TYPE unwanted AS ENUM ('x');
        CREATE DOMAIN kinds.price AS numeric(9, 2) CHECK (VALUE >= 0);
        CREATE SEQUENCE kinds.numbers START 100 INCREMENT 5;
        CREATE SEQUENCE other.numbers;
        CREATE FUNCTION kinds.touch() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN NEW.note := NEW.note || '!'; RETURN NEW; END $$;
        CREATE TABLE other.customers (id integer PRIMARY KEY, mood kinds.mood);
        INSERT INTO other.customers SELECT i FROM generate_series(1, 20) i;
        CREATE TABLE sales.orders (
            id integer PRIMARY KEY DEFAULT nextval('kinds.numbers'),
            line integer GENERATED ALWAYS AS IDENTITY,
            customer integer REFERENCES other.customers ON DELETE CASCADE,
            before integer REFERENCES sales.orders, mood kinds.mood DEFAULT 'sad',
            price kinds.price, twice numeric GENERATED ALWAYS AS (price * 2) STORED,
            note text UNIQUE, CHECK (line < 1000)
        );
        INSERT INTO sales.orders (customer, price, note)
        SELECT i, i * 1.5, 'note ' || i FROM generate_series(1, 20) i;
        UPDATE sales.orders SET before = 100 WHERE id > 110;
        CREATE INDEX ON sales.orders (mood, lower(note)) WHERE price > 3;
        CREATE STATISTICS sales.both ON mood, price FROM sales.orders;
        CREATE TRIGGER touch BEFORE INSERT ON sales.orders
            FOR EACH ROW EXECUTE FUNCTION kinds.touch();
        ALTER TABLE sales.orders ENABLE ALWAYS TRIGGER touch;
        CREATE RULE never AS ON DELETE TO sales.orders WHERE old.id = 100 DO INSTEAD NOTHING;
        ALTER TABLE sales.orders ENABLE ROW LEVEL SECURITY;
        CREATE POLICY affordable ON sales.orders USING (price < 20);
        COMMENT ON COLUMN sales.orders.note IS 'it''s a note';
        CREATE VIEW other.cheap AS SELECT * FROM sales.orders WHERE price < 5;
        """

    private static let everythingButOrders = """
        DROP VIEW other.cheap; ALTER TABLE sales.orders DROP CONSTRAINT orders_customer_fkey;
        DROP TABLE other.customers; DROP SEQUENCE other.numbers; DROP SCHEMA other;
        DROP TYPE unwanted;
        """

    @Test(arguments: TestServer.all)
    func `patterns choose tables, and foreign keys among them come along`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.office)
            try await source.query("CREATE TABLE sales.empty (id integer)")
            _ = try await bench.backUp(source)
            let target = try await bench.createDatabase("target")
            let end = try await bench.restore(
                tables: ["sales.*", "other.c?stomers"], into: target, ["--check", "rows"])
            try end.requireCode(0)
            #expect(!end.output.contains("left out"), "\(end)")
            try await source.query(
                "DROP VIEW other.cheap; DROP SEQUENCE other.numbers; DROP TYPE unwanted")
            try await bench.expectEqual(source, target)

            try await bench.expectRefused(target, code: 2, saying: "sales.order", "sales.orders") {
                try await bench.restore(tables: ["sales.order"], into: target)
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `a partitioned table brings its partitions, and one partition goes back into it`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.partitions)
            _ = try await bench.backUp(source)
            let target = try await bench.createDatabase("target")
            try await bench.restore(tables: ["whole", "hashed", "refers"], into: target)
                .requireCode(0)
            try await source.query("DROP TABLE unwanted")
            try await bench.expectEqual(source, target)

            try await target.query("DROP TABLE refers, parts.first, parts.third")
            let end = try await bench.restore(
                tables: ["parts.first", "parts.third", "refers"], into: target, ["--check", "rows"])
            try end.requireCode(0)
            try await bench.expectEqual(source, target)

            // One that was emptied, and one whose rows were changed.
            try await target.query(
                "DELETE FROM parts.first WHERE id > 0; UPDATE whole SET value = 'changed' WHERE id > 250"
            )
            try await bench.restore(
                tables: ["parts.first", "parts.third"], into: target, ["--existing", "truncate"]
            ).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    @Test(arguments: TestServer.all)
    func `a partition alone becomes a table`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.partitions)
            _ = try await bench.backUp(source)
            let target = try await bench.createDatabase("target")
            let end = try await bench.restore(tables: ["parts.first", "parts.h1"], into: target)
            try end.requireCode(0)
            #expect(end.output.contains("left out: table attach parts.h1"), "\(end)")
            for table in ["parts.first", "parts.h1"] {
                let query = "SELECT string_agg(t::text, ';' ORDER BY id) FROM \(table) t"
                #expect(try await target.query(query) == source.query(query))
            }
        }
    }

    private static let partitions = """
        CREATE SCHEMA parts; CREATE TABLE unwanted (id integer);
        CREATE TYPE mood AS ENUM ('a', 'b', 'c');
        CREATE TABLE whole (id integer, value text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
        CREATE INDEX by_value ON whole (value);
        CREATE TABLE parts.first PARTITION OF whole FOR VALUES FROM (0) TO (100);
        CREATE TABLE parts.second PARTITION OF whole FOR VALUES FROM (100) TO (200)
            PARTITION BY LIST (id);
        CREATE TABLE parts.second_rest PARTITION OF parts.second DEFAULT;
        CREATE TABLE parts.third PARTITION OF whole DEFAULT;
        CREATE TABLE refers (id integer REFERENCES whole); INSERT INTO whole VALUES (0);
        INSERT INTO whole SELECT i, 'value ' || i FROM generate_series(1, 300) i;
        INSERT INTO refers VALUES (150), (0);
        CREATE TABLE hashed (id integer, mood mood) PARTITION BY HASH (mood);
        CREATE TABLE parts.h1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE parts.h2 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        INSERT INTO hashed SELECT i, ('{a,b,c}'::mood[])[i % 3 + 1] FROM generate_series(1, 90) i;
        """

    @Test(arguments: TestServer.all)
    func `tables that are made empty because others need them are named`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1);
                CREATE TABLE child (v text) INHERITS (parent); INSERT INTO child VALUES (2, 'x');
                CREATE TABLE allowed (name text PRIMARY KEY); INSERT INTO allowed VALUES ('x');
                CREATE TABLE guarded (id int PRIMARY KEY, name text); INSERT INTO guarded VALUES (1, 'x');
                CREATE POLICY own ON guarded USING (name IN (SELECT a.name FROM allowed a));
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.createDatabase("target")
            let end = try await bench.restore(tables: ["child", "guarded"], into: target)
            try end.requireCode(0)
            for table in ["parent", "allowed"] {
                #expect(
                    end.output.contains("left out: rows, indexes and keys of public.\(table),"),
                    "\(end)")
                #expect(try await target.query("SELECT count(*) FROM ONLY \(table)") == "0")
            }
            #expect(!end.output.contains("keys of public.child"), "\(end)")

            let whole = try await bench.createDatabase("whole")
            let all = try await bench.restore(
                tables: ["parent", "child", "allowed", "guarded"], into: whole)
            try all.requireCode(0)
            #expect(!all.output.contains("left out"), "\(all)")
            try await bench.expectEqual(source, whole)
        }
    }

    @Test(arguments: TestServer.all)
    func `what only the chosen tables need must be there`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let gone = try await bench.createRole("gone")
            try await source.query("ALTER TABLE pets OWNER TO \(gone)")
            _ = try await bench.backUp(source)
            try await source.query("REASSIGN OWNED BY \(gone) TO postgres")
            try await bench.administration.query("DROP ROLE \(gone)")

            let target = try await bench.createDatabase("target")
            try await bench.expectRefused(target, saying: "CREATE ROLE \"\(gone)\";") {
                try await bench.restore(tables: ["pets"], into: target)
            }
            try await bench.restore(tables: ["people"], into: target).requireCode(0)
            try await bench.restore(
                tables: ["pets"], into: target, ["--no-owner", "--no-privileges"]
            ).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }
}
