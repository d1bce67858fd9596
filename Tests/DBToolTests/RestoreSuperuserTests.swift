import BackupTesting
import Testing

/// What nobody may make but superusers does not keep others from restoring the rest.
@Suite struct RestoreSuperuserTests {
    @Test(arguments: TestServer.all)
    func `event triggers and publications of all tables are left out where no superuser restores`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner", "CREATEDB")
            let source = try await bench.reacting(owner: owner)
            let backup = try await bench.backUp(source)
            let named = [
                "event trigger reacts", "publication everything",
            ].map { "left out: \($0): only a superuser may make it" }
            let target = bench.expectDatabase()
            let shown = try await bench.restore(backup.id, into: target, ["--dry-run"], as: owner)
            let end = try await bench.restore(
                backup.id, into: target, ["--check", "rows"], as: owner)
            for end in [shown, end] {
                #expect(end.code == 0 && named.allSatisfy { end.output.contains($0) }, "\(end)")
            }
            try await bench.expectNoMark(target)
            #expect(try await target.query("SELECT pubname FROM pg_publication") == "few")
            try await source.query("DROP EVENT TRIGGER reacts; DROP PUBLICATION everything")
            try await bench.expectEqual(source, target)
        }
    }

    @Test(arguments: TestServer.all)
    func `what is left out for superusers is named by a restore that goes on, too`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner", "CREATEDB")
            let source = try await bench.reacting(owner: owner)
            if server.major >= 15 {
                try await source.query("CREATE PUBLICATION several FOR TABLES IN SCHEMA public")
            }
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            let failing = try bench.failingPgRestore()
            try await bench.restore(
                backup.id, into: target, ["--no-owner", "--pg-dump", failing], as: owner
            ).expect(code: 1, saying: "meant to fail")
            let end = try await bench.restore(backup.id, into: target, ["--no-owner"], as: owner)
            #expect(
                end.code == 0 && end.output.contains("left out: event trigger reacts"), "\(end)")
            #expect(
                server.major < 15 || end.output.contains("left out: publication tables in schema"),
                "\(end)")
            try await bench.expectNoMark(target)
            #expect(
                try await target.query("SELECT count(*) FROM pg_publication WHERE puballtables")
                    == "0")
            #expect(try await target.query("SELECT count(*) FROM pets") == "500")
        }
    }

    /// Hosted servers have one, which may make some of it there.
    @Test(arguments: TestServer.all)
    func `what the server refuses to who stands in the place of superusers is named`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner", "CREATEDB")
            let stand = try await bench.createRole(named: "cloudsqlsuperuser")
            try await bench.administration.query("GRANT \(stand) TO \(owner)")
            let source = try await bench.reacting(owner: owner)
            try await source.query("DROP EVENT TRIGGER reacts")
            let backup = try await bench.backUp(source)
            let target = bench.expectDatabase()
            let end = try await bench.restore(backup.id, into: target, ["--no-owner"], as: owner)
            #expect(
                end.code == 3 && end.output.contains("not made: PUBLICATION everything"),
                "\(end)")
            try await bench.expectNoMark(target)
            #expect(try await target.query("SELECT pubname FROM pg_publication") == "few")
        }
    }
}

extension Workbench {
    /// Tables of a role, and what a superuser has made that tells of them.
    fileprivate func reacting(owner: String) async throws -> TestDatabase {
        let source = try await small(owner: owner)
        try await source.query(
            """
            CREATE FUNCTION react() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
            ALTER FUNCTION react() OWNER TO \(owner);
            CREATE EVENT TRIGGER reacts ON ddl_command_end EXECUTE FUNCTION react();
            COMMENT ON EVENT TRIGGER reacts IS 'loud';
            CREATE PUBLICATION everything FOR ALL TABLES;
            COMMENT ON PUBLICATION everything IS 'all';
            CREATE PUBLICATION few FOR TABLE pets; ALTER PUBLICATION few OWNER TO \(owner);
            """)
        return source
    }
}
