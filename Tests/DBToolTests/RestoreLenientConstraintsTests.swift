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
}
