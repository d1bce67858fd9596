import BackupTesting
import Testing

/// Tables that inherit from others, some of which were there before.
@Suite struct RestoreHeirTests {
    /// One heir has valid constraints of its own besides those that its parent has let rows break, another one has what
    /// all its rows keep to from its parent alone.
    @Test(arguments: TestServer.all)
    func `what all rows of an heir keep to stays valid, in copies too`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE par (n integer, a integer, b integer);
                CREATE TABLE own (n integer, a integer, b integer, CONSTRAINT ca CHECK (a <> 0));
                INSERT INTO own VALUES (1, -1, -1);
                ALTER TABLE par ADD CONSTRAINT ca CHECK (a <> 0) NOT VALID;
                ALTER TABLE par ADD CONSTRAINT cb CHECK (b > 0) NOT VALID;
                ALTER TABLE own ADD CONSTRAINT cb CHECK (b > 0) NOT VALID;
                COMMENT ON CONSTRAINT ca ON own IS 'it''s valid';
                COMMENT ON CONSTRAINT cb ON own IS 'it''s not';
                CREATE TABLE other (a integer, b integer);
                ALTER TABLE other ADD CONSTRAINT ca CHECK (a > 0) NOT VALID;
                CREATE TABLE given (c integer) INHERITS (other);
                INSERT INTO given VALUES (1, -1, 2);
                ALTER TABLE other ADD CONSTRAINT cb CHECK (b > 0) NOT VALID;
                """
                    + (server.major < 18
                        ? ""
                        : """
                        ALTER TABLE par ADD CONSTRAINT nn NOT NULL n NOT VALID;
                        ALTER TABLE own ADD CONSTRAINT "own nn" NOT NULL n;
                        """) + "ALTER TABLE own INHERIT par;")
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query("DROP TABLE own, given")
            try await bench.restore(tables: ["own", "given"], into: target, ["--check", "rows"])
                .requireCode(0)
            for table in ["own", "given"] {
                let constraints = """
                    SELECT conname, convalidated, pg_get_constraintdef(oid),
                           obj_description(oid, 'pg_constraint') FROM pg_constraint
                    WHERE conrelid = 'TABLE'::regclass AND contype IN ('c', 'n') ORDER BY conname
                    """
                let before = try await source.query(constraints.replacing("TABLE", with: table))
                #expect(before.contains("ca|t|") && before.contains("cb|f|"))
                #expect(
                    try await target.query(constraints.replacing("TABLE", with: table)) == before)
                try await bench.restore(tables: [table], into: target, ["--as", "copy_\(table)"])
                    .requireCode(0)
                #expect(
                    try await target.query(constraints.replacing("TABLE", with: "copy_\(table)"))
                        == before)
            }
            try await bench.expectNoMark(target)
        }
    }

    /// Of one column a table has one such constraint, whose name the server does not change when it is another one's, too.
    @Test(arguments: TestServer.all)
    func `a column that is not NULL may be so under a name of the heir's own`(
        server: TestServer
    ) async throws {
        guard server.major >= 18 else { return }
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.namedOtherwise)
            _ = try await bench.backUp(source)
            for jobs in ["1", "4"] {
                let copy = try await bench.restored("latest", ["--jobs", jobs, "--check", "rows"])
                try await bench.expectEqual(source, copy)
            }
            let constraints = """
                SELECT conrelid::regclass::text, conname, convalidated, conislocal, coninhcount,
                       obj_description(oid, 'pg_constraint') FROM pg_constraint
                WHERE contype = 'n' AND connamespace = 'public'::regnamespace ORDER BY 1, 2
                """
            let target = try await bench.duplicate(source, "target")
            try await target.query("DROP TABLE last")
            let before = try await target.query(constraints)
            try await target.query("DROP TABLE heir, fitting")
            let heirs = ["heir", "fitting"]
            try await bench.restore(tables: heirs, into: target, ["--check", "rows"])
                .requireCode(0)
            #expect(try await target.query(constraints) == before)
            for table in heirs {
                try await bench.restore(
                    tables: [table], into: target, ["--as", "copy_\(table)", "--check", "rows"]
                ).requireCode(0)
                #expect(
                    try await target.query(
                        """
                        SELECT convalidated, conislocal, coninhcount FROM pg_constraint
                        WHERE conrelid = 'copy_\(table)'::regclass AND contype = 'n'
                        """) == "f|t|0")
            }
            try await bench.expectNoMark(target)
        }
    }

    /// The server locks all that an heir inherits from, one after another.
    @Test(arguments: TestServer.all)
    func `heirs that have the same parents in other orders do not wait for each other`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE one (a integer); CREATE TABLE two (b integer);
                DO $$ BEGIN FOR i IN 1..24 LOOP
                  EXECUTE format('CREATE TABLE heir%s () INHERITS (%s)', i,
                    CASE i % 2 WHEN 0 THEN 'one, two' ELSE 'two, one' END);
                  EXECUTE format('INSERT INTO heir%s (a) VALUES (0)', i);
                END LOOP; END $$;
                ALTER TABLE one ADD CONSTRAINT above CHECK (a > 0) NOT VALID;
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query(
                """
                DO $$ BEGIN FOR i IN 1..24 LOOP EXECUTE format('DROP TABLE heir%s', i);
                END LOOP; END $$
                """)
            try await bench.restore(tables: ["heir*"], into: target, ["--jobs", "4"])
                .requireCode(0)
            for facts in [
                """
                SELECT inhrelid::regclass::text, inhparent::regclass FROM pg_inherits
                ORDER BY 1, inhseqno
                """, "SELECT tableoid::regclass::text, a FROM one ORDER BY 1",
            ] {
                let (there, was) = (try await target.query(facts), try await source.query(facts))
                #expect(there == was)
            }
            try await bench.expectNoMark(target)
        }
    }

    /// Others would lose the constraint as well, which the server makes for them as a valid one.
    @Test(arguments: TestServer.all)
    func `an heir that has heirs says what to do about rows that are refused`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE root (a integer); CREATE TABLE par () INHERITS (root);
                CREATE TABLE heir () INHERITS (par); CREATE TABLE last () INHERITS (heir);
                INSERT INTO last VALUES (0);
                ALTER TABLE par ADD CONSTRAINT above CHECK (a > 0) NOT VALID;
                ALTER TABLE root ADD CONSTRAINT above CHECK (a > 0) NOT VALID;
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query("DROP TABLE heir, last")
            let heirs = ["heir", "last"]
            let end = try await bench.restore(tables: heirs, into: target)
            end.expect(code: 1, saying: "cannot load public.last")
            let lines = end.errors.split(separator: "\n").map { line in
                String(line.drop { $0 == " " })
            }
            let statements = lines.filter { $0.hasPrefix("ALTER TABLE ") }
            try #require(statements.count == 4, "\(end)")
            try await target.query(statements.prefix(2).joined(separator: " "))
            try await bench.restore(tables: heirs, into: target).requireCode(0)
            try await target.query(statements.suffix(2).joined(separator: " "))
            try await bench.expectEqual(source, target)
            try await bench.expectNoMark(target)
        }
    }

    /// Heirs behind their parents in the order of names, which is an archive's.
    private static let namedOtherwise = """
        CREATE TABLE par (n integer, a integer);
        CREATE TABLE heir (n integer, a integer); INSERT INTO heir VALUES (NULL, 1);
        CREATE TABLE fitting (n integer, a integer); INSERT INTO fitting VALUES (1, 1);
        CREATE TABLE last (n integer, a integer); INSERT INTO last VALUES (NULL, 2);
        CREATE TABLE whole (n integer, a integer) PARTITION BY LIST (a);
        CREATE TABLE part PARTITION OF whole DEFAULT; INSERT INTO whole VALUES (NULL, 3);
        ALTER TABLE par ADD CONSTRAINT aa NOT NULL n NOT VALID;
        ALTER TABLE heir ADD CONSTRAINT "b b" NOT NULL n NOT VALID;
        ALTER TABLE fitting ADD CONSTRAINT bb NOT NULL n NOT VALID;
        ALTER TABLE last ADD CONSTRAINT cc NOT NULL n NOT VALID;
        ALTER TABLE part ADD CONSTRAINT bb NOT NULL n NOT VALID;
        ALTER TABLE whole ADD CONSTRAINT aa NOT NULL n NOT VALID;
        ALTER TABLE heir INHERIT par; ALTER TABLE fitting INHERIT par;
        ALTER TABLE last INHERIT heir;
        COMMENT ON CONSTRAINT "b b" ON heir IS 'of the heir';
        """
}
