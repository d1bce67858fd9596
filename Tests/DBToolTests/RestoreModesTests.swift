import BackupTesting
import Foundation
import Testing

/// `--clean`, `--schema-only`, `--data-only`, `--dry-run`, `--check rows`, and what contradicts.
@Suite struct RestoreModesTests {
    @Test(arguments: TestServer.all, [Restorer.superuser, .owner])
    func `clean drops what the backup holds and nothing else`(
        server: TestServer, restorer: Restorer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner")
            let source = try await bench.createDatabase(owner: owner)
            try await source.query(Self.library, as: owner)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            let expected = try await bench.duplicate(source, "expected")
            try await target.query(
                """
                DROP TABLE loans; DROP VIEW titles; DROP MATERIALIZED VIEW counts;
                ALTER TABLE books DROP genre, ADD more text;
                UPDATE readers SET name = 'changed'; CREATE INDEX ON readers (id, name);
                """, as: owner)
            for database in [target, expected] {
                try await database.query(
                    """
                    CREATE TABLE mine (id integer PRIMARY KEY); INSERT INTO mine VALUES (1);
                    CREATE TABLE shelf.mine (id serial, at date DEFAULT now());
                    CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1';
                    """, as: owner)
            }
            let user = restorer == .owner ? owner : nil
            try await bench.expectRefused(
                target, code: 2, saying: "drop    table public.books", "--yes"
            ) {
                try await bench.restore(tables: [], into: target, ["--clean"], as: user)
            }
            try await bench.restore(tables: [], into: target, ["--clean", "--yes"], as: user)
                .requireCode(0)
            try await bench.expectEqual(expected, target)

            try await target.query("UPDATE shelf.places SET id = id + 1000", as: owner)
            try await bench.restore(
                tables: ["shelf.places"], into: target, ["--clean", "--yes"], as: user
            ).requireCode(0)
            try await bench.expectEqual(expected, target)

            let outside = "CREATE VIEW mine_too AS SELECT name FROM readers"
            try await target.query(outside, as: owner)
            try await bench.expectRefused(target, saying: "as it was", "mine_too") {
                try await bench.restore(tables: [], into: target, ["--clean", "--yes"], as: user)
            }
            try await bench.expectNoMark(target)
        }
    }

    private static let library = """
        CREATE SCHEMA shelf; CREATE TYPE genre AS ENUM ('crime', 'love');
        CREATE TABLE readers (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
        CREATE TABLE shelf.places (id integer PRIMARY KEY, room text);
        CREATE TABLE books (id serial PRIMARY KEY, title text, genre genre, best integer);
        CREATE TABLE loans (book integer REFERENCES books, reader integer REFERENCES readers,
            at date, PRIMARY KEY (book, at)) PARTITION BY RANGE (at);
        CREATE TABLE loans_early PARTITION OF loans FOR VALUES FROM (MINVALUE) TO ('2024-01-01');
        CREATE TABLE loans_late PARTITION OF loans DEFAULT;
        CREATE VIEW titles AS SELECT title FROM books;
        CREATE MATERIALIZED VIEW counts AS SELECT genre, count(*) FROM books GROUP BY genre;
        CREATE FUNCTION title(integer) RETURNS text LANGUAGE sql AS
            'SELECT title FROM public.books WHERE id = $1';
        INSERT INTO readers (name) SELECT 'reader ' || i FROM generate_series(1, 30) i;
        INSERT INTO shelf.places SELECT i, 'room' FROM generate_series(1, 30) i;
        INSERT INTO books (title, genre, best) SELECT 'title ' || i, 'crime', i
            FROM generate_series(1, 30) i;
        INSERT INTO loans SELECT i, i, date '2023-12-15' + i FROM generate_series(1, 30) i;
        ALTER TABLE readers ADD book integer DEFAULT 1 REFERENCES books;
        ALTER TABLE books ADD FOREIGN KEY (best) REFERENCES readers;
        REFRESH MATERIALIZED VIEW counts;
        """

    @Test(arguments: TestServer.all)
    func `schema only and data only make together what one restore makes`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.library)
            _ = try await bench.backUp(source)
            let target = bench.expectDatabase()
            try await bench.restore(into: target, ["--schema-only"]).requireCode(0)
            let rows = "SELECT (SELECT count(*) FROM books), (SELECT count(*) FROM loans)"
            #expect(try await target.query(rows) == "0|0")
            #expect(
                try await target.query("SELECT count(*) FROM pg_constraint WHERE contype = 'f'")
                    == source.query("SELECT count(*) FROM pg_constraint WHERE contype = 'f'"))
            try await bench.restore(
                tables: [], into: target, ["--data-only", "--check", "rows"]
            ).requireCode(0)
            try await bench.expectEqual(source, target)

            try await bench.expectRefused(target, saying: "hold rows", "--existing truncate") {
                try await bench.restore(tables: ["books"], into: target, ["--data-only"])
            }
            try await target.query("UPDATE books SET title = 'x'; DELETE FROM loans")
            try await bench.restore(
                tables: ["books", "loans"], into: target, ["--data-only", "--existing", "truncate"]
            ).requireCode(0)
            try await target.query("REFRESH MATERIALIZED VIEW counts")
            try await bench.expectEqual(source, target)

            try await target.query("DROP TABLE loans_late")
            try await bench.expectRefused(target, saying: "has no table public.loans_late") {
                try await bench.restore(
                    tables: [], into: target, ["--data-only", "--existing", "truncate"])
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `data only sees the rows of tables that were partitioned meanwhile`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE plain (id integer, v text);
                CREATE TABLE ranges (id integer, v text) PARTITION BY RANGE (id);
                CREATE TABLE early PARTITION OF ranges FOR VALUES FROM (0) TO (100);
                CREATE TABLE hashed (id integer, v text) PARTITION BY HASH (id);
                CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
                CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
                \(Self.filling)
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.createDatabase("target")
            try await target.query(
                """
                CREATE TABLE plain (id integer, v text) PARTITION BY RANGE (id);
                CREATE TABLE plain_all PARTITION OF plain DEFAULT;
                CREATE TABLE ranges (id integer, v text) PARTITION BY RANGE (id);
                CREATE TABLE early PARTITION OF ranges FOR VALUES FROM (0) TO (100)
                    PARTITION BY RANGE (id);
                CREATE TABLE early_all PARTITION OF early DEFAULT;
                CREATE TABLE hashed (id integer, v text) PARTITION BY HASH (id);
                CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 4, REMAINDER 0);
                CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 4, REMAINDER 1);
                CREATE TABLE hashed_2 PARTITION OF hashed FOR VALUES WITH (MODULUS 4, REMAINDER 2);
                CREATE TABLE hashed_3 PARTITION OF hashed FOR VALUES WITH (MODULUS 4, REMAINDER 3);
                \(Self.filling)
                TRUNCATE hashed_0, hashed_1;
                """)
            let tables = [("plain", "plain"), ("ranges", "early"), ("hashed", "hashed")]
            for (table, filled) in tables {
                try await bench.expectRefused(target, saying: "hold rows: public.\(filled)") {
                    try await bench.restore(tables: [table], into: target, ["--data-only"])
                }
            }
            try await target.query("TRUNCATE plain, ranges, hashed")
            try await bench.restore(tables: tables.map(\.0), into: target, ["--data-only"])
                .requireCode(0)
            for (table, _) in tables {
                let rows = "SELECT count(*), sum(id) FROM \(table)"
                #expect(try await target.query(rows) == source.query(rows))
            }
        }
    }

    private static let filling = """
        INSERT INTO plain SELECT i, 'v' || i FROM generate_series(1, 50) i;
        INSERT INTO ranges TABLE plain; INSERT INTO hashed TABLE plain;
        """

    @Test(arguments: TestServer.all)
    func `a sequence that the target lacks is named before any row is loaded`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE counted (id serial PRIMARY KEY, v text);
                INSERT INTO counted (v) SELECT 'v' || i FROM generate_series(1, 50) i;
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query(
                """
                ALTER TABLE counted ALTER id DROP DEFAULT; DROP SEQUENCE counted_id_seq;
                DELETE FROM counted;
                """)
            let missing = "has no sequence public.counted_id_seq"
            let statement = "CREATE SEQUENCE \"public\".\"counted_id_seq\";"
            for words in [["--data-only"], ["--existing", "truncate"]] {
                try await bench.expectRefused(target, saying: missing, statement) {
                    try await bench.restore(tables: ["counted"], into: target, words)
                }
            }
            try await target.query(statement)
            try await bench.restore(tables: [], into: target, ["--data-only"]).requireCode(0)
            #expect(try await target.query("SELECT count(*) FROM counted") == "50")
            #expect(try await target.query("SELECT last_value FROM counted_id_seq") == "50")
        }
    }

    @Test(arguments: TestServer.all)
    func `a subscription that clean cannot drop is named before anything changes`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            func subscribe(_ slot: String) -> String {
                """
                CREATE SUBSCRIPTION sub CONNECTION 'host=nowhere' PUBLICATION all_of_it
                WITH (connect = false, slot_name = \(slot))
                """
            }
            let drop = """
                ALTER SUBSCRIPTION "sub" DISABLE; ALTER SUBSCRIPTION "sub" SET (slot_name = NONE); \
                DROP SUBSCRIPTION "sub";
                """
            try await source.query("CREATE TABLE t (id integer); INSERT INTO t VALUES (1)")
            let target = try await bench.duplicate(source, "target")
            try await source.query(subscribe("NONE"))
            _ = try await bench.backUp(source)
            try await target.query("DELETE FROM t; " + subscribe("slot"))
            // No database with a subscription can be dropped.
            let outcome: Result<Void, any Error>
            do {
                try await bench.restore(tables: [], into: target, ["--clean", "--yes"])
                    .expect(code: 1, saying: "sub", drop, "slots stay")
                #expect(try await target.query("TABLE t") == "")
                try await target.query("ALTER SUBSCRIPTION sub SET (slot_name = NONE)")
                try await bench.restore(tables: [], into: target, ["--clean", "--yes"])
                    .requireCode(0)
                #expect(try await target.query("TABLE t") == "1")
                outcome = .success(())
            } catch {
                outcome = .failure(error)
            }
            for database in [source, target] { _ = try await database.attempt(drop) }
            try outcome.get()
        }
    }

    @Test(arguments: TestServer.all)
    func `a dry run changes nothing and says what the restore then does`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.library)
            _ = try await bench.backUp(source)
            let fresh = bench.expectDatabase()
            let plan = try await bench.plan(into: fresh, ["--create"])
            #expect(plan["creates_database"].boolean == true)
            let databases = "SELECT count(*) FROM pg_database WHERE datname = '\(fresh.name)'"
            #expect(try await bench.administration.query(databases) == "0")
            try await bench.restore(into: fresh).requireCode(0)
            let tables = try await fresh.query(
                "SELECT 'table ' || oid::regclass FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'p')"
            )
            let planned = plan["creates"].items.compactMap(\.string).filter {
                $0.hasPrefix("table ") && !$0.hasPrefix("table attach ")
            }.map { $0.replacing("public.", with: "") }
            #expect(Set(planned) == Set(tables.split(separator: "\n").map(String.init)))

            for words in [["--clean"], ["--existing", "truncate"], ["--existing", "append"]] {
                let before = try await bench.duplicate(fresh, "before")
                let plan = try await bench.plan(into: fresh, ["-tablename", "loans"] + words)
                try await bench.expectEqual(before, fresh)
                #expect(plan["creates_database"].boolean == false)
                let drops = plan["drops"].items.compactMap(\.string)
                let treatments = plan["tables"].items.compactMap { $0["treatment"].string }
                if words == ["--clean"] {
                    let all = ["loans", "loans_early", "loans_late"]
                    #expect(Set(drops) == Set(all.map { "table public.\($0)" }))
                    #expect(treatments == ["create", "create"])
                } else {
                    #expect(drops == [] && plan["creates"].items == [])
                    #expect(treatments == [words[1], words[1]])
                }
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `a row that changes after it was loaded is found by reading back`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            _ = try await bench.backUp(source)
            for (words, code) in [(["--check", "rows"], Int32(4)), ([], 0)] {
                let target = try await bench.createDatabase("target")
                // Somebody who changes a row as soon as the table can be read.
                let saboteur = """
                    DO $$ DECLARE n integer := 0; BEGIN
                      LOOP
                        BEGIN
                          UPDATE public.people SET name = 'changed' WHERE id = 7;
                          GET DIAGNOSTICS n = ROW_COUNT;
                        EXCEPTION WHEN undefined_table THEN NULL; END;
                        COMMIT;
                        EXIT WHEN n > 0;
                      END LOOP;
                    END $$
                    """
                var end: ProgramEnd?
                let sabotage = try await target.query(saboteur) { _ in
                    end = try await bench.restore(into: target, words, creating: false)
                }
                #expect(sabotage.code == 0, "\(sabotage)")
                let restored = try #require(end)
                #expect(restored.code == code, "\(restored)")
                #expect(
                    restored.output.contains("table public.people is not as in the backup")
                        == (code == 4), "\(restored)")
            }
        }
    }

    @Test(arguments: [
        ["--clean", "--existing", "truncate"], ["--clean", "--data-only"],
        ["--schema-only", "--data-only"], ["--schema-only", "--existing", "append"],
        ["--schema-only", "--check", "rows"], ["--data-only", "--create"], ["--as", "other"],
        ["--existing", "replace"],
    ])
    func `flags that contradict each other are named before anything is opened`(
        words: [String]
    ) async throws {
        try await Workbench.with(TestServer.all[0]) { bench in
            let end = try await bench.dbtool(
                ["restore", "latest", "-path", bench.folder, "--into", "nowhere", "--port", "1"]
                    + words)
            end.expect(code: 2, saying: words[0])
        }
    }
}

extension Workbench {
    fileprivate func plan(into database: TestDatabase, _ words: [String]) async throws -> JSON {
        let end = try await restore(
            "latest", into: database, words + ["--dry-run", "--json"], creating: false)
        try end.requireCode(0)
        return try JSON(parsing: end.output)
    }
}
