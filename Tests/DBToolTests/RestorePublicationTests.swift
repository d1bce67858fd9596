import BackupTesting
import Testing

/// A publication of all tables sends changes of what a restore notes down, too.
@Suite struct RestorePublicationTests {
    @Test(arguments: TestServer.all)
    func `a table comes back where changes of all tables are published`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.published()
            _ = try await bench.backUp(source)
            let target = try await bench.duplicate(source, "target")
            try await target.query("UPDATE t SET b = 'changed'")
            try await bench.restore(tables: ["t"], into: target, ["--clean", "--yes"])
                .requireCode(0)
            try await bench.expectEqual(source, target)
            try await bench.expectNoMark(target)

            try await bench.restore(tables: ["t"], into: target, ["--as", "copy"]).requireCode(0)
            #expect(try await target.query("SELECT count(*) FROM t JOIN copy USING (a, b)") == "2")
            try await bench.expectNoMark(target)
        }
    }

    @Test(arguments: TestServer.all)
    func `what was begun where changes of all tables are published is gone on with`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.published()
            _ = try await bench.backUp(source)
            let words = ["--clean", "--yes"]
            // Older versions left a mark that could not be changed, and failed with the structure.
            let older = """
                DROP TABLE t; UPDATE dbtool_restore.tables SET is_loaded = false;
                UPDATE dbtool_restore.restore SET has_structure = false;
                ALTER TABLE dbtool_restore.restore REPLICA IDENTITY DEFAULT;
                """
            for statements in ["", older] {
                let target = try await bench.duplicate(source, "target")
                let failing = try bench.failingPgRestore()
                try await bench.restore(
                    tables: ["t"], into: target, words + ["--pg-dump", failing]
                ).expect(code: 1, saying: "meant to fail")
                try await target.query(statements)
                try await bench.restore(tables: ["t"], into: target, words + ["--check", "rows"])
                    .requireCode(0)
                try await bench.expectEqual(source, target)
                try await bench.expectNoMark(target)
            }
        }
    }
}

extension Workbench {
    fileprivate func published() async throws -> TestDatabase {
        let source = try await createDatabase()
        try await source.query(
            """
            CREATE TABLE t (a int PRIMARY KEY, b text); INSERT INTO t VALUES (1, 'x'), (2, 'y');
            CREATE PUBLICATION everything FOR ALL TABLES;
            """)
        return source
    }
}
