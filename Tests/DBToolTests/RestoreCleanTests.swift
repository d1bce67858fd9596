import BackupTesting
import Testing

/// `--clean` of tables that need each other otherwise than by foreign keys, and of tables that others need.
@Suite struct RestoreCleanTests {
    @Test(arguments: TestServer.all)
    func `what depends on tables that clean would drop is named by the dry run, too`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE people (id serial PRIMARY KEY, lead int REFERENCES people);
                CREATE TABLE visits (at int, who int REFERENCES people) PARTITION BY RANGE (at);
                CREATE TABLE visits_early PARTITION OF visits FOR VALUES FROM (0) TO (10);
                CREATE VIEW leads AS SELECT lead FROM people; CREATE VIEW late AS TABLE visits;
                INSERT INTO people VALUES (1, 1); INSERT INTO visits VALUES (1, 1);
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await bench.restore(tables: [], into: target, ["--clean", "--dry-run"])
                .requireCode(0)
            try await target.query(
                """
                CREATE VIEW mine AS SELECT id FROM people;
                CREATE MATERIALIZED VIEW kept AS SELECT at FROM visits_early;
                CREATE TABLE notes (who int REFERENCES people);
                CREATE TABLE heirs () INHERITS (people); -- and the default of its column
                """)
            for words in [["--clean", "--dry-run"], ["--clean", "--yes"]] {
                try await bench.expectRefused(
                    target, saying: "as it was", "mine depends on", "kept depends on",
                    "notes_who_fkey", "column id of table", "heirs depends on",
                    "--existing truncate"
                ) {
                    try await bench.restore(tables: [], into: target, words)
                }
            }
            // What the backup holds of it stays when a table alone is meant.
            try await bench.expectRefused(target, saying: "leads depends on", "visits_who_fkey") {
                try await bench.restore(
                    tables: ["people"], into: target, ["--clean", "--dry-run"])
            }
        }
    }

    /// pg_restore has an order of its own for what it drops, in which `entries` goes before the rule that writes into it.
    @Test(arguments: TestServer.all)
    func `clean drops tables whose rules and policies need other ones`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE accounts (id int PRIMARY KEY, v text);
                CREATE TABLE entries (id int, v text);
                CREATE RULE noted AS ON INSERT TO accounts
                    DO ALSO INSERT INTO entries VALUES (NEW.id, NEW.v);
                INSERT INTO accounts VALUES (1, 'x'), (2, 'y');
                CREATE TABLE documents (id int PRIMARY KEY, team int);
                CREATE TABLE members (name text, team int);
                INSERT INTO documents VALUES (1, 1); INSERT INTO members VALUES ('anne', 1);
                CREATE POLICY own ON documents
                    USING (team IN (SELECT m.team FROM members m WHERE m.name = CURRENT_USER));
                ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
                CREATE VIEW names AS SELECT name FROM members;
                CREATE RULE added AS ON INSERT TO names
                    DO INSTEAD INSERT INTO members (name) VALUES (NEW.name);
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            let change = "DELETE FROM entries; UPDATE documents SET team = 2"
            for _ in 1...2 {
                try await target.query(change)
                try await bench.restore(tables: [], into: target, ["--clean", "--yes"])
                    .requireCode(0)
                try await bench.expectEqual(source, target)
            }
            try await target.query("\(change); DROP VIEW names")
            let tables = ["accounts", "entries", "documents", "members"]
            try await bench.restore(tables: tables, into: target, ["--clean", "--yes"])
                .requireCode(0)
            // Where they are gone, nothing of them is dropped; nor is what a table has that stays.
            try await target.query("DROP RULE noted ON accounts; DROP POLICY own ON documents")
            try await bench.restore(tables: tables, into: target, ["--clean", "--yes"])
                .requireCode(0)
            try await bench.expectRefused(target, saying: "as it was", "noted") {
                try await bench.restore(
                    tables: ["entries"], into: target, ["--clean", "--yes"])
            }
            try await bench.restore(tables: [], into: target, ["--clean", "--yes"]).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    /// What the backup holds, what has its name in the target, and how a refusal calls that.
    private static let successors = [
        ("VIEW n1", " AS SELECT 1 AS x", "TABLE n1 (i int)", "table public.n1"),
        ("MATERIALIZED VIEW n2", " AS SELECT 1 AS x", "VIEW n2 AS SELECT 1 AS x", "view public.n2"),
        ("MATERIALIZED VIEW n3", " AS SELECT 1 AS x", "SEQUENCE n3", "sequence public.n3"),
        ("TYPE n4", " AS (a int)", "DOMAIN n4 AS int", "domain public.n4"),
        ("DOMAIN n5", " AS int", "TYPE n5 AS ENUM ('a')", "type public.n5"),
        ("DOMAIN n6", " AS int", "TABLE n6 (i int)", "table public.n6"),
        (
            "FUNCTION n7(int)", " RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "PROCEDURE n7(int) LANGUAGE sql AS 'SELECT 1'", "procedure public.n7(integer)"
        ),
        (
            "AGGREGATE n8(*)", " (SFUNC = int8inc, STYPE = int8, INITCOND = '0')",
            "FUNCTION n8() RETURNS int LANGUAGE sql AS 'SELECT 1'", "function public.n8()"
        ),
        ("TABLE n9", " (i int)", "DOMAIN n9 AS int", "domain public.n9"),
    ]

    /// It would be found only when everything is dropped.
    @Test(arguments: TestServer.all)
    func `clean drops nothing where something of another kind has a name`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query("CREATE TABLE a (i int); INSERT INTO a VALUES (1)")
            for (thing, definition, _, _) in Self.successors {
                try await source.query("CREATE \(thing)\(definition)")
            }
            _ = try await bench.backUp(source)
            // A refusal names five of them.
            for few in [Self.successors.prefix(5), Self.successors.dropFirst(5)] {
                let target = try await bench.duplicate(source, "target")
                for (thing, _, successor, _) in few {
                    try await target.query("DROP \(thing); CREATE \(successor)")
                }
                for words in [["--clean", "--dry-run"], ["--clean", "--yes"]] {
                    try await bench.expectRefused(target, saying: "already", "RENAME TO …;") {
                        let end = try await bench.restore(tables: [], into: target, words)
                        for (_, _, _, name) in few {
                            #expect(end.errors.contains(name), "\(name)\n\(end)")
                        }
                        return end
                    }
                }
            }
            // What has another name stays.
            let target = try await bench.duplicate(source, "renamed")
            try await target.query(
                """
                DROP VIEW n1; CREATE TABLE n1 (i int); DROP FUNCTION n7(int);
                CREATE PROCEDURE n7(int) LANGUAGE sql AS 'SELECT 1';
                ALTER TABLE "public"."n1" RENAME TO own; ALTER PROCEDURE "public"."n7"(integer) RENAME TO own;
                """)
            try await bench.restore(tables: [], into: target, ["--clean", "--yes"]).requireCode(0)
            try await target.query("DROP TABLE own; DROP PROCEDURE own(int)")
            try await bench.expectEqual(source, target)
        }
    }

    /// Functions that take rows of a table come behind it in an archive, and may take others there with them.
    @Test(arguments: TestServer.all)
    func `clean drops tables whose functions need them`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE a (id int PRIMARY KEY, d int, v int);
                CREATE FUNCTION zf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
                CREATE TRIGGER tg BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION zf();
                CREATE FUNCTION rta(a) RETURNS a LANGUAGE sql AS 'SELECT $1';
                CREATE FUNCTION chk(a) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
                ALTER TABLE a ADD CONSTRAINT checked CHECK (chk(a));
                CREATE FUNCTION counted() RETURNS int LANGUAGE sql
                    BEGIN ATOMIC SELECT count(*)::int FROM a; END;
                ALTER TABLE a ALTER d SET DEFAULT counted();
                CREATE FUNCTION ix(a) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
                CREATE INDEX indexed ON a (ix(a));
                INSERT INTO a VALUES (1, 2, 3);
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            let changes = [
                "UPDATE a SET v = 4",
                // Where they are gone, nothing of them is dropped.
                """
                DROP TRIGGER tg ON a; DROP INDEX indexed; ALTER TABLE a DROP CONSTRAINT checked;
                ALTER TABLE a DROP d; ALTER TABLE a ADD d int GENERATED ALWAYS AS (v) STORED;
                """,
                "ALTER TABLE a ALTER d DROP DEFAULT",
            ]
            for change in changes {
                try await target.query(change)
                try await bench.restore(tables: [], into: target, ["--clean", "--yes"])
                    .requireCode(0)
                try await bench.expectEqual(source, target)
            }
        }
    }
}
