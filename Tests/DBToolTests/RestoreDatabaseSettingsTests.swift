import BackupTesting
import Testing

/// Settings of a database that decide who its sessions are: a restore is none of these.
@Suite struct RestoreDatabaseSettingsTests {
    @Test(arguments: TestServer.all)
    func `a database whose sessions are another role is restored, and drilled`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let owner = try await bench.createRole("owner", "IN ROLE pg_read_all_data")
            let source = try await bench.createDatabase()
            try await source.query(
                """
                CREATE TABLE t (i int PRIMARY KEY); INSERT INTO t VALUES (1);
                CREATE MATERIALIZED VIEW mv AS SELECT * FROM t;
                ALTER TABLE t OWNER TO \(owner); ALTER MATERIALIZED VIEW mv OWNER TO \(owner);
                ALTER DATABASE \(Workbench.quoted(source.name)) SET role = '\(owner)';
                ALTER DATABASE \(Workbench.quoted(source.name)) SET work_mem = '7MB';
                """)
            let facts = "SELECT current_user, (TABLE mv), (\(Self.settings))"
            let expected = try await source.query(facts)
            #expect(expected.hasPrefix("\(owner)|1|"))
            let backup = try await bench.backUp(source)
            let copy = try await bench.restored(backup.id)
            #expect(try await copy.query(facts) == expected)
            try await bench.expectNoMark(copy)
            try await bench.drilling {
                try await bench.dbtool(
                    ["verify", backup.id, "-path", bench.repository, "--drill", "--same-server"]
                        + bench.connection()
                ).requireCode(0)
            }
        }
    }

    @Test(arguments: TestServer.all)
    func `libraries that a server lacks shut nobody out of a restored database`(
        server: TestServer
    ) async throws {
        try await Workbench.with(server) { bench in
            let source = try await bench.createDatabase()
            let library = try await bench.copyOfLibrary()
            try await source.query(
                """
                CREATE TABLE t (i int PRIMARY KEY); INSERT INTO t VALUES (1);
                CREATE MATERIALIZED VIEW mv AS SELECT * FROM t;
                ALTER DATABASE \(Workbench.quoted(source.name)) SET session_preload_libraries = '\(library)';
                ALTER DATABASE \(Workbench.quoted(source.name)) SET work_mem = '7MB';
                """)
            let backup = try await bench.backUp(source)
            let copy = try await bench.restored(backup.id)
            #expect(try await copy.query(Self.settings) == source.query(Self.settings))

            try await bench.runOnServer("rm \"\(library)\"")
            let lacking = bench.expectDatabase("lacking")
            let end = try await bench.restore(backup.id, into: lacking)
            end.expect(code: 3)
            #expect(
                end.output.contains("SET \"session_preload_libraries\": cannot connect"), "\(end)")
            #expect(
                try await lacking.query("SELECT (TABLE mv), (\(Self.settings))")
                    == "1|{work_mem=7MB}")
            try await bench.expectNoMark(lacking)
            try await bench.drilling {
                try await bench.dbtool(
                    ["verify", backup.id, "-path", bench.repository, "--drill", "--same-server"]
                        + bench.connection()
                ).requireCode(0)
            }
        }
    }

    private static let settings = """
        SELECT array_agg(s ORDER BY s) FROM pg_db_role_setting r
        JOIN pg_database d ON d.oid = r.setdatabase, unnest(setconfig) s
        WHERE d.datname = current_database()
        """
}

extension Workbench {
    /// Where a library lies that can be taken away again: among the server's own files.
    fileprivate func copyOfLibrary() async throws -> String {
        let folder = try await administration.query("SHOW data_directory")
        let libraries = try await administration.query(
            "SELECT setting FROM pg_config WHERE name = 'PKGLIBDIR'")
        let copy = "\(folder)/\(uniqueName("library"))"
        try await runOnServer("cp \"\(libraries)\"/utf8_and_win.* \"\(copy)\"")
        return copy
    }

    fileprivate func runOnServer(_ command: String) async throws {
        try await administration.query(
            "CREATE TEMPORARY TABLE said (words text); COPY said FROM PROGRAM '\(command)'")
    }
}
