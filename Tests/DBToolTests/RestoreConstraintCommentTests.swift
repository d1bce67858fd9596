import BackupTesting
import Testing

/// Comments on constraints that tables have from other tables alone, which archives list by their names and nothing else.
@Suite struct RestoreConstraintCommentTests {
    /// The names put the first comment in front of the constraint, and the second one behind it.
    private static let source = """
        CREATE TABLE parent (a int); CREATE TABLE heir () INHERITS (parent);
        ALTER TABLE parent ADD CONSTRAINT few CHECK (a < 9) NOT VALID;
        CREATE SCHEMA "of parts";
        CREATE TABLE whole (a int, c int) PARTITION BY LIST (a);
        CREATE TABLE "of parts"."a ON b" PARTITION OF whole FOR VALUES IN (1);
        ALTER TABLE whole ADD CONSTRAINT "is it" CHECK (c > 0) NOT VALID;
        COMMENT ON CONSTRAINT few ON heir IS 'of the heir';
        COMMENT ON CONSTRAINT "is it" ON "of parts"."a ON b" IS 'of the part';
        INSERT INTO heir VALUES (1); INSERT INTO whole VALUES (1, 1);
        """

    private static let comments = """
        SELECT string_agg(description, ', ' ORDER BY description) FROM pg_description
        WHERE classoid = 'pg_constraint'::regclass
          AND objoid IN (SELECT oid FROM pg_constraint WHERE conrelid <> 0)
        """

    @Test(arguments: TestServer.all)
    func `comments on constraints that tables have from others come back`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.source)
            let target = try await bench.roundTrip(source)
            let both = "of the heir, of the part"
            #expect(try await target.query(Self.comments) == both)
            try await target.query("DROP TABLE heir, \"of parts\".\"a ON b\"")
            let end = try await bench.restore(
                tables: ["heir", "\"of parts\".\"a ON b\""], into: target)
            try end.requireCode(0)
            #expect(try await target.query(Self.comments) == both)
        }
    }

    @Test(arguments: TestServer.all)
    func `a comment is named whose constraint no other table gives`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.source)
            _ = try await bench.backUp(source)
            let leftOut =
                "left out: comment public.CONSTRAINT few ON heir: no other table gives it that constraint"
            let target = try await bench.duplicate(source, "target")
            let copied = try await bench.restore(
                tables: ["heir"], into: target, ["--as", "copy"])
            try copied.requireCode(0)
            #expect(copied.output.contains(leftOut), "\(copied)")
            try await target.query("DROP TABLE copy, heir, parent")
            let alone = try await bench.restore(tables: ["heir"], into: target)
            try alone.requireCode(0)
            #expect(alone.output.contains(leftOut), "\(alone)")
            #expect(try await target.query(Self.comments) == "of the part")
        }
    }
}
