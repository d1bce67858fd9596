import BackupTesting
import Foundation
import Testing

/// What a damaged table takes with it: the views that show it.
@Suite struct MySQLDamagedTableTests {
    @Test(arguments: MySQLTestServer.all)
    func `views of a table that nobody can open are named, and can be left out`(
        server: MySQLTestServer
    ) async throws {
        try await MySQLBench.with(server) { bench in
            let source = bench.source
            try await source.query(
                """
                CREATE TABLE good (id int PRIMARY KEY) ENGINE = InnoDB; INSERT INTO good VALUES (1);
                CREATE TABLE bad (id int PRIMARY KEY) ENGINE = MyISAM; INSERT INTO bad VALUES (1);
                CREATE VIEW fine AS SELECT id FROM good; CREATE VIEW onit AS SELECT id FROM bad;
                CREATE VIEW upon AS SELECT id FROM onit; FLUSH TABLES bad
                """)
            let data = try await server.query("SELECT @@datadir")
                .trimmingCharacters(in: .whitespacesAndNewlines)
            let index = URL(fileURLWithPath: "\(data)/\(source.name)/bad.MYI")
            try Data(count: 100).write(to: index)
            let check = try await bench.check()
            #expect(check.severities("tables") == ["problem"], "\(check.end)")
            for name in ["bad", "onit", "upon"] {
                #expect(check.text("tables").contains(name), "\(check.end)")
            }
            // Nothing is wrong with what makes the views, and nothing else could be made of the table.
            #expect(check.end.output.contains("DROP TABLE"), "\(check.end)")
            #expect(!check.end.output.contains("DROP VIEW"), "\(check.end)")
            #expect(!check.end.output.contains("ENGINE = InnoDB"), "\(check.end)")
            let words = ["-path", bench.repository, "--database", source.name]
            let end = try await bench.dbtool(
                ["full", "database"] + words + ["--skip-unreadable", "--json"])
            try end.requireCode(3)
            let left = try StoredBackup(end).report["unreadable_tables"]
            #expect(left.items.count == 3, "\(end)")
            let copy = bench.other("copy")
            let id = try StoredBackup(end).id
            let restore = try await bench.dbtool(
                ["restore", id, "-path", bench.repository, "--into", copy.name, "--create"])
            #expect([0, 3].contains(restore.code), "\(restore)")
            #expect(try await copy.query("SELECT id FROM fine").contains("1"))
        }
    }
}
