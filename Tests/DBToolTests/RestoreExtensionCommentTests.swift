import BackupTesting
import Testing

/// Comments on extensions, which only their owners may make.
@Suite struct RestoreExtensionCommentTests {
    @Test(arguments: TestServer.all)
    func `a comment on an extension comes back with a role that may make the extension`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner", "CREATEDB")
            let source = try await bench.createDatabase(owner: owner)
            try await source.query(
                """
                CREATE SCHEMA own; CREATE EXTENSION tablefunc SCHEMA own;
                COMMENT ON EXTENSION tablefunc IS 'it''s \\ ours';
                CREATE TABLE own.t (id int PRIMARY KEY); INSERT INTO own.t VALUES (1);
                """, as: owner)
            let backup = try await bench.backUp(source, as: owner)
            let target = bench.expectDatabase()
            let end = try await bench.restore(backup.id, into: target, as: owner)
            try end.requireCode(0)
            #expect(!end.errors.contains("comment on extension"), "\(end)")
            try await bench.expectEqual(source, target)
            let comment =
                "SELECT obj_description(oid, 'pg_extension') FROM pg_extension WHERE extname = 'tablefunc'"
            #expect(try await target.query(comment) == #"it's \ ours"#)
        }
    }
}
