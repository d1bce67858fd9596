import BackupTesting
import Testing

/// Partitions that are attached to a whole of the target.
@Suite struct RestoreAttachmentTests {
    private static let parted = """
        CREATE TABLE ranges (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
        CREATE INDEX ON ranges (v);
        CREATE TABLE first PARTITION OF ranges FOR VALUES FROM (0) TO (100);
        CREATE TABLE second PARTITION OF ranges FOR VALUES FROM (100) TO (200)
            PARTITION BY LIST (id);
        CREATE TABLE second_rest PARTITION OF second DEFAULT;
        CREATE TABLE rest PARTITION OF ranges DEFAULT;
        INSERT INTO ranges SELECT i, 'v' || i FROM generate_series(1, 250) i;
        CREATE TABLE hashed (id int PRIMARY KEY, v text) PARTITION BY HASH (id);
        CREATE TABLE part_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 3, REMAINDER 0);
        CREATE TABLE part_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 3, REMAINDER 1);
        CREATE TABLE part_2 PARTITION OF hashed FOR VALUES WITH (MODULUS 3, REMAINDER 2);
        INSERT INTO hashed SELECT i, 'v' || i FROM generate_series(1, 100) i;
        """

    /// Where its own parts' indexes are yet to be attached to them, the server makes its indexes anew.
    @Test(arguments: TestServer.all)
    func `a part that has parts goes back into its whole with the indexes that it had`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            try await source.query(Self.parted)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query("DROP TABLE second")
            try await bench.restore(tables: ["second"], into: target).requireCode(0)
            try await bench.expectEqual(source, target)
        }
    }
}
