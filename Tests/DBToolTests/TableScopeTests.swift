import BackupTesting
import Foundation
import Testing

/// Some tables, or all but the rows of some.
@Suite struct TableScopeTests {
    @Test(arguments: TestServer.all)
    func `excluded tables keep their structure and lose their rows, as metadata says`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let backup = try await bench.backUp(source, ["--exclude-tablename", "pe?s"])
            let metadata = try backup.metadata()
            #expect(metadata["excluded_tables"].items.map(\.["name"]) == [.text("pets")])
            #expect(metadata["status"].string == "completed")
            #expect(metadata["tables"].items.map(\.["name"]) == [.text("people")])
            let copy = try await bench.restored(backup.id)
            #expect(try await copy.query("SELECT count(*) FROM pets") == "0")
            try await source.query("TRUNCATE pets")
            try await bench.expectEqual(source, copy)
            // Nobody has named it for this one.
            try await source.query("DROP TABLE pets")
            _ = try await bench.differential(source)
        }
    }

    /// libpq would take either name for more than one.
    @Test(arguments: TestServer.all, ["postgres_", "a=b "])
    func `some tables of a database with such a name are gone on with`(
        server: TestServer, beginning: String
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase(
                named: beginning + bench.uniqueName("named"))
            try await source.query("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int)")
            let full = try await bench.backUp(source, scope: ["tables", "-tablename", "t"])
            try await source.query("INSERT INTO t VALUES (1); INSERT INTO u VALUES (1)")
            let report = try await bench.incremental(source)
            #expect(try report.metadata()["base_id"].string == full.id)
            #expect(report.change("t")?.rows == 1)
        }
    }

    @Test(arguments: TestServer.all)
    func `a foreign key whose rows were left out is reported and the rest is restored`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.small()
            let backup = try await bench.backUp(source, ["--exclude-tablename", "people"])
            let copy = bench.expectDatabase()
            let end = try await bench.restore(backup.id, into: copy)
            try end.requireCode(3)
            #expect(end.output.contains("not made: FK CONSTRAINT pets"), "\(end)")
            #expect(try await copy.query("SELECT count(*) FROM pets") == "500")
            let keys = """
                SELECT string_agg(contype::text, '') FROM pg_constraint
                WHERE contype IN ('p', 'f') AND conrelid >= 16384
                """
            #expect(try await copy.query(keys) == "p")
        }
    }

    @Test(arguments: TestServer.all)
    func `tables by pattern bring the types and functions that they need, and nothing else`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.office)
            let backup = try await bench.backUp(
                source, scope: ["tables", "-tablename", "sales.*", "-tablename", "\"Odd.Name\""])
            let metadata = try backup.metadata()
            #expect(metadata["scope"].string == "tables")
            let copy = try await bench.restored(backup.id)
            // What was not asked for goes from the source, and then both must be equal.
            try await source.query(
                """
                ALTER TABLE sales.orders DROP CONSTRAINT orders_customer_fkey;
                DROP TABLE customers; DROP TABLE other.unwanted; DROP SCHEMA other;
                DROP FUNCTION unwanted(); DROP TYPE unwanted_kind; DROP SEQUENCE unwanted_numbers;
                """)
            try await bench.expectEqual(source, copy)
        }
    }

    private static let office = """
        CREATE SCHEMA sales; CREATE SCHEMA types; CREATE SCHEMA other;
        CREATE TYPE types.state AS ENUM ('open', 'it''s "done"');
        CREATE DOMAIN types.price AS numeric(10, 2) CHECK (VALUE >= 0);
        CREATE TYPE types.place AS (hall text, price types.price);
        CREATE TYPE unwanted_kind AS ENUM ('x');
        CREATE SEQUENCE unwanted_numbers;
        CREATE FUNCTION unwanted() RETURNS integer LANGUAGE sql AS 'SELECT 1';
        CREATE FUNCTION types.touch() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN NEW.touched := now(); RETURN NEW; END $$;
        CREATE FUNCTION types.code(n integer) RETURNS text LANGUAGE sql IMMUTABLE AS
            $$ SELECT 'C-' || n $$;
        CREATE TABLE customers (id integer PRIMARY KEY);
        CREATE TABLE other.unwanted (id integer PRIMARY KEY, kind unwanted_kind);
        INSERT INTO customers VALUES (1);
        CREATE SEQUENCE sales.numbers;
        CREATE TABLE sales.orders (
            id integer PRIMARY KEY DEFAULT nextval('sales.numbers'), customer integer
            CONSTRAINT orders_customer_fkey REFERENCES customers,
            state types.state NOT NULL DEFAULT 'open', price types.price, place types.place,
            code text DEFAULT types.code(7), touched timestamptz
        );
        CREATE TRIGGER touch BEFORE UPDATE ON sales.orders
            FOR EACH ROW EXECUTE FUNCTION types.touch();
        CREATE INDEX ON sales.orders (types.code(id));
        COMMENT ON COLUMN sales.orders.code IS 'by a function';
        CREATE TABLE sales.lines (
            id integer GENERATED ALWAYS AS IDENTITY, order_id integer REFERENCES sales.orders,
            at date NOT NULL, PRIMARY KEY (id, at)
        ) PARTITION BY RANGE (at);
        CREATE TABLE sales.lines_1 PARTITION OF sales.lines DEFAULT;
        CREATE TABLE "Odd.Name" (id integer PRIMARY KEY);
        INSERT INTO sales.orders (customer, price, place) VALUES (1, 5, ('a', 6)), (NULL, NULL, NULL);
        INSERT INTO sales.lines (order_id, at) SELECT 1, date '2024-01-01' + i
        FROM generate_series(1, 50) i;
        INSERT INTO "Odd.Name" VALUES (1);
        """

    @Test(arguments: TestServer.all)
    func `a partitioned table means its partitions`(server: TestServer) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE SCHEMA parts;
                CREATE TABLE whole (id integer PRIMARY KEY) PARTITION BY HASH (id);
                CREATE TABLE parts.one PARTITION OF whole FOR VALUES WITH (MODULUS 2, REMAINDER 0);
                CREATE TABLE parts.two PARTITION OF whole FOR VALUES WITH (MODULUS 2, REMAINDER 1);
                INSERT INTO whole SELECT generate_series(1, 100);
                """)
            let backup = try await bench.backUp(source, scope: ["tables", "-tablename", "whole"])
            let copy = try await bench.restored(backup.id)
            try await bench.expectEqual(source, copy)
        }
    }
}
