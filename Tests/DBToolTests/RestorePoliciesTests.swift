import BackupTesting
import Testing

/// Policies that hold for owners too keep no owner from a restore, and hide no row from it.
@Suite struct RestorePoliciesTests {
    @Test(arguments: TestServer.all)
    func `an owner fills empty tables of its own whose policies hold for it`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner")
            let source = try await bench.createDatabase(owner: owner)
            try await source.query(
                """
                CREATE TABLE plain (id integer PRIMARY KEY);
                CREATE TABLE whole (id integer) PARTITION BY HASH (id);
                CREATE TABLE part PARTITION OF whole FOR VALUES WITH (MODULUS 1, REMAINDER 0);
                INSERT INTO plain SELECT generate_series(1, 100);
                INSERT INTO whole SELECT generate_series(1, 50);
                """
                    + ["plain", "whole", "part"].map { table in
                        """
                        ALTER TABLE \(table) ENABLE ROW LEVEL SECURITY;
                        ALTER TABLE \(table) FORCE ROW LEVEL SECURITY;
                        CREATE POLICY none ON \(table) USING (false);
                        """
                    }.joined(), as: owner)
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query("TRUNCATE plain, whole")
            // What the owner does not see is in the way as well.
            for table in ["plain", "whole"] {
                try await target.query("INSERT INTO \(table) VALUES (1000)")
                try await bench.expectRefused(target, saying: "hold rows: public.") {
                    try await bench.restore(
                        tables: [], into: target, ["--data-only"], as: owner)
                }
                try await target.query("TRUNCATE \(table)")
            }
            try await bench.restore(tables: [], into: target, ["--data-only"], as: owner)
                .requireCode(0)
            try await bench.expectEqual(source, target)
            try await bench.expectNoMark(target)
        }
    }
}
