import BackupTesting
import Foundation
import Testing

/// A backup of MySQL or MariaDB, restored, is the database that it was taken from: asked by the product's own
/// client, not by us.
@Suite(.serialized) struct MySQLRoundTripTests {
    @Test(arguments: MySQLTestServer.all, ["1", "0"])
    func `one of everything comes back as it was`(
        server: MySQLTestServer, localFiles: String
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.fill("mysql-torture", "mysql-torture-\(server.product)")
            try await server.query("SET GLOBAL local_infile = \(localFiles)")
            let backup = try await bench.backUp()
            try await bench.dbtool(["verify", backup.id, "-path", bench.repository]).requireCode(0)
            let copy = try await bench.restored(backup.id, ["--check", "rows"])
            try await bench.expectEqual(bench.source, copy)
            let again = try await bench.dbtool([
                "verify", backup.id, "-path", bench.repository, "--drill", "--same-server",
            ])
            #expect(again.code == 0, "\(again)")
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `what the files and the server's own client restore is nearly the same`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            try await bench.source.load(
                """
                CREATE TABLE a (id int AUTO_INCREMENT PRIMARY KEY, t varchar(50) NOT NULL, b blob, f float, s timestamp NULL, x bit(9))
                  ENGINE = InnoDB AUTO_INCREMENT = 9;
                INSERT INTO a VALUES (1, 'a,"b"\\n', x'00ff0a', 1.23456789, '2024-01-01 00:00:00', 257), (2, '\\\\N', NULL, NULL, NULL, NULL);
                CREATE TABLE audit (n int PRIMARY KEY);
                CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW INSERT INTO audit VALUES (NEW.id);
                CREATE VIEW v AS SELECT id FROM a;
                """)
            try await server.query("SET GLOBAL local_infile = 1")
            let backup = try await bench.backUp(["full", "database"], ["-compress", "zstd"])
            let restored = bench.other("guide")
            let guide = try String(
                contentsOfFile: "\(backup.folder)/RESTORE.md", encoding: .utf8)
            let script = try #require(
                guide.components(separatedBy: "```sh\n").dropFirst().first?
                    .components(separatedBy: "```").first)
            let client = server.client.map { "'\($0)'" }.joined(separator: " ")
            let end = try await Program.run(
                "/bin/bash",
                [
                    "-c",
                    "mysql() { \(client) \"$@\"; }\n"
                        + script.replacingOccurrences(of: "restored", with: restored.name),
                ], environment: ProcessInfo.processInfo.environment, folder: backup.folder)
            #expect(end.code == 0, "\(end)\n\(script)")
            try await bench.expectEqual(bench.source, restored)
        }
    }

    @Test(arguments: MySQLTestServer.all)
    func `a large table comes in ranges of its key, and goes over several connections`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let doublings = (0..<20).map {
                "INSERT INTO big SELECT id + \(1 << $0), filler, n + 1 FROM big;"
            }
            try await bench.source.query(
                """
                CREATE TABLE big (id bigint PRIMARY KEY, filler varchar(200), n int, KEY by_n (n)) ENGINE = InnoDB;
                INSERT INTO big VALUES (1, REPEAT('x', 120), 1); \(doublings.joined()) ANALYZE TABLE big
                """)
            let backup = try await bench.backUp(["full", "database"], ["--jobs", "3"])
            let copy = try await bench.restored(backup.id, ["--jobs", "3", "--check", "rows"])
            let sum = "SELECT COUNT(*), SUM(id), SUM(n), SUM(CRC32(filler)) FROM big"
            #expect(try await copy.query(sum) == bench.source.query(sum))
        }
    }
}
