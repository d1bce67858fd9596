import BackupTesting
import Foundation
import Testing

/// What a column tells of changes is believed only where the table, and the server, are the ones that they were.
@Suite struct MySQLTableIdentityTests {
    /// How a table's changes are looked for.
    static let byColumn = ["-basis", "column:n", "--monotonic", "--overlap", "0"]

    /// A table of 300 rows whose numbers are the same whatever else is in them.
    static func creation(of table: String, _ text: String) -> String {
        """
        CREATE TABLE \(table) (id int PRIMARY KEY, v varchar(20), n bigint NOT NULL, KEY (n)) ENGINE = InnoDB;
        INSERT INTO \(table) WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 300)
          SELECT i, '\(text)', i FROM s;
        """
    }

    @Test(arguments: MySQLTestServer.all)
    func `a table that another took the place of, or that was made anew, is compared`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            // In one second, all of them: their times tell nothing.
            try await bench.source.load(
                ["prices", "prices_new", "remade", "emptied", "kept"]
                    .map { Self.creation(of: $0, "of \($0)") }.joined(separator: "\n"))
            _ = try await bench.backUp()
            try await bench.source.load(
                """
                RENAME TABLE prices TO prices_old, prices_new TO prices;
                DROP TABLE remade; \(Self.creation(of: "remade", "another"))
                TRUNCATE TABLE emptied; INSERT INTO emptied SELECT id, 'filled again', n FROM kept;
                UPDATE kept SET v = 'changed', n = 1000 WHERE id = 7;
                """)
            let point = try await bench.backUp(["differential", "backup"], Self.byColumn)
            for table in ["prices", "remade", "emptied"] {
                let change = try #require(point.change(table))
                #expect(change.basis == "compare" && change.rows == 300, "\(table) \(change)")
                #expect(change.reason.contains("made anew"), "\(table) \(change)")
            }
            let kept = point.change("kept")
            #expect(kept?.basis == "column" && kept?.rows == 1, "\(point.report)")
            let copy = try await bench.restored(point.id)
            try await bench.expectEqual(bench.source, copy)
            // What has its place since is believed again.
            let after = try await bench.backUp(["incremental", "backup"], Self.byColumn)
            #expect(after.change("prices")?.basis == "column", "\(after.report)")
        }
    }

    /// Every row has another value then, in a table with the same number and the same columns.
    @Test(arguments: MySQLTestServer.all)
    func `a table of which a column was exchanged at once is compared`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            // The server tells the time of the change to the second.
            try await bench.source.load(Self.creation(of: "t", "first") + "DO SLEEP(1.1);")
            _ = try await bench.backUp()
            try await bench.source.query(
                """
                ALTER TABLE t DROP COLUMN v, ALGORITHM = INSTANT;
                ALTER TABLE t ADD COLUMN v varchar(20) DEFAULT 'exchanged' AFTER id, ALGORITHM = INSTANT;
                ALTER TABLE t ALTER COLUMN v SET DEFAULT NULL
                """)
            let point = try await bench.backUp(["differential", "backup"], Self.byColumn)
            let change = point.change("t")
            #expect(change?.basis == "compare" && change?.rows == 300, "\(point.report)")
            let copy = try await bench.restored(point.id)
            try await bench.expectEqual(bench.source, copy)
        }
    }

    /// Both places that a server's log may be known by.
    private static let logs: [[String]] = [
        ["log_bin=1", "server_id=7"],
        ["log_bin=1", "server_id=7", "gtid_mode=ON", "enforce_gtid_consistency=ON"],
    ]

    /// A server of each product with each of its kinds of log.
    private static let servers = MySQLTestServer.all.flatMap { server in
        // MariaDB numbers all transactions.
        logs.prefix(server.isMariaDB ? 1 : 2).map { (server, $0) }
    }

    @Test(arguments: servers)
    func `on a server whose files were put back rows are compared`(
        server: MySQLTestServer, settings: [String]
    ) async throws {
        try await MySQLBench.withOwnServer(like: server, settings) { bench, own in
            try await bench.source.load(Self.creation(of: "t", "first"))
            try await own.stop()
            try await own.keepFiles()
            try await own.restart()
            try await bench.source.query(
                "UPDATE t SET v = 'taken back', n = 1000 + id WHERE id < 10")
            let full = try await bench.backUp()
            let place = try full.metadata()["source_identity"]
            #expect(
                place.keys.contains { $0.hasSuffix("file") || $0.hasPrefix("gtid") }, "\(place)")
            // Restarted it is the same.
            try await own.stop()
            try await own.restart()
            try await bench.source.query("UPDATE t SET v = 'more', n = 2000 WHERE id = 100")
            let calm = try await bench.backUp(["differential", "backup"], Self.byColumn)
            let row = calm.change("t")
            #expect(row?.basis == "column" && row?.rows == 1, "\(calm.report)")

            try await own.stop()
            try await own.putFilesBack()
            try await own.restart()
            let point = try await bench.backUp(["differential", "backup"], Self.byColumn)
            let change = point.change("t")
            #expect(change?.basis == "compare" && change?.rows == 9, "\(point.report)")
            #expect(change?.reason.contains("set back") == true, "\(point.report)")
            let copy = try await bench.restored(point.id)
            try await bench.expectEqual(bench.source, copy)
        }
    }

    /// So it is with backups that were made before these numbers were kept.
    @Test(arguments: MySQLTestServer.all)
    func `a table of which the parent does not say which one it was is compared`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.load(Self.creation(of: "t", "first"))
            let blind = try await bench.source.createAccount("u", ["SELECT, LOCK TABLES ON {}.*"])
            let full = try await bench.backUp(as: blind)
            let object = try full.metadata()["tables"][0]["identity"]["object"].string
            #expect(object == "", "\(String(describing: object))")
            try await bench.source.query("UPDATE t SET v = 'in secret' WHERE id = 7")
            let point = try await bench.backUp(["differential", "backup"], Self.byColumn)
            let change = point.change("t")
            #expect(change?.basis == "compare" && change?.rows == 1, "\(point.report)")
            #expect(change?.reason.contains("nothing tells") == true, "\(point.report)")
            let copy = try await bench.restored(point.id)
            try await bench.expectEqual(bench.source, copy)
        }
    }
}
