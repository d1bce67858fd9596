import BackupTesting
import Testing

/// Rows that a constraint has let be, as it came after them and was not validated.
@Suite struct RestoreLenientConstraintsTests {
    /// Archives have such a constraint on the whole alone, and the server attaches no part without it.
    @Test(arguments: TestServer.all)
    func `a part goes back to a whole whose constraints have let rows be`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.parted + Self.partedConstraints(server))
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await bench.restore(tables: ["low"], into: target, ["--clean", "--yes"])
                .requireCode(0)
            try await bench.expectEqual(source, target)
            // One that has parts, one that is a part of such a one, and one beside rows that are replaced.
            let losses: [(String, [String])] = [
                ("high", []), ("rest", []), ("low", ["--existing", "truncate", "--yes"]),
            ]
            for (lost, words) in losses {
                try await target.query("DROP TABLE \(lost)")
                let tables = words.isEmpty ? [lost] : ["whole"]
                try await bench.restore(tables: tables, into: target, words).requireCode(0)
                try await bench.expectEqual(source, target)
            }
            try await bench.expectNoMark(target)
        }
    }

    @Test(arguments: TestServer.all)
    func `tables are not said to be as they were when one was dropped`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.parted)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query(
                "ALTER TABLE whole ADD CONSTRAINT always CHECK (b IS NULL OR b > 0)")
            let end = try await bench.restore(
                tables: ["low"], into: target, ["--clean", "--yes"])
            end.expect(code: 1, saying: "cannot make TABLE ATTACH public low", "\"always\"")
            #expect(!end.errors.contains("as they were"), "\(end)")
        }
    }

    @Test(arguments: TestServer.all, [Restorer.superuser, .owner])
    func `rows that constraints have let be are replaced where they are`(
        server: TestServer, restorer: Restorer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner")
            let source = try await bench.createDatabase(owner: owner)
            try await source.query(
                Self.parted + Self.partedConstraints(server) + Self.heirs, as: owner)
            if server.major >= 18 {
                try await source.query(
                    "ALTER TABLE plain ADD CONSTRAINT given NOT NULL b NOT VALID", as: owner)
            }
            _ = try await bench.backUp(source)
            let user = restorer == .owner ? owner : nil
            let target = try await bench.duplicate(source, "target")
            let before = try await target.query(Self.constraints)
            try await target.query(
                "TRUNCATE plain, whole, par; INSERT INTO plain VALUES (10, 1)", as: owner)
            let replacing = ["--existing", "truncate", "--yes"]
            for _ in 1...2 {
                try await bench.restore(
                    tables: ["plain", "whole", "par", "chi", "proven"], into: target, replacing,
                    as: user
                ).requireCode(0)
                try await bench.expectEqual(source, target)
                #expect(try await target.query(Self.constraints) == before)
            }
            // What new rows must be is what it was.
            let refused = try await target.attempt("INSERT INTO plain VALUES (5, 1)")
            #expect(refused.code != 0)
            // Tables whose rows stay are left alone.
            try await bench.expectRefused(target, saying: "\"own\"", "as they were") {
                try await bench.restore(tables: ["chi"], into: target, replacing, as: user)
            }
            #expect(try await target.query(Self.constraints) == before)
        }
    }

    /// Such a part has it from its whole, and yet under the name that it had before.
    @Test(arguments: TestServer.all)
    func `rows go back into parts that name a constraint of their whole otherwise`(
        server: TestServer
    ) async throws {
        // Before that version NOT NULL is no constraint.
        guard server.major >= 18 else { return }
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE tree (a int, b int) PARTITION BY LIST (a);
                CREATE TABLE same PARTITION OF tree FOR VALUES IN (1);
                CREATE TABLE near PARTITION OF tree FOR VALUES IN (4) PARTITION BY LIST (a);
                CREATE TABLE far PARTITION OF near FOR VALUES IN (4);
                ALTER TABLE tree ADD CONSTRAINT given NOT NULL b NOT VALID;
                CREATE TABLE own (a int, b int); INSERT INTO own VALUES (2, NULL);
                ALTER TABLE own ADD CONSTRAINT named NOT NULL b NOT VALID;
                COMMENT ON CONSTRAINT named ON own IS 'its own';
                ALTER TABLE tree ATTACH PARTITION own FOR VALUES IN (2);
                CREATE TABLE deep (a int, b int) PARTITION BY LIST (a);
                CREATE TABLE leaf PARTITION OF deep FOR VALUES IN (3);
                INSERT INTO leaf VALUES (3, NULL);
                ALTER TABLE deep ADD CONSTRAINT deeper NOT NULL b NOT VALID;
                ALTER TABLE tree ATTACH PARTITION deep FOR VALUES IN (3);
                """)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            let constraints = """
                SELECT conrelid::regclass, conname, convalidated, coninhcount,
                       pg_get_constraintdef(oid), obj_description(oid, 'pg_constraint')
                FROM pg_constraint WHERE contype = 'n' AND connamespace = 'public'::regnamespace
                ORDER BY conrelid::regclass::text
                """
            let before = try await target.query(constraints)
            let others = """
                SELECT bool_or(conislocal) FROM pg_constraint
                WHERE contype = 'n' AND conrelid IN ('same'::regclass, 'near'::regclass, 'far'::regclass, 'leaf'::regclass)
                """
            #expect(try await target.query(others) == "f")
            // Those names are the parts' own by the second time.
            for _ in 1...2 {
                try await target.query("TRUNCATE tree")
                try await bench.restore(
                    tables: ["tree"], into: target,
                    ["--existing", "truncate", "--yes", "--check", "rows"]
                ).requireCode(0)
                #expect(try await target.query(constraints) == before)
                #expect(try await target.query(others) == "f")
                let refused = try await target.attempt("INSERT INTO tree VALUES (2, NULL)")
                #expect(refused.code != 0)
            }
            try await bench.expectNoMark(target)
        }
    }

    @Test(arguments: TestServer.all)
    func `rows that constraints have let be come after the structure`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.parted + Self.partedConstraints(server) + Self.heirs)
            _ = try await bench.backUp(source)
            let target = try await bench.restored("latest", ["--schema-only"])
            try await bench.restore(tables: [], into: target, ["--data-only", "--yes"])
                .requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }

    /// One has the constraint as its own besides, which its archive has behind the rows.
    @Test(arguments: TestServer.all)
    func `a copy of an heir takes rows that constraints of its table have let be`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(
                Self.heirs + Self.another(server))
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            for table in ["lone", "chi"] {
                try await bench.restore(
                    tables: [table], into: target, ["--as", "copy_\(table)", "--check", "rows"]
                ).requireCode(0)
                let rows = "SELECT * FROM \(table) ORDER BY 1, 2"
                let (there, was) = (
                    try await target.query(rows.replacing("FROM ", with: "FROM copy_")),
                    try await source.query(rows)
                )
                #expect(there == was)
                // What new rows must be is what it was, and no constraint is another one's.
                let refused = try await target.attempt("INSERT INTO copy_\(table) (a) VALUES (5)")
                #expect(refused.code != 0)
                #expect(
                    try await target.query(
                        """
                        SELECT bool_or(convalidated) FILTER (WHERE conname = 'own'),
                               bool_and(conislocal), max(coninhcount) FROM pg_constraint
                        WHERE conrelid = 'copy_\(table)'::regclass AND conname IN ('own', 'given')
                        """) == "f|t|0")
            }
            try await bench.expectNoMark(target)
        }
    }

    /// One has no such rows, and one has the constraint as its own besides.
    @Test(arguments: TestServer.all)
    func `an heir of a table that is there takes rows that this one's constraints have let be`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.heirs + Self.another(server))
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query("DROP TABLE lone, proven, chi")
            let end = try await bench.restore(
                tables: ["lone", "proven", "chi"], into: target, ["--check", "rows"])
            try end.requireCode(0)
            #expect(end.errors.contains("warning: public.lone has rows that"), "\(end)")
            #expect(!end.errors.contains("warning: public.proven"), "\(end)")
            for rows in [
                "SELECT * FROM lone ORDER BY c",
                "SELECT tableoid::regclass::text, a FROM par ORDER BY 1, 2",
            ] {
                let (there, was) = (try await target.query(rows), try await source.query(rows))
                #expect(there == was)
            }
            #expect(
                try await target.query(
                    """
                    SELECT conrelid::regclass::text, convalidated, coninhcount FROM pg_constraint
                    WHERE conname = 'own' AND coninhcount > 0 ORDER BY 1
                    """) == "chi|f|1\nlone|f|1\nproven|t|1")
            // Whose rows are as they should be is an heir as it was.
            #expect(
                try await target.query(
                    """
                    SELECT attislocal FROM pg_attribute
                    WHERE attrelid = 'proven'::regclass AND attname = 'a'
                    """) == "f")
            try await bench.expectNoMark(target)
        }
    }

    /// One more heir, which has nothing of its own of what the table has.
    private static func another(_ server: TestServer) -> String {
        """
        CREATE TABLE lone (
          c integer GENERATED ALWAYS AS IDENTITY, twice integer GENERATED ALWAYS AS (a * 2) STORED
        ) INHERITS (par);
        ALTER TABLE par DROP CONSTRAINT own;
        INSERT INTO lone (a) VALUES (NULL), (10), (5);
        ALTER TABLE par ADD CONSTRAINT own CHECK (a > 9) NOT VALID;
        """
            + (server.major < 18
                ? "" : "ALTER TABLE par ADD CONSTRAINT given NOT NULL a NOT VALID;")
    }

    private static let parted = """
        CREATE TABLE whole (a integer, b integer) PARTITION BY RANGE (a);
        CREATE TABLE low PARTITION OF whole FOR VALUES FROM (0) TO (10);
        CREATE TABLE high PARTITION OF whole FOR VALUES FROM (10) TO (20) PARTITION BY LIST (a);
        CREATE TABLE rest PARTITION OF high DEFAULT;
        INSERT INTO whole VALUES (1, NULL), (2, 20), (11, 1);
        """

    private static func partedConstraints(_ server: TestServer) -> String {
        """
        ALTER TABLE whole ADD CONSTRAINT "more than" CHECK (b > 5) NOT VALID;
        COMMENT ON CONSTRAINT "more than" ON whole IS 'it''s more';
        """
            + (server.major < 18
                ? ""
                : """
                ALTER TABLE whole ADD CONSTRAINT most CHECK (b > 50) NOT ENFORCED;
                ALTER TABLE whole ADD CONSTRAINT given NOT NULL b NOT VALID;
                """)
    }

    /// One heir has a constraint of its own besides, all rows of another one have been looked at.
    private static let heirs = """
        CREATE TABLE plain (a integer, b integer);
        INSERT INTO plain VALUES (5, NULL);
        ALTER TABLE plain ADD CONSTRAINT above CHECK (a > 9) NOT VALID;
        COMMENT ON CONSTRAINT above ON plain IS 'it''s above';
        CREATE TABLE par (a integer);
        CREATE TABLE chi (b integer) INHERITS (par);
        CREATE TABLE proven () INHERITS (par);
        INSERT INTO chi VALUES (5, 1); INSERT INTO proven VALUES (10);
        ALTER TABLE chi ADD CONSTRAINT own CHECK (a > 9) NOT VALID;
        ALTER TABLE par ADD CONSTRAINT own CHECK (a > 9) NOT VALID;
        ALTER TABLE proven VALIDATE CONSTRAINT own;
        """

    private static let constraints = """
        SELECT conrelid::regclass, conname, contype, convalidated, conislocal, coninhcount,
               pg_get_constraintdef(oid), obj_description(oid, 'pg_constraint')
        FROM pg_constraint WHERE contype IN ('c', 'n') AND conrelid <> 0
          AND connamespace = 'public'::regnamespace
        ORDER BY conrelid::regclass::text, conname
        """
}
