import BackupTesting
import Testing

/// Tables and indexes that lie in tablespaces, which belong to the server.
@Suite struct RestoreTablespaceTests {
    @Test(arguments: TestServer.all)
    func `an index's tablespace that is missing is named before anything is made`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            let name = bench.uniqueName("on two disks")
            let tablespace = Workbench.quoted(name)
            let creation = """
                SET allow_in_place_tablespaces = on; CREATE TABLESPACE \(tablespace) LOCATION '';
                """
            try await source.query(
                """
                \(creation)
                CREATE TABLE t (id int, v text); INSERT INTO t VALUES (1, 'a');
                CREATE INDEX slow ON t (v) TABLESPACE \(tablespace);
                """)
            let backup = try await bench.backUp(source)
            try await source.query("DROP INDEX slow; DROP TABLESPACE \(tablespace)")

            let target = bench.expectDatabase("target")
            try await bench.restore(backup.id, into: target).expect(
                code: 1, saying: "tablespaces do not exist", name,
                "CREATE TABLESPACE \(tablespace)",
                "--no-tablespaces")
            #expect(
                try await bench.administration.query(
                    "SELECT count(*) FROM pg_database WHERE datname = '\(target.name)'") == "0")
            // Nothing of the structure is made where only rows are restored.
            try await bench.restore(
                backup.id, into: source, ["--data-only", "--existing", "truncate"], creating: false
            ).requireCode(0)

            let plain = try await bench.restored(backup.id, ["--no-tablespaces"])
            try await source.query("CREATE INDEX slow ON t (v)")
            try await bench.expectEqual(source, plain)

            try await bench.administration.query(creation)
            try await bench.restore(backup.id, into: target).requireCode(0)
            let place = """
                SELECT s.spcname FROM pg_class c JOIN pg_tablespace s ON s.oid = c.reltablespace
                WHERE c.relname = 'slow'
                """
            #expect(try await target.query(place) == name)

            // A role that may not use it would fail after the rows.
            let guest = try await bench.createRole("guest", "CREATEDB")
            let theirs = bench.expectDatabase("theirs")
            let words = ["--no-owner", "--no-privileges"]
            try await bench.restore(backup.id, into: theirs, words, as: guest)
                .expect(code: 1, saying: "tablespaces do not exist, or not for role \(guest)")
            try await bench.administration.query(
                """
                GRANT CREATE ON TABLESPACE \(tablespace) TO \(guest)
                """)
            try await bench.restore(backup.id, into: theirs, words, as: guest).requireCode(0)
            #expect(try await theirs.query(place) == name)

            try await bench.administration.query(
                """
                DROP DATABASE "\(target.name)" WITH (FORCE);
                DROP DATABASE "\(theirs.name)" WITH (FORCE);
                DROP TABLESPACE \(tablespace);
                """)
        }
    }
}
